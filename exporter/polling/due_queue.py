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
    """Tasks by when they are due; some of them are urgent, others are queried alone.

    Args:
        head_start: seconds by which urgent tasks that are due count as later than they are.
    """

    def __init__(self, head_start: float) -> None:
        self.head_start = head_start
        self._queues = self._urgent, self._others, self._alone = DueQueue(), DueQueue(), DueQueue()

    def put(self, task_id: str, due: float, *, urgent: bool, alone: bool = False) -> None:
        """Add a task, or change when it is due, whether it is urgent, and whether it is queried alone."""
        self.discard(task_id)
        (self._alone if alone else self._urgent if urgent else self._others).put(task_id, due)

    def due(self, task_id: str) -> float:
        """Return when a task is due; infinity if it is not in the queue."""
        return min(queue.due(task_id) for queue in self._queues)

    def discard(self, task_id: str) -> None:
        for queue in self._queues:
            queue.discard(task_id)

    def first(self) -> float:
        """Return when the first task is due; infinity if there is none."""
        return min(queue.first() for queue in self._queues)

    def take(self, now: float, most: int) -> list[str]:
        """Remove the tasks of the next call: the latest ones first, then those that are due next. Return their ids."""
        if self._alone.first() < self._first_of_batch():
            return [self._alone.pop()]
        taken: list[str] = []
        while len(taken) < most and math.isfinite(self._first_of_batch()):
            taken.append(self._pop(now))
        return taken

    def _first_of_batch(self) -> float:
        return min(self._urgent.first(), self._others.first())

    def _pop(self, now: float) -> str:
        urgent = self._urgent.first()
        counts_as = urgent - self.head_start if urgent <= now else urgent
        return (self._urgent if counts_as <= self._others.first() else self._others).pop()
