"""Records the recent history of a task while its values are fresh, and predicts from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.model.facts import Progress
from exporter.model.prediction import (
    UNPREDICTED,
    WINDOW_SECONDS,
    Predicted,
    Trend,
    catch_up_seconds,
    direction,
    end_of_load,
    is_constant,
    trend_of,
)
from exporter.model.task import DELAYED
from exporter.model.timeline import Point, Timeline, TimelineRecorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.model.facts import TaskFacts
    from exporter.model.task import Listed, Task
    from exporter.runtime.clock import Clock

_APPLYING = frozenset({"progress", "node"})
"""The facts that contain the rate of rows."""


class TaskHistory:
    """The history of one task; all times are steady ones, see `Clock`."""

    __slots__ = ("_changed_at", "_delay", "_last_delay", "_load_end", "_recorder", "_state")

    def __init__(self) -> None:
        self._recorder: TimelineRecorder | None = None
        self._state: tuple[str, str | None] | None = None
        """Phase and current action."""
        self._changed_at = 0.0
        """When they last changed."""
        self._delay: Trend | None = None
        self._last_delay = 0.0
        """The newest delay that the trend contains."""
        self._load_end: float | None = None

    def timeline(self, now: float, step: float) -> Timeline | None:
        """Return the history as it is now; None without a point."""
        return None if self._recorder is None else Timeline(self._recorder, now, step)

    def newest(self) -> Point | None:
        """Return the newest point, in steady time."""
        return None if self._recorder is None else self._recorder.newest

    def restore(self, points: Sequence[Point]) -> None:
        """Store the points that an earlier process has recorded, in steady time, ascending, before any other."""
        self._recorder = TimelineRecorder(points[0].at)
        for point in points:
            self._recorder.record(point)

    def observe(self, listed: Listed | None, now: float) -> None:
        """Observe the entry of the task in a list; predictions use no points before a change of phase or action."""
        if listed is None:
            return
        state = listed.phase, listed.current_action or None
        if state != self._state:
            self._state, self._changed_at, self._delay, self._load_end = state, now, None, None

    def record(self, task: Task | None, received: float | None, now: float) -> bool:
        """Record the values of a task if the newest point is a minute old. Return whether it was.

        The points of a task that is not active are removed.

        Args:
            task: the task with its fresh facts; None if it is not exposed.
            received: when its progress was last received.
            now: the time.
        """
        if task is None or (task.listed is not None and not task.listed.active):
            self._recorder = self._delay = self._load_end = None
            return False
        if task.progress is None:
            self._delay = self._load_end = None
            if task.listed is None:
                return False
        at = now if task.progress is None or received is None else received
        if self._recorder is None:
            self._recorder = TimelineRecorder(at)
        if not self._recorder.is_due(at):
            return False
        point = _point_of(task, at)
        self._recorder.record(point)
        self._update_trends(self._recorder, point)
        return True

    def _update_trends(self, recorder: TimelineRecorder, newest: Point) -> None:
        start = max(self._changed_at, newest.at - WINDOW_SECONDS)
        delay, ratio = newest.delay_seconds, newest.full_progress_ratio
        self._delay = None if delay is None else trend_of(recorder.delays(start))
        self._last_delay = delay or 0.0
        self._load_end = None if ratio is None or ratio >= 1 else end_of_load(recorder.ratios(start))

    def predict(self, listed: Listed | None, progress: TaskFacts | None, clock: Clock, max_delay: float) -> Predicted:
        """Return predictions about the task with this fresh progress."""
        if listed is None or not isinstance(progress, Progress):
            return UNPREDICTED
        delay = progress.delay_seconds if listed.phase in DELAYED else None
        trend = self._delay
        if delay is None or (trend and direction(trend.slope) == 0 and not is_constant((delay, self._last_delay))):
            trend = None  # it has jumped within the last minute: it is not steady
        loads, end = progress.full_ratio is not None and progress.full_ratio < 1, self._load_end
        return Predicted(
            catch_up_seconds(delay, max_delay, trend),
            float(round(clock.unix(end))) if loads and end is not None and end > clock.steady() else None,
            trend.slope if trend else None,
        )


def _point_of(task: Task, at: float) -> Point:
    ratio = task.progress.full_ratio if task.progress else None
    return Point(at, task.delay_seconds, ratio, _rows_per_second(task), task.phase, task.ready)


def _rows_per_second(task: Task) -> float | None:
    """Return the rows applied per second; facts that missed a poll come last."""
    rates = (getattr(task, name).apply_rows_per_second for name in task.fresh if name in _APPLYING)
    return next((rate for rate in rates if rate is not None), None)
