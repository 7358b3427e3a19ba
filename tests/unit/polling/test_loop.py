"""When the loop of a collector polls, its effective interval, and when it counts as stuck."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from exporter.cloud.http.budget import Demand
from exporter.polling.loop import CollectorLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Polls:
    """Polls that take n seconds, and when they began."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.began: list[float] = []
        self._seconds = seconds

    async def __call__(self) -> None:
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds)


def collector_loop(
    demand: Demand | None = None, left_out: list[int] | None = None, offset: float = 0.0
) -> CollectorLoop:
    """Poll progress every 30 seconds."""
    count = (left_out if left_out is not None else []).append
    return CollectorLoop("progress", 30.0, demand or Demand(10.0), count, offset)


@asynccontextmanager
async def running(loop: CollectorLoop, polls: Polls) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.run(polls))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("seconds", "offset", "began", "left_out"),
    [
        (0, 0, [0, 30, 60, 90, 120], 0),
        (29, 0, [0, 30, 60, 90, 120], 0),
        (31, 0, [0, 60, 120], 2),
        (100, 0, [0, 120], 3),
        (0, 0.5, [0, 45, 75, 105, 135], 0),
    ],
)
async def test_polls_come_at_their_time_or_not_at_all(
    seconds: float, offset: float, began: list[float], left_out: int
) -> None:
    overran: list[int] = []
    polls = Polls(seconds)
    async with running(collector_loop(left_out=overran, offset=offset), polls):
        await asyncio.sleep(140)
    assert polls.began == began
    assert sum(overran) == left_out


async def test_a_short_budget_stretches_the_interval_and_a_slow_cloud_leaves_polls_out() -> None:
    demand = Demand(1.0)
    loop, polls = collector_loop(demand), Polls()
    assert loop.effective == 30
    loop.set_demand(1.8)  # calls a second, of which 0.9 may be used
    assert loop.effective == loop.due_every == 60
    async with running(loop, polls):
        await asyncio.sleep(130)
        assert polls.began == [0, 60, 120]
    loop.succeeded(started=60)  # it took 70 seconds
    assert (loop.due_every, loop.effective) == (60, 120)
    loop.expect(9)  # as many as it made may well come again
    assert loop.due_every == 60
    loop.set_demand(0.3)
    assert (loop.due_every, loop.effective) == (30, 90)
    loop.forget()
    assert demand.total == 0


async def test_a_loop_without_progress_is_stuck_after_five_intervals_but_not_before_five_minutes() -> None:
    loop = collector_loop(Demand(0.01))
    await asyncio.sleep(1000)
    assert loop.alive()  # it has not begun
    async with running(loop, Polls(10_000)):
        await asyncio.sleep(0)
        loop.context.beat()
        await asyncio.sleep(299)
        assert loop.alive()
        await asyncio.sleep(2)
        assert not loop.alive()
        with loop.context.waiting():
            assert loop.alive()
        assert loop.alive()
        await asyncio.sleep(301)
        assert not loop.alive()
        loop.set_demand(0.1)  # calls a second, of which 0.009 may be used: an interval of 333 seconds
        assert loop.alive()


async def test_a_larger_budget_wakes_a_loop_that_sleeps_on_a_longer_interval() -> None:
    """Else a project that goes leaves its neighbours asleep for as long as it had made them wait."""
    demand = Demand(1.0)
    loop, polls = collector_loop(demand), Polls()
    demand.want("another", loop.context.priority, 900.0)
    async with running(loop, polls):
        await asyncio.sleep(3610)
        assert polls.began == [0]
        assert loop.alive()
        demand.forget("another")
        await asyncio.sleep(31)
        assert loop.alive()
        assert len(polls.began) == 2
        await asyncio.sleep(300)
        assert loop.alive()
        assert len(polls.began) == 12
