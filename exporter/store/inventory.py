"""The tasks that exist: the union of the lists of both API generations, and the removal of tasks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from exporter.model.merge import contradict, merge
from exporter.model.task import DELETED, Phase
from exporter.model.task_lists import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping

    from exporter.model.task import Listed

LIST_LAG_SECONDS = 60.0
"""Time for which a list may still show a deleted task; no document states a limit."""
_DECIDES = "v3"
"""The generation that decides where both list a task: v3 lists all fields but `_FILLED`."""
_ABSENCE_BEFORE_REMOVAL = 2
"""Sum of the weights of lists without a task at which it is removed.

A complete list of one page weighs 2, any other list without missing pages 1.
"""
_REMEMBERED = 10
"""Multiples of `hide_for` for which a report is kept that a task does not exist: lists may be polled rarely."""
_FILLED = (
    "enterprise_project_id",
    "job_mode",
    "role",
    "node_role",
    "multi_az",
    "charging_mode",
    "current_action",
)
"""Fields that v5 lists contain and v3 lists may lack; they complete the entries of v3."""
_NOTHING = (None, "")
"""Values that complete nothing. A v5 list, which may be the older one, does not prove that no action is in progress."""


@dataclass(slots=True)
class _ListEntry:
    """The entry of a task in the last list that contained it."""

    listed: Listed
    at: float
    absence: int = 0
    """Sum of the weights of the lists since then; see `_ABSENCE_BEFORE_REMOVAL`."""

    def shows_running(self, since: float) -> bool:
        """Return whether the newest list, if it came since this time, contains the task as one that has not ended."""
        return self.listed.phase is not Phase.ENDED and not self.absence and self.at >= since


_ListEntries = dict[tuple[str, str], _ListEntry]
"""By API generation and job type. A task may move between job types, or be in two lists."""


class Inventory:
    """The tasks of one project. All times are arguments.

    A task is removed when each list that contained it lacks it: once if the list was complete and of one page; twice in
    a row if it was not, or had several pages, between which tasks move when another one is deleted. A subtask is also
    removed after the second list if its parent has subtasks that could not be decoded. A list with missing
    pages proves no absence, and a failed list changes nothing. A task is also removed when a query reports that it does
    not exist, or is DELETED.

    Args:
        hide_for: seconds for which a task is hidden that a query reports as missing although lists, which may lag,
            contain it. If they still do so afterwards, the task is visible as contradicted.
    """

    def __init__(self, hide_for: float) -> None:
        self.hide_for = hide_for
        self._tasks: dict[str, _ListEntries] = {}
        self._missing: dict[str, float] = {}

    def update(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, now: float, gap: Gap | None = None, pages: int = 1
    ) -> set[str]:
        """Store a successful list; `gap` is the reason why it may lack tasks. Return the ids of changed tasks."""
        key = (api, job_type)
        deleted, seen = self._store(key, tuple(tasks), now)
        weight = weight_of(gap, pages)
        missed = {task_id for task_id, entries in self._tasks.items() if key in entries and task_id not in seen}
        doubtful = {listed.root_id or listed.id for listed in seen.values() if listed.unknown_children}
        for task_id in missed:
            entry = self._tasks[task_id][key]
            entry.absence += min(weight, 1) if entry.listed.root_id in doubtful else weight
        self._remove_absent(missed)
        return deleted | missed | seen.keys()

    def update_some(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, roots: Container[str], now: float, all_here: bool
    ) -> set[str]:
        """Store the entries of some tasks and of their subtasks, without the rest of the list.

        `roots` are the ids of the tasks, without subtasks, that were requested: a missing entry is half a proof that it
        does not exist. `all_here` says that the list is as long as before: those that have ended are still in it.
        """
        key = (api, job_type)
        deleted, seen = self._store(key, tuple(tasks), now)
        missed = set()
        for task_id, entries in self._tasks.items():
            if task_id not in seen and (entry := entries.get(key)) is not None:
                if (entry.listed.root_id or task_id) in roots:
                    entry.absence += 1
                    missed.add(task_id)
                elif all_here and not entry.absence and entry.listed.phase is Phase.ENDED:
                    entry.at = now
        self._remove_absent(missed)
        return deleted | missed | seen.keys()

    def _store(self, key: tuple[str, str], tasks: Collection[Listed], now: float) -> tuple[set[str], dict[str, Listed]]:
        """Store entries of a list. Return the ids of deleted tasks, and the tasks that are visible."""
        deleted = {listed.id for listed in tasks if listed.status == DELETED}
        for task_id in deleted:
            self._remove(task_id, now)
        visible = self._visible_tasks(tasks, now)
        for task_id, listed in visible.items():
            entries = self._tasks.setdefault(task_id, {})
            same = key in entries and entries[key].listed == listed  # then the task and its entry share one object
            entries[key] = _ListEntry(entries[key].listed if same else listed, now)
        return deleted, visible

    def roots(self, api: str, job_type: str, *, without: str | None = None) -> tuple[str, ...]:
        """Return the ids of the tasks, without subtasks, in a list that have not ended or have such subtasks.

        Those that another generation lists, `without`, are left out.
        """
        return tuple(
            dict.fromkeys(
                entry.listed.root_id or task_id
                for task_id, entries in self._tasks.items()
                if (entry := entries.get((api, job_type))) is not None
                and entry.listed.phase is not Phase.ENDED
                and not (without and self.listed_by(task_id, without))
            )
        )

    def newest(self, api: str, job_type: str, tasks: Iterable[Listed], since: float) -> tuple[Listed, ...]:
        """Return the tasks of a list that was requested at some time, with the entries that are newer than that."""

        def newest_of(listed: Listed) -> Listed:
            entry = self._tasks.get(listed.id, {}).get((api, job_type))
            return listed if entry is None or entry.at <= since else entry.listed

        return tuple(map(newest_of, tasks))

    def is_settled(self, api: str, job_type: str) -> bool:
        """Return whether another list would prove no absence that is not proved yet."""
        key = (api, job_type)
        return not any(
            key in entries and 0 < entries[key].absence < _ABSENCE_BEFORE_REMOVAL for entries in self._tasks.values()
        )

    def _remove_absent(self, ids: Iterable[str]) -> None:
        for task_id in ids:
            if all(entry.absence >= _ABSENCE_BEFORE_REMOVAL for entry in self._tasks[task_id].values()):
                del self._tasks[task_id]

    def _visible_tasks(self, tasks: Iterable[Listed], now: float) -> dict[str, Listed]:
        """Return the tasks of a list that are not hidden, by id; parents count hidden subtasks as unknown ones."""
        visible: dict[str, Listed] = {}
        hidden = Counter[str]()
        for listed in tasks:
            reported = self._missing.get(listed.id)
            if listed.status == DELETED:
                continue
            if reported is None or listed.phase is Phase.ENDED:
                visible[listed.id] = listed
            elif now - reported < self.hide_for:
                hidden.update(listed.parents)
            else:
                visible[listed.id] = replace(listed, contradicted=True)
        for parent in hidden.keys() & visible.keys():
            unknown = visible[parent].unknown_children + hidden[parent]
            visible[parent] = replace(visible[parent], unknown_children=unknown)
        forgotten = now - _REMEMBERED * self.hide_for
        self._missing = {key: at for key, at in self._missing.items() if at > forgotten or key in self._tasks}
        return visible

    def report_missing(self, task_id: str, now: float) -> None:
        """Remove a task of which a query reports that it does not exist.

        The cloud reports so of released tasks too, so a task that is ended in a list stays. So does a task that lists
        still contain after an earlier report. Until their next list, its parents have an unknown subtask.
        """
        entries = self._tasks.get(task_id, {})
        if not entries or task_id in self._missing:
            return
        if any(entry.listed.phase is Phase.ENDED for entry in entries.values()):
            return
        for parent in {key for entry in entries.values() for key in entry.listed.parents}:
            for entry in self._tasks.get(parent, {}).values():
                unknown = entry.listed.unknown_children + 1
                entry.listed = replace(entry.listed, unknown_children=unknown)
        self._remove(task_id, now)

    def _remove(self, task_id: str, now: float) -> None:
        self._tasks.pop(task_id, None)
        self._missing[task_id] = now

    def forget(self, api: str) -> set[str]:
        """Remove the lists of a generation that does not exist here. Return the ids of tasks that may have changed."""
        return self._keep(lambda key: key[0] != api)

    def restrict(self, job_types: Container[str]) -> None:
        """Remove the lists of other job types."""
        self._keep(lambda key: key[1] in job_types)

    def _keep(self, is_kept: Callable[[tuple[str, str]], bool]) -> set[str]:
        before, self._tasks = self._tasks, {}
        for task_id, entries in before.items():
            if kept := {key: entry for key, entry in entries.items() if is_kept(key)}:
                self._tasks[task_id] = kept
        return {task_id for task_id, entries in before.items() if len(self._tasks.get(task_id, ())) < len(entries)}

    def __iter__(self) -> Iterator[str]:
        """Return the ids of all tasks that were not removed, including those whose lists have expired."""
        return iter(self._tasks)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._tasks

    def find(self, task_id: str, oldest: Mapping[str, float]) -> Listed | None:
        """Return the entry of a task in the deciding generation; None if that list is too old.

        `oldest` contains by API generation the time before which lists have expired. If the newest list of v3 lacks the
        task, or has expired, an older entry of v5 is not used: it may have an earlier status.
        """
        entries = self._tasks.get(task_id, {})
        fresh = {key: entry for key, entry in entries.items() if entry.at >= oldest[key[0]]}
        deciding = _current(fresh, _DECIDES)
        if not deciding:
            newest = max(entries, key=lambda key: entries[key].at, default=None)
            if newest is None or newest not in fresh:
                return None
            deciding = _current(fresh, newest[0]) or [fresh[newest].listed]
        listed = merge(deciding)
        others = [entry.listed for entry in fresh.values() if entry.listed is not listed]
        return _filled(listed, others) if others else listed

    def contradictions(self, since: float) -> int:
        """Count the tasks about which the lists since this time contradict each other or a query.

        A query that reports a task as missing contradicts no list that contains the task as ended, also if the list
        came after it.
        """
        reported = [self._tasks[task_id].values() for task_id in self._missing.keys() & self._tasks.keys()]
        disputed = sum(any(entry.shows_running(since) for entry in entries) for entries in reported)
        return disputed + sum(
            any(contradict(_current(entries, api, since)) for api in apis)
            for entries in self._tasks.values()
            if len(entries) > len(apis := {api for api, _ in entries})
        )

    def last_seen(self, task_id: str) -> list[tuple[str, float]]:
        """Return by API generation when a list last contained the task."""
        return [(api, entry.at) for (api, _), entry in self._tasks.get(task_id, {}).items()]

    def statuses(self, task_id: str) -> list[tuple[str, float]]:
        """Return the status of a task in each list that contains it, and when that list was received."""
        entries = self._tasks.get(task_id, {}).values()
        return [(entry.listed.status, entry.at) for entry in entries if not entry.absence]

    def listed_by(self, task_id: str, api: str) -> bool:
        """Return whether the newest list of a generation contains the task."""
        return any(key[0] == api and not entry.absence for key, entry in self._tasks.get(task_id, {}).items())


def _current(entries: _ListEntries, api: str, since: float = -math.inf) -> list[Listed]:
    """Return the entries of a task in those newest lists of a generation that contain it."""
    return [entry.listed for key, entry in entries.items() if key[0] == api and not entry.absence and entry.at >= since]


def weight_of(gap: Gap | None, pages: int) -> int:
    """Return the weight of a list as a proof that the tasks that it lacks do not exist."""
    if gap in {Gap.REPEATED, Gap.REFUSED, Gap.LONG}:
        return 0
    return _ABSENCE_BEFORE_REMOVAL if gap is None and pages == 1 else 1


def _filled(listed: Listed, others: Collection[Listed]) -> Listed:
    """Return the task with the fields that only its other lists contain."""
    additions: dict[str, Any] = {
        name: value
        for other in others
        for name in _FILLED
        if getattr(listed, name) is None and (value := getattr(other, name)) not in _NOTHING
    }
    if any(other.is_parent for other in others) and not listed.is_parent:
        # Subtasks that only the other generation lists are subtasks: their parent is not judged without them.
        additions |= {"is_parent": True, "unknown_children": max(other.unknown_children for other in others)}
    return replace(listed, **additions) if additions else listed
