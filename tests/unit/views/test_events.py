"""Events as sentences and as JSON."""

from __future__ import annotations

import pytest

from exporter.model.cutover import REASONS
from exporter.model.events import NO_PROJECT, Event, Kind
from exporter.views.events import event_json, sentence

PROJECT = ("acme", "r1", "shop")


def event(kind: Kind, name: str | None = "orders", **detail: str) -> Event:
    return Event(12.5, kind, *PROJECT, None if name is None else f"id of {name}", name, detail)


def wave_event(kind: Kind, states: str) -> Event:
    return Event(12.5, kind, *NO_PROJECT, None, None, {"wave": "weekend", "states": states})


SENTENCES = {
    "Task orders is new, in phase full.": event(Kind.APPEARED, phase="full"),
    "Task orders was removed: the cloud does not list it any more.": event(Kind.REMOVED),
    "Task orders has a new name; it was sales before.": event(Kind.RENAMED, name_before="sales"),
    "Task orders changed from phase full to incremental.": event(
        Kind.PHASE_CHANGED, phase_before="full", phase="incremental"
    ),
    "Task orders failed; it was in phase full before.": event(Kind.FAILED, phase_before="full"),
    "Task orders failed with error code DRS.M01; it was in phase full before.": event(
        Kind.FAILED, phase_before="full", error_code="DRS.M01"
    ),
    "Task orders failed with error code DRS.M01.": event(Kind.ERROR_CODE, error_code="DRS.M01"),
    "Task orders ended; it was in phase ending before.": event(Kind.ENDED, phase_before="ending"),
    "Task orders became ready for the cut-over.": event(Kind.READY),
    "Task orders became ready for the cut-over; not checked: comparison and log.": event(
        Kind.READY, unchecked="comparison_missing,comparison_old,log_error"
    ),
    "Task orders is no longer ready for the cut-over. full_incomplete: The full load is not complete. "
    "comparison_running: A comparison runs.": event(Kind.NOT_READY, reasons="full_incomplete,comparison_running"),
    "A comparison of task orders finished (line): all is equal.": event(Kind.COMPARED, type="line", result="equal"),
    "A comparison of task orders finished (line): it found a difference.": event(
        Kind.COMPARED, type="line", result="inconsistent"
    ),
    "A comparison of subtask part of sales finished (line): it ended without a result.": event(
        Kind.COMPARED, "part", type="line", result="failed", parent_id="id of sales", parent_name="sales"
    ),
    "A switchover of task orders began.": event(Kind.SWITCHOVER_BEGAN),
    "A switchover of task orders ended, direction down.": event(Kind.SWITCHOVER_ENDED, direction="down"),
    "Project acme/r1/shop has data that is too old: 1000 tasks lost the verdict ready.": event(
        Kind.TASKS_STALE, None, tasks="1000"
    ),
    "Project acme/r1/shop has fresh data again: 1 task regained the verdict ready.": event(
        Kind.TASKS_FRESH, None, tasks="1"
    ),
    "Project acme/r1/shop became unreadable: every task list fails (access denied 403).": event(
        Kind.PROJECT_UNREADABLE, None, error="access denied 403"
    ),
    "Project acme/r1/shop is readable again.": event(Kind.PROJECT_READABLE, None),
    "The exporter runs again. It has no record of project acme/r1/shop for the 2m before.": event(
        Kind.RESTARTED, None, seconds="120"
    ),
    "Task orders ended, which was found after a restart; it was in phase ending before.": event(
        Kind.ENDED, phase_before="ending", unobserved="true"
    ),
    "Task orders changed from phase full to incremental, which was found after a restart.": event(
        Kind.PHASE_CHANGED, phase_before="full", phase="incremental", unobserved="true"
    ),
    "Wave weekend is ready for the cut-over: 2 ready, 1 ended.": wave_event(Kind.WAVE_READY, "2 ready, 1 ended"),
    "Wave weekend is no longer ready for the cut-over: 2 blocked.": wave_event(Kind.WAVE_NOT_READY, "2 blocked"),
    "Task orders changes too often: its further events are left out for 30m.": event(Kind.MUTED, seconds="1800"),
    "The list of events lacks 2 events of 1 task of project acme/r1/shop with too many changes.": event(
        Kind.LEFT_OUT, None, events="2", tasks="1"
    ),
}


@pytest.mark.parametrize("words", SENTENCES)
def test_an_event_is_a_sentence(words: str) -> None:
    assert sentence(SENTENCES[words]) == words


def test_each_kind_has_a_sentence() -> None:
    assert {event.kind for event in SENTENCES.values()} == {*Kind}


def test_each_reason_has_words() -> None:
    for reason in REASONS:
        assert f" {reason.name}: " in sentence(event(Kind.NOT_READY, reasons=reason.name))


def test_a_reason_of_another_version_has_its_name() -> None:
    """Another version may have stored the event."""
    assert sentence(event(Kind.NOT_READY, reasons="new")).endswith("cut-over. new.")
    assert sentence(event(Kind.READY, unchecked="log_error,new")).endswith("not checked: log and new.")


def test_names_are_escaped_and_never_a_template() -> None:
    assert sentence(event(Kind.REMOVED, "a\n{subject}\u202e")).startswith("Task a\\n{subject}\\u202e was removed")


def test_the_json_of_an_event_contains_its_details_beside_its_labels() -> None:
    assert event_json(event(Kind.FAILED, phase_before="full", error_code="DRS.M01")) == {
        "at_timestamp_seconds": 12.5,
        "kind": "failed",
        "account": "acme",
        "region": "r1",
        "project": "shop",
        "task_id": "id of orders",
        "task_name": "orders",
        "phase_before": "full",
        "error_code": "DRS.M01",
    }
    assert event_json(event(Kind.PROJECT_READABLE, None))["task_id"] is None


def test_the_json_of_an_event_of_a_wave_has_no_project() -> None:
    assert event_json(wave_event(Kind.WAVE_READY, "1 ready")) == {
        "at_timestamp_seconds": 12.5,
        "kind": "wave_ready",
        **dict.fromkeys(("account", "region", "project", "task_id", "task_name")),
        "wave": "weekend",
        "states": "1 ready",
    }
