"""The order of a list of tasks: sorted by a key, the subtasks below their parents."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Generic, TypeVar

from exporter.model.task import Phase
from exporter.views.text import UNKNOWN

T = TypeVar("T")

WORST_FIRST = (
    UNKNOWN,  # the list of the task is too old
    Phase.FAILED.value,
    Phase.OTHER.value,
    Phase.PAUSED.value,
    Phase.CHANGING.value,
    Phase.INCREMENTAL.value,
    Phase.FULL.value,
    Phase.PREPARING.value,
    Phase.ENDING.value,
    Phase.ENDED.value,
)
_BATCH = 250


def urgency(phase: str, delay_seconds: float | None, name: str = "") -> tuple[int, float, str]:
    """Return the sort key of a task: the worst phase first, then the largest delay, then the name."""
    return WORST_FIRST.index(phase) if phase in WORST_FIRST else 0, -(delay_seconds or 0), name


class Families(Generic[T]):
    """Sorts tasks, each followed by its subtasks.

    Args:
        backwards: whether the largest key comes first.
        by_parent: whether a family has the key of the outermost parent; else it has that of its first member, so that
            a failed subtask brings its parent to the top.
    """

    def __init__(self, *, backwards: bool = False, by_parent: bool = False) -> None:
        self._backwards = backwards
        self._by_parent = by_parent
        self._tasks: dict[str, tuple[str | None, tuple[Any, str], T]] = {}
        self._below: dict[str, list[str]] = {}
        self._roots: dict[str, str] = {}
        """The outermost parents that are known already."""
        self._runs: list[list[tuple[tuple[Any, str], str]]] = []

    def add(self, task: T, task_id: str, parent_id: str | None, key: Any) -> None:
        """Add a task; equal keys are sorted by the ID."""
        self._tasks[task_id] = (parent_id, (key, task_id), task)

    def arrange(self) -> Iterator[None]:
        """Prepare the order after the last task was added. Each step takes little time."""
        first = max if self._backwards else min
        keys: dict[str, tuple[Any, str]] = {}
        for number, (task_id, (parent_id, key, _)) in enumerate(self._tasks.items(), 1):
            root = self._root_of(task_id)
            if root != task_id:
                self._below.setdefault(parent_id or "", []).append(task_id)
            if root == task_id or not self._by_parent:
                keys[root] = first(keys.get(root, key), key)
            if number % _BATCH == 0:
                yield
        pairs = iter(keys.items())
        while batch := [(key, root) for root, key in islice(pairs, _BATCH)]:
            self._runs.append(sorted(batch, reverse=self._backwards))
            yield

    def sorted(self) -> Iterator[tuple[T, int]]:
        """Prepare the order and yield each task, without a pause."""
        for _ in self.arrange():
            pass
        return iter(self)

    def _root_of(self, task_id: str) -> str:
        """Return the outermost parent; of parents in a circle, from lists that contradict each other, the first."""
        path: dict[str, None] = {}
        root, parent = task_id, self._tasks[task_id][0]
        while root not in self._roots and root not in path and parent in self._tasks:
            path[root] = None
            root, parent = parent, self._tasks[parent][0]
        if root in path:
            ids = list(path)
            root = min(ids[ids.index(root) :])
        root = self._roots.get(root, root)
        self._roots |= dict.fromkeys((*path, root), root)
        return root

    def __iter__(self) -> Iterator[tuple[T, int]]:
        """Yield each task with its depth below the outermost parent."""
        for _, root in merge(*self._runs, key=itemgetter(0), reverse=self._backwards):
            waiting = [(root, 0)]
            while waiting:
                task_id, depth = waiting.pop()
                yield self._tasks[task_id][2], depth
                below = self._below.get(task_id, ())
                ordered = sorted(below, key=lambda below_id: self._tasks[below_id][1], reverse=not self._backwards)
                waiting += [(below_id, depth + 1) for below_id in ordered]
