"""What happened to a task of a wave, from its events and points."""

from __future__ import annotations

import pytest

from exporter.model.events import Kind
from exporter.model.facts import Compared, Comparison
from exporter.model.member_facts import Finding
from exporter.model.spans import Period
from exporter.model.task import Phase
from exporter.model.task_record import TaskRecord, is_incident
from tests.lib.reports import (
    HOUR,
    NIGHT,
    RESTARTED,
    START,
    event,
    exposed,
    failed,
    moved,
    points,
    recorded,
    task_record,
)


def phases(record: TaskRecord) -> list[tuple[str | None, float]]:
    """The phases with the hours at which they end."""
    return [(span.value, round((span.end - START) / HOUR, 2)) for span in record.phases]


def hours(periods: list[Period]) -> list[tuple[float, float]]:
    return [(round((start - START) / HOUR, 2), round((end - START) / HOUR, 2)) for start, end in periods]


def test_the_phases_of_a_task_that_is_moved_in_one_night() -> None:
    assert phases(moved("a", "a", recorded())) == [
        ("preparing", 0.1),
        ("full", 2),
        ("incremental", 8),
        ("ending", 8.1),
        ("ended", 12),
    ]


def test_the_phases_are_unknown_while_the_exporter_was_down() -> None:
    at = recorded(Period(START + 0.5 * HOUR, START + 6 * HOUR), Period(START + 6.5 * HOUR, NIGHT.end))
    assert phases(moved("a", "a", at)) == [
        (None, 0.5),
        ("full", 2),
        ("incremental", 6),
        (None, 6.5),
        ("incremental", 8),
        ("ending", 8.1),
        ("ended", 12),
    ]


def test_the_gaps_are_the_times_without_a_run() -> None:
    runs = (Period(START - HOUR, START + HOUR), Period(START + 2 * HOUR, START + 3 * HOUR))
    assert hours(recorded(*runs).gaps) == [(1, 2), (3, 12)]
    assert recorded().gaps == []


def test_a_task_without_any_record_has_an_unknown_phase_all_the_time() -> None:
    assert phases(task_record()) == [(None, 12)]


def test_the_phase_now_ends_the_record() -> None:
    record = task_record(task=exposed(status="PAUSING"), events=[event(3, Kind.APPEARED, phase="paused")])
    assert phases(record) == [(None, 3), ("paused", 12)]


def test_a_removed_task_has_an_unknown_phase_from_then_on() -> None:
    record = task_record(
        events=[event(1, Kind.APPEARED, phase="incremental"), event(4, Kind.REMOVED)],
        history=points(1, 4, Phase.INCREMENTAL),
    )
    assert phases(record)[-1] == (None, 12)


def test_a_task_is_ready_between_its_events() -> None:
    assert hours(moved("a", "a", recorded()).ready) == [(4, 8)]
    assert hours(failed("a", "a", recorded()).ready) == [(3, 5)]


def test_a_task_that_ends_while_it_is_ready_is_ready_until_then() -> None:
    record = task_record(events=[event(2, Kind.READY), event(3, Kind.ENDED, phase_before="incremental")])
    assert hours(record.ready) == [(2, 3)]


def test_a_task_that_was_ready_before_the_first_event_is_known_by_its_points() -> None:
    record = task_record(
        history=points(1, 3, Phase.INCREMENTAL, ready=True), events=[event(3, Kind.NOT_READY, reasons="x")]
    )
    assert hours(record.ready) == [(1, 3)]


def test_when_a_task_lost_the_verdict_ready_is_unknown_if_that_is_found_after_a_restart() -> None:
    lost = event(3, Kind.NOT_READY, reasons="x", unobserved="true")
    record = task_record(history=points(1, 2.5, Phase.INCREMENTAL, ready=True), events=[lost])
    assert (hours(record.ready), record.ready_changes) == ([(1, 2.48)], set())


def test_the_delay_at_ready_is_the_first_one_that_is_recorded_from_then_on() -> None:
    record = task_record(events=[event(3 + 10 / HOUR, Kind.READY)], history=points(2, 4, Phase.INCREMENTAL, delay=1200))
    assert record.delay_at_ready == 591


def test_the_delay_at_ready_is_unknown_if_none_is_recorded_while_the_task_is_ready() -> None:
    events = [event(3 + 10 / HOUR, Kind.READY), event(3 + 40 / HOUR, Kind.NOT_READY, reasons="delay_high")]
    assert task_record(events=events, history=points(2, 4, Phase.INCREMENTAL, delay=1200)).delay_at_ready is None


def test_a_task_is_ready_since_the_verdict_of_now_says_so_without_a_point_since_then() -> None:
    gap = recorded(Period(START, START + 2 * HOUR), Period(START + 3 * HOUR, NIGHT.end))
    task = exposed(ready_since=START + 11.98 * HOUR)
    record = task_record(task=task, history=points(1, 2, Phase.INCREMENTAL, ready=True), at=gap)
    assert hours(record.ready) == [(1, 2), (11.98, 12)]


def test_delays_outside_the_window_are_left_out() -> None:
    window = Period(START + HOUR, START + 2 * HOUR)
    record = task_record(history=points(0, 4, Phase.INCREMENTAL, delay=1), at=recorded(NIGHT, window=window))
    assert len(record.delays) == 61


def test_the_comparisons_are_the_newest_of_each_type() -> None:
    events = [
        event(1, Kind.COMPARED, type="lines", result="inconsistent"),
        event(2, Kind.COMPARED, type="lines", result="equal"),
        event(3, Kind.COMPARED, type="objects", result="failed"),
    ]
    facts = Comparison((Compared("contents", "SUCCESSFUL", consistent=False, finished_at=START),))
    record = task_record(events=events, task=exposed(comparison=facts))
    assert record.comparisons == [
        Finding("lines", "equal", START + 2 * HOUR),
        Finding("objects", "failed", START + 3 * HOUR),
        Finding("contents", "inconsistent", START),
    ]


def test_the_time_of_the_cloud_replaces_that_of_the_observation() -> None:
    events = [event(2, Kind.COMPARED, type="lines", result="equal")]
    facts = Comparison((Compared("lines", "SUCCESSFUL", consistent=True, finished_at=START + HOUR),))
    assert task_record(events=events, task=exposed(comparison=facts)).comparisons == [
        Finding("lines", "equal", START + HOUR)
    ]


def test_a_failed_comparison_stays_the_newest_after_an_earlier_result() -> None:
    events = [event(2, Kind.COMPARED, type="lines", result="failed")]
    facts = Comparison((Compared("lines", "SUCCESSFUL", consistent=True, finished_at=START + HOUR),))
    assert task_record(events=events, task=exposed(comparison=facts)).comparisons[0].result == "failed"


def test_failures_retries_names_and_the_end() -> None:
    record = failed("a", "a", recorded())
    assert (record.failures, record.retries, record.names_before, record.ended_at) == (1, 1, ["a-old"], None)
    assert moved("a", "a", recorded()).ended_at == START + 8.1 * HOUR


def test_a_failed_task_that_is_ended_was_not_retried() -> None:
    events = [
        event(1, Kind.FAILED, phase_before="full"),
        event(2, Kind.PHASE_CHANGED, phase_before="failed", phase="ending"),
    ]
    assert task_record(events=events).retries == 0


def test_events_outside_the_window_are_not_shown_and_not_counted() -> None:
    events = [event(-1, Kind.FAILED, phase_before="full"), event(13, Kind.ENDED, phase_before="failed")]
    record = task_record(events=events)
    assert (record.failures, record.shown, record.ended_at) == (0, [], START + 13 * HOUR)


def test_incidents_are_failures_and_losses_of_the_verdict() -> None:
    incidents = [found.kind for found, incident in failed("a", "a", recorded()).shown if incident]
    assert incidents == [Kind.FAILED, Kind.COMPARED, Kind.NOT_READY]


def test_a_task_that_ends_is_no_incident() -> None:
    shown = moved("a", "a", recorded()).shown
    assert [found.kind for found, incident in shown if incident] == []
    assert Kind.NOT_READY not in {found.kind for found, _ in shown}


def test_incidents_of_a_subtask_belong_to_its_parent() -> None:
    record = task_record(events=[event(1, Kind.FAILED, "b", phase_before="full", parent_id="a", parent_name="a")])
    assert [incident for _, incident in record.shown] == [True]
    assert record.failures == 0


def test_a_project_that_is_readable_again_is_no_incident() -> None:
    assert is_incident(event(1, Kind.PROJECT_UNREADABLE, None, error="timeout"))
    assert not is_incident(event(1, Kind.PROJECT_READABLE, None))


@pytest.mark.parametrize(
    ("unchecked", "now", "never"),
    [
        ([], None, None),
        (["log_error,report_old"], None, ["log_error", "report_old"]),
        (["log_error,report_old", "log_error"], None, ["log_error"]),
        (["log_error", ""], None, []),
        (["log_error"], (("log_error", "ignored"), ("side_down", "unknown")), ["log_error", "side_down"]),
        ([], (("log_error", "ignored"),), ["log_error"]),
    ],
    ids=["no verdict", "once", "both times", "checked later", "now as well", "now only"],
)
def test_reasons_that_no_verdict_was_able_to_check(
    unchecked: list[str], now: tuple[tuple[str, str], ...] | None, never: list[str] | None
) -> None:
    events = [event(at, Kind.READY, **({"unchecked": names} if names else {})) for at, names in enumerate(unchecked)]
    record = task_record(
        events=events, task=None if now is None else exposed(blockers=(("phase", False),), unchecked=now)
    )
    assert record.never_checked == never


def test_an_end_that_was_found_after_a_restart_was_not_observed() -> None:
    events = [event(3.01, Kind.ENDED, phase_before="incremental")]
    record = task_record(events=events, history=points(0, 2, Phase.INCREMENTAL), at=RESTARTED)
    assert (record.ended_at, record.ended_observed) == (START + 3.01 * HOUR, False)
    assert moved("a", "a", recorded()).ended_observed


def test_the_phase_before_a_change_while_the_exporter_was_down_is_not_that_after_its_restart() -> None:
    events = [
        event(1, Kind.APPEARED, phase="preparing"),
        event(3.1, Kind.PHASE_CHANGED, phase_before="preparing", phase="full", unobserved="true"),
    ]
    record = task_record(events=events, history=points(3.1, 12, Phase.FULL), at=RESTARTED)
    assert phases(record) == [(None, 1), ("preparing", 2), (None, 3.1), ("full", 12)]
    assert record.phase_changes == set()


def test_a_retry_while_the_exporter_was_down_is_counted() -> None:
    events = [
        event(1, Kind.FAILED, phase_before="incremental"),
        event(3.01, Kind.PHASE_CHANGED, phase_before="failed", phase="incremental", unobserved="true"),
    ]
    assert task_record(events=events, at=RESTARTED).retries == 1
