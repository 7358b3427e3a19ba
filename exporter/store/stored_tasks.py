"""Keeps the last observations of the tasks of one project in the storage, and restores those of an earlier process."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from exporter.model.task import History, Phase
from exporter.runtime.turns import in_turns
from exporter.storage import TaskKey, TaskTimes
from exporter.store.cutover_state import EarlierVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.model.task import Task
    from exporter.model.timeline import Point
    from exporter.store.project_context import ProjectContext
    from exporter.store.task_state import TaskState


_PER_TURN = 200


class StoredTasks:
    """The tasks of one project in the storage. Without a storage, all of this has no effect.

    Args:
        context: the project.
    """

    def __init__(self, context: ProjectContext) -> None:
        self._context = context
        self._storage = context.storage
        self._state = context.state
        self._key = context.state.key
        self._clock = context.clock
        self._changed: dict[str, None] = {}
        """The tasks that have changed, or have a new point."""
        self._stored_at: dict[str, float] = {}
        """The steady time of the newest point of each task that is stored."""

    def restore(self, task_id: str, task: TaskState) -> None:
        """Restore what an earlier process has observed of a task that this one observes for the first time."""
        restored = self._storage.restored
        times = restored.times.get(self._key, {}).pop(task_id, None)
        if times is None:
            return
        task.phase = times.phase
        task.history = History(phase_changed_at=self._past(times.phase_changed_at))
        task.ended_at = self._past(times.ended_at) if times.phase is Phase.ENDED else None
        task.observed.restored, task.observed.ready = True, times.ready
        task.observed.ready_restored = times.ready is not None
        task.cutover.restored = self._verdict_of(times)
        if points := [*self._past_points(restored.points.pop(TaskKey(self._key, task_id), ()))]:
            task.recent.restore(points)
            self._stored_at[task_id] = points[-1].at

    def observe(self, task_id: str) -> None:
        """Observe a change of a task, or a new point."""
        if self._storage.enabled:
            self._changed[task_id] = None

    async def write(self) -> None:
        """Store the last observations of the changed tasks, once their events are recorded, and the new points."""
        changed, self._changed = self._changed, {}
        running = {wave.name for wave in self._context.waves.running}
        async for task_id in in_turns(changed, _PER_TURN):
            task = self._state.tasks.get(task_id)
            if task is None:
                self._stored_at.pop(task_id, None)
                self._storage.set_times(self._key, task_id, None)
                continue
            if task.phase is not None and task.exposed is not None:
                self._storage.set_times(self._key, task_id, self._times_of(task, task.exposed, task.phase))
            if not running.isdisjoint(self._state.waves.names(task_id)):
                self._write_point(task_id, task)

    def _write_point(self, task_id: str, task: TaskState) -> None:
        """Store the newest point of a task, unless it is stored."""
        point = task.recent.newest()
        if point is not None and point.at > self._stored_at.get(task_id, -math.inf):
            self._stored_at[task_id] = point.at
            self._storage.add_point(self._key, task_id, point._replace(at=self._clock.unix(point.at)))

    def _times_of(self, task: TaskState, exposed: Task, phase: Phase) -> TaskTimes:
        verdict = task.cutover.to_restore()
        return TaskTimes(
            exposed.identity.task_name,
            phase,
            self._unix(task.history.phase_changed_at),
            self._unix(task.ended_at),
            task.observed.ready,
            *(() if verdict is None else (self._unix(verdict.ready_since), self._unix(verdict.until), verdict.rules)),
        )

    def _verdict_of(self, times: TaskTimes) -> EarlierVerdict | None:
        ready_since = self._past(times.ready_since)
        if ready_since is None or times.ready_until is None or times.rules is None:
            return None
        return EarlierVerdict(ready_since, times.ready_until - self._clock.step, times.rules)

    def _past_points(self, points: tuple[Point, ...]) -> Iterator[Point]:
        for point in points:
            if (at := self._past(point.at)) is not None:
                yield point._replace(at=at)

    def _past(self, at: float | None) -> float | None:
        """Return a Unix time as a steady one; None if it is after now: the host's clock has been set back."""
        return None if at is None or at > self._clock.now() else at - self._clock.step

    def _unix(self, steady: float | None) -> float | None:
        return None if steady is None else self._clock.unix(steady)
