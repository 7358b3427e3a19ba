"""The existing tasks: the union of the lists of both API generations, and the removal of tasks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exporter.model.merge import contradict, merge
from exporter.model.task import DELETED, Gap, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from exporter.model.task import Listed

LIST_LAG_SECONDS = 60.0
"""Time for which a list may still show a deleted task; no document states a limit."""
_DECIDES = "v3"
"""The generation that decides where both list a task: v3 lists all fields but `_FILLED`."""
_LACKS_BEFORE_REMOVAL = 2
"""A list of one page that is complete proves an absence alone, any other list that has all its pages as the second."""
_REMEMBERED = 10
"""How many times `hide_for` a report that a task does not exist is remembered: lists may be polled rarely."""
_FILLED = ("enterprise_project_id", "job_mode", "role")
"""Fields that only v5 lists: taken from it where v3 decides."""


@dataclass(slots=True)
class _Sighting:
    """A task as one list last showed it."""

    listed: Listed
    at: float
    lacking: int = 0
    """How much the lists since then prove its absence: see `_LACKS_BEFORE_REMOVAL`."""


_Sightings = dict[tuple[str, str], _Sighting]
"""By API generation and job type: a task may move between job types, or be seen in two."""


class Inventory:
    """The tasks of one project; pure logic, times are given.

    A task is removed when each list that showed it lacks it: once if the list was complete and of one page; twice in a
    row if it was not, or had several pages, between which tasks move when another one is deleted. A list that lacks
    pages proves no absence, and a failed list changes nothing. A task is also removed when a query reports that it does
    not exist, or is DELETED.

    Args:
        hide_for: seconds for which a task is hidden that a query reports as missing while lists, which may lag, still
            show it. Then the lists contradict the query: the task is shown as contradicted.
    """

    def __init__(self, hide_for: float) -> None:
        self.hide_for = hide_for
        self._tasks: dict[str, _Sightings] = {}
        self._missing: dict[str, float] = {}

    def update(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, now: float, gap: Gap | None = None, pages: int = 1
    ) -> set[str]:
        """Take in a successful list; `gap` is why it may lack tasks. Returns the ids of tasks that may have changed."""
        key = (api, job_type)
        tasks = tuple(tasks)
        deleted = {listed.id for listed in tasks if listed.status == DELETED}
        for task_id in deleted:
            self._remove(task_id, now)
        seen = self._shown(tasks, now)
        for task_id, listed in seen.items():
            self._tasks.setdefault(task_id, {})[key] = _Sighting(listed, now)
        weight = _weight(gap, pages)
        missed = {task_id for task_id, sightings in self._tasks.items() if key in sightings and task_id not in seen}
        for task_id in missed:
            sightings = self._tasks[task_id]
            sightings[key].lacking += weight
            if all(sighting.lacking >= _LACKS_BEFORE_REMOVAL for sighting in sightings.values()):
                del self._tasks[task_id]
        return deleted | missed | seen.keys()

    def _shown(self, tasks: Iterable[Listed], now: float) -> dict[str, Listed]:
        """The tasks of a list that are shown, by id; a hidden subtask is an unknown one of its parents."""
        shown: dict[str, Listed] = {}
        hidden = Counter[str]()
        for listed in tasks:
            reported = self._missing.get(listed.id)
            if reported is None or listed.phase is Phase.ENDED:
                shown[listed.id] = listed
            elif now - reported < self.hide_for:
                hidden.update(listed.parents)
            elif listed.status != DELETED:
                shown[listed.id] = replace(listed, contradicted=True)
        for parent in hidden.keys() & shown.keys():
            unknown = shown[parent].unknown_children + hidden[parent]
            shown[parent] = replace(shown[parent], unknown_children=unknown)
        forgotten = now - _REMEMBERED * self.hide_for
        self._missing = {key: at for key, at in self._missing.items() if at > forgotten or key in self._tasks}
        return shown

    def report_missing(self, task_id: str, now: float) -> None:
        """Remove a task of which a query returned that it does not exist.

        The cloud returns that for released tasks too, so a task that a list shows as ended stays. So does a task that
        lists show in spite of an earlier response of this kind. Its parents have an unknown subtask until their next
        list.
        """
        sightings = self._tasks.get(task_id, {})
        if not sightings or task_id in self._missing:
            return
        if any(sighting.listed.phase is Phase.ENDED for sighting in sightings.values()):
            return
        for parent in {key for sighting in sightings.values() for key in sighting.listed.parents}:
            for sighting in self._tasks.get(parent, {}).values():
                unknown = sighting.listed.unknown_children + 1
                sighting.listed = replace(sighting.listed, unknown_children=unknown)
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
        for task_id, sightings in before.items():
            if kept := {key: sighting for key, sighting in sightings.items() if is_kept(key)}:
                self._tasks[task_id] = kept
        return {task_id for task_id, sightings in before.items() if len(self._tasks.get(task_id, ())) < len(sightings)}

    def __iter__(self) -> Iterator[str]:
        """The ids of all tasks that were not removed, also where all their lists have expired."""
        return iter(self._tasks)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._tasks

    def find(self, task_id: str, oldest: Mapping[str, float]) -> Listed | None:
        """The task as the generation that decides shows it; None where that list of it is too old.

        `oldest` gives by API generation the time before which a list has expired. Where v3 lacks the
        task by now, or is too old, an older word of v5 never takes its place: it would turn the task back in time.
        """
        sightings = self._tasks.get(task_id, {})
        fresh = {key: sighting for key, sighting in sightings.items() if sighting.at >= oldest[key[0]]}
        deciding = _current(fresh, _DECIDES)
        if not deciding:
            newest = max(sightings, key=lambda key: sightings[key].at, default=None)
            if newest is None or newest not in fresh:
                return None
            deciding = _current(fresh, newest[0]) or [fresh[newest].listed]
        return _filled(merge(deciding), [sighting.listed for sighting in fresh.values()])

    def contradictions(self, since: float) -> int:
        """Return how many tasks the lists since this time contradict each other, or a query, about."""
        disputed = len(self._missing.keys() & self._tasks.keys())
        return disputed + sum(
            any(contradict(_current(sightings, api, since)) for api in apis)
            for sightings in self._tasks.values()
            if len(sightings) > len(apis := {api for api, _ in sightings})
        )

    def last_seen(self, task_id: str) -> list[tuple[str, float]]:
        """When lists last showed the task, with the API generation."""
        return [(api, sighting.at) for (api, _), sighting in self._tasks.get(task_id, {}).items()]

    def listed_by(self, task_id: str, api: str) -> bool:
        """True if the newest list of a generation shows the task."""
        return any(key[0] == api and not sighting.lacking for key, sighting in self._tasks.get(task_id, {}).items())


def _current(sightings: _Sightings, api: str, since: float = -math.inf) -> list[Listed]:
    """The task in the lists of a generation that contain it now."""
    return [
        sighting.listed
        for key, sighting in sightings.items()
        if key[0] == api and not sighting.lacking and sighting.at >= since
    ]


def _weight(gap: Gap | None, pages: int) -> int:
    """How much a list proves the absence of tasks that it lacks."""
    if gap in {Gap.REPEATED, Gap.REFUSED, Gap.LONG}:
        return 0
    return _LACKS_BEFORE_REMOVAL if gap is None and pages == 1 else 1


def _filled(listed: Listed, others: Iterable[Listed]) -> Listed:
    """The task with the fields that only its other lists contain."""
    known = {
        name: value
        for other in others
        for name in _FILLED
        if getattr(listed, name) is None and (value := getattr(other, name)) is not None
    }
    return replace(listed, **known) if known else listed
