from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.http.scheduler import SIGN_IN, Scheduler, Turn


def turn(due: float, collector: str = "progress", interval: float = 30.0) -> Turn:
    """The turn of work that was due some seconds after a minute ago."""
    return Turn(collector, due - 60, interval)


async def takers(scheduler: Scheduler, priorities: list[int]) -> list[tuple[int, float]]:
    """Who was served, in that order, and when; all ask at once."""
    served: list[tuple[int, float]] = []

    async def take(priority: int) -> None:
        await scheduler.take(turn(priority))
        served.append((priority, round(asyncio.get_running_loop().time(), 6)))

    async with asyncio.TaskGroup() as group:
        for priority in priorities:
            group.create_task(take(priority))
    return served


async def test_a_burst_leaves_at_once_and_the_rest_at_the_rate() -> None:
    assert [at for _, at in await takers(Scheduler(rate=2, burst=3), [0] * 7)] == [0, 0, 0, 0.5, 1, 1.5, 2]


async def test_a_rest_refills_the_burst_and_no_more() -> None:
    scheduler = Scheduler(rate=2, burst=3)
    await takers(scheduler, [0] * 3)
    await asyncio.sleep(1000)
    assert [at - 1000 for _, at in await takers(scheduler, [0] * 5)] == [0, 0, 0, 0.5, 1]


async def test_calls_of_a_minute_stay_within_the_rate_limit() -> None:
    served = await takers(Scheduler(rate=3, burst=5), [1] * 400)
    assert sum(at <= 60 for _, at in served) == 5 + 3 * 60


async def test_the_lowest_number_goes_first_and_equals_in_the_order_they_came() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    by_number = [priority for priority, _ in await takers(scheduler, [9, 2, 1, 0, 1, 0, 2])]
    order: list[str] = []

    async def take(name: str) -> None:
        await scheduler.take(turn(0))
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcdef":
            group.create_task(take(name))
    assert by_number == [9, 0, 0, 1, 1, 2, 2]  # the first one found the burst
    assert order == list("abcdef")


async def test_who_comes_later_with_a_lower_number_overtakes() -> None:
    scheduler, served = Scheduler(rate=1, burst=1), list[int]()

    async def take(priority: int, after: float) -> None:
        await asyncio.sleep(after)
        await scheduler.take(turn(priority))
        served.append(priority)

    async with asyncio.TaskGroup() as group:
        for number, priority in enumerate([5, 5, 5, 0]):
            group.create_task(take(priority, number / 10))
    assert served == [5, 0, 5, 5]


async def test_nobody_is_overtaken_although_the_bucket_has_filled_earlier_than_it_seemed() -> None:
    scheduler, served = Scheduler(rate=3, burst=5), list[int]()
    for _ in range(10):
        scheduler.throttled("list")

    async def take(priority: int) -> None:
        await scheduler.take(turn(priority))
        served.append(priority)

    async with asyncio.TaskGroup() as group:
        group.create_task(take(0))
        for _ in range(6):
            await asyncio.sleep(5)
            assert scheduler.allowed > 1 / 60  # whoever looks sees it recover
        group.create_task(take(9))
    assert served == [0, 9]


async def test_who_gives_up_in_the_queue_costs_nothing() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    waiting = [asyncio.create_task(scheduler.take(turn(0))) for _ in range(100)]
    await asyncio.sleep(0.5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    times = [at for _, at in await takers(scheduler, [7, 7])]
    await asyncio.sleep(10)
    assert (times, asyncio.get_running_loop().time()) == ([1, 2], 12)


async def test_who_is_cancelled_in_the_moment_of_being_served_hands_the_right_on() -> None:
    loop, scheduler = asyncio.get_running_loop(), Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    unlucky = asyncio.create_task(scheduler.take(turn(0)))
    others = asyncio.create_task(takers(scheduler, [1, 1]))
    # Within the clock's resolution: after the bucket has served, before the served one has noticed.
    loop.call_at(1 + 1e-10, unlucky.cancel)
    times = [at for _, at in await others]
    assert (unlucky.cancelled(), times) == (True, [1, 2])


async def test_a_right_given_back_serves_the_next_at_once() -> None:
    scheduler = Scheduler(rate=0.01, burst=1)
    await scheduler.take(turn(0))
    waiting = asyncio.create_task(takers(scheduler, [0, 0]))
    await asyncio.sleep(1)
    scheduler.give_back()
    assert [at for _, at in await waiting] == [1, 101]


async def test_a_complaint_halves_the_rate_takes_the_burst_and_is_slowly_forgotten() -> None:
    scheduler = Scheduler(rate=3, burst=5)
    seen = [scheduler.allowed]
    scheduler.throttled("list")
    seen.append(scheduler.allowed)
    times = [at for _, at in await takers(scheduler, [0])]
    for _ in range(3):
        await asyncio.sleep(70)
        seen.append(scheduler.allowed)
    assert [*times, *seen] == pytest.approx([2 / 3, 3, 1.5, 2.2066667, 2.9066667, 3], abs=1e-5)


@pytest.mark.parametrize(("rate", "slowest"), [(3.0, 1 / 60), (0.01, 0.01)])
async def test_however_often_the_cloud_complains_a_call_a_minute_stays(rate: float, slowest: float) -> None:
    scheduler = Scheduler(rate=rate, burst=1)
    for _ in range(50):
        scheduler.throttled("list")
    assert scheduler.allowed == slowest


async def test_waiting_calls_feel_a_complaint() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    waiting = asyncio.create_task(takers(scheduler, [0]))
    await asyncio.sleep(0.5)
    scheduler.throttled("list")  # the half that was gathered is gone, and the other takes longer
    (served,) = [at for _, at in await waiting]
    assert 2.2 < served < 2.5


async def test_a_timer_too_short_to_be_told_is_not_set_again_and_again() -> None:
    loop, looks = asyncio.get_running_loop(), []

    def clock() -> float:
        looks.append(loop.time())
        assert len(looks) < 10
        return round(loop.time(), 3)  # no more digits, as after a long life

    scheduler = Scheduler(rate=1e3, burst=1, clock=clock)
    scheduler._tokens = 1 - 5e-9
    await scheduler.take(turn(0))
    assert loop.time() == pytest.approx(1e-3)


async def test_order_of_collectors_that_are_equally_late() -> None:
    """Delays count four times; the quotas get one call in ten."""
    scheduler, served = Scheduler(rate=1, burst=1), list[str]()

    async def take(collector: str) -> None:
        await scheduler.take(turn(0, collector))
        served.append(collector)

    async with asyncio.TaskGroup() as group:
        for collector in ["quota", "quota", *["progress"] * 20]:
            group.create_task(take(collector))
    assert [at for at, collector in enumerate(served) if collector == "quota"] == [0, 10]


async def test_lateness_is_measured_in_intervals() -> None:
    scheduler, served = Scheduler(rate=1, burst=1), list[str]()

    async def take(collector: str, due: float, interval: float) -> None:
        await scheduler.take(turn(due, collector, interval))
        served.append(collector)

    await scheduler.take(SIGN_IN)
    async with asyncio.TaskGroup() as group:
        group.create_task(take("detail", -600, 600))
        group.create_task(take("node", -120, 60))
        group.create_task(take("comparison", -300, 300))
    assert served == ["node", "comparison", "detail"]


async def test_all_wait_for_signing_in() -> None:
    scheduler, served = Scheduler(rate=1, burst=1), list[str]()

    async def take(name: str, wanted: Turn) -> None:
        await scheduler.take(wanted)
        served.append(name)

    await scheduler.take(SIGN_IN)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(take("progress", turn(-1e6)))
        await asyncio.sleep(0)
        group.create_task(take("sign in", SIGN_IN))
    assert served[0] == "sign in"


async def test_the_demand_is_that_of_all_loops() -> None:
    scheduler = Scheduler(3, 5)
    assert scheduler.wanted == 0
    scheduler.demand |= {"a": 1.5, "b": 0.25}
    assert scheduler.wanted == 1.75


async def test_of_one_collector_the_call_that_is_the_latest_in_its_own_intervals_goes_first() -> None:
    """Sources of a collector have different intervals: five minutes late is less for 300 seconds than for 60."""
    scheduler, order = Scheduler(rate=1, burst=1), list[float]()
    await scheduler.take(turn(0))

    async def take(due: float, interval: float) -> None:
        await scheduler.take(turn(due, "node", interval))
        order.append(interval)

    async with asyncio.TaskGroup() as group:
        group.create_task(take(-300, 300))
        group.create_task(take(-240, 60))
    assert order == [60, 300]


async def test_rights_that_are_given_back_are_no_more_than_a_burst() -> None:
    scheduler = Scheduler(rate=1, burst=3)
    for _ in range(10):
        scheduler.give_back()
    assert [at for _, at in await takers(scheduler, [0] * 5)] == [0, 0, 0, 1, 2]
