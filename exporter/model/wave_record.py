"""What happened to the tasks of a wave, and when all of them were ready."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from exporter.model.events import Event
from exporter.model.recorded import Recorded
from exporter.model.spans import Period
from exporter.model.task import Phase
from exporter.model.task_record import TaskRecord, is_incident
from exporter.model.waves import WaveMember, WaveState, WaveStatus

_NEVER_READY = frozenset({Phase.PREPARING, Phase.ENDING})
"""Phases without a verdict."""


@dataclass(frozen=True)
class WaveRecord:
    """What is known about a wave.

    Args:
        status: the wave as it is now.
        recorded: the times about which facts are recorded.
        stored: True if they are read from the storage, False if only from memory.
        live: False if they are read from the storage alone, without an exporter that runs.
        tasks: the members, each with its record.
        project_events: the events of the projects of the members, ascending.
    """

    status: WaveStatus
    recorded: Recorded
    stored: bool
    live: bool
    tasks: Sequence[tuple[WaveMember, TaskRecord]]
    project_events: Sequence[Event]

    @property
    def events(self) -> list[Event]:
        """The events of the projects within the window."""
        return [event for event in self.project_events if self.recorded.window.contains(event.at)]

    @property
    def incidents(self) -> int:
        """The number of incidents of the tasks and of their projects."""
        of_tasks = sum(incident for _, task in self.tasks for _, incident in task.shown)
        return of_tasks + sum(map(is_incident, self.events))

    @cached_property
    def all_ready_at(self) -> float | None:
        """The first recorded time at which each task with a verdict was ready or had ended; None without one.

        None also while tasks are missing that the wave expects.
        """
        if self.status.missing_ids or len(self._judged) < (self.status.expected or 0):
            return None
        return _first_common([[*task.ready, *_after_end(task)] for task in self._judged])

    @property
    def all_ready_observed(self) -> bool:
        """True if some task is known not to have been ready at each time before; else that may have been earlier."""
        at = self.all_ready_at
        possible = ([*_maybe_ready(task), *_after_end(task)] for task in self._judged)
        return at is not None and at == _first_common(list(possible))

    @property
    def _judged(self) -> list[TaskRecord]:
        return [task for member, task in self.tasks if member.state is not WaveState.EXCLUDED]


def _first_common(tasks: Sequence[Sequence[Period]]) -> float | None:
    """Return the first time that a period of each task contains; None without one, or without tasks."""
    at, before = -math.inf, None
    while tasks and at not in {before, math.inf}:
        at, before = max(_next(periods, at) for periods in tasks), at
    return at if math.isfinite(at) else None


def _next(periods: Iterable[Period], at: float) -> float:
    """Return the first time from `at` on that any of some periods contains; infinite without one."""
    return min((max(at, each.start) for each in periods if at < each.end), default=math.inf)


def _after_end(task: TaskRecord) -> list[Period]:
    return [span.period for span in task.phases if span.value is Phase.ENDED]


def _maybe_ready(task: TaskRecord) -> Iterator[Period]:
    """Yield when it is not known that a task was not ready."""
    for phase, ready in product(task.phases, task.readiness):
        if phase.value not in _NEVER_READY and ready.value is not False:
            both = phase.period.within(ready.period)
            if both is not None:
                yield both
