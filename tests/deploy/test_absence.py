"""Each metric that an alert needs: which alert notices that it is absent or old."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest

from exporter.config import COLLECTORS, TASKS
from exporter.docs.sources import feed_of
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import SELF_METRICS
from exporter.metrics.tasks import TASK_FAMILIES
from tests.lib.daemon import scraped, sim_task
from tests.lib.promql import selectors
from tests.lib.rules import ALERT_RULES, ALERTS, RECORDED, RULES, run_unit_tests
from tests.lib.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lib.rules import Rule

FED = {
    **{family.name: feed_of(family).collectors for family in TASK_FAMILIES},
    **{family.name: feed_of(family).collectors for family in PROJECT_FAMILIES},
}
"""The collectors that feed each family of tasks and projects."""
ABOUT_POLLS = {name for name, collectors in FED.items() if not collectors}
"""Families about the polls themselves: they exist from the first poll on, which drs_up shows as well."""
ALWAYS = {metric.name for metric in SELF_METRICS if not metric.optional}
"""Our own metrics, which exist from the first call on at the latest."""
OTHERS = {
    "up": "DrsExporterDown",  # or absent
    "process_start_time_seconds": "DrsExporterDown",  # where processes do not report it, failed scrapes are noticed
    "drs_exporter_storage_success": "",  # without storage.path, there is nothing to notice
    "drs_exporter_clock_skew_seconds": "DrsClockSkew",  # not known: calls that are refused are noticed
    "drs_exporter_credentials_expire_timestamp_seconds": "DrsCredentialsRefused",  # when they have expired
    "drs_wave_tasks": "DrsExporterDown",  # from the exporter itself, while a wave runs
    "drs_wave_expected_tasks": "DrsExporterDown",
    "drs_wave_ready": "DrsExporterDown",
}
"""Metrics that may be absent while everything works, and the alert that fires when that matters."""
TARGET = 'job="drs", instance="a:1"'
PROJECT = f'{TARGET}, account="prod", region="cn-north-4", project="payments"'


@cache
def metrics_of(expression: str) -> frozenset[str]:
    """The metrics that an expression needs, also through recording rules."""
    names = {selector.name or "" for selector in selectors(expression)}
    recorded = [rule["expr"] for rule in RULES if rule.get("record") in names and rule["expr"] != expression]
    through = {each for needed in recorded for each in metrics_of(needed)}
    return frozenset(names - RECORDED) | through


@pytest.mark.parametrize("rule", ALERT_RULES, ids=lambda rule: rule["alert"])
def test_the_absence_of_each_metric_that_an_alert_needs_is_noticed(rule: Rule) -> None:
    needed = metrics_of(rule["expr"])
    unnoticed = {name for name in needed if not FED.get(name)} - ABOUT_POLLS - ALWAYS - OTHERS.keys()
    assert needed
    assert unnoticed == set()


def test_the_exceptions_are_metrics_that_alerts_need() -> None:
    needed = {name for rule in ALERT_RULES for name in metrics_of(rule["expr"])}
    assert needed >= OTHERS.keys()
    assert set(filter(None, OTHERS.values())) <= set(ALERTS)


def test_our_own_metrics_that_alerts_need_are_on_every_page() -> None:
    needed = {name for rule in ALERT_RULES for name in metrics_of(rule["expr"])} & (ALWAYS | ABOUT_POLLS) - {*OTHERS}
    assert needed <= scraped(sim_task("one")).names()


def series(name: str, collector: str, values: str) -> dict[str, str]:
    return {"series": f'drs_exporter_collector_{name}{{{PROJECT}, collector="{collector}"}}', "values": values}


@needs("promtool")
def test_a_collector_that_fails_or_stands_still_raises_an_alert(tmp_path: Path) -> None:
    """Of all but the lists, whose failure makes the project unreadable, see project-blind.yml and task-stale.yml."""
    names = sorted(COLLECTORS.keys() - {TASKS})
    where = {"account": "prod", "region": "cn-north-4", "project": "payments", "severity": "warning"}
    shard = {"series": f'drs_exporter_shard_info{{{TARGET}, shard="0", shards="1"}}', "values": "1x40"}
    ages = [series("max_age_seconds", name, "300x40") for name in names]
    failing = [*ages, *(series("success", name, "1x5 0x35") for name in names)]
    still = [*ages, *(series("success", name, "1x40") for name in names)]
    still += [series("last_success_timestamp_seconds", name, "0x40") for name in names]
    tests = [
        {
            "interval": "1m",
            "input_series": [shard, *given],
            "alert_rule_test": [
                {
                    "alertname": alert,
                    "eval_time": "35m",
                    "exp_alerts": [{"exp_labels": {**where, "collector": name}} for name in names],
                }
            ],
        }
        for alert, given in (("DrsCollectorFailing", failing), ("DrsCollectorStale", still))
    ]
    text = json.dumps({"rule_files": ["../drs-*.yml"], "evaluation_interval": "1m", "tests": tests})
    run_unit_tests(tmp_path, {"collectors": text}, annotations=False)
