"""Which API generations and operations exist in a region: found by asking."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from exporter.cloud.source import Api, Source
    from exporter.store.project_memory import Ages, ProjectFacts

_ASK_AGAIN_SECONDS = 3600.0
"""What is not published in this region is asked for this often."""


class Published:
    """As far as one project knows.

    Args:
        apis: the API generations that it may ask.
        collectors: those that are enabled.
        facts: take what is found.
        ages: how old they may be.
    """

    def __init__(self, apis: Sequence[Api], collectors: Container[str], facts: ProjectFacts, ages: Ages) -> None:
        self._apis = apis
        self._collectors = collectors
        self._facts = facts
        self._ages = ages
        self._clock = asyncio.get_running_loop().time  # not the wall's, which may be set back
        self._missing: dict[str, float] = {}
        self._answered: dict[str, float] = {}
        self._found: dict[str, bool] = {}
        """By API generation or operation."""

    def adopt(self, other: Published) -> None:
        """Go on with what was found by who asked the same project before."""
        self._missing, self._answered, self._found = other._missing, other._answered, other._found
        self._tell()

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
        gone = silent > self._ages.believed(collector)
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

    def known_missing(self, name: str) -> bool:
        """Whether the newest that was found of an API generation or operation is that it is not published."""
        return self._found.get(name) is False

    def here(self, api: str, name: str) -> bool:
        """Whether an operation may exist."""
        return not self.lacks(api) and not self.lacks(name)

    def _learn(self, name: str, *, published: bool) -> None:
        if self._found.get(name) is not published:
            self._found[name] = published
            self._tell()

    def _tell(self) -> None:
        """Which sources are published, as far as that is known."""
        told = [(api.name, one.name, fed) for api in self._apis for one in api.sources for fed in collectors_of(one)]
        told += [(api.name, one.operation.name, one.collector) for api in self._apis for one in api.project_sources]
        self._facts.sources = {
            (collector, name): self._found.get(name) if self._found.get(api) else self._found.get(api)
            for api, name, collector in told
            if collector in self._collectors
        }


def collectors_of(source: Source) -> dict[str, None]:
    """The collectors that a source feeds, in its order."""
    return dict.fromkeys(part.collector for part in source.parts)
