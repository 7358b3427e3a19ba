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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped rules as printed, rules of a site, and rules with other values for all thresholds; and tests."""
    folder = tmp_path_factory.mktemp("rules")
    values = (f"--set={name}={'77%' if each.default.endswith('%') else '4321s'}" for name, each in THRESHOLDS.items())
    site = (
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
    (folder / "tests").mkdir()
    (folder / "tests" / "site.yml").write_text(json.dumps(TEST))
    shipped = (PROMETHEUS / "tests" / "task-delay-own-limit.yml").read_text()
    (folder / "tests" / "shipped.yml").write_text(shipped.replace("../drs-*.yml", "../drs-shipped.yml"))
    return folder


@needs("promtool")
def test_promtool_accepts_the_rules_with_all_options(folder: Path) -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *sorted(folder.glob("*.yml")))


@needs("promtool")
def test_alerts_fire_with_the_thresholds_links_and_severities_of_the_site(folder: Path) -> None:
    promtool("test", "rules", *sorted((folder / "tests").glob("*.yml")))


@pytest.mark.parametrize(
    "words",
    ["rules --format=prometheusrule --label=release=x", "rules --format=configmap", "dashboards --format=configmap"],
)
def test_kubernetes_and_the_prometheus_operator_accept_the_manifests(words: str) -> None:
    options = parse(words.split())
    for manifest in yaml.load_all(options.run(options).text, yaml.CSafeLoader):
        validate(manifest)
