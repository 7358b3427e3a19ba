"""How old figures on the page are, by tasks, allowance and API generation: the daemon in virtual time.

The machine's speed plays no part: a call takes the cloud 50 ms, and the daemon nothing.
"""

from __future__ import annotations

import asyncio
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

import httpx

from exporter.daemon import Exporter
from tests.bench.fleet import ALL, cloud_of, config_of
from tests.bench.measure import Result, Row, Table
from tests.virtual import now, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exporter.model import Task

_LATENCY = 0.05
_SCRAPE = 15.0


class Story(NamedTuple):
    """What is simulated.

    Args:
        tasks: that run.
        rate: calls a second that are allowed.
        api: generation.
        collectors: that are enabled.
        seconds: for which pages are looked at, after as many to settle.
    """

    tasks: int
    rate: float
    api: str
    collectors: tuple[str, ...] = ALL
    seconds: float = 600.0


class Ages(NamedTuple):
    """Of all figures on all scraped pages, seconds; and the share of tasks that had none."""

    delay: tuple[float, ...]
    node: tuple[float, ...]
    no_delay: float
    no_node: float


class _Slow(httpx.AsyncBaseTransport):
    """A cloud whose answers take their time."""

    def __init__(self, way: httpx.AsyncBaseTransport) -> None:
        self._way = way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(_LATENCY)
        return await self._way.handle_async_request(request)


class _Pages:
    """What each page would show, in place of its text: rendering takes no virtual time."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self.delays: list[float] = []
        self.nodes: list[float] = []
        exporter.board.publish = self._publish  # type: ignore[method-assign]

    async def _publish(self) -> None:
        tasks = [task for store in self._exporter.stores for task in store.tasks()]
        self.delays = [task.progress.collected for task in tasks if task.progress and task.progress.delay_seconds is not None]
        self.nodes = [at for task in tasks if (at := _node(task)) is not None]


def _node(task: Task) -> float | None:
    part = task.node or task.monitor
    return None if part is None else part.collected


async def _run(story: Story) -> Ages:
    cloud = cloud_of(story.tasks, now)
    cloud.calls = type(cloud.calls)(maxlen=1)
    config = config_of(story.api, story.collectors, rate=story.rate)
    delays: list[float] = []
    nodes: list[float] = []
    scrapes = 0
    async with Exporter(config, transport=_Slow(httpx.ASGITransport(app=cloud)), now=now) as exporter:
        pages = _Pages(exporter)
        running = asyncio.create_task(exporter.run())
        await asyncio.sleep(story.seconds)
        for _ in range(round(story.seconds / _SCRAPE)):
            await asyncio.sleep(_SCRAPE)
            scrapes += 1
            delays += [now() - at for at in pages.delays]
            nodes += [now() - at for at in pages.nodes]
        running.cancel()
        await asyncio.wait({running})
    expected = scrapes * story.tasks
    return Ages(tuple(delays), tuple(nodes), 1 - len(delays) / expected, 1 - len(nodes) / expected)
