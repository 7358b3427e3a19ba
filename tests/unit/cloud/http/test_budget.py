from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.http.budget import Budget, Demand, Pauses


async def takers(budget: Budget, priorities: list[int]) -> list[tuple[int, float]]:
    """Who was served, in that order, and when; all ask at once."""
    served: list[tuple[int, float]] = []

    async def take(priority: int) -> None:
        await budget.take(priority)
        served.append((priority, round(asyncio.get_running_loop().time(), 6)))

    async with asyncio.TaskGroup() as group:
        for priority in priorities:
            group.create_task(take(priority))
    return served


async def test_a_burst_leaves_at_once_and_the_rest_at_the_rate() -> None:
    assert [at for _, at in await takers(Budget(rate=2, burst=3), [0] * 7)] == [0, 0, 0, 0.5, 1, 1.5, 2]


async def test_a_rest_refills_the_burst_and_no_more() -> None:
    budget = Budget(rate=2, burst=3)
    await takers(budget, [0] * 3)
    await asyncio.sleep(1000)
    assert [at - 1000 for _, at in await takers(budget, [0] * 5)] == [0, 0, 0, 0.5, 1]


async def test_calls_of_a_minute_stay_within_the_rate_limit() -> None:
    served = await takers(Budget(rate=3, burst=5), [1] * 400)
    assert sum(at <= 60 for _, at in served) == 5 + 3 * 60


async def test_the_lowest_number_goes_first_and_equals_in_the_order_they_came() -> None:
    budget = Budget(rate=1, burst=1)
    by_number = [priority for priority, _ in await takers(budget, [9, 2, 1, 0, 1, 0, 2])]
    order: list[str] = []

    async def take(name: str) -> None:
        await budget.take(0)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcdef":
            group.create_task(take(name))
    assert by_number == [9, 0, 0, 1, 1, 2, 2]  # the first one found the burst
    assert order == list("abcdef")


async def test_who_comes_later_with_a_lower_number_overtakes() -> None:
    budget, served = Budget(rate=1, burst=1), list[int]()

    async def take(priority: int, after: float) -> None:
        await asyncio.sleep(after)
        await budget.take(priority)
        served.append(priority)

    async with asyncio.TaskGroup() as group:
        for number, priority in enumerate([5, 5, 5, 0]):
            group.create_task(take(priority, number / 10))
    assert served == [5, 0, 5, 5]


async def test_nobody_is_overtaken_although_the_bucket_has_filled_earlier_than_it_seemed() -> None:
    budget, served = Budget(rate=3, burst=5), list[int]()
    for _ in range(10):
        budget.throttled()

    async def take(priority: int) -> None:
        await budget.take(priority)
        served.append(priority)

    async with asyncio.TaskGroup() as group:
        group.create_task(take(0))
        for _ in range(6):
            await asyncio.sleep(5)
            assert budget.allowed > 1 / 60  # whoever looks sees it recover
        group.create_task(take(9))
    assert served == [0, 9]


async def test_who_gives_up_in_the_queue_costs_nothing() -> None:
    budget = Budget(rate=1, burst=1)
    await budget.take(0)
    waiting = [asyncio.create_task(budget.take(0)) for _ in range(100)]
    await asyncio.sleep(0.5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    times = [at for _, at in await takers(budget, [7, 7])]
    await asyncio.sleep(10)
    assert (times, asyncio.get_running_loop().time()) == ([1, 2], 12)


async def test_who_is_cancelled_in_the_moment_of_being_served_hands_the_right_on() -> None:
    loop, budget = asyncio.get_running_loop(), Budget(rate=1, burst=1)
    await budget.take(0)
    unlucky = asyncio.create_task(budget.take(0))
    others = asyncio.create_task(takers(budget, [1, 1]))
    # Within the clock's resolution: after the bucket has served, before the served one has noticed.
    loop.call_at(1 + 1e-10, unlucky.cancel)
    times = [at for _, at in await others]
    assert (unlucky.cancelled(), times) == (True, [1, 2])


async def test_a_right_given_back_serves_the_next_at_once() -> None:
    budget = Budget(rate=0.01, burst=1)
    await budget.take(0)
    waiting = asyncio.create_task(takers(budget, [0, 0]))
    await asyncio.sleep(1)
    budget.give_back()
    assert [at for _, at in await waiting] == [1, 101]


async def test_a_complaint_halves_the_rate_takes_the_burst_and_is_slowly_forgotten() -> None:
    budget = Budget(rate=3, burst=5)
    seen = [budget.allowed]
    budget.throttled()
    seen.append(budget.allowed)
    times = [at for _, at in await takers(budget, [0])]
    for _ in range(3):
        await asyncio.sleep(70)
        seen.append(budget.allowed)
    assert [*times, *seen] == pytest.approx([2 / 3, 3, 1.5, 2.2066667, 2.9066667, 3], abs=1e-5)


@pytest.mark.parametrize(("rate", "slowest"), [(3.0, 1 / 60), (0.01, 0.01)])
async def test_however_often_the_cloud_complains_a_call_a_minute_stays(rate: float, slowest: float) -> None:
    budget = Budget(rate=rate, burst=1)
    for _ in range(50):
        budget.throttled()
    assert budget.allowed == slowest


async def test_waiting_calls_feel_a_complaint() -> None:
    budget = Budget(rate=1, burst=1)
    await budget.take(0)
    waiting = asyncio.create_task(takers(budget, [0]))
    await asyncio.sleep(0.5)
    budget.throttled()  # the half that was gathered is gone, and the other takes longer
    (served,) = [at for _, at in await waiting]
    assert 2.2 < served < 2.5


async def test_pauses_are_of_one_operation_and_end() -> None:
    pauses = Pauses()
    seen = [pauses.paused("list")]
    pauses.pause("list", None)
    pauses.pause("progress", 5)
    for _ in range(4):
        seen += [pauses.paused("list"), pauses.paused("progress")]
        await asyncio.sleep(10)
    assert seen == [False, True, True, True, False, True, False, False, False]


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pauses = Pauses()
    pauses.pause("list", 60)
    pauses.pause("list", 1)
    await asyncio.sleep(59)
    early = pauses.paused("list")
    await asyncio.sleep(1)
    assert [early, pauses.paused("list")] == [True, False]


async def test_a_timer_too_short_to_be_told_is_not_set_again_and_again() -> None:
    loop, looks = asyncio.get_running_loop(), []

    def clock() -> float:
        looks.append(loop.time())
        assert len(looks) < 10
        return round(loop.time(), 3)  # no more digits, as after a long life

    budget = Budget(rate=1e3, burst=1, clock=clock)
    budget._tokens = 1 - 5e-9
    await budget.take(0)
    assert loop.time() == pytest.approx(1e-3)


def demand(*wants: tuple[int, float], rate: float = 10.0) -> Demand:
    """Of loops with these priorities, each of which wants so many calls."""
    made = Demand(rate)
    for number, (priority, calls) in enumerate(wants):
        made.want(number, priority, calls)
    return made


def stretched(made: Demand) -> list[float]:
    return [round(made.stretch(priority), 3) for priority in range(3)]


@pytest.mark.parametrize(
    ("wants", "stretches"),
    [
        ([], [1, 1, 1]),
        ([(0, 3.0), (1, 3.0), (2, 3.0)], [1, 1, 1]),  # nine of ten: the last is kept free
        ([(0, 1.0), (1, 2.0), (2, 12.0)], [1, 1, 2]),  # what is left to the last is half of what it wants
        ([(0, 1.0), (1, 14.4), (2, 7.2)], [1, 2, 9]),  # a tenth is left to those after
        ([(0, 18.0)], [2, 1, 1]),
        ([(0, 1.0), (1, 7.2), (1, 7.2), (2, 0.0)], [1, 1.8, 1]),  # of two loops, with nothing to leave
    ],
)
def test_lists_come_first_and_every_loop_makes_progress(wants: list[tuple[int, float]], stretches: list[float]) -> None:
    assert stretched(demand(*wants)) == stretches


def test_a_loop_wants_what_it_said_last_and_nothing_once_it_has_ended() -> None:
    made = demand((0, 5.0), (1, 20.0))
    assert made.total == 25
    made.want(1, 1, 2.0)
    assert made.total == 7
    made.forget(1)
    made.forget(1)
    assert made.total == 5
    assert stretched(made) == [1, 1, 1]
