"""The rules that `drs-exporter rules` prints, under promtool, and the manifests for Kubernetes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from exporter.commands.main import parse
from exporter.commands.site_rules import EXPORTER, GRAFANA, RUNBOOKS
from exporter.commands.thresholds import THRESHOLDS
from tests.lib.chart import validate
from tests.lib.rules import PROMETHEUS, promtool
from tests.lib.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

TASK = 'account="prod", region="cn-north-4", project="payments", task_id="11jb101", task_name="pay"'
TEST = {
    "rule_files": ["../drs-site.yml"],
    "evaluation_interval": "1m",
    "tests": [
        {
            "interval": "1m",
            "input_series": [
                {"series": f"drs_task_incremental_delay_seconds{{{TASK}}}", "values": "130x20"},
            ],
            "alert_rule_test": [
                {
                    "alertname": "DrsTaskDelayHigh",
                    "eval_time": "10m",
                    "exp_alerts": [
                        {
                            "exp_labels": {
                                "account": "prod",
                                "region": "cn-north-4",
                                "project": "payments",
                                "task_id": "11jb101",
                                "task_name": "pay",
                                "root_id": "11jb101",
                                "severity": "info",
                            },
                            "exp_annotations": {
                                "summary": "DRS task pay lags behind its source",
                                "description": "The target of task pay (id 11jb101, account prod, region cn-north-4, "
                                "project payments) is 2m 10s behind the source, over its limit of 2m 0s.",
                                "runbook_url": "https://drs.example/x/runbooks/DrsTaskDelayHigh?task_id=11jb101",
                                "exporter_url": "https://drs.example/x/tasks/11jb101",
                            },
                        }
                    ],
                }
            ],
        }
    ],
}
"""A delay over a lower limit."""
EXPORTER_OF_ANOTHER_JOB = [
    {"series": 'up{job="other", instance="x:1"}', "values": "1x20"},
    {"series": 'drs_exporter_build_info{job="other", instance="x:1", version="1"}', "values": "1x20"},
    {"series": f'drs_up{{job="other", instance="x:1", {TASK.partition(", task_id")[0]}}}', "values": "1x20"},
]
NEVER_SCRAPED = {"series": 'up{job="db/drs", instance="a:1"}', "values": "0x20"}
SOMETHING_ELSE = {"series": 'up{job="db/drs", instance="b:1"}', "values": "1x20"}
NO_TARGET, NO_EXPORTER, DOWN = (
    '{alertname="DrsExporterDown", job="db/drs", severity="critical"}',
    '{alertname="DrsExporterDown", severity="critical"}',
    '{alertname="DrsReplicaDown", job="db/drs", instance="a:1", severity="warning"}',
)
FIRING = 'ALERTS{alertname=~"Drs(Exporter|Replica)Down", alertstate="firing"}'
OF_A_JOB = {
    "rule_files": ["../exporters.yml"],
    "evaluation_interval": "1m",
    "group_eval_order": ["drs-exporters", "drs-exporters-down"],
    "tests": [
        {
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [
                {
                    "expr": f"sum without (alertstate) ({FIRING})",
                    "eval_time": "10m",
                    "exp_samples": [{"labels": fired, "value": 1}],
                }
            ],
        }
        for series, fired in (
            ([*EXPORTER_OF_ANOTHER_JOB, NEVER_SCRAPED, SOMETHING_ELSE], DOWN),
            (EXPORTER_OF_ANOTHER_JOB, NO_TARGET),
            ([NEVER_SCRAPED], NO_EXPORTER),
            ([], NO_EXPORTER),
        )
    ],
}
"""Targets of the job of exporters that were never scraped, and no targets, with and without another exporter."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped rules as printed, rules of a site, and rules with other values for all thresholds; and tests."""
    folder = tmp_path_factory.mktemp("rules")
    values = (f"--set={name}={'77%' if each.default.endswith('%') else '4321s'}" for name, each in THRESHOLDS.items())
    site = (
        "--job=db/drs",
        "--set=delay=2m",
        "--severity=DrsTaskDelayHigh=info",
        "--exporter-url=https://drs.example/x/",
    )
    for name, words in {
        "drs-shipped": (f"--grafana-url={GRAFANA}", f"--exporter-url={EXPORTER}", f"--runbook-url={RUNBOOKS}"),
        "drs-site": site,
        "other": (*values, "--ready-outside-waves"),
    }.items():
        options = parse(["rules", *words])
        (folder / f"{name}.yml").write_text(options.run(options).text)
    groups = yaml.load((folder / "drs-site.yml").read_text(), yaml.CSafeLoader)["groups"]
    of_exporters = [group for group in groups if group["name"] in OF_A_JOB["group_eval_order"]]
    (folder / "exporters.yml").write_text(json.dumps({"groups": of_exporters}))
    (folder / "tests").mkdir()
    (folder / "tests" / "site.yml").write_text(json.dumps(TEST))
    (folder / "tests" / "job.yml").write_text(json.dumps(OF_A_JOB))
    shipped = (PROMETHEUS / "tests" / "side-down.yml").read_text()
    (folder / "tests" / "shipped.yml").write_text(shipped.replace("../drs-*.yml", "../drs-shipped.yml"))
    return folder


@needs("promtool")
def test_promtool_accepts_the_rules_with_all_options(folder: Path) -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *sorted(folder.glob("*.yml")))


@needs("promtool")
def test_alerts_fire_with_the_thresholds_links_severities_and_the_job_of_the_site(folder: Path) -> None:
    promtool("test", "rules", *sorted((folder / "tests").glob("*.yml")))


@pytest.mark.parametrize(
    "words",
    ["rules --format=prometheusrule --label=release=x", "rules --format=configmap", "dashboards --format=configmap"],
)
def test_kubernetes_and_the_prometheus_operator_accept_the_manifests(words: str) -> None:
    options = parse(words.split())
    for manifest in yaml.load_all(options.run(options).text, yaml.CSafeLoader):
        validate(manifest)
