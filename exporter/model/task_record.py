"""What happened to a task of a wave: phases, readiness, full load, incidents; from what the exporter has recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from exporter.model.events import Event, Kind
from exporter.model.member_facts import Finding, MemberFacts
from exporter.model.recorded import Recorded
from exporter.model.spans import Mark, Period, Span, observed, sample
from exporter.model.task import Phase, ProjectKey, Task
from exporter.model.timeline import Point

_WITHOUT_POINTS = frozenset({Phase.PREPARING, Phase.ENDED})
"""Phases in which no points are recorded: the task does not run."""
_OVER = frozenset({Phase.ENDING, Phase.ENDED})
_TOGETHER_SECONDS = 60.0
"""Changes of one task in this time have one cause: its progress and its status are polled one after the other."""
_LOADED = frozenset({Phase.INCREMENTAL, Phase.CHANGING, *_OVER})
"""Phases that follow a complete full load; those of `_OVER` also follow one that was stopped."""
INCIDENTS = frozenset(
    {
        *(Kind.FAILED, Kind.NOT_READY, Kind.COMPARED, Kind.REMOVED, Kind.MUTED),
        *(Kind.TASKS_STALE, Kind.PROJECT_UNREADABLE, Kind.LEFT_OUT),
    }
)
"""The kinds of events that are incidents; a comparison only if it found no equal data, see `TaskRecord.incidents`."""


class FullLoad(NamedTuple):
    """The full load of a task; None: not known.

    Args:
        started_at: Unix time.
        ended_at: Unix time.
        by_cloud: True if the cloud reported both times, False if the exporter observed the changes of the phase.
    """

    started_at: float | None = None
    ended_at: float | None = None
    by_cloud: bool = False

    @property
    def seconds(self) -> float | None:
        """The length; None if one of the times is not known."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at


@dataclass(frozen=True)
class TaskRecord:
    """What is known about one task of a wave.

    Args:
        key: its project.
        task_id: of the task.
        task_name: its newest name.
        task: its facts that are fresh now; None if it is not exposed.
        events: its events and those of its subtasks, ascending.
        points: its history, ascending, with Unix times.
        recorded: the times of the record.
        facts: the last known ones, also after the end of the task.
    """

    key: ProjectKey
    task_id: str
    task_name: str
    task: Task | None
    events: Sequence[Event]
    points: Sequence[Point]
    recorded: Recorded
    facts: MemberFacts

    @cached_property
    def own(self) -> list[Event]:
        """The events of the task itself."""
        return [event for event in self.events if event.task_id == self.task_id]

    @cached_property
    def phases(self) -> list[Span[Phase]]:
        """The phase at each time of the window."""
        now = [] if self.task is None or self.task.phase is None else [sample(self.recorded.now, self.task.phase)]
        return self.recorded.spans([*self._samples, *self._marks, *now], _WITHOUT_POINTS)

    @cached_property
    def _samples(self) -> list[Mark[Phase]]:
        return [sample(point.at, point.phase) for point in self.points if point.phase is not None]

    @cached_property
    def _marks(self) -> list[Mark[Phase]]:
        return [mark for event in self.own if (mark := _phase_mark(event)) is not None]

    @property
    def last_phase(self) -> Phase | None:
        """The phase now, or else the last known one."""
        if self.task is not None and self.task.phase is not None:
            return self.task.phase
        known = [mark for mark in (*self._samples[-1:], *self._marks) if mark.after is not None]
        return max(known, key=lambda mark: mark.at).after if known else None

    @property
    def phase_changes(self) -> set[float]:
        """The times at which the exporter observed that the phase changed."""
        return {mark.at for mark in self._marks if mark.before is not None}

    @property
    def ready_changes(self) -> set[float]:
        """The times at which the exporter observed that the task became ready, or lost that."""
        return {mark.at for mark in _ready_marks(self.own) if mark.before is not None}

    @cached_property
    def ready(self) -> list[Period]:
        """When the task was ready."""
        return [span.period for span in self.readiness if span.value]

    @cached_property
    def readiness(self) -> list[Span[bool]]:
        """Whether the task was ready, at each time of the window."""
        points = [sample(point.at, point.ready) for point in self.points if point.ready is not None]
        marks = [*points, *_ready_marks(self.own), *self._verdict_now]
        return self.recorded.spans(marks, {False})

    @property
    def _verdict_now(self) -> list[Mark[bool]]:
        """The verdict of now, and the time since when the task is ready, of which there may be no point yet."""
        if self.task is None or self.task.ready is None:
            return []
        since = [self.task.ready_since] if self.task.ready and self.task.ready_since is not None else []
        return [sample(at, self.task.ready) for at in (*since, self.recorded.now)]

    @cached_property
    def delays(self) -> list[tuple[float, float]]:
        """The known delays within the window, each with its time."""
        window = self.recorded.window
        return [
            (point.at, point.delay_seconds)
            for point in self.points
            if point.delay_seconds is not None and window.contains(point.at)
        ]

    @property
    def delay_at_ready(self) -> float | None:
        """The first delay that was recorded after the task had become ready; None if there is none while it was ready.

        An earlier point may be from a time when the task was not ready yet, and far behind.
        """
        if not self.ready:
            return None
        start, end = self.ready[0]
        end = min(end, start + self.recorded.longest_step)
        return next((delay for at, delay in self.delays if start <= at <= end), None)

    @property
    def full_load(self) -> FullLoad:
        """The times of the full load.

        A task that ends while the last known progress of its full load is partial was stopped: its load has no end.
        """
        started, ended = self.facts.load_started_at, self.facts.load_ended_at
        if started is not None and ended is not None and started <= ended:
            return FullLoad(started, ended, by_cloud=True)
        marks = self._marks
        began = next((mark.at for mark in marks if mark.after is Phase.FULL and mark.before is Phase.PREPARING), None)
        loaded = _LOADED - _OVER if 0 < (self.full_ratio or 0) < 1 else _LOADED
        done = [mark.at for mark in marks if mark.before is Phase.FULL and mark.after in loaded]
        if began is None and ended is None:
            began = started
        load = FullLoad(began, done[-1] if done else ended if started is None else None)
        return FullLoad() if load.seconds is not None and load.seconds < 0 else load

    @property
    def full_ratio(self) -> float | None:
        """The completed part of the full load, by the newest point that contains it."""
        return next(
            (ratio for point in reversed(self.points) if (ratio := point.full_progress_ratio) is not None), None
        )

    @property
    def comparisons(self) -> list[Finding]:
        """The newest finished comparison of each type."""
        observed = [event for event in self.own if event.kind is Kind.COMPARED]
        found = {event.detail["type"]: _observed(event) for event in observed}
        for each in self.facts.findings:
            before = found.get(each.type)
            if before is None or before.result != "failed" or (each.at or 0) > (before.at or 0):
                found[each.type] = each
        return list(found.values())

    @property
    def ended_at(self) -> float | None:
        """When the exporter observed the end of the task."""
        return next((event.at for event in reversed(self.own) if event.kind is Kind.ENDED), None)

    @property
    def ended_observed(self) -> bool:
        """True if the task was observed until its end; else it had ended before `ended_at`."""
        found = zip(self.phases, observed(self.phases, self.phase_changes), strict=True)
        return any(began for span, (began, _) in found if span.value is Phase.ENDED and span.start == self.ended_at)

    @property
    def names_before(self) -> list[str]:
        """The former names, the oldest first."""
        return [event.detail["name_before"] for event in self.own if event.kind is Kind.RENAMED]

    @property
    def failures(self) -> int:
        """How often the task failed within the window."""
        return sum(event.kind is Kind.FAILED for event in self.own if self._inside(event))

    @property
    def retries(self) -> int:
        """How often it left the phase failed within the window, but to end."""
        changes = [event.detail for event in self.own if event.kind is Kind.PHASE_CHANGED and self._inside(event)]
        return sum(each["phase_before"] == Phase.FAILED and each["phase"] not in _OVER for each in changes)

    @cached_property
    def shown(self) -> list[tuple[Event, bool]]:
        """The events within the window, ascending, each with whether it is an incident.

        A task that fails or ends is not ready any more: that is no event of its own here.
        """
        ends = [mark.at for mark in self._marks if mark.after in _OVER or mark.after is Phase.FAILED]
        return [
            (event, is_incident(event))
            for event in self.events
            if self._inside(event)
            and not (event.kind is Kind.NOT_READY and any(abs(event.at - at) <= _TOGETHER_SECONDS for at in ends))
        ]

    @property
    def never_checked(self) -> list[str] | None:
        """The reasons that no known verdict was able to check; None without a verdict."""
        if self.facts.checked:
            return list(self.facts.unchecked)
        verdicts = [_listed(event.detail.get("unchecked")) for event in self.own if event.kind is Kind.READY]
        return [name for name in verdicts[0] if all(name in names for names in verdicts)] if verdicts else None

    def _inside(self, event: Event) -> bool:
        return self.recorded.window.contains(event.at)


def is_incident(event: Event) -> bool:
    """Return whether an event is an incident by itself."""
    return event.kind in INCIDENTS and event.detail.get("result") != "equal"


def _listed(names: str | None) -> list[str]:
    return names.split(",") if names else []


def _observed(event: Event) -> Finding:
    return Finding(event.detail["type"], event.detail["result"], event.at)


def _phase_mark(event: Event) -> Mark[Phase] | None:
    """Return the change of the phase that an event reports; None if it reports none.

    The phase before an unobserved change is that of the last run: what followed until the event is unknown.
    """
    known = "phase_before" in event.detail and "unobserved" not in event.detail
    before = Phase(event.detail["phase_before"]) if known else None
    if event.kind is Kind.FAILED:
        return Mark(event.at, before, Phase.FAILED)
    if event.kind is Kind.ENDED:
        return Mark(event.at, before, Phase.ENDED)
    if event.kind is Kind.REMOVED:
        return Mark(event.at, None, None)
    if event.kind in {Kind.PHASE_CHANGED, Kind.APPEARED}:
        return Mark(event.at, before, Phase(event.detail["phase"]))
    return None


def _ready_marks(events: Iterable[Event]) -> list[Mark[bool]]:
    """Return the changes of the readiness; a task that ends or fails is not ready from then on."""
    found, ready = list[Mark[bool]](), False
    for event in events:
        if event.kind is Kind.READY:
            found.append(Mark(event.at, before=False, after=True))
            ready = True
        elif event.kind is Kind.NOT_READY or (ready and event.kind in {Kind.ENDED, Kind.FAILED}):
            found.append(Mark(event.at, before=None if "unobserved" in event.detail else True, after=False))
            ready = False
    return found
