from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.http.scheduler import SIGN_IN, Scheduler, Turn


def turn(due: float, collector: str = "progress", interval: float = 30.0) -> Turn:
    """The turn of work that was due some seconds after a minute ago."""
    return Turn(collector, due - 60, interval)


async def served(scheduler: Scheduler, *turns: Turn, every: float = 0.0) -> list[tuple[int, float]]:
    """The places of these turns in the order in which they are served, and when; they begin to wait one by one."""
    found: list[tuple[int, float]] = []

    async def take(place: int, wanted: Turn) -> None:
        await asyncio.sleep(place * every)
        await scheduler.take(wanted)
        found.append((place, round(asyncio.get_running_loop().time(), 6)))

    async with asyncio.TaskGroup() as group:
        for place, wanted in enumerate(turns):
            group.create_task(take(place, wanted))
    return found


async def order(scheduler: Scheduler, *turns: Turn, every: float = 0.0) -> list[int]:
    return [place for place, _ in await served(scheduler, *turns, every=every)]


async def times(scheduler: Scheduler, count: int) -> list[float]:
    return [at for _, at in await served(scheduler, *[turn(0)] * count)]


async def test_a_burst_leaves_at_once_and_the_rest_at_the_rate() -> None:
    assert await times(Scheduler(rate=2, burst=3), 7) == [0, 0, 0, 0.5, 1, 1.5, 2]


async def test_a_rest_refills_the_burst_and_no_more() -> None:
    scheduler = Scheduler(rate=2, burst=3)
    await times(scheduler, 3)
    await asyncio.sleep(1000)
    assert [at - 1000 for at in await times(scheduler, 5)] == [0, 0, 0, 0.5, 1]


async def test_calls_of_a_minute_stay_within_the_rate_limit() -> None:
    assert sum(at <= 60 for at in await times(Scheduler(rate=3, burst=5), 400)) == 5 + 3 * 60


async def test_the_lowest_number_goes_first_and_equals_in_the_order_they_came() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    # The first one found the burst.
    assert await order(scheduler, *map(turn, [9, 2, 1, 0, 1, 0, 2])) == [0, 3, 5, 2, 4, 1, 6]
    assert await order(scheduler, *[turn(0)] * 6) == [0, 1, 2, 3, 4, 5]


async def test_who_comes_later_with_a_lower_number_overtakes() -> None:
    assert await order(Scheduler(rate=1, burst=1), *map(turn, [5, 5, 5, 0]), every=0.1) == [0, 3, 1, 2]


async def test_nobody_is_overtaken_although_the_bucket_has_filled_earlier_than_it_seemed() -> None:
    scheduler = Scheduler(rate=3, burst=5)
    for _ in range(10):
        scheduler.throttled("list")
    waiting = asyncio.create_task(order(scheduler, turn(0), turn(9), every=31))
    for _ in range(6):
        await asyncio.sleep(5)
        assert scheduler.allowed > 1 / 60  # whoever looks sees it recover
    assert await waiting == [0, 1]


async def test_who_gives_up_in_the_queue_costs_nothing() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    waiting = [asyncio.create_task(scheduler.take(turn(0))) for _ in range(100)]
    await asyncio.sleep(0.5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await times(scheduler, 2) == [1, 2]
    await asyncio.sleep(10)
    assert asyncio.get_running_loop().time() == 12


async def test_who_is_cancelled_in_the_moment_of_being_served_hands_the_right_on() -> None:
    loop, scheduler = asyncio.get_running_loop(), Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    unlucky = asyncio.create_task(scheduler.take(turn(0)))
    others = asyncio.create_task(times(scheduler, 2))
    # Within the clock's resolution: after the bucket has served, before the served one has noticed.
    loop.call_at(1 + 1e-10, unlucky.cancel)
    assert (await others, unlucky.cancelled()) == ([1, 2], True)


async def test_a_right_given_back_serves_the_next_at_once() -> None:
    scheduler = Scheduler(rate=0.01, burst=1)
    await scheduler.take(turn(0))
    waiting = asyncio.create_task(times(scheduler, 2))
    await asyncio.sleep(1)
    scheduler.give_back()
    assert await waiting == [1, 101]


async def test_a_complaint_halves_the_rate_takes_the_burst_and_is_slowly_forgotten() -> None:
    scheduler = Scheduler(rate=3, burst=5)
    seen = [scheduler.allowed]
    scheduler.throttled("list")
    seen.append(scheduler.allowed)
    began = await times(scheduler, 1)
    for _ in range(3):
        await asyncio.sleep(70)
        seen.append(scheduler.allowed)
    assert [*began, *seen] == pytest.approx([2 / 3, 3, 1.5, 2.2066667, 2.9066667, 3], abs=1e-5)


@pytest.mark.parametrize(("rate", "slowest"), [(3.0, 1 / 60), (0.01, 0.01)])
async def test_however_often_the_cloud_complains_a_call_a_minute_stays(rate: float, slowest: float) -> None:
    scheduler = Scheduler(rate=rate, burst=1)
    for _ in range(50):
        scheduler.throttled("list")
    assert scheduler.allowed == slowest


async def test_waiting_calls_feel_a_complaint() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    waiting = asyncio.create_task(times(scheduler, 1))
    await asyncio.sleep(0.5)
    scheduler.throttled("list")  # the half that was gathered is gone, and the other takes longer
    (began,) = await waiting
    assert 2.2 < began < 2.5


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
    places = await order(Scheduler(rate=1, burst=1), *[turn(0, "quota")] * 2, *[turn(0)] * 20)
    assert [at for at, place in enumerate(places) if place < 2] == [0, 10]


async def test_lateness_is_measured_in_intervals() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(SIGN_IN)
    detail, node, comparison = turn(-600, "detail", 600), turn(-120, "node", 60), turn(-300, "comparison", 300)
    assert await order(scheduler, detail, node, comparison) == [1, 2, 0]


async def test_all_wait_for_signing_in() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(SIGN_IN)
    assert (await order(scheduler, *[turn(-1e6)] * 20, SIGN_IN))[0] == 20


async def test_the_demand_is_that_of_all_loops() -> None:
    scheduler = Scheduler(3, 5)
    assert scheduler.wanted == 0
    scheduler.demand |= {"a": 1.5, "b": 0.25}
    assert scheduler.wanted == 1.75


async def test_of_one_collector_the_call_that_is_the_latest_in_its_own_intervals_goes_first() -> None:
    """Sources of a collector have different intervals: five minutes late is less for 300 seconds than for 60."""
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    assert await order(scheduler, turn(-300, "node", 300), turn(-240, "node", 60)) == [1, 0]


async def test_rights_that_are_given_back_are_no_more_than_a_burst() -> None:
    scheduler = Scheduler(rate=1, burst=3)
    for _ in range(10):
        scheduler.give_back()
    assert await times(scheduler, 5) == [0, 0, 0, 1, 2]


async def test_calls_of_waves_go_first_and_every_second_call_is_one_of_the_others() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    wave = turn(59, interval=10)._replace(wave=True)
    assert await order(scheduler, *[turn(-600)] * 4, *[wave] * 8) == [4, 0, 5, 1, 6, 2, 7, 3, 8, 9, 10, 11]


async def test_of_two_calls_of_waves_the_later_one_goes_first() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    late, later = Turn("progress", -10, 10, wave=True), Turn("tasks", -9, 5, wave=True)
    assert await order(scheduler, late, later) == [1, 0]


async def test_quotas_are_on_time_beside_a_wave() -> None:
    scheduler = Scheduler(rate=1, burst=1)
    await scheduler.take(turn(0))
    wave = turn(59, interval=10)._replace(wave=True)
    places = await order(scheduler, turn(0, "quota"), *[turn(0)] * 20, *[wave] * 40)
    assert places.index(0) == 19
