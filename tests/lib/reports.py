"""Records of waves, made by hand: what the exporter would have observed of a night."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exporter.commands.report_document import Report
from exporter.model.events import Event, Kind
from exporter.model.facts import Compared, Comparison
from exporter.model.member_facts import MemberFacts
from exporter.model.recorded import Recorded
from exporter.model.spans import Period
from exporter.model.task import Identity, Listed, Phase, ProjectKey, Task
from exporter.model.task_record import TaskRecord
from exporter.model.timeline import Point
from exporter.model.wave_record import WaveRecord
from exporter.model.waves import Stage, WaveMember, WaveState, WaveStatus
from exporter.views.report import report_json

KEY = ProjectKey("prod", "eu-de", "payments")
START = 1_796_472_000.0
"""2026-12-05 12:00:00 UTC."""
HOUR, MINUTE = 3600.0, 60.0
NIGHT = Period(START, START + 12 * HOUR)


def event(hours: float, kind: Kind, task_id: str | None = "a", name: str | None = None, **detail: str) -> Event:
    """An event some hours after the start; without `task_id` of the project."""
    return Event(START + hours * HOUR, kind, *KEY, task_id, task_id and (name or task_id), detail)


def points(
    start: float, end: float, phase: Phase, *, ready: bool | None = None, delay: float | None = None, step: float = 60.0
) -> list[Point]:
    """Points from an hour to another one, with a delay that falls to 1 s."""
    count = int((end - start) * HOUR / step)
    return [
        Point(
            START + start * HOUR + number * step,
            None if delay is None else round(1 + delay * (1 - number / count), 3),
            None,
            None,
            phase,
            ready,
        )
        for number in range(count)
    ]


def recorded(*runs: Period, window: Period = NIGHT, step: float = 60.0, now: float | None = None) -> Recorded:
    return Recorded(window, runs or (window,), step, window.end if now is None else now)


RESTARTED = recorded(Period(START, START + 2 * HOUR), Period(START + 3 * HOUR, NIGHT.end))
"""The exporter was down for an hour."""


def exposed(
    task_id: str = "a", status: str = "INCRE_TRANSFER_STARTED", *, blockers: Any = (), unchecked: Any = (), **facts: Any
) -> Task:
    """A task as the store exposes it."""
    listed = Listed(task_id, task_id, status, "sync", engine_type="mysql-to-taurus")
    identity = Identity(*KEY, task_id, facts.pop("name", task_id))
    return Task(identity, listed, blockers=blockers, unchecked=unchecked, **facts)


def task_record(
    task_id: str = "a",
    events: Sequence[Event] = (),
    history: Sequence[Point] = (),
    *,
    task: Task | None = None,
    name: str | None = None,
    at: Recorded | None = None,
) -> TaskRecord:
    """A record with the part of a history in which the exporter ran."""
    times = at or recorded()
    kept = [point for point in history if any(run.contains(point.at) for run in times.runs)]
    facts = MemberFacts() if task is None else MemberFacts().updated(task)
    return TaskRecord(KEY, task_id, name or task_id, task, events, kept, times, facts)


def wave_record(
    *tasks: tuple[WaveState, TaskRecord],
    events: Iterable[Event] = (),
    at: Recorded | None = None,
    stored: bool = True,
    live: bool = True,
    **status: Any,
) -> WaveRecord:
    members = [(WaveMember(KEY, task.task_id, task.task_name, state), task) for state, task in tasks]
    times = at or recorded()
    settings = {"name": "weekend-1", "stage": Stage.OVER, "starts_at": NIGHT.start, "ends_at": NIGHT.end, **status}
    whole = WaveStatus(members=tuple(member for member, _ in members), **settings)
    return WaveRecord(whole, times, stored, live, members, list(events))


def document(record: WaveRecord) -> Report:
    """The record as the command `report` reads it."""
    return Report.model_validate(report_json(record))


def moved(task_id: str, name: str, at: Recorded) -> TaskRecord:
    """A task that loads, catches up, is ready and ends, all in the night."""
    history = [
        *points(0.1, 2, Phase.FULL),
        *points(2, 4, Phase.INCREMENTAL, ready=False, delay=1800),
        *points(4, 8, Phase.INCREMENTAL, ready=True, delay=0.2),
        *points(8, 8.1, Phase.ENDING, ready=False),
    ]
    events = [
        event(0.1, Kind.PHASE_CHANGED, task_id, name, phase_before="preparing", phase="full"),
        event(2, Kind.PHASE_CHANGED, task_id, name, phase_before="full", phase="incremental"),
        event(3.5, Kind.COMPARED, task_id, name, type="lines", result="equal"),
        event(4, Kind.READY, task_id, name, unchecked="log_error,report_old"),
        event(8, Kind.PHASE_CHANGED, task_id, name, phase_before="incremental", phase="ending"),
        event(8, Kind.NOT_READY, task_id, name, reasons="phase"),
        event(8.1, Kind.ENDED, task_id, name, phase_before="ending"),
    ]
    task = exposed(task_id, "RELEASE_RESOURCE_COMPLETE", blockers=None)
    return task_record(task_id, events, history, name=name, at=at, task=task)


def failed(task_id: str, name: str, at: Recorded) -> TaskRecord:
    """A task that fails in the incremental phase, is resumed, loses its verdict and is renamed."""
    history = [
        *points(0, 1, Phase.INCREMENTAL, ready=False, delay=120),
        *points(1, 1.5, Phase.FAILED, ready=False),
        *points(1.5, 3, Phase.INCREMENTAL, ready=False, delay=400),
        *points(3, 5, Phase.INCREMENTAL, ready=True, delay=1),
        *points(5, 12, Phase.INCREMENTAL, ready=False, delay=9000),
    ]
    events = [
        event(1, Kind.FAILED, task_id, name, phase_before="incremental", error_code="DRS.M05010001"),
        event(1.5, Kind.PHASE_CHANGED, task_id, name, phase_before="failed", phase="incremental"),
        event(3, Kind.READY, task_id, name, unchecked="log_error"),
        event(4, Kind.RENAMED, task_id, name, name_before=f"{name}-old"),
        event(4.5, Kind.COMPARED, task_id, name, type="lines", result="inconsistent"),
        event(5, Kind.NOT_READY, task_id, name, reasons="delay_high,comparison_inconsistent"),
    ]
    task = exposed(
        task_id,
        blockers=(("delay_high", True), ("comparison_inconsistent", True)),
        unchecked=(("log_error", "ignored"),),
        comparison=Comparison((Compared("lines", "SUCCESSFUL", consistent=False, finished_at=START + 4.4 * HOUR),)),
    )
    return task_record(task_id, events, history, name=name, at=at, task=task)
