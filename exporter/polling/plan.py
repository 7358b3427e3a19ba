"""Selects the source of each kind of facts about each task: the cheapest that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exporter.model.facts import Detail
from exporter.polling.availability import fed_by
from exporter.runtime.turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.source import ProjectSource, Source
    from exporter.model.facts import TaskFacts
    from exporter.polling.context import PollContext

_TASKS_PER_TURN = 500

_Assigned = dict[type["TaskFacts"], dict["Source", dict[str, None]]]
"""The tasks for which a source provides facts, in their order."""


class Work(NamedTuple):
    """The queries of one source."""

    ids: list[str]
    """The tasks."""
    wanted: Mapping[type[TaskFacts], frozenset[str]]
    """The tasks, queried or contained in the response as well, of which facts are stored."""


class Plan:
    """The plan of one project; `only` restricts it to some tasks."""

    def __init__(self, context: PollContext) -> None:
        self._apis = context.connection.apis
        self._loops = context.loops
        self._store = context.store
        self._availability = context.availability
        self.only: frozenset[str] | None = None

    async def work(self, collector: str) -> dict[Source, Work]:
        """The tasks for which each source is queried, so that all facts of the collector have their cheapest source.

        That is the first one which exists, of a generation that lists the task; cheaper sources come first. What the
        calls of another collector to the same source provide, at least as often, is not queried again.
        """
        sources = [source for api in self._apis for source in api.sources if collector in fed_by(source)]
        kinds = dict.fromkeys(kind for source in sources for kind in source.kinds if kind.collector in self._loops)
        assigned: _Assigned = {kind: await self._assign(kind) for kind in kinds}
        work: dict[Source, dict[str, None]] = {}
        for kind in kinds:
            if kind.collector == collector:
                for source, ids in assigned[kind].items():
                    provided = self._provided_by_others(kind, source, assigned)
                    work.setdefault(source, {}).update((key, None) for key in ids if key not in provided)
        return {source: Work(list(ids), self._wanted(source, assigned)) for source, ids in work.items()}

    def _wanted(self, source: Source, assigned: _Assigned) -> dict[type[TaskFacts], frozenset[str]]:
        """The tasks whose facts a source provides, by kind; none of disabled collectors."""
        return {
            kind: frozenset(assigned[kind][source])
            for kind in source.kinds
            if kind.collector in self._loops and source in assigned[kind]
        }

    def _provided_by_others(self, kind: type[TaskFacts], source: Source, assigned: _Assigned) -> frozenset[str]:
        """The tasks whose facts a source provides when a collector queries it that precedes the one of these facts.

        That is the one with the shortest interval; of equals, the one that the source names first.
        """
        order = sorted(
            (kind for kind in source.kinds if kind.collector in self._loops),
            key=lambda kind: self._loops[kind.collector].interval,
        )
        wanted = self._wanted(source, assigned)
        return frozenset().union(*(wanted.get(before, ()) for before in order[: order.index(kind)]))

    def project_work(self, collector: str) -> list[ProjectSource]:
        """The sources of facts about the project as a whole that may exist."""
        return [
            source
            for api in self._apis
            for source in api.project_sources
            if source.collector == collector and self._availability.may_exist(api.name, source.operation.name)
        ]

    def has_source(self, collector: str) -> bool:
        """Return whether any source of the collector's facts may exist."""
        return bool(self.project_work(collector)) or any(
            collector in fed_by(source) and self._availability.may_exist(api.name, source.name)
            for api in self._apis
            for source in api.sources
        )

    async def _assign(self, kind: type[TaskFacts]) -> dict[Source, dict[str, None]]:
        """The tasks whose facts each source provides."""
        offered = [
            (api.name, source)
            for api in self._apis
            for source in api.sources
            if kind in source.kinds and self._availability.may_exist(api.name, source.name)
        ]
        assigned: dict[Source, dict[str, None]] = {}
        now, listed_by = self._store.context.clock.now(), self._store.state.inventory.listed_by
        async for listed in in_turns(self._store.listed_tasks(unwanted=kind is Detail), _TASKS_PER_TURN):
            for api, source in offered if self.only is None or listed.id in self.only else ():
                if source.serves(listed, kind, now) and listed_by(listed.id, api):
                    assigned.setdefault(source, {})[listed.id] = None
                    break
        return assigned
