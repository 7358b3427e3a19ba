"""A real Prometheus with the shipped configuration, rules and dashboards scrapes the demo, and states that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exporter.config import Cutover
from tests.e2e.programs import TIMEOUT, Exporter
from tests.e2e.prometheus import Prometheus
from tests.e2e.troubles import troubled
from tests.lib.certificates import Authority
from tests.lib.dashboards import dashboard_expressions, dashboard_labels
from tests.lib.paths import DEPLOY
from tests.lib.rules import RECORDED
from tests.lib.runbooks import RUNBOOKS, queries
from tests.lib.tools import needs

pytestmark = needs("prometheus", "openssl")

EXPRESSIONS = [
    pytest.param(query, id=f"{path.stem} {title}")
    for path in sorted((DEPLOY / "grafana").glob("*.json"))
    for title, query in [*dashboard_expressions(path), *dashboard_labels(path)]
]
DIAGNOSES = {query.replace('task_id="TASK_ID"', 'task_id=~".+"') for name in RUNBOOKS for query in queries(name)}
"""The queries of the runbooks, for all tasks."""
SLOW = {"drs:task_report_stopped"}
"""Recording rules without a value here: a report has stopped after ten minutes. promtool tests them."""


@pytest.fixture(scope="module")
def prometheus(demo: Exporter, tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Prometheus]:
    """It scrapes the demo, and two shards whose cloud has the states that the demo lacks."""
    with troubled(tmp_path_factory.mktemp("troubles"), authority) as troubles:
        exporters = [demo, *troubles.exporters]
        targets = [exporter.url.removeprefix("http://") for exporter in exporters]
        with Prometheus(tmp_path_factory.mktemp("prometheus"), *targets) as program:
            program.until(program.ready, "it is ready")
            troubles.begin()
            yield program


def test_it_scrapes_the_exporter(prometheus: Prometheus) -> None:
    prometheus.until(lambda: prometheus.query('up{job="drs-exporter"} == 1'), "the exporter is up")


def test_it_scrapes_openmetrics_and_reads_every_sample(prometheus: Prometheus, demo: Exporter) -> None:
    """Only in OpenMetrics are there units and infos, and only there the family of a counter has no suffix."""

    def described() -> dict[str, tuple[str, str]]:
        families = prometheus.request("targets/metadata")
        return {family["metric"]: (family["type"], family["unit"]) for family in families}

    expected = {
        "drs_task": ("info", ""),
        "drs_task_phase": ("gauge", ""),
        "drs_task_phase_changes": ("counter", ""),
        "drs_task_incremental_delay_seconds": ("gauge", "seconds"),
        "drs_exporter_api_requests": ("counter", ""),
        "drs_exporter_api_request_duration_seconds": ("histogram", "seconds"),
    }
    prometheus.until(lambda: expected.items() <= described().items(), described)
    assert not [name for name in described() if name.startswith("drs_") and name.endswith(("_total", "_info"))]

    def read() -> list[int]:
        instance = demo.url.removeprefix("http://")
        scraped = prometheus.query(f'scrape_samples_scraped{{instance="{instance}"}}')
        return [int(series["value"][1]) for series in scraped]

    def shown() -> int:
        return sum(not line.startswith("#") for line in demo.get().text.splitlines())

    # The demo changes its page, so both are read again until they agree.
    prometheus.until(lambda: read() == [shown()], lambda: (read(), shown()))


def test_no_label_is_renamed_by_the_scrape(prometheus: Prometheus) -> None:
    delays = prometheus.until(lambda: prometheus.query("drs_task_incremental_delay_seconds"), "there are delays")
    assert {delay["metric"]["region"] for delay in delays} == {"cn-north-4", "eu-de"}
    assert not any(name.startswith("exported_") for delay in delays for name in delay["metric"])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_query_of_the_dashboards_has_a_result(prometheus: Prometheus, expression: str) -> None:
    seconds = TIMEOUT + Cutover().stable_for  # no task is ready before
    prometheus.until(lambda: prometheus.query(expression), f"data for {expression}", seconds)


def test_every_query_of_the_runbooks_has_a_result(prometheus: Prometheus) -> None:
    waiting = set(DIAGNOSES)

    def all_have_results() -> bool:
        waiting.difference_update([query for query in waiting if prometheus.query(query)])
        return not waiting

    prometheus.until(all_have_results, lambda: waiting, TIMEOUT + Cutover().stable_for)


@pytest.mark.parametrize("name", sorted(RECORDED - SLOW))
def test_every_recording_rule_records_a_value(prometheus: Prometheus, name: str) -> None:
    prometheus.until(lambda: prometheus.query(name), f"data for {name}")


def test_the_rules_are_loaded_and_healthy(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.request("rules")["groups"] for rule in group["rules"]]

    prometheus.until(lambda: all(rule["health"] == "ok" for rule in rules()), rules)
    assert {"DrsExporterDown", "DrsProjectBlind", "DrsTaskFailed"} <= {rule["name"] for rule in rules()}


def test_the_failed_tasks_of_the_demo_raise_their_alert(prometheus: Prometheus) -> None:
    def alerts() -> set[tuple[str, str]]:
        labels = [alert["labels"] for alert in prometheus.request("alerts")["alerts"]]  # pending and firing ones
        return {(label["alertname"], label.get("task_name", "")) for label in labels}

    failed = {("DrsTaskFailed", "legacy-crm"), ("DrsTaskFailed", "tickets-mysql")}
    prometheus.until(lambda: failed <= alerts(), alerts)
