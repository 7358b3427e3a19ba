"""The pace of one collector: when it polls, how old its facts may be, and when it counts as stuck."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from exporter.cloud.http.budget import Demand
from exporter.cloud.http.errors import CloudError, RefusedError, UnavailableError
from exporter.polling.loop import Pace, SlowLane
from tests.lib.virtual_time import simulate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORBIDDEN = RefusedError("operation", "403", "DRS.M00102")


class Polls:
    """Polls that take so long; remembers when they began."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.began: list[float] = []
        self._seconds = seconds

    async def __call__(self) -> None:
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds)


def pace(demand: Demand | None = None, left_out: list[int] | None = None, offset: float = 0.0) -> Pace:
    """Of progress, every 30 seconds."""
    count = (left_out if left_out is not None else []).append
    return Pace("progress", 30.0, demand or Demand(10.0), count, offset)


@asynccontextmanager
async def looping(one: Pace, polls: Polls) -> AsyncIterator[None]:
    running = asyncio.create_task(one.loop(polls))
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


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
def test_polls_come_at_their_time_or_not_at_all(
    seconds: float, offset: float, began: list[float], left_out: int
) -> None:
    async def main() -> None:
        overran: list[int] = []
        polls = Polls(seconds)
        async with looping(pace(left_out=overran, offset=offset), polls):
            await asyncio.sleep(140)
        assert polls.began == began
        assert sum(overran) == left_out

    simulate(main())


def test_a_short_budget_stretches_the_interval_and_a_slow_cloud_leaves_polls_out() -> None:
    async def main() -> None:
        demand = Demand(1.0)
        one, polls = pace(demand), Polls()
        assert one.effective == 30
        one.made(54)  # 1.8 a second, of which 0.9 may be used
        assert one.effective == one.due_every == 60
        async with looping(one, polls):
            await asyncio.sleep(130)
            assert polls.began == [0, 60, 120]
        one.ended(started=60)  # it took 70 seconds
        assert (one.due_every, one.effective) == (60, 120)
        one.expects(9)  # as many as it made may well come again
        assert one.due_every == 60
        one.made(9)
        assert (one.due_every, one.effective) == (30, 90)
        one.forget()
        assert demand.total == 0

    simulate(main())


def test_a_loop_without_a_sign_of_life_is_stuck_after_five_intervals_but_not_before_five_minutes() -> None:
    async def main() -> None:
        one = pace(Demand(0.01))
        await asyncio.sleep(1000)
        assert one.alive()  # it has not begun
        async with looping(one, Polls(10_000)):
            await asyncio.sleep(0)
            one.caller.beat()
            await asyncio.sleep(299)
            assert one.alive()
            await asyncio.sleep(2)
            assert not one.alive()
            with one.caller.waiting():
                assert one.alive()
            assert one.alive()
            await asyncio.sleep(301)
            assert not one.alive()
            one.made(3)  # 0.1 calls a second, of which 0.009 may be used: an interval of 333 seconds
            assert one.alive()

    simulate(main())


def test_what_is_refused_is_asked_again_at_once_and_then_ever_more_rarely() -> None:
    async def main() -> list[float]:
        slow, asked = SlowLane(), list[float]()

        async def refuse() -> None:
            asked.append(asyncio.get_running_loop().time())
            raise FORBIDDEN

        for _ in range(1800 // 30):
            with pytest.raises(RefusedError):
                await slow.ask("list", refuse)
            await asyncio.sleep(30)
        return asked

    assert simulate(main()) == [0, 30, 60, 120, 240, 480, 780, 1080, 1380, 1680]


@pytest.mark.parametrize(
    "answer", [None, UnavailableError("operation", "500"), RefusedError("operation", "credentials")]
)
def test_any_other_answer_ends_the_refusal(answer: CloudError | None) -> None:
    async def main() -> None:
        slow = SlowLane()
        for _ in range(5):
            slow.told("list", FORBIDDEN)
        assert slow.standing("list") is FORBIDDEN
        assert slow.standing("another list") is None
        slow.told("list", answer)
        assert slow.standing("list") is None
        slow.told("list", FORBIDDEN)
        await asyncio.sleep(16)
        assert slow.standing("list") is None  # it begins anew

        async def good() -> int:
            return 1

        assert await slow.ask("list", good) == 1

    simulate(main())


def test_a_larger_budget_wakes_a_loop_that_sleeps_on_a_longer_interval() -> None:
    """Else a project that goes leaves its neighbours asleep for as long as it had made them wait."""

    async def main() -> None:
        demand = Demand(1.0)
        one, polls = pace(demand), Polls()
        demand.want("another", one.caller.priority, 900.0)
        async with looping(one, polls):
            await asyncio.sleep(3610)
            assert polls.began == [0]
            assert one.alive()
            demand.forget("another")
            await asyncio.sleep(31)
            assert one.alive()
            assert len(polls.began) == 2
            await asyncio.sleep(300)
            assert one.alive()
            assert len(polls.began) == 12

    simulate(main())
