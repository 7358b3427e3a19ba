"""The report of a wave as JSON."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from exporter.model.details import Detail
from exporter.model.events import Kind
from exporter.model.spans import Period
from exporter.model.task import Phase
from exporter.model.waves import Stage, WaveState, WaveStatus
from exporter.views.report import not_begun, peaks, report_json
from tests.lib.reports import (
    HOUR,
    MINUTE,
    NIGHT,
    START,
    event,
    exposed,
    failed,
    moved,
    points,
    recorded,
    task_record,
    wave_record,
)

ENDED, BLOCKED, READY = WaveState.ENDED, WaveState.BLOCKED, WaveState.READY


def task_of(state: WaveState, *arguments: Any, **options: Any) -> dict[str, Any]:
    """The part of the document that is about one task."""
    document = report_json(wave_record((state, task_record(*arguments, **options))))
    (task,) = document["tasks"]
    assert isinstance(task, dict)
    return task


def test_the_head_names_the_wave_its_times_and_the_version() -> None:
    document = report_json(wave_record(expected=12, missing_ids=("x",)))
    head = {key: document[key] for key in ("name", "stage", "expected", "ready", "missing_ids", "stored", "version")}
    assert head == {
        "name": "weekend-1",
        "stage": "over",
        "expected": 12,
        "ready": None,
        "missing_ids": ["x"],
        "stored": True,
        "version": version("drs-exporter"),
    }
    assert (document["from_timestamp_seconds"], document["until_timestamp_seconds"]) == NIGHT
    assert (document["start_timestamp_seconds"], document["end_timestamp_seconds"]) == NIGHT


def test_gaps_are_named() -> None:
    at = recorded(Period(START, START + HOUR), Period(START + 2 * HOUR, NIGHT.end))
    assert report_json(wave_record(at=at))["gaps"] == [
        {"start_timestamp_seconds": START + HOUR, "end_timestamp_seconds": START + 2 * HOUR}
    ]


def test_totals_count_tasks_states_failures_and_incidents() -> None:
    tasks = [(ENDED, moved("a", "a", recorded())), (BLOCKED, failed("b", "b", recorded()))]
    totals = report_json(wave_record(*tasks))["totals"]
    assert {key: totals[key] for key in ("tasks", "failed", "retried", "incidents")} == {
        "tasks": 2,
        "failed": 1,
        "retried": 1,
        "incidents": 3,
    }
    assert totals["states"] == dict.fromkeys(WaveState, 0) | {"ended": 1, "blocked": 1}


def test_a_task_that_was_moved() -> None:
    (task,) = report_json(wave_record((ENDED, moved("a", "orders", recorded()))))["tasks"]
    assert (task["task_name"], task["state"], task["phase"], task["engine_type"]) == (
        "orders",
        "ended",
        "ended",
        "mysql-to-taurus",
    )
    assert task["full_load"] == {
        "started_timestamp_seconds": START + 0.1 * HOUR,
        "ended_timestamp_seconds": START + 2 * HOUR,
        "seconds": pytest.approx(1.9 * HOUR),
        "by_cloud": False,
        "ratio": None,
    }
    assert task["ready"] == [
        {
            "start_timestamp_seconds": START + 4 * HOUR,
            "end_timestamp_seconds": START + 8 * HOUR,
            "began_observed": True,
            "end_observed": True,
        }
    ]
    assert task["delay_at_ready_seconds"] == 1.2
    assert (task["delay_max_seconds"], task["delay_max_timestamp_seconds"]) == (1801.0, START + 2 * HOUR)
    assert task["comparisons"] == [{"type": "lines", "result": "equal", "timestamp_seconds": START + 3.5 * HOUR}]
    assert task["never_checked"] == ["log_error", "report_old"]
    assert task["ended_timestamp_seconds"] == pytest.approx(START + 8.1 * HOUR)


def test_the_beginning_of_the_first_phase_was_not_observed() -> None:
    task = task_of(READY, history=points(0, 2, Phase.FULL), events=[event(2, Kind.ENDED, phase_before="full")])
    assert [(span["phase"], span["began_observed"]) for span in task["phases"]] == [("full", False), ("ended", True)]


def test_nothing_is_invented_about_a_task_without_a_record() -> None:
    task = task_of(WaveState.UNKNOWN)
    known = {key: value for key, value in task.items() if value not in (None, [], 0)}
    assert set(known) == {
        *("account", "region", "project", "task_id", "task_name", "state", "phases", "delay_step_seconds", "full_load")
    }
    assert [span["phase"] for span in task["phases"]] == [None]
    assert set(task["full_load"].values()) == {None, False}


def test_databases_and_blockers_are_those_of_the_task() -> None:
    task = task_of(
        BLOCKED,
        task=exposed(detail=Detail(source_type="mysql", target_type="taurus"), blockers=(("delay_high", True),)),
    )
    assert (task["source_type"], task["target_type"], task["cutover_blockers"]) == ("mysql", "taurus", ["delay_high"])


def test_the_last_phase_of_a_removed_task_is_that_of_its_last_event() -> None:
    task = task_of(WaveState.UNKNOWN, events=[event(1, Kind.APPEARED, phase="paused"), event(2, Kind.REMOVED)])
    assert task["phase"] == "paused"
    task = task_of(ENDED, events=[event(1, Kind.ENDED, phase_before="ending"), event(2, Kind.REMOVED)])
    assert task["phase"] == "ended"


def test_an_event_has_its_sentence_and_is_an_incident_or_not() -> None:
    (found,) = task_of(BLOCKED, events=[event(1, Kind.FAILED, phase_before="full")])["events"]
    assert (found["kind"], found["incident"], found["at_timestamp_seconds"]) == ("failed", True, START + HOUR)
    assert found["sentence"] == "Task a failed; it was in phase full before."


def test_a_long_delay_is_reduced_to_its_peaks() -> None:
    values = [(START + at * MINUTE, float(at % 10)) for at in range(720)]
    found = peaks(values, 10 * MINUTE)
    assert len(found) == 72
    assert {value for _, value in found} == {9.0}


def test_the_plot_of_a_night_has_at_most_300_points() -> None:
    task = task_of(READY, history=points(0, 12, Phase.INCREMENTAL, delay=60))
    assert len(task["delay"]) <= 301
    assert task["delay_step_seconds"] == 144.0


@pytest.mark.parametrize(("start", "words"), [(START, "at 2026-12-05 12:00:00Z"), (None, "later")])
def test_a_planned_wave_has_no_report(start: float | None, words: str) -> None:
    text = not_begun(WaveStatus("w", Stage.PLANNED, start))
    assert text == f"The wave begins {words}: there is nothing to report."
