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
        self._published: dict[str, bool] = {}
        """What was found by asking, by API generation or operation."""

    def missing(self, name: str) -> float:
        """An API generation or operation is not published here; when to ask for it again."""
        self._missing[name] = self._clock() + _ASK_AGAIN_SECONDS
        self._learn(name, published=False)
        return self._missing[name]

    def answered(self, name: str) -> None:
        """An operation gave a good answer."""
        self._answered[name] = self._clock()
        self._learn(name, published=True)

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
        self._learn(name, published=True)

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
        return [source for api, source in offered if self._here(api, source.operation.name)]

    def feeds(self, collector: str) -> bool:
        """Whether anything that tells the facts of a collector may be published here."""
        fed = any(self._here(api, one.name) for api, one in self._sources() if collector in _collectors(one))
        return fed or bool(self.project_work(collector))

    def _here(self, api: str, name: str) -> bool:
        return not self.lacks(api) and not self.lacks(name)

    def _learn(self, name: str, *, published: bool) -> None:
        """Something was found; tell which sources are published, as far as that is known."""
        if self._published.get(name) is published:
            return
        self._published[name] = published
        told = [(api, one.name, fed) for api, one in self._sources() for fed in _collectors(one)]
        told += [(api.name, one.operation.name, one.collector) for api in self._apis for one in api.project_sources]
        self._store.facts.sources = {
            (collector, name): self._published.get(name) if self._published.get(api) else self._published.get(api)
            for api, name, collector in told
            if collector in self._intervals
        }

    def _sources(self) -> list[tuple[str, Source]]:
        return [(api.name, source) for api in self._apis for source in api.sources]

    def _assign(self, part: type[Part]) -> dict[Source, list[str]]:
        """Which source tells a part of which tasks."""
        offered = [(api, source) for api, source in self._sources() if part in source.parts]
        published = [(api, one) for api, one in offered if self._here(api, one.name)]
        work: dict[Source, list[str]] = {}
        for listed in self._store.listed_tasks(unwanted=part is Detail):
            for api, source in published:
                if source.serves(listed, part, self._now()) and self._store.inventory.listed_by(listed.id, api):
                    work.setdefault(source, []).append(listed.id)
                    break
        return work


def _collectors(source: Source) -> dict[str, None]:
    return dict.fromkeys(part.collector for part in source.parts)
