"""A day of the scheduler alone: how old facts become when there are more calls than are allowed."""

from __future__ import annotations

import asyncio
import heapq
from statistics import fmean, quantiles
from typing import NamedTuple

import pytest

from exporter.cloud.http.scheduler import Scheduler, Turn
from exporter.config import Poll

DAY = 86_400.0
WARM_UP = 0.2
"""Part of the day that is not measured: all work is due at its beginning."""


class Work(NamedTuple):
    """Calls of a collector: so many tasks in batches, each queried once an interval."""

    collector: str
    interval: float
    calls: int

    @property
    def demand(self) -> float:
        return self.calls / self.interval


def work_of(api: str, tasks: int) -> list[Work]:
    """The calls of active tasks at the default intervals, once their comparisons have settled."""
    tens, hundreds = -(-tasks // 10), -(-tasks // 100)
    once_each = [Work("comparison", 3000, tasks), Work("quota", 3600, 1), Work("async_jobs", 300, 1)]
    v5 = [Work("node", 300, tasks), Work("detail", 6000, tasks)]
    return {
        "v3": [Work("tasks", 30, 3 * hundreds), Work("progress", 30, tens), Work("detail", 600, tens), *once_each],
        "auto": [
            *(Work("tasks", 30, 3 * hundreds), Work("progress", 30, tens), Work("detail", 600, tens)),
            *(Work("node", 120, tasks), *v5, *once_each),
        ],
        "v5": [
            Work("tasks", 30, 3 * hundreds),
            Work("progress", 30, tasks),
            Work("detail", 600, tasks),
            *v5,
            *once_each,
        ],
    }[api]


async def gaps_of(scheduler: Scheduler, work: Work, seconds: float) -> list[float]:
    """Do the work, the longest overdue first; return the seconds between two calls for the same tasks."""
    loop, gaps = asyncio.get_running_loop(), list[float]()
    due = [(0.0, number, 0.0) for number in range(work.calls)]
    while True:
        at, number, last = due[0]
        if (wait := at - loop.time()) > 0:
            await asyncio.sleep(wait)
        await scheduler.take(Turn(work.collector, at, work.interval))
        now = loop.time()
        if now > seconds:
            return gaps
        if last > WARM_UP * seconds:
            gaps.append(now - last)
        heapq.heapreplace(due, (now + work.interval, number, now))


@pytest.mark.parametrize("tasks", [5, 100, 1000, 10_000])
@pytest.mark.parametrize("api", ["v3", "auto", "v5"])
async def test_a_day_of_calls(api: str, tasks: int) -> None:
    limits, works = Poll(), work_of(api, tasks)
    scheduler = Scheduler(limits.rate_limit, limits.burst)
    overload = sum(work.demand for work in works) / limits.rate_limit
    async with asyncio.TaskGroup() as group:
        running = [(work, group.create_task(gaps_of(scheduler, work, DAY))) for work in works]
    for work, task in running:
        gaps = task.result()
        if overload < 1:
            assert quantiles(gaps, n=20)[-1] <= work.interval + 10, work
        elif gaps:
            growth = fmean(gaps) / work.interval
            assert growth <= 1.02 * max(1, overload) * (1 if work.collector in {"progress", "tasks"} else 4), work
        if work.collector == "quota":
            assert max(gaps) <= 1.1 * 3600
