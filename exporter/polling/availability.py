"""The API generations and operations that exist in a region. Only calls can find that out."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Container, Sequence

from exporter.cloud.connect import Api
from exporter.store.project_context import ProjectContext

_QUERY_AGAIN_SECONDS = 3600.0
"""The interval at which the exporter queries what does not exist in this region."""


class Availability:
    """The generations and operations that exist for one project, stored in its state.

    Args:
        context: the project.
        apis: the API generations that may be queried.
        collectors: those that are enabled.
    """

    def __init__(self, context: ProjectContext, apis: Sequence[Api], collectors: Container[str]) -> None:
        self._state = context.state
        self._ages = context.ages
        self._apis = apis
        self._collectors = collectors
        self.absences = 0
        """How often something turned out not to exist: then others take its tasks."""
        self._clock = asyncio.get_running_loop().time  # not the wall's, which may be set back

    def mark_absent(self, name: str) -> float:
        """An API generation or operation does not exist here. Return when to query it again."""
        self.absences += 1
        self._state.absent_until[name] = self._clock() + _QUERY_AGAIN_SECONDS
        self._set(name, published=False)
        return self._state.absent_until[name]

    def mark_present(self, name: str) -> None:
        """An API generation or operation gave a good response."""
        self._state.absent_until.pop(name, None)
        self._state.responded_at[name] = self._clock()
        self._set(name, published=True)

    def mark_operation_absent(self, name: str, collector: str) -> bool:
        """An operation reported that it does not exist; it is broken instead if it has responded lately.

        Return whether it is absent.
        """
        silent = self._clock() - self._state.responded_at.get(name, -math.inf)
        absent = silent > self._ages.expire_after(collector)
        if absent:
            self.mark_absent(name)
        return absent

    def is_absent(self, name: str) -> bool:
        """Return whether an API generation or operation does not exist here, and is not to be queried yet."""
        return self._clock() < self._state.absent_until.get(name, -math.inf)

    def was_absent(self, name: str) -> bool:
        """Return whether an API generation or operation did not exist here when it was last queried."""
        return self._state.published.get(name) is False

    def absent_until(self, api: str, name: str) -> float:
        """Return the event-loop time until which an operation of an API generation is not queried."""
        return max(self._state.absent_until.get(each, -math.inf) for each in (api, name))

    def may_exist(self, api: str, name: str) -> bool:
        """Return whether an operation of an API generation may exist here."""
        return not self.is_absent(api) and not self.is_absent(name)

    def _set(self, name: str, *, published: bool) -> None:
        if self._state.published.get(name) is not published:
            self._state.published[name] = published
            self.show()

    def show(self) -> None:
        """Update what is known of the operations that can feed enabled collectors."""
        published, sources = self._state.published, {}
        for api in self._apis:
            feeds = [(source.name, kind.collector) for source in api.sources for kind in source.kinds]
            feeds += [(source.operation.name, source.collector) for source in api.project_sources]
            here = published.get(api.name)
            for name, collector in feeds:
                if collector in self._collectors:
                    sources[collector, name] = published.get(name) if here else here
        self._state.sources = sources
