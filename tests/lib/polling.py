"""A poll loop of one source, without the others."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from exporter.cloud.connect import Connection
from exporter.cloud.http.call_context import CallContext
from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.source import DecodeErrors, Source
from exporter.config import COLLECTORS
from exporter.polling.context import PollContext
from exporter.polling.loop import PollLoop
from exporter.polling.task_loop import TaskLoop
from tests.lib.daemon import StoreFixture, listed_task


class FakeClient:
    """For sources that make no calls: it only takes the rights to them."""

    def __init__(self, scheduler: Scheduler, context: CallContext | None = None) -> None:
        self._scheduler = scheduler
        self._context = context

    def in_context(self, context: CallContext) -> FakeClient:
        return FakeClient(self._scheduler, context)

    async def call(self) -> None:
        if self._context is not None:
            await self._context.take(self._scheduler, 0)


class LoopFixture(NamedTuple):
    """A poll loop, its project, and the store that it fills."""

    loop: TaskLoop
    context: PollContext
    store: StoreFixture


def poll_context(store: StoreFixture, client: object = None, scheduler: Scheduler | None = None) -> PollContext:
    """A project whose collectors all have an interval of 30 seconds."""

    async def ended(_loop: PollLoop, _seconds: float) -> None: ...

    async def listed() -> None: ...

    scheduler = scheduler or Scheduler(1e6, 1_000_000)
    sends: Any = client or FakeClient(scheduler)
    http: Any = None
    connection = Connection(http, sends, (), defaultdict(DecodeErrors))
    intervals = dict.fromkeys(COLLECTORS, 30.0)
    return PollContext(store.store, connection, scheduler, intervals, ended, listed)


@asynccontextmanager
async def running(loop: PollLoop) -> AsyncIterator[None]:
    """Run a loop during the block."""
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def task_loop(
    source: Source, ids: Sequence[str], *, client: object = None, scheduler: Scheduler | None = None
) -> LoopFixture:
    """The loop of a source to which these tasks are assigned."""
    store = StoreFixture()
    await store.lists(*(listed_task(task_id) for task_id in ids))
    context = poll_context(store, client, scheduler)
    loop = TaskLoop(context, source.kinds[0].collector, source)
    loop.assign(dict.fromkeys(ids, source.kinds), ())
    return LoopFixture(loop, context, store)
