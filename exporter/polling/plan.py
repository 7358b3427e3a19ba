"""Selects the source of each kind of facts about each task: the cheapest that exists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from exporter.cloud.source import Source
from exporter.model.details import Detail
from exporter.model.facts import TaskFacts
from exporter.model.known_facts import TASK_FACTS
from exporter.model.task import Listed, Phase
from exporter.polling.context import PollContext
from exporter.polling.task_loop import Kinds
from exporter.runtime.turns import in_turns

_TASKS_PER_TURN = 250

Assigned = dict[tuple[str, Source], dict[str, Kinds]]
"""By collector and source: the facts that each task is queried for."""


class Plan:
    """The plan of one project; `only` restricts it to some tasks."""

    def __init__(self, context: PollContext) -> None:
        self._context = context
        self.only: frozenset[str] | None = None
        self.unpublished: Mapping[str, frozenset[str]] = {}
        """By task, the names of facts that the newest plan found no source for."""

    async def assign(self, tasks: Iterable[Listed]) -> Assigned:
        """Assign each kind of facts about each task to the first source which exists, of a generation that lists it.

        Cheaper sources come first. A source is queried for a task on behalf of the collector with the shortest interval
        among those of the facts; of equals, the one that the source names first.
        """
        store, intervals = self._context.store, self._context.intervals
        offered = self._offered()
        details: dict[type[TaskFacts], list[tuple[str, Source]]] = {Detail: offered[Detail]}
        assigned: Assigned = defaultdict(dict)
        now, listed_by = store.context.clock.now(), store.state.inventory.listed_by
        wanted = {listed.id for listed in store.listed_tasks()}
        unpublished: dict[str, frozenset[str]] = {}
        async for listed in in_turns(tasks, _TASKS_PER_TURN):
            if listed.phase is Phase.ENDED or (self.only is not None and listed.id not in self.only):
                continue
            apis = {api.name for api in self._context.connection.apis if listed_by(listed.id, api.name)}
            sources = self._sources(listed, offered if listed.id in wanted else details, apis, now)
            for source, served in sources.items():
                collector = min(served, key=lambda kind: intervals[kind.collector]).collector
                assigned[collector, source][listed.id] = tuple(served)
            if apis:
                unpublished[listed.id] = _names_without(
                    frozenset(kind for served in sources.values() for kind in served)
                )
        self.unpublished = unpublished
        return assigned

    def _offered(self) -> dict[type[TaskFacts], list[tuple[str, Source]]]:
        """The sources that may exist, with their generations, by the facts of enabled collectors."""
        offered = defaultdict[type[TaskFacts], list[tuple[str, Source]]](list)
        for api in self._context.connection.apis:
            for source in api.sources:
                for kind in source.kinds:
                    exists = self._context.availability.may_exist(api.name, source.name)
                    if exists and kind.collector in self._context.intervals:
                        offered[kind].append((api.name, source))
        return offered

    @staticmethod
    def _sources(
        listed: Listed,
        offered: Mapping[type[TaskFacts], list[tuple[str, Source]]],
        apis: set[str],
        now: float,
    ) -> dict[Source, list[type[TaskFacts]]]:
        served: dict[Source, list[type[TaskFacts]]] = {}
        for kind, sources in offered.items():
            for api, source in sources:
                if api in apis and source.serves(listed, kind, now):
                    served.setdefault(source, []).append(kind)
                    break
        return served

    def has_source(self, collector: str) -> bool:
        """Return whether any source of the collector's facts may exist."""
        may_exist = self._context.availability.may_exist
        return any(
            collector in (kind.collector for kind in source.kinds) and may_exist(api.name, source.name)
            for api in self._context.connection.apis
            for source in api.sources
        )


@lru_cache
def _names_without(kinds: frozenset[type[TaskFacts]]) -> frozenset[str]:
    """Return the names of all other kinds of facts; tasks share the sets, of which there are few."""
    return frozenset(name for name, kind in TASK_FACTS.items() if kind not in kinds)
