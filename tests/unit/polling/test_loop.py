"""When a poll loop polls, and when it counts as stuck."""

from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.http.client import Client
from exporter.cloud.http.scheduler import Scheduler, Turn
from exporter.polling.context import PollContext
from exporter.polling.loop import PollLoop
from tests.lib.daemon import PROJECT, StoreFixture
from tests.lib.polling import poll_context, running


class Polls(PollLoop):
    """Polls every 30 seconds that take n seconds, and when they began."""

    def __init__(self, context: PollContext, seconds: float = 0.0) -> None:
        super().__init__(context, "progress")
        self.began: list[float] = []
        self._seconds = seconds
        self._due = 0.0

    @property
    def fed(self) -> frozenset[str]:
        return frozenset({"progress"})

    def succeeds(self) -> bool | None:
        return None

    def demand(self) -> float:
        return 1 / 30

    def due(self) -> float:
        return float("inf") if self._running else self._due

    def turn(self) -> Turn:
        return Turn("progress", self._due, 30.0)

    async def poll(self, client: Client) -> None:
        self._due += 30.0 * max(1, 1 + (self._clock() - self._due) // 30)
        self.began.append(self._clock())
        await asyncio.sleep(self._seconds)


def overruns(store: StoreFixture) -> float | None:
    labels = {**PROJECT, "collector": "progress"}
    return store.telemetry.registry.get_sample_value("drs_exporter_poll_overruns_total", labels)


@pytest.mark.parametrize(
    ("seconds", "began", "left_out"),
    [(0, [0, 30, 60, 90, 120], 0), (29, [0, 30, 60, 90, 120], 0), (31, [0, 31, 62, 93, 124], 0), (70, [0, 70], 1)],
)
async def test_polls_come_when_they_are_due_or_as_soon_as_the_one_before_has_ended(
    seconds: float, began: list[float], left_out: int
) -> None:
    store = StoreFixture()
    loop = Polls(poll_context(store), seconds)
    async with running(loop):
        await asyncio.sleep(139)
    assert loop.began == began
    assert overruns(store) == left_out


async def test_a_loop_waits_for_its_turn_and_gives_back_a_right_that_it_does_not_need() -> None:
    scheduler = Scheduler(0.1, 1)
    loop = Polls(poll_context(StoreFixture(), scheduler=scheduler))
    await scheduler.take(Turn("node", 0.0, 60.0))
    async with running(loop):
        await asyncio.sleep(9)
        assert loop.began == []
        await asyncio.sleep(2)
        assert loop.began == [10]
    # The polls made no call, so there is one left.
    await asyncio.wait_for(scheduler.take(Turn("node", 0.0, 60.0)), 0.001)


async def test_a_poll_without_progress_is_stuck_after_five_minutes() -> None:
    loop = Polls(poll_context(StoreFixture()), 10_000)
    await asyncio.sleep(1000)
    assert loop.alive()  # it has not begun
    async with running(loop):
        await asyncio.sleep(299)
        assert loop.alive()
        await asyncio.sleep(2)
        assert not loop.alive()
        (context,) = loop._running
        with context.waiting():
            assert loop.alive()
        await asyncio.sleep(301)
        assert not loop.alive()
