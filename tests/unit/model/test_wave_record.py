"""What happened to the tasks of a wave."""

from __future__ import annotations

from exporter.model.events import Kind
from exporter.model.task import Phase
from exporter.model.waves import WaveState
from tests.lib.reports import HOUR, START, event, failed, moved, points, recorded, task_record, wave_record

ENDED, BLOCKED, UNKNOWN, EXCLUDED = WaveState.ENDED, WaveState.BLOCKED, WaveState.UNKNOWN, WaveState.EXCLUDED


def hour(at: float | None) -> float | None:
    return None if at is None else round((at - START) / HOUR, 2)


def test_all_tasks_are_ready_when_the_last_one_is() -> None:
    record = wave_record(
        (ENDED, task_record("a", [event(4, Kind.READY)])), (ENDED, task_record("b", [event(6, Kind.READY, "b")]))
    )
    assert hour(record.all_ready_at) == 6


def test_an_ended_task_counts_as_ready() -> None:
    ended = [event(1, Kind.READY), event(2, Kind.ENDED, phase_before="incremental")]
    record = wave_record((ENDED, task_record("a", ended)), (ENDED, task_record("b", [event(6, Kind.READY, "b")])))
    assert hour(record.all_ready_at) == 6


def test_tasks_that_were_ready_one_after_the_other_were_never_all_ready() -> None:
    first = [event(1, Kind.READY), event(2, Kind.NOT_READY, reasons="delay_high")]
    record = wave_record((BLOCKED, task_record("a", first)), (ENDED, task_record("b", [event(6, Kind.READY, "b")])))
    assert record.all_ready_at is None


def test_a_task_that_is_ready_when_another_one_is_blocked_is_not_ready_together_with_it() -> None:
    first = [event(1, Kind.READY), event(6, Kind.NOT_READY, reasons="delay_high")]
    record = wave_record((BLOCKED, task_record("a", first)), (ENDED, task_record("b", [event(6, Kind.READY, "b")])))
    assert record.all_ready_at is None


def test_a_task_without_a_record_keeps_the_wave_from_having_been_ready() -> None:
    record = wave_record((ENDED, moved("a", "a", recorded())), (UNKNOWN, task_record("b")))
    assert record.all_ready_at is None


def test_excluded_tasks_do_not_count() -> None:
    record = wave_record((ENDED, moved("a", "a", recorded())), (EXCLUDED, task_record("b")))
    assert hour(record.all_ready_at) == 4


def test_the_time_is_exact_only_if_the_last_task_was_observed_as_it_became_ready() -> None:
    first = task_record("a", [event(4, Kind.READY)])
    last = task_record("b", [event(5, Kind.APPEARED, "b", phase="incremental"), event(6, Kind.READY, "b")])
    sampled = task_record("b", history=points(6, 8, Phase.INCREMENTAL, ready=True))
    assert wave_record((ENDED, first), (ENDED, last)).all_ready_observed
    record = wave_record((ENDED, first), (ENDED, sampled))
    assert (hour(record.all_ready_at), record.all_ready_observed) == (6, False)


def test_the_time_is_not_exact_if_a_task_may_have_been_ready_before_its_observed_end() -> None:
    unknown = [event(5, Kind.APPEARED, phase="incremental"), event(7, Kind.ENDED, phase_before="incremental")]
    record = wave_record((ENDED, task_record("a", unknown)), (ENDED, task_record("b", [event(6, Kind.READY, "b")])))
    assert (hour(record.all_ready_at), record.all_ready_observed) == (7, False)


def test_a_wave_without_tasks_was_never_ready() -> None:
    assert wave_record().all_ready_at is None


def test_a_wave_without_all_expected_tasks_was_never_all_ready() -> None:
    tasks = [(ENDED, moved(name, name, recorded())) for name in ("a", "b")]
    assert hour(wave_record(*tasks, expected=2).all_ready_at) == 4
    assert wave_record(*tasks, expected=3).all_ready_at is None
    assert wave_record(*tasks, (EXCLUDED, task_record("c")), expected=3).all_ready_at is None
    assert wave_record(*tasks, missing_ids=("x",)).all_ready_at is None


def test_incidents_of_tasks_and_of_projects_within_the_wave_are_counted() -> None:
    events = [event(at, Kind.PROJECT_UNREADABLE, None, error="timeout") for at in (-1, 7, 13)]
    record = wave_record((BLOCKED, failed("a", "a", recorded())), events=events)
    assert (record.incidents, len(record.events)) == (4, 1)
