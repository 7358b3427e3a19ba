"""The calls of a project, made by the scheduler alone: no cloud, no decoding, no pages."""

from __future__ import annotations

import asyncio
import heapq
from typing import NamedTuple

from exporter.cloud.http.scheduler import Scheduler, Turn
from exporter.config import Poll
from exporter.polling.demand import wave_stretch

WARM_UP = 0.2
"""Part of the time that is not measured: all work is due at its beginning."""


class Work(NamedTuple):
    """Calls of a collector: so many tasks in batches, each queried once an interval."""

    collector: str
    interval: float
    calls: int
    wave: bool = False

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


def wave_of(api: str, tasks: int, interval: float, rate: float) -> list[Work]:
    """The calls of a wave of active tasks, whose interval is stretched to half of the rate limit."""
    progress = tasks if api == "v5" else -(-tasks // 10)
    calls = {"tasks": -(-tasks // (10 if api == "v5" else 100)), "progress": progress}
    interval *= wave_stretch(sum(calls.values()) / interval, rate)
    return [Work(collector, interval, count, wave=True) for collector, count in calls.items()]


async def gaps_of(scheduler: Scheduler, work: Work, seconds: float) -> list[float]:
    """Do the work, the longest overdue first; return the seconds between two calls for the same tasks."""
    loop, gaps = asyncio.get_running_loop(), list[float]()
    due = [(0.0, number, 0.0) for number in range(work.calls)]
    while True:
        at, number, last = due[0]
        if (wait := at - loop.time()) > 0:
            await asyncio.sleep(wait)
        await scheduler.take(Turn(work.collector, at, work.interval, work.wave))
        now = loop.time()
        if now > seconds:
            return gaps
        if last > WARM_UP * seconds:
            gaps.append(now - last)
        heapq.heapreplace(due, (now + work.interval, number, now))


async def simulation(works: list[Work], seconds: float, rate: float = Poll().rate_limit) -> list[list[float]]:
    """Return the gaps of each work."""
    scheduler = Scheduler(rate, Poll().burst)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(gaps_of(scheduler, work, seconds)) for work in works]
    return [task.result() for task in running]
