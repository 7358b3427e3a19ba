"""The cut-over weekend: at every step the page, the API, `wait`, the metrics, the alerts and the report agree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from exporter.simulator.world.life import MINUTE
from tests.lib.recordings import unit_tests
from tests.lib.rendering import publish_every
from tests.lib.rules import run_unit_tests
from tests.lib.tools import needs
from tests.lib.virtual_time import simulate
from tests.lib.weekend import (
    CATCHES_UP_AT,
    CORRECTED_AT,
    CUT_OVER_AT,
    EXPECTED,
    FAILED_AT,
    FIRST,
    LOADED_AT,
    RENAMED,
    RENAMED_AT,
    RESTARTED_AT,
    RESTARTS_AT,
    STARTS,
    STEPS,
    WAVE,
)
from tests.lib.weekend_run import Run, observe, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


GROUPS = ["drs-waves", "drs-waves-ready", "drs-exporter", "drs-tasks"]
MEMBERS = {
    *(f"orders-{name}" for name in ("africa", "americas", "asia", "europe", "app", "web", "partners")),
    *("orders-stock", "orders-invoices", "orders-prices", RENAMED[1]),
}
LATE = "order-archive"
ENDED_EARLY = {"orders-africa", "orders-americas"}
ENDING = {"orders-asia", "orders-europe"}
_BLOCKED, _FAILED, _ENDED = "blocked", "failed", "ended"
STATES: dict[float, dict[str, str]] = {
    6: {"orders-stock": _BLOCKED},
    28: {"orders-stock": _BLOCKED},
    55: {"orders-stock": _BLOCKED, "orders-prices": _BLOCKED, "orders-invoices": _FAILED},
    88: {"orders-prices": _BLOCKED, "orders-invoices": _BLOCKED},
    98: {"orders-prices": _BLOCKED},
    112: {"orders-prices": _BLOCKED},
    145: {},
    165: {},
    190: {**dict.fromkeys(ENDED_EARLY, _ENDED), **dict.fromkeys(ENDING, _BLOCKED)},
    225: dict.fromkeys({*MEMBERS, LATE}, _ENDED),
}
"""By step, the states of the members that are not ready, while the wave runs."""
READY_AT = {165}
RUNNING = [step for step in STEPS if step.minutes in STATES]
each_step = pytest.mark.parametrize("minutes", [step.minutes for step in RUNNING], ids=[step.what for step in RUNNING])


def names_at(minutes: float) -> set[str]:
    """The names of the members."""
    renamed = {RENAMED[0]} if minutes < RENAMED_AT else {RENAMED[1]}
    return (MEMBERS - {RENAMED[1]}) | renamed | ({LATE} if minutes > CORRECTED_AT else set())


def states_at(minutes: float) -> dict[str, str]:
    """The states of the members by name."""
    return {name: STATES[minutes].get(name, "ready") for name in names_at(minutes)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        publish_every(300.0, patch)  # the run publishes each page that it looks at
        yield simulate(observe(tmp_path_factory.mktemp("storage")))


@each_step
def test_the_api_shows_the_truth(run: Run, minutes: float) -> None:
    document = run.steps[minutes].document
    assert {row["task_name"]: row["state"] for row in document["members"]} == states_at(minutes)
    assert (document["stage"], document["ready"]) == ("running", minutes in READY_AT)
    assert document["missing"] == EXPECTED - len(names_at(minutes))


@each_step
def test_the_metrics_agree_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert seen.scrape.by("state", "drs_wave_tasks", wave=WAVE) == seen.document["states"]
    assert seen.scrape.value("drs_wave_ready", wave=WAVE) == seen.document["ready"]
    assert seen.scrape.value("drs_wave_expected_tasks", wave=WAVE) == EXPECTED
    shown = set(seen.scrape.by("task_name", "drs_task_wave_info", wave=WAVE))
    assert shown == {row["task_name"] for row in seen.document["members"]}


@each_step
def test_the_page_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert seen.document["verdict"] in seen.rows.texts["state"]
    rows = {name: text for name, text in seen.rows.texts.items() if name.startswith(("task-", "missing-"))}
    assert rows.keys() == {f"task-{row['task_id']}" for row in seen.document["members"]}
    for row in seen.document["members"]:
        shown = words(rows[f"task-{row['task_id']}"])
        assert words(" ".join([row["task_name"], row["state"], *row["cells"].values()])) <= shown | {""}


@each_step
def test_the_command_tasks_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert seen.document["verdict"] in seen.table
    lines = [line.split() for line in seen.table.splitlines()]
    for row in seen.document["members"]:
        (line,) = [line for line in lines if line[:1] == [row["task_name"]]]
        assert any(word.startswith(row["cutover"] or row["phase"]) for word in line)


@each_step
def test_the_command_wait_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    states = seen.document["states"]
    never = states["failed"] > 0 or states["ended"] == EXPECTED  # no task is left that can become ready
    reached = states["ready"] + states["ended"]
    ended = f", {states['ended']} of them ended" if states["ended"] else ""
    if states["ended"] < EXPECTED:
        assert f": {reached} of {EXPECTED} tasks{ended}" in seen.waits["ready"].text
    assert seen.waits["ready"].code == (0 if seen.document["ready"] else 3 if never else 4)
    assert seen.waits["ended"].code == (0 if states["ended"] == EXPECTED else 3 if states["failed"] else 4)


@each_step
def test_the_report_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert {row["task_name"]: row["state"] for row in seen.report["tasks"]} == states_at(minutes)
    assert seen.report["totals"]["states"] == seen.document["states"]
    for name in ("stage", "expected", "ready", "ready_since_timestamp_seconds", "missing_ids"):
        assert seen.report[name] == seen.document[name]
    assert all(name in seen.html for name in names_at(minutes))


def minutes_of(timestamp: float) -> float:
    """Minutes from the start of the wave."""
    return (timestamp - STARTS) / MINUTE


def reported(report: dict[str, Any], name: str) -> dict[str, Any]:
    """What a report contains about a task."""
    (found,) = [row for row in report["tasks"] if row["task_name"] == name]
    return dict(found)


@pytest.fixture(params=["by the exporter", "from the storage"])
def report(run: Run, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The report after the weekend."""
    return run.archived if request.param == "from the storage" else run.steps[STEPS[-1].minutes].report


def test_the_report_contains_the_failure_and_the_retry(report: dict[str, Any]) -> None:
    failed = reported(report, "orders-invoices")
    assert (failed["failures"], failed["retries"]) == (1, 1)
    (span,) = [span for span in failed["phases"] if span["phase"] == "failed"]
    assert minutes_of(span["start_timestamp_seconds"]) == pytest.approx(FAILED_AT, abs=1)
    assert report["totals"]["failed"] == report["totals"]["retried"] == 1


def test_the_report_contains_the_delay_that_diverged_and_its_peak(report: dict[str, Any]) -> None:
    diverged = reported(report, "orders-prices")
    assert diverged["delay_max_seconds"] == pytest.approx(960, abs=30)
    assert minutes_of(diverged["delay_max_timestamp_seconds"]) == pytest.approx(CATCHES_UP_AT, abs=2)


def test_the_report_contains_both_names_of_the_renamed_task(report: dict[str, Any]) -> None:
    assert reported(report, RENAMED[1])["names_before"] == [RENAMED[0]]


def test_the_report_contains_the_full_load(report: dict[str, Any]) -> None:
    load = reported(report, "orders-stock")["full_load"]
    assert minutes_of(load["ended_timestamp_seconds"]) == pytest.approx(LOADED_AT, abs=2)
    assert load["seconds"] == pytest.approx(239 * MINUTE, abs=2 * MINUTE)


def test_the_report_contains_the_time_without_an_exporter(report: dict[str, Any]) -> None:
    (gap,) = [gap for gap in report["gaps"] if minutes_of(gap["start_timestamp_seconds"]) > 0]
    times = [minutes_of(gap[f"{name}_timestamp_seconds"]) for name in ("start", "end")]
    assert times == pytest.approx([RESTARTS_AT, RESTARTED_AT], abs=1.5)


def test_the_report_contains_when_all_tasks_were_ready_and_when_each_ended(report: dict[str, Any]) -> None:
    assert 0 < minutes_of(report["totals"]["all_ready_timestamp_seconds"]) - CORRECTED_AT < 5
    ends = [minutes_of(row["ended_timestamp_seconds"]) for row in sorted_by_end(report)]
    assert ends == pytest.approx([CUT_OVER_AT + 3 * number + 5 for number in range(EXPECTED)], abs=2)


def sorted_by_end(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The tasks in the order in which they ended."""
    return sorted(report["tasks"], key=lambda row: float(row["ended_timestamp_seconds"]))


def test_the_report_contains_what_was_never_checked(report: dict[str, Any]) -> None:
    unchecked = {row["task_name"] for row in report["tasks"] if "comparison_missing" in (row["never_checked"] or ())}
    assert unchecked == {"orders-africa"}


@needs("promtool")
def test_the_alerts_agree_with_the_api(run: Run, tmp_path: Path) -> None:
    cases = [case for minutes, seen in run.steps.items() for case in alert_cases(minutes, seen.document)]
    tests = json.dumps(unit_tests(run.recording, cases, GROUPS))
    run_unit_tests(tmp_path, {"weekend": tests}, annotations=False)


def alert_cases(minutes: float, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alerts that have to fire at a step, as the API shows the wave."""
    running = document["stage"] == "running"
    states = {"ready": "DrsTaskCutoverReady", "failed": "DrsTaskFailed"}
    firing: dict[str, list[dict[str, str]]] = {
        "DrsStorageFailing": [],
        "DrsWaveReady": [{"wave": WAVE, "severity": "info"}] if document["ready"] else [],
        "DrsWaveIncomplete": [{"wave": WAVE, "severity": "warning"}] if minutes > 15 and document["missing"] else [],
    }
    for state, alert in states.items():
        rows = [row for row in document["members"] if running and row["state"] == state]
        firing[alert] = [alert_labels(row, "critical" if state == "failed" else "info") for row in rows]
    for alert, labels in firing.items():
        expected = [{"exp_labels": each} for each in labels]
        yield {"alertname": alert, "eval_time": f"{minutes - FIRST:g}m", "exp_alerts": expected}


def alert_labels(row: dict[str, Any], severity: str) -> dict[str, str]:
    """The labels of an alert about a task."""
    names = ("account", "region", "project", "task_id", "task_name")
    return {**{name: row[name] for name in names}, "root_id": row["task_id"], "severity": severity}
