"""How many API calls the configured intervals take, and what too low a rate limit makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil
from typing import NamedTuple

from exporter.config import COLLECTORS

WAVE_SHARE = 0.5
"""Part of the rate limit of an account and region that the running waves may use."""


def calls_per_second(intervals: Iterable[float], batch: int) -> float:
    """Return the calls of one source, whose tasks are queried at these intervals in batches."""
    rates = [1 / interval for interval in intervals]
    return max(sum(rates) / batch, max(rates, default=0.0))


def delay_growth(demand: Mapping[str, float], rate: float) -> float:
    """Return how many times older than configured the delays become; 1 where the rate limit suffices.

    Args:
        demand: calls a second by collector.
        rate: calls a second that are allowed.
    """
    if sum(demand.values()) <= rate:
        return 1.0
    most = max(collector.weight for collector in COLLECTORS.values())
    return max(1.0, sum(calls * COLLECTORS[name].weight / most for name, calls in demand.items()) / rate)


def wave_stretch(calls: float, rate: float) -> float:
    """Return the factor by which the intervals of waves are longer than configured.

    Args:
        calls: calls a second that all running waves want.
        rate: calls a second that are allowed.
    """
    return max(1.0, calls / (WAVE_SHARE * rate))


class WavePolls(NamedTuple):
    """The polls of one list, or of one source, for the tasks of waves.

    Args:
        usual: seconds between two polls without a wave.
        batch: tasks in one call.
        intervals: seconds between two polls that the waves want, by task.
    """

    usual: float
    batch: int
    intervals: dict[str, float]

    def add(self, task_id: str, interval: float | None) -> None:
        """Add a task; a wave without an interval wants the usual one."""
        self.intervals[task_id] = min(self.usual, interval or self.usual)

    @property
    def calls(self) -> float:
        """Calls a second, at most: tasks with the same interval share batches, which no other tasks fill."""
        tasks = Counter(self.intervals.values())
        return sum(ceil(count / self.batch) / interval for interval, count in tasks.items())

    def stretched(self, factor: float) -> dict[str, float]:
        """Return the intervals multiplied by a factor, of the tasks that are not polled less often than usual then."""
        stretched = {task_id: factor * interval for task_id, interval in self.intervals.items()}
        return {task_id: interval for task_id, interval in stretched.items() if interval <= self.usual}
