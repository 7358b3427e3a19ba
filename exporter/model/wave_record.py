"""What happened to the tasks of a wave, and when all of them were ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.model.events import Event
from exporter.model.spans import Period
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
        """The first time at which each task with a verdict was ready or had ended; None without one.

        None as well while the record lacks tasks that the configuration expects or names.
        """
        judged = [task for member, task in self.tasks if member.state is not WaveState.EXCLUDED]
        if self.status.missing_ids or len(judged) < (self.status.expected or 0):
            return None
        fine = [[*task.ready, *_after_end(task)] for task in judged]
        starts = sorted(period.start for periods in fine for period in periods)
        fits = (at for at in starts if all(any(each.start <= at < each.end for each in periods) for periods in fine))
        return next(fits, None)


def _after_end(task: TaskRecord) -> list[Period]:
    return [Period(span.start, span.end) for span in task.phases if span.value is Phase.ENDED]
