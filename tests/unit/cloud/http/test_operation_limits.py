"""The limit of single operations, configured or learnt."""

from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.http.scheduler import Scheduler


async def times_of(scheduler: Scheduler, *operations: str) -> list[float]:
    """When calls of these operations, which all begin now, are sent as far as their own limits are concerned."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def call(operation: str) -> float:
        await scheduler.wait_for(operation)
        return round(loop.time() - began, 6)

    return await asyncio.gather(*map(call, operations))


async def test_operations_without_a_limit_do_not_wait() -> None:
    assert await times_of(Scheduler(1, 1), *["list"] * 50) == [0] * 50


async def test_a_limit_that_the_cloud_names_spreads_the_calls_of_that_operation_and_of_no_other() -> None:
    scheduler = Scheduler(3, 5)
    scheduler.throttled("list", 60)
    times = await times_of(scheduler, "list", "list", "detail", "list", "detail")
    assert times == pytest.approx([0, 60 / 54, 0, 2 * 60 / 54, 0], abs=1e-6)
    assert scheduler.allowed == 3


async def test_calls_of_a_limited_operation_stay_within_nine_tenths_of_the_limit_in_any_minute() -> None:
    scheduler = Scheduler(3, 5)
    scheduler.throttled("list", 60)
    await asyncio.sleep(1000)  # a rest gives no right to more
    times = await times_of(scheduler, *["list"] * 300)
    assert max(sum(start <= at < start + 60 for at in times) for start in times) <= 54 + 1
    assert times[-1] == pytest.approx(299 * 60 / 54)


async def test_a_limit_that_the_cloud_names_later_replaces_the_earlier_one() -> None:
    scheduler = Scheduler(3, 5)
    scheduler.throttled("list", 60)
    scheduler.throttled("list", 600)
    assert await times_of(scheduler, "list", "list") == pytest.approx([0, 60 / 540], abs=1e-6)


async def test_a_configured_limit_holds_for_each_operation_whatever_the_cloud_names() -> None:
    scheduler = Scheduler(3, 5, per_minute=30)
    assert await times_of(scheduler, "list", "list", "detail", "list") == [0, 2, 0, 4]
    scheduler.throttled("list", 600)
    await asyncio.sleep(100)
    assert await times_of(scheduler, "list", "list") == [0, 2]


async def test_calls_that_are_cancelled_keep_no_place_in_the_limit_of_their_operation() -> None:
    scheduler = Scheduler(rate=10, burst=10)
    scheduler.throttled("list", 1)
    await scheduler.wait_for("list")
    waiting = [asyncio.create_task(scheduler.wait_for("list")) for _ in range(30)]
    await asyncio.sleep(1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await scheduler.wait_for("list")
    assert asyncio.get_running_loop().time() == pytest.approx(60 / 0.9)
    await asyncio.sleep(3600)  # then the operation is tried without it
    began = asyncio.get_running_loop().time()
    await scheduler.wait_for("list")
    await scheduler.wait_for("list")
    assert asyncio.get_running_loop().time() == began
