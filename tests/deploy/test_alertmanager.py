"""The Alertmanager example: its receivers, and its inhibition rules in a real Alertmanager."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.programs import WebProgram, get
from tests.lib.paths import DEPLOY
from tests.lib.rules import ALERTS, load
from tests.lib.tools import needs, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = DEPLOY / "alertmanager" / "alertmanager.yml"
PROJECT = {"account": "prod", "region": "eu-de", "project": "shop"}
OTHER = PROJECT | {"project": "books"}
PARENT = PROJECT | {"task_id": "1", "root_id": "1"}
CHILD = PROJECT | {"task_id": "2", "parent_id": "1", "root_id": "1"}
STRANGER = PROJECT | {"task_id": "3", "parent_id": "9", "root_id": "9"}
TASK = OTHER | {"task_id": "4", "root_id": "4"}


def amtool(*arguments: str) -> str:
    command = [tool("amtool"), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@needs("amtool")
def test_the_configuration_is_valid() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@needs("amtool")
@pytest.mark.parametrize(("severity", "receiver"), [("critical", "pager"), ("warning", "desk"), ("info", "report")])
def test_the_severity_selects_the_receiver(severity: str, receiver: str) -> None:
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", f"severity={severity}").strip() == receiver


@needs("amtool")
@pytest.mark.parametrize("name", ["DrsWaveReady", "DrsTaskCutoverReady"])
def test_readiness_has_a_receiver_of_its_own(name: str) -> None:
    labels = (f"alertname={name}", "severity=info")
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels).strip() == "cutover"


def test_inhibition_names_alerts_that_exist() -> None:
    named = [
        match
        for rule in load(CONFIG)["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        for match in re.findall(r'^alertname!?=~?"(.+)"$', matcher)
    ]
    for pattern in "|".join(named).split("|"):
        assert any(re.fullmatch(pattern, name) for name in ALERTS), pattern


class Alertmanager(WebProgram):
    """A running Alertmanager, by default with our example."""

    def __init__(self, folder: Path, config: Path = CONFIG) -> None:
        options = (f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address=")
        super().__init__([tool("prometheus-alertmanager"), *options], folder)

    def fire(self, *alerts: dict[str, str]) -> None:
        """Send alerts, as Prometheus does."""
        with httpx.Client(trust_env=False) as http:
            assert (
                http.post(f"{self.url}/api/v2/alerts", json=[{"labels": labels} for labels in alerts]).status_code
                == 200
            )

    def inhibited(self, **labels: str) -> bool | None:
        """Return whether an alert is inhibited; None if Alertmanager has not received it."""
        alerts: list[dict[str, Any]] = get(f"{self.url}/api/v2/alerts").json()
        found = [bool(alert["status"]["inhibitedBy"]) for alert in alerts if alert["labels"] == labels]
        return found[0] if found else None


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path_factory.mktemp("alertmanager")) as program:
        program.until(program.ready, "it is ready")
        yield program


@needs("prometheus-alertmanager")
@pytest.mark.parametrize(
    ("name", "cause", "inhibits", "spares"),
    [
        (
            "unreadable project",
            {"alertname": "DrsProjectBlind", **PROJECT},
            [{"alertname": "DrsTaskFailed", **PARENT}, {"alertname": "DrsTaskStale", "reason": "progress", **PROJECT}],
            [{"alertname": "DrsTaskFailed", **TASK}, {"alertname": "DrsExporterDown"}],
        ),
        (
            "refused credentials",
            {"alertname": "DrsCredentialsRefused", "account": "prod", "region": "eu-de"},
            [{"alertname": "DrsProjectBlind", **PROJECT}, {"alertname": "DrsProjectBlind", **OTHER}],
            [{"alertname": "DrsProjectBlind", **(OTHER | {"region": "eu-nl"})}],
        ),
        (
            "missing shard",
            {"alertname": "DrsShardMissing", "shards": "3"},
            [{"alertname": "DrsWaveIncomplete", "wave": "weekend"}, {"alertname": "DrsShardMismatch"}],
            [{"alertname": "DrsReplicaDown", "instance": "a:1"}, {"alertname": "DrsProjectBlind", **PROJECT}],
        ),
        (
            "blind replica",
            {"alertname": "DrsReplicaBlind", "instance": "a:1"},
            [],
            [{"alertname": "DrsReplicaDown", "instance": "a:1"}, {"alertname": "DrsTaskFailed", **PARENT}],
        ),
        (
            "failed parent",
            {"alertname": "DrsTaskFailed", **PARENT},
            [{"alertname": "DrsTaskDelayHigh", **CHILD}, {"alertname": "DrsSideDown", **PARENT}],
            [{"alertname": "DrsTaskDelayHigh", **STRANGER}, {"alertname": "DrsComparisonInconsistent", **PARENT}],
        ),
        (
            "same symptom",
            {"alertname": "DrsNodeCpuHigh", **PARENT},
            [{"alertname": "DrsNodeCpuHigh", **CHILD}],
            [
                {"alertname": "DrsTaskDelayHigh", **CHILD},
                {"alertname": "DrsNodeCpuHigh", **STRANGER},
                {"alertname": "DrsNodeCpuHigh", "severity": "critical", **CHILD},
            ],
        ),
        (
            "failed child",
            {"alertname": "DrsTaskFailed", **CHILD},
            [{"alertname": "DrsTaskDelayHigh", **CHILD}, {"alertname": "DrsTaskApplyFailed", **CHILD}],
            [{"alertname": "DrsSideDown", **PARENT}],
        ),
        (
            "failed step",
            {"alertname": "DrsTaskStepFailed", **TASK},
            [{"alertname": "DrsTaskDelayMissing", **TASK}, {"alertname": "DrsTaskReportOld", **TASK}],
            [
                {"alertname": "DrsTaskStartOverdue", **TASK},
                {"alertname": "DrsTaskReportOld", **STRANGER},
                {"alertname": "DrsTaskDelayHigh", "severity": "critical", **TASK},
            ],
        ),
        (
            "unreachable target",
            {"alertname": "DrsSideDown", "side": "target", **TASK},
            [{"alertname": "DrsTaskApplyFailed", **TASK}],
            [{"alertname": "DrsTaskDelayHigh", **TASK}, {"alertname": "DrsTaskApplyFailed", **STRANGER}],
        ),
        (
            "failed applier",
            {"alertname": "DrsTaskApplyFailed", **TASK},
            [{"alertname": "DrsTaskDelayGrowing", **TASK}],
            [{"alertname": "DrsTaskDelayHigh", **TASK}, {"alertname": "DrsTaskDelayGrowing", **STRANGER}],
        ),
        (
            "failing progress",
            {"alertname": "DrsCollectorFailing", "collector": "progress", **PROJECT},
            [
                {"alertname": "DrsTaskStale", "reason": "progress", **PARENT},
                {"alertname": "DrsTaskDelayMissing", **STRANGER},
                {"alertname": "DrsTaskReportOld", **STRANGER},
                {"alertname": "DrsDecodeErrors", "collector": "progress", **PROJECT},
            ],
            [
                {"alertname": "DrsTaskDelayMissing", **TASK},
                {"alertname": "DrsDecodeErrors", "collector": "node", **PROJECT},
                {"alertname": "DrsTaskApplyFailed", **STRANGER},
            ],
        ),
        (
            "failing node",
            {"alertname": "DrsCollectorFailing", "collector": "node", **PROJECT},
            [{"alertname": "DrsDecodeErrors", "collector": "node", **PROJECT}],
            [{"alertname": "DrsTaskStale", "reason": "progress", **PROJECT}],
        ),
        (
            "old progress of a task",
            {"alertname": "DrsTaskStale", "reason": "progress", **STRANGER},
            [{"alertname": "DrsTaskDelayMissing", **STRANGER}],
            [{"alertname": "DrsTaskDelayMissing", **PARENT}],
        ),
        (
            "old progress of many tasks",
            {"alertname": "DrsTaskStale", "reason": "progress", **PROJECT},
            [{"alertname": "DrsTaskDelayMissing", **STRANGER}, {"alertname": "DrsTaskReportOld", **PARENT}],
            [{"alertname": "DrsTaskDelayMissing", **TASK}],
        ),
        (
            "incomplete list",
            {"alertname": "DrsListIncomplete", "api": "v3", "job_type": "sync", **PROJECT},
            [{"alertname": "DrsDecodeErrors", "collector": "tasks", **PROJECT}],
            [{"alertname": "DrsDecodeErrors", "collector": "node", **PROJECT}],
        ),
    ],
)
def test_the_alert_of_a_cause_inhibits_the_alerts_that_it_explains(
    alertmanager: Alertmanager, name: str, cause: dict[str, str], inhibits: list[Any], spares: list[Any]
) -> None:
    cause, *others = [{**alert, "account": name} for alert in (cause, *inhibits, *spares)]  # separates the cases
    alertmanager.fire(*others)
    for alert in others:
        alertmanager.until(lambda alert=alert: alertmanager.inhibited(**alert) is False, "it has arrived")  # type: ignore[misc]
    alertmanager.fire(cause)
    for alert in others[: len(inhibits)]:
        alertmanager.until(lambda alert=alert: alertmanager.inhibited(**alert), f"{alert} is inhibited")  # type: ignore[misc]
    assert {alertmanager.inhibited(**alert) for alert in (cause, *others[len(inhibits) :])} == {False}
