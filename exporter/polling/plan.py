"""Which source is asked for what: the cheapest published one for each part of the facts about each task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from exporter.model.facts import Detail
from exporter.polling.availability import collectors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exporter.cloud.source import Api, ProjectSource, Source
    from exporter.model.facts import TaskFacts
    from exporter.polling.availability import Published
    from exporter.store.store import Store

_SLICE = 500
"""Tasks that are looked at in a stretch; then others on the event loop get their turn."""

_Assigned = dict[type["TaskFacts"], dict["Source", dict[str, None]]]
"""The tasks of which a source tells a part, in their order."""


class Work(NamedTuple):
    """What one source is asked for."""

    ids: list[str]
    """The tasks."""
    wanted: Mapping[type[TaskFacts], frozenset[str]]
    """Of which of them, or of others that come along, it tells a part."""


class Plan:
    """The plan of one project.

    Args:
        apis: the API generations, the one that decides first; its sources are the cheaper ones.
        intervals: seconds, by enabled collector.
        store: knows the tasks.
        published: which operations exist.
        now: Unix time.
    """

    def __init__(
        self,
        apis: Sequence[Api],
        intervals: Mapping[str, float],
        store: Store,
        published: Published,
        now: Callable[[], float],
    ) -> None:
        self._sources = [(api.name, source) for api in apis for source in api.sources]
        self._project_sources = [(api.name, source) for api in apis for source in api.project_sources]
        self._intervals = intervals
        self._store = store
        self._published = published
        self._now = now
        self.only: frozenset[str] | None = None
        """The tasks that are asked for; None: all."""

    async def work(self, collector: str) -> dict[Source, Work]:
        """The tasks that each source is asked for, so that every part of the collector's facts has its cheapest one.

        The first published one of a generation that lists the task serves a part; sources stand in that order. What
        another collector's calls to the same source bring along, at least as often, is not asked for twice.
        """
        sources = [source for _, source in self._sources if collector in collectors_of(source)]
        parts = dict.fromkeys(
            part for source in sources for part in source.parts if part.collector in {collector, *self._intervals}
        )
        assigned: _Assigned = {part: await self._assign(part) for part in parts}
        work: dict[Source, dict[str, None]] = {}
        for part in parts:
            if part.collector == collector:
                for source, ids in assigned[part].items():
                    brought = self._brought_by_others(part, source, assigned)
                    work.setdefault(source, {}).update((key, None) for key in ids if key not in brought)
        return {source: Work(list(ids), self._wanted(source, assigned)) for source, ids in work.items()}

    def _wanted(self, source: Source, assigned: _Assigned) -> dict[type[TaskFacts], frozenset[str]]:
        """By part, the tasks of which a source tells it; none of collectors that are disabled."""
        return {
            part: frozenset(assigned[part][source])
            for part in source.parts
            if part.collector in self._intervals and source in assigned[part]
        }

    def _brought_by_others(self, part: type[TaskFacts], source: Source, assigned: _Assigned) -> frozenset[str]:
        """The tasks of which a source tells a part when it is asked by a collector that goes before the part's own.

        That is the one that asks most often; of equals, the one that a source names first.
        """
        order = sorted(
            (one for one in source.parts if one.collector in self._intervals),
            key=lambda one: self._intervals[one.collector],
        )
        wanted = self._wanted(source, assigned)
        return frozenset().union(*(wanted.get(one, ()) for one in order[: order.index(part)]))

    def project_work(self, collector: str) -> list[ProjectSource]:
        """The published sources of facts about the project as a whole."""
        return [
            source
            for api, source in self._project_sources
            if source.collector == collector and self._published.here(api, source.operation.name)
        ]

    def feeds(self, collector: str) -> bool:
        """Whether anything that tells the facts of a collector may be published here."""
        fed = any(self._published.here(api, one.name) for api, one in self._sources if collector in collectors_of(one))
        return fed or bool(self.project_work(collector))

    async def _assign(self, part: type[TaskFacts]) -> dict[Source, dict[str, None]]:
        """Which source tells a part of which tasks."""
        offered = [
            (api, source)
            for api, source in self._sources
            if part in source.parts and self._published.here(api, source.name)
        ]
        assigned: dict[Source, dict[str, None]] = {}
        now, listed_by = self._now(), self._store.inventory.listed_by
        for number, listed in enumerate(self._store.listed_tasks(unwanted=part is Detail), 1):
            for api, source in offered if self.only is None or listed.id in self.only else ():
                if source.serves(listed, part, now) and listed_by(listed.id, api):
                    assigned.setdefault(source, {})[listed.id] = None
                    break
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        return assigned
