"""The relation of parents and subtasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

MOST_LEVELS = 1000
"""The most parents above a task that are updated: lists that contradict each other may make a ring of them."""
_NONE: frozenset[str] = frozenset()


class Subtasks:
    """The subtasks of each task, by id. If lists contradict each other, a task may have several parents."""

    def __init__(self) -> None:
        self._parents: dict[str, frozenset[str]] = {}
        self._children: dict[str, set[str]] = {}

    def of(self, task_id: str) -> AbstractSet[str]:
        """Return the subtasks of a task."""
        return self._children.get(task_id, _NONE)

    def parents(self, task_id: str) -> frozenset[str]:
        """Return the tasks that contain a subtask."""
        return self._parents.get(task_id, _NONE)

    def below(self, task_id: str) -> set[str]:
        """Return the subtasks of a task, and theirs."""
        found, level = set[str](), {task_id}
        while level := {key for parent in level for key in self.of(parent)} - found - {task_id}:
            found |= level
        return found

    def above(self, task_id: str) -> set[str]:
        """Return the tasks that contain a subtask, and those that contain them."""
        found, level = set[str](), {task_id}
        while level := {key for child in level for key in self.parents(child)} - found - {task_id}:
            found |= level
        return found

    def set_parents(self, task_id: str, parents: frozenset[str]) -> frozenset[str]:
        """Make a task a subtask of these parents only. Return the parents that have gained or lost it."""
        before = self._parents.pop(task_id, _NONE)
        if parents:
            self._parents[task_id] = parents
        for parent in parents - before:
            self._children.setdefault(parent, set()).add(task_id)
        for parent in before - parents:
            self._children[parent].remove(task_id)
            if not self._children[parent]:
                del self._children[parent]
        return before ^ parents
