"""Tasks in the order in which they are due."""

from __future__ import annotations

import heapq
import itertools
import math


class DueQueue:
    """A priority queue of task ids. The entry that a change replaces stays in the heap until it comes first."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, int]] = {}
        self._heap: list[tuple[tuple[float, int], str]] = []
        self._order = itertools.count()

    def put(self, task_id: str, due: float) -> None:
        """Add a task, or change when it is due; of equals the first one comes first."""
        self._due[task_id] = key = due, next(self._order)
        heapq.heappush(self._heap, (key, task_id))

    def due(self, task_id: str) -> float:
        """Return when a task is due; infinity if it is not in the queue."""
        return self._due.get(task_id, (math.inf, 0))[0]

    def discard(self, task_id: str) -> None:
        self._due.pop(task_id, None)

    def first(self) -> float:
        """Return when the first task is due; infinity if there is none."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0][0] if self._heap else math.inf

    def pop(self) -> str:
        """Remove the first task. Return its id."""
        self.first()
        _, task_id = heapq.heappop(self._heap)
        del self._due[task_id]
        return task_id


class TaskQueue:
    """Tasks by when they are due, some of them urgent.

    Args:
        head_start: seconds by which urgent tasks that are due count as later than they are.
    """

    def __init__(self, head_start: float) -> None:
        self._head_start = head_start
        self._urgent, self._others = DueQueue(), DueQueue()

    def put(self, task_id: str, due: float, *, urgent: bool) -> None:
        """Add a task, or change when it is due and whether it is urgent."""
        self.discard(task_id)
        (self._urgent if urgent else self._others).put(task_id, due)

    def due(self, task_id: str) -> float:
        """Return when a task is due; infinity if it is not in the queue."""
        return min(self._urgent.due(task_id), self._others.due(task_id))

    def discard(self, task_id: str) -> None:
        self._urgent.discard(task_id)
        self._others.discard(task_id)

    def first(self) -> float:
        """Return when the first task is due; infinity if there is none."""
        return min(self._urgent.first(), self._others.first())

    def pop(self, now: float) -> str:
        """Remove the task that is the latest now, or else the one that is due next. Return its id."""
        urgent = self._urgent.first()
        counts_as = urgent - self._head_start if urgent <= now else urgent
        return (self._urgent if counts_as <= self._others.first() else self._others).pop()
