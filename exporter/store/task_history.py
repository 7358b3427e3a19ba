"""Records the recent history of a task, while its values are fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.model.timeline import Point, Timeline, TimelineRecorder

if TYPE_CHECKING:
    from exporter.model.task import Task

_APPLYING = frozenset({"progress", "node"})
"""The facts that contain the rate of rows."""


class TaskHistory:
    """The history of one task; all times are steady ones, see `Clock`."""

    __slots__ = ("_recorder",)

    def __init__(self) -> None:
        self._recorder: TimelineRecorder | None = None

    def timeline(self, now: float, step: float) -> Timeline | None:
        """Return the history as it is now; None without a point."""
        return None if self._recorder is None else Timeline(self._recorder, now, step)

    def observe(self, task: Task | None, received: float | None, now: float) -> None:
        """Record the values of a task if the newest point is a minute old; remove the points if it is not active.

        Args:
            task: the task with its fresh facts; None if it is not exposed.
            received: when its progress was last received.
            now: the time.
        """
        if task is None or (task.listed is not None and not task.listed.active):
            self._recorder = None
            return
        if task.listed is None and task.progress is None:
            return
        at = now if task.progress is None or received is None else received
        if self._recorder is None:
            self._recorder = TimelineRecorder(at)
        if self._recorder.is_due(at):
            self._recorder.record(_point_of(task, at))


def _point_of(task: Task, at: float) -> Point:
    ratio = task.progress.full_ratio if task.progress else None
    return Point(at, task.delay_seconds, ratio, _rows_per_second(task), task.phase, task.ready)


def _rows_per_second(task: Task) -> float | None:
    """Return the rows applied per second; facts that missed a poll come last."""
    rates = (getattr(task, name).apply_rows_per_second for name in task.fresh if name in _APPLYING)
    return next((rate for rate in rates if rate is not None), None)
