"""The last observations of a project and its tasks: the next ones are compared with them to find events."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.model.facts import Comparison
    from exporter.model.task import Phase, Task

MOST_OF_TASK = 20
"""Events of one task, or of the project itself, that are recorded in an hour."""
WINDOW_SECONDS = 3600.0
_QUIET_SECONDS = 60.0
_LONGEST_SECONDS = 300.0


@dataclass(slots=True)
class ObservedTask:
    """The last observations of one task."""

    new: bool = False
    """True until the event that the task has appeared; of a task that the first lists contain, never."""
    restored: bool = False
    """True if an earlier process has observed the task, until its first entry in a list."""
    phase_before_start: Phase | None = None
    """The phase that an earlier process has observed, if another one was found, until the event of the change."""
    ready: bool | None = None
    """Of the newest verdict on known facts: whether nothing blocks. None before it, and if the task has none."""
    ready_restored: bool = False
    """True if `ready` is that of an earlier process, until this one has observed a verdict on known facts."""
    awaits_code: bool = False
    """True after a failure whose error code was unknown."""
    comparison: Comparison | None = None
    """Of the newest response."""
    switching: bool | None = None


@dataclass(slots=True)
class Gathered:
    """Tasks whose verdicts change for one common cause within a few polls, which is one event."""

    tasks: set[str] = field(default_factory=set)
    _first: float = 0.0
    _last: float = 0.0

    def add(self, task_id: str, now: float) -> None:
        if not self.tasks:
            self._first = now
        self.tasks.add(task_id)
        self._last = now

    def take(self, now: float) -> int:
        """Remove all tasks once no other one has followed for a minute, at the latest after five; return how many."""
        if now < min(self._last + _QUIET_SECONDS, self._first + _LONGEST_SECONDS):
            return 0
        count = len(self.tasks)
        self.tasks.clear()
        return count


@dataclass(slots=True)
class Limit:
    """Limits how many events of each task are recorded in an hour."""

    ends_at: float = -math.inf
    """The steady time at which the hour ends."""
    _counts: Counter[str | None] = field(default_factory=Counter)

    def count(self, task_id: str | None) -> int:
        """Count an event, and return by how many the limit is exceeded now."""
        self._counts[task_id] += 1
        return max(0, self._counts[task_id] - MOST_OF_TASK)

    def restart(self, now: float) -> list[int]:
        """Begin another hour if one is over. Return for each task how many events the last one left out, if any."""
        if now < self.ends_at:
            return []
        left_out = [count - MOST_OF_TASK for count in self._counts.values() if count > MOST_OF_TASK]
        self.ends_at = now + WINDOW_SECONDS
        self._counts.clear()
        return left_out


@dataclass(slots=True)
class ObservedProject:
    """The last observations of one project."""

    readable: bool | None = None
    """Whether any task list succeeded; None before the first poll."""
    stale: set[str] = field(default_factory=set)
    """Tasks that were ready until their data was too old."""
    missing: dict[str, tuple[Task, float]] = field(default_factory=dict)
    """By id the tasks of which a query reported that they do not exist, and when. The next list may contain them."""
    became_stale: Gathered = field(default_factory=Gathered)
    became_fresh: Gathered = field(default_factory=Gathered)
    limit: Limit = field(default_factory=Limit)

    def update(self, task_id: str, now: float, *, lost: bool, ready: bool) -> None:
        """Update one task.

        Args:
            task_id: of the task.
            now: steady time.
            lost: true if it was ready, and only the age of its data blocks now.
            ready: true if it is ready.
        """
        if lost and task_id not in self.stale:
            self.stale.add(task_id)
            self._moved(task_id, now, self.became_fresh, self.became_stale)
        elif ready and task_id in self.stale:
            self.stale.remove(task_id)
            self._moved(task_id, now, self.became_stale, self.became_fresh)
        elif not (lost or ready):
            self.forget(task_id)

    def forget(self, task_id: str) -> None:
        """The task has another verdict, or none."""
        self.stale.discard(task_id)
        self.became_stale.tasks.discard(task_id)
        self.became_fresh.tasks.discard(task_id)

    def _moved(self, task_id: str, now: float, from_: Gathered, to: Gathered) -> None:
        """Gather a change, or undo the opposite one that is no event yet."""
        if task_id in from_.tasks:
            from_.tasks.remove(task_id)
        else:
            to.add(task_id, now)
