"""The tree of one task list: each task and subtask once, however the cloud nests or repeats them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.fields import is_null
from exporter.cloud.wire.task_list import TaskWire
from exporter.model.merge import contradict, merge
from exporter.model.task import Listed
from exporter.runtime.turns import Turns

_DECODED_PER_TURN = 20
"""Entries that are decoded without a pause for other work."""
_MOST_ENTRIES = 10_000
"""Of one page: a hundred for each task that was requested."""


class TaskTree:
    """The tasks and subtasks of one list, at any depth; a subtask's parent is the entry that directly contains it.

    An entry that cannot be decoded, or that contradicts an earlier entry of the same id, is a decode error and makes
    its parent's `unknown_children` larger, so that no parent is ready on half of its subtasks. So does a subtask
    without a name, which is listed by its id. The children of an entry that cannot be decoded belong to the nearest
    ancestor that can.

    Args:
        job_type: the job type that was queried.
        errors: counts the entries that are left out.
    """

    def __init__(self, job_type: str, errors: DecodeErrors) -> None:
        self.unreadable = 0
        """Items of the list itself that could not be decoded."""
        self._entries = 0
        self._job_type = job_type
        self._errors = errors
        self._tasks: dict[str, Listed] = {}
        self._parents: set[str] = set()
        self._unknown = Counter[str]()

    async def add(self, items: list[Any]) -> set[str]:
        """Add the items of one page, in turns; returns the ids of those that could be decoded, without their children.

        Raises:
            ValueError: the page has more than 10,000 tasks and subtasks.
        """
        top, turns = set[str](), Turns()
        before, self._unknown = self._unknown, Counter()
        most = self._entries + _MOST_ENTRIES
        waiting: list[tuple[Any, str | None, bool]] = [(item, None, True) for item in reversed(items)]
        while waiting:  # a loop, not a recursion: the cloud decides how deep it nests
            value, parent, is_item = waiting.pop()
            self._entries += 1
            if self._entries > most:
                raise ValueError("too many entries")
            job = self._read(value, parent)
            if job is None:
                self.unreadable += is_item
                nearest = parent
            else:
                self._add_entry(job, parent)
                nearest = job.id
            if job is not None and is_item:
                top.add(job.id)
            children = _children(value)
            if children and nearest is not None:
                self._parents.add(nearest)
            waiting += ((child, nearest, False) for child in reversed(children))
            await turns.after(1 / _DECODED_PER_TURN)
        self._unknown |= before  # the larger: a page that is served twice has no more of them
        return top

    def tasks(self) -> tuple[Listed, ...]:
        """Return all tasks, parents before their subtasks where the cloud lists them so."""
        roots: dict[str, str] = {}
        directions: defaultdict[str, set[str | None]] = defaultdict(set)
        for task in self._tasks.values():
            if task.parent_id is not None:
                directions[task.parent_id].add(task.direction)
        return tuple(
            replace(
                task,
                root_id=None if task.parent_id is None else self._root(task, roots),
                is_parent=task.id in self._parents,
                unknown_children=self._unknown[task.id],
                # v5 lists don't name dual-active pairs, but no others run both ways.
                multi_write=task.multi_write or (task.disaster_recovery and {"up", "down"} <= directions[task.id]),
            )
            if task.parent_id is not None or task.id in self._parents
            else task
            for task in self._tasks.values()
        )

    def _read(self, value: Any, parent: str | None) -> TaskWire | None:
        """Decode an entry. A subtask without an id, a status or a name is unknown to its parent, and a decode error."""
        errors = self._errors.count
        job = TaskWire.read(value, self._errors)
        if parent is not None and (job is None or job.name is None):
            self._errors.count = max(self._errors.count, errors + 1)
            self._missing_in(parent)
        return job

    def _add_entry(self, job: TaskWire, parent: str | None) -> None:
        listed, known = job.listed(self._job_type, parent), self._tasks.get(job.id)
        if known is None:
            self._tasks[job.id] = listed
            return
        above = known.parent_id if parent is None else parent
        if contradict((known, listed)):
            self._errors.count += 1
            self._missing_in(above)
        # A subtask that is also an item of the list is a subtask.
        fits = parent in {None, known.parent_id} or (known.parent_id is None and not self._contains(job.id, parent))
        if not fits:  # an entry inside itself, or under a second parent
            self._errors.count += 1
            self._missing_in(above)
            listed = replace(listed, parent_id=known.parent_id)
        # The later entry is the newer one.
        self._tasks[job.id] = merge((listed, known))

    def _missing_in(self, parent: str | None) -> None:
        if parent is not None:
            self._unknown[parent] += 1

    def _contains(self, task_id: str, inner: str | None) -> bool:
        """Return whether a task is `inner`, or is above it."""
        while inner is not None and inner != task_id:
            inner = self._tasks[inner].parent_id
        return inner is not None

    def _root(self, task: Listed, roots: dict[str, str]) -> str:
        """The id of the outermost parent; `roots` holds those that are found already."""
        path = [task.id]
        while path[-1] not in roots and (parent := self._tasks[path[-1]].parent_id) is not None:
            path.append(parent)
        root = roots.get(path[-1], path[-1])
        roots |= dict.fromkeys(path, root)
        return root


def _children(value: Any) -> list[Any]:
    """Return the children of an entry; children of a wrong shape are one entry that cannot be decoded."""
    children = value.get("children") if isinstance(value, dict) else None
    if isinstance(children, list):
        return children
    return [] if is_null(children) else [None]
