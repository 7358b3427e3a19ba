"""The ages of values on the page, by tasks, rate limit and API: the daemon in virtual time.

The machine's speed plays no part: a call takes the cloud 50 ms, and the daemon nothing.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import httpx

from exporter.daemon.exporter import Exporter
from exporter.runtime import logs
from tests.bench.fleet import ALL, cloud_of, config_of
from tests.bench.measure import Result, Row, Table
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


_ALLOWANCES = (
    (5, 3.0, 10_800.0, 3600.0),
    (100, 3.0, 10_800.0, 3600.0),
    (1000, 3.0, 7200.0, 3600.0),
    (1000, 20.0, 3600.0, 1800.0),
    (10_000, 20.0, 2400.0, 1200.0),
)
"""Tasks, calls a second, and for how long to settle and to look."""
_APIS = "v3", "auto", "v5"


class Ages(NamedTuple):
    """Of all figures on all scraped pages, seconds; and the share of tasks that had none."""

    delay: tuple[float, ...]
    by_collector: dict[str, list[float]]
    quota: list[float]
    no_delay: float
    calls: float
    """A minute."""


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
        self.collected: dict[str, list[float]] = {}
        self.quota: float | None = None
        exporter.exposition.publish = self._publish  # type: ignore[method-assign]

    async def _publish(self) -> None:
        tasks = [(task, dict(task.collected)) for store in self._exporter.stores for task in store.tasks()]
        self.delays = [
            at["progress"] for task, at in tasks if task.progress and task.progress.delay_seconds is not None
        ]
        self.collected = {
            name: [at[name] for task, at in tasks if name in at] for name in ("node", "detail", "comparison")
        }
        (store,) = self._exporter.stores
        quota = store.project().collectors.get("quota")
        self.quota = None if quota is None else quota.last_success_at


async def _run(story: Story) -> Ages:
    cloud = cloud_of(story.tasks, now)
    cloud.calls = type(cloud.calls)(maxlen=1)
    config = config_of(story.api, story.collectors, rate=story.rate)
    delays: list[float] = []
    by_collector, quota = defaultdict[str, list[float]](list), list[float]()
    scrapes = 0
    async with Exporter(config, transport=_Slow(httpx.ASGITransport(app=cloud)), clock=clock) as exporter:
        pages = _Pages(exporter)
        running = asyncio.create_task(exporter.run())
        await asyncio.sleep(story.settle)
        before = _calls(exporter)
        for _ in range(round(story.seconds / _SCRAPE)):
            await asyncio.sleep(_SCRAPE)
            scrapes += 1
            delays += [now() - at for at in pages.delays]
            for name, times in pages.collected.items():
                by_collector[name] += [now() - at for at in times]
            quota += [] if pages.quota is None else [now() - pages.quota]
        calls = 60 * (_calls(exporter) - before) / story.seconds
        running.cancel()
        await asyncio.wait({running})
    expected = scrapes * story.tasks
    return Ages(tuple(delays), dict(by_collector), quota, 1 - len(delays) / expected, calls)


def _calls(exporter: Exporter) -> float:
    """Return how many calls were made."""
    return sum(
        sample.value
        for family in exporter.telemetry.registry.collect()
        for sample in family.samples
        if sample.name == "drs_exporter_api_requests_total"
    )


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


def allowance() -> Table:
    """The ages by rate limit."""
    stories = [Story(tasks, rate, api, settle, look) for tasks, rate, settle, look in _ALLOWANCES for api in _APIS]
    with ProcessPoolExecutor(None, multiprocessing.get_context("spawn")) as pool:
        found = list(zip(stories, pool.map(ages_of, stories), strict=True))
    aged = ("node", "detail", "comparison")
    head = ("active tasks", "calls/s", "api", "calls a minute", "age of delay, s", *aged, "quota")
    rows = [
        (
            f"{polled.tasks:,}",
            f"{polled.rate:g}",
            polled.api,
            f"{ages.calls:.0f}",
            _quantiles(ages.delay),
            *(_quantiles(ages.by_collector.get(name, [])) for name in aged),
            _quantiles(ages.quota),
        )
        for polled, ages in found
    ]
    return Table("What an allowance buys", head, rows)
