"""What happened to the tasks of a wave, and when all of them were ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.model.events import Event
from exporter.model.spans import Period, observed
from exporter.model.task import Phase
from exporter.model.task_record import Recorded, TaskRecord, is_incident
from exporter.model.waves import WaveMember, WaveState, WaveStatus


@dataclass(frozen=True, slots=True)
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
        start, end = self.recorded.window
        return [event for event in self.project_events if start <= event.at <= end]

    @property
    def incidents(self) -> int:
        """The number of incidents of the tasks and of their projects."""
        of_tasks = sum(incident for _, task in self.tasks for _, incident in task.shown)
        return of_tasks + sum(map(is_incident, self.events))

    @property
    def all_ready_at(self) -> float | None:
        """The first recorded time at which each task with a verdict was ready or had ended; None without one.

        None also while tasks are missing that the wave expects.
        """
        fine = [[period for period, _ in _fine(task)] for task in self._judged]
        if self.status.missing_ids or len(fine) < (self.status.expected or 0):
            return None
        starts = sorted(period.start for periods in fine for period in periods)
        fits = (at for at in starts if all(any(each.start <= at < each.end for each in periods) for periods in fine))
        return next(fits, None)

    @property
    def all_ready_observed(self) -> bool:
        """True if the last of the tasks was observed as it became ready or ended; else that may have been earlier."""
        found = (each for task in self._judged for each in _fine(task))
        return any(began and period.start == self.all_ready_at for period, began in found)

    @property
    def _judged(self) -> list[TaskRecord]:
        return [task for member, task in self.tasks if member.state is not WaveState.EXCLUDED]


def _fine(task: TaskRecord) -> Iterator[tuple[Period, bool]]:
    """Yield when a task was ready or had ended, each with whether its beginning was observed."""
    for ready, (began, _) in zip(task.readiness, observed(task.readiness, task.ready_changes), strict=True):
        if ready.value:
            yield Period(ready.start, ready.end), began
    for phase, (began, _) in zip(task.phases, observed(task.phases, task.phase_changes), strict=True):
        if phase.value is Phase.ENDED:
            yield Period(phase.start, phase.end), began
