"""A real Prometheus with the shipped configuration, rules and dashboards scrapes the demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from exporter.config import Cutover
from tests.e2e.programs import TIMEOUT, Exporter, Program, free_port, get
from tests.lib.dashboards import dashboard_expressions
from tests.lib.paths import DEPLOY
from tests.lib.rules import RECORDED, load
from tests.lib.runbooks import RUNBOOKS, queries
from tests.lib.tools import needs, tool

pytestmark = needs("prometheus")

UNSEEN = {"Failures"}
"""Annotations without a value in the demo: no task fails while it runs."""
UNSEEN_SERIES = (
    *("drs:project_shards:", "drs_exporter_storage_", "drs_task_auto_stop_timestamp_seconds", 'state="loaded"'),
    *("drs_exporter_clock_skew_seconds", "drs_exporter_credentials_expire_timestamp_seconds", "iam_.*"),
    *("drs_task_predicted_full_load_end_timestamp_seconds", "drs_task_current_action"),
)
"""Series that the demo lacks in its first minute: no shards, no storage, no host of a known cloud, keys without an end,
no task that fails or whose full load ends or is predicted, and no operation in progress at every moment."""
EXPRESSIONS = [
    pytest.param(query, id=f"{path.stem} {title}")
    for path in sorted((DEPLOY / "grafana").glob("*.json"))
    for title, query in dashboard_expressions(path)
    if title not in UNSEEN and not any(series in query for series in UNSEEN_SERIES)
]
DIAGNOSES = {query.replace('task_id="TASK_ID"', 'task_id=~".+"') for name in RUNBOOKS for query in queries(name)}
"""The queries of the runbooks, for all tasks."""
FAULTS = {
    "drs:project_shards:count",
    "drs:project_shards_complete",
    "drs:task_delay_threshold_unknown",
    "drs:task_progress_stale",
    "drs:task_report_stopped",
}
"""Recording rules without a value in the demo: it has no shards, nothing there is stale, and its details are read."""


class Prometheus(Program):
    """Prometheus with the shipped configuration and rules, but other ports and intervals.

    Args:
        folder: for its files.
        target: the host and port of the exporter.
        alertmanager: host and port of an Alertmanager. With it alerts fire at once, without their `for`.
        more: further keys of the scrape configuration.
    """

    def __init__(self, folder: Path, target: str, alertmanager: str | None = None, **more: Any) -> None:
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        config["global"] |= {"evaluation_interval": "1s"}
        (rules,) = config["rule_files"]
        for rule_file in (DEPLOY / "prometheus").glob(rules):
            groups = [{**group, "interval": "1s"} for group in load(rule_file)["groups"]]
            if alertmanager is not None:
                for rule in (rule for group in groups for rule in group["rules"]):
                    rule.pop("for", None)
                    rule.pop("keep_firing_for", None)
            (folder / rule_file.name).write_text(yaml.safe_dump({"groups": groups}))
        if alertmanager is not None:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        (scrape,) = config["scrape_configs"]
        scrape |= {"scrape_interval": "1s", "scrape_timeout": "1s", **more}
        scrape["static_configs"][0]["targets"] = [target]
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        self.url = f"http://127.0.0.1:{free_port()}"
        super().__init__(
            [
                tool("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
                "--log.level=warn",
            ],
            folder,
        )

    def ready(self) -> bool:
        """Return whether it serves."""
        try:
            return get(f"{self.url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def request(self, path: str, **parameters: str) -> Any:
        """The data in a response of its API."""
        response = get(f"{self.url}/api/v1/{path}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        result: list[dict[str, Any]] = self.request("query", query=expression)["result"]
        return result

    def labels(self, expression: str, name: str) -> set[str]:
        """The values of a label in the result of an instant query."""
        return {series["metric"][name] for series in self.query(expression)}


@pytest.fixture(scope="module")
def prometheus(demo: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with Prometheus(tmp_path_factory.mktemp("prometheus"), demo.url.removeprefix("http://")) as program:
        program.until(program.ready, "it is ready")
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

    def read() -> int:
        (scraped,) = prometheus.query('scrape_samples_scraped{job="drs-exporter"}')
        return int(scraped["value"][1])

    def shown() -> int:
        return sum(not line.startswith("#") for line in demo.get().text.splitlines())

    # The demo changes its page, so both are read again until they agree.
    prometheus.until(lambda: read() == shown(), lambda: (read(), shown()))


def test_no_label_is_renamed_by_the_scrape(prometheus: Prometheus) -> None:
    delays = prometheus.until(lambda: prometheus.query("drs_task_incremental_delay_seconds"), "there are delays")
    assert {delay["metric"]["region"] for delay in delays} == {"cn-north-4", "eu-de"}
    assert not any(name.startswith("exported_") for delay in delays for name in delay["metric"])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_query_of_the_dashboards_has_a_result(prometheus: Prometheus, expression: str) -> None:
    seconds = TIMEOUT + Cutover().stable_for  # no task is ready before
    prometheus.until(lambda: prometheus.query(expression), f"data for {expression}", seconds)


def test_every_query_of_the_runbooks_has_a_result(prometheus: Prometheus) -> None:
    waiting = {query for query in DIAGNOSES if not any(series in query for series in UNSEEN_SERIES)}

    def all_have_results() -> bool:
        waiting.difference_update([query for query in waiting if prometheus.query(query)])
        return not waiting

    prometheus.until(all_have_results, lambda: waiting, TIMEOUT + Cutover().stable_for)


@pytest.mark.parametrize("name", sorted(RECORDED - FAULTS))
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
