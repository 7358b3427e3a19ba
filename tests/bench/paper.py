"""The ages of values on the page, by tasks, rate limit and API: the daemon in virtual time.

The machine's speed plays no part: a call takes the cloud 50 ms, and the daemon nothing.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import httpx

from exporter.daemon.exporter import Exporter
from exporter.runtime import logs
from tests.bench.fleet import ALL, cloud_of, config_of
from tests.bench.measure import Result, Row
from tests.lib.virtual_time import clock, now, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence


_LATENCY = 0.05
_SCRAPE = 15.0


class Story(NamedTuple):
    """A simulation.

    Args:
        tasks: that run.
        rate: calls a second that are allowed.
        api: generation.
        settle: seconds before pages are looked at.
        seconds: for which they are.
        collectors: that are enabled.
    """

    tasks: int
    rate: float
    api: str
    settle: float = 600.0
    seconds: float = 600.0
    collectors: tuple[str, ...] = ALL


class Ages(NamedTuple):
    """Of all figures on all scraped pages, seconds; and the share of tasks that had none."""

    delay: tuple[float, ...]
    node: tuple[float, ...]
    no_delay: float
    no_node: float


class _Slow(httpx.AsyncBaseTransport):
    """A cloud whose responses are delayed."""

    def __init__(self, way: httpx.AsyncBaseTransport) -> None:
        self._way = way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(_LATENCY)
        return await self._way.handle_async_request(request)


class _Pages:
    """The ages on each page, in place of its text: rendering takes no virtual time."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self.delays: list[float] = []
        self.nodes: list[float] = []
        exporter.exposition.publish = self._publish  # type: ignore[method-assign, assignment]

    async def _publish(self, _update: object = None) -> None:
        tasks = [(task, dict(task.collected)) for store in self._exporter.stores for task in store.tasks()]
        self.delays = [
            at["progress"] for task, at in tasks if task.progress and task.progress.delay_seconds is not None
        ]
        self.nodes = [at["node"] for task, at in tasks if task.node or task.monitor]


async def _run(story: Story) -> Ages:
    cloud = cloud_of(story.tasks, now)
    cloud.calls = type(cloud.calls)(maxlen=1)
    config = config_of(story.api, story.collectors, rate=story.rate)
    delays: list[float] = []
    nodes: list[float] = []
    scrapes = 0
    async with Exporter(config, transport=_Slow(httpx.ASGITransport(app=cloud)), clock=clock) as exporter:
        pages = _Pages(exporter)
        running = asyncio.create_task(exporter.run())
        await asyncio.sleep(story.settle)
        for _ in range(round(story.seconds / _SCRAPE)):
            await asyncio.sleep(_SCRAPE)
            scrapes += 1
            delays += [now() - at for at in pages.delays]
            nodes += [now() - at for at in pages.nodes]
        running.cancel()
        await asyncio.wait({running})
    expected = scrapes * story.tasks
    return Ages(tuple(delays), tuple(nodes), 1 - len(delays) / expected, 1 - len(nodes) / expected)


def ages_of(story: Story) -> Ages:
    """Run a simulation; called in a process of its own."""
    logs.configure("error", "logfmt")
    return simulate(_run(story))


async def measure(tasks: int, seconds: float) -> Result:
    """The two goals; `tasks` is the large number, of the other one it is a tenth."""
    some = Story(max(6, tasks // 10), max(1.0, tasks / 1000), "v3", seconds, seconds)
    many = Story(tasks, max(2.0, tasks / 500), "v3", seconds / 2, seconds / 2, ("tasks", "progress"))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        first, second = pool.map(ages_of, (some, many))
    return Result(
        [
            _row(f"{_named(some)}, all collectors: age below which 95 % of delays are", first, 95, 40),
            _row(f"{_named(many)}, tasks and progress only: age of the oldest delay", second, 100, 120),
        ]
    )


def _row(what: str, ages: Ages, percent: int, goal: float) -> Row:
    figures = f"{_quantiles(ages.delay)}; {ages.no_delay:.1%} of tasks without a delay on the page"
    return Row(what, "s", [_percentile(ages.delay, percent)], goal, figures=figures, why=figures)


def _named(story: Story) -> str:
    return f"{story.tasks:,} active tasks on {story.api}, {_LATENCY * 1000:.0f} ms latency, {story.rate:g} calls/s"


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values) or [math.inf]
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100))]


def _quantiles(values: Sequence[float]) -> str:
    """Median, 95th percentile and the oldest."""
    return " / ".join(f"{_percentile(values, percent):.0f}" for percent in (50, 95, 100)) if values else "-"
