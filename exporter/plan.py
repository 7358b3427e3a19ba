"""Which source is asked for what: the cheapest published one for each part of the facts about each task."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from exporter.parts import Detail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exporter.cloud.source import Api, ProjectSource, Source
    from exporter.parts import Part
    from exporter.store import Store

_ASK_AGAIN_SECONDS = 3600.0
"""What is not published in this region is asked for this often."""


class Plan:
    """The plan of one project.

    Args:
        apis: the API generations, the one that decides first; its sources are the cheaper ones.
        intervals: seconds, by enabled collector.
        store: knows the tasks, and takes which sources are published.
        now: Unix time.
    """

    def __init__(
        self, apis: Sequence[Api], intervals: Mapping[str, float], store: Store, now: Callable[[], float]
    ) -> None:
        self._apis = apis
        self._intervals = intervals
        self._store = store
        self._now = now
        self._clock = asyncio.get_running_loop().time  # not the wall's, which may be set back
        self._missing: dict[str, float] = {}
        self._answered: dict[str, float] = {}

    def missing(self, name: str) -> float:
        """An API generation or operation is not published here; when to ask for it again."""
        self._missing[name] = self._clock() + _ASK_AGAIN_SECONDS
        return self._missing[name]

    def answered(self, name: str) -> None:
        """An operation gave a good answer."""
        self._answered[name] = self._clock()

    def missing_operation(self, name: str, collector: str) -> bool:
        """An operation said that it is not published; whether to believe that.

        One that has answered lately is rather broken than gone.
        """
        silent = self._clock() - self._answered.get(name, -math.inf)
        gone = silent > self._store.ages.believed(collector)
        if gone:
            self.missing(name)
        return gone

    def found(self, name: str) -> None:
        """An API generation is published."""
        self._missing.pop(name, None)

    def lacks(self, name: str) -> bool:
        """Whether an API generation or operation is known not to be published here."""
        return self._clock() < self._missing.get(name, -math.inf)

    def work(self, collector: str) -> dict[Source, list[str]]:
        """The tasks that each source is asked for, so that every part of the collector's facts has its cheapest one.

        The first published one of a generation that lists the task serves a part; sources stand in that order. What
        another collector's calls to the same source bring along, at least as often, is not asked for twice.
        """
        work: dict[Source, dict[str, None]] = {}
        for part in {part: None for _, source in self._sources() for part in source.parts}:
            if part.collector == collector:
                for source, ids in self._assign(part).items():
                    brought = self._brought_by_others(part, source)
                    work.setdefault(source, {}).update((key, None) for key in ids if key not in brought)
        return {source: list(ids) for source, ids in work.items()}

    def brought(self, part: type[Part], source: Source) -> frozenset[str]:
        """The tasks of which a source tells a part; none where the part's collector is disabled."""
        return frozenset(self._assign(part).get(source, ())) if part.collector in self._intervals else frozenset()

    def _brought_by_others(self, part: type[Part], source: Source) -> frozenset[str]:
        """The tasks of which a source tells a part when it is asked by a collector that goes before the part's own.

        That is the one that asks most often; of equals, the one that a source names first.
        """
        order = sorted(
            (one for one in source.parts if one.collector in self._intervals),
            key=lambda one: self._intervals[one.collector],
        )
        return frozenset().union(*(self.brought(one, source) for one in order[: order.index(part)]))

    def project_work(self, collector: str) -> list[ProjectSource]:
        """The published sources of facts about the project as a whole."""
        offered = [(api.name, one) for api in self._apis for one in api.project_sources if one.collector == collector]
        return [source for api, source in offered if self._published(collector, api, source.operation.name)]

    def _published(self, collector: str, api: str, name: str) -> bool:
        published = not self.lacks(api) and not self.lacks(name)
        self._store.facts.source(collector, name, published=published)
        return published

    def _sources(self) -> list[tuple[str, Source]]:
        return [(api.name, source) for api in self._apis for source in api.sources]

    def _assign(self, part: type[Part]) -> dict[Source, list[str]]:
        """Which source tells a part of which tasks."""
        offered = [(api, source) for api, source in self._sources() if part in source.parts]
        published = [(api, one) for api, one in offered if self._published(part.collector, api, one.name)]
        work: dict[Source, list[str]] = {}
        for listed in self._store.listed_tasks(unwanted=part is Detail):
            for api, source in published:
                if source.serves(listed, part, self._now()) and self._store.inventory.listed_by(listed.id, api):
                    work.setdefault(source, []).append(listed.id)
                    break
        return work
