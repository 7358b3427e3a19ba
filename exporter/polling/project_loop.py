"""The poll loop of a source of facts about the project as a whole."""

from __future__ import annotations

import math
from functools import partial

from exporter.cloud.connect import Api
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.cloud.http.scheduler import Turn
from exporter.cloud.source import ProjectSource
from exporter.polling.context import PollContext
from exporter.polling.loop import PollLoop


class ProjectLoop(PollLoop):
    """Queries one operation of an API generation, while it may exist."""

    def __init__(self, context: PollContext, api: Api, source: ProjectSource) -> None:
        super().__init__(context, source.collector)
        self._api = api
        self._source = source
        self._interval = context.intervals[source.collector]
        self._due = self._clock()
        self._success: bool | None = None

    @property
    def fed(self) -> frozenset[str]:
        exists = self._context.availability.may_exist(self._api.name, self._source.operation.name)
        return frozenset({self.collector} if exists else ())

    def succeeds(self) -> bool | None:
        return self._success

    def due(self) -> float:
        absent_until = self._context.availability.absent_until(self._api.name, self._source.operation.name)
        return math.inf if self._running else max(self._due, absent_until)

    def demand(self) -> float:
        return 1 / self._interval if self.fed else 0.0

    def turn(self) -> Turn:
        return Turn(self.collector, self._due, self._interval)

    async def poll(self, client: Client) -> None:
        name, context = self._source.operation.name, self._context
        self._due = self._clock() + self._interval
        self._success = False
        call = partial(self._source.fetch, client, context.connection.decode_errors)
        try:
            context.store.state.update(await context.backoff.call(name, call))
        except CloudError as error:
            reported = isinstance(error, NotPublishedError)
            absent = reported and context.availability.mark_operation_absent(name, self.collector)
            self._success = None if absent else False
            context.failures.record(name, None if absent else error)
            return
        self._success = True
        context.availability.mark_present(name)
        context.failures.record(name, None)
