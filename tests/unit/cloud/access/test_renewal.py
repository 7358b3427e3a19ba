from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from exporter.cloud.access.renewal import Refreshed
from exporter.cloud.http.errors import CloudError, UnavailableError
from tests.lib.virtual_time import simulated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Source:
    """Gives 1, 2, 3...; a fetch takes a second."""

    def __init__(self, seconds: float = 3600.0) -> None:
        self.seconds = seconds
        self.fetches = 0
        self.broken = False

    async def __call__(self) -> tuple[int, float]:
        self.fetches += 1
        await asyncio.sleep(1)
        if self.broken:
            raise UnavailableError("fetch", "503")
        return self.fetches, self.seconds


@simulated
async def run(
    main: Callable[[Refreshed[int], Source], Awaitable[None]], ahead: float = 600.0, seconds: float = 3600.0
) -> None:
    await main(Refreshed[int](ahead), Source(seconds))


def test_it_is_fetched_when_first_needed_and_again_ahead_of_its_end() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        assert [await renewed.get(source) for _ in range(3)] == [1, 1, 1]
        await asyncio.sleep(2999)
        assert await renewed.get(source) == 1
        await asyncio.sleep(1)
        assert await renewed.get(source) == 2

    run(main)


def test_who_comes_during_a_fetch_shares_it() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        assert await asyncio.gather(*(renewed.get(source) for _ in range(50))) == [1] * 50
        assert (source.fetches, asyncio.get_running_loop().time()) == (1, 1)

    run(main)


def test_who_comes_during_a_fetch_shares_its_failure_too_but_not_the_exception() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        source.broken = True
        errors = await asyncio.gather(*(renewed.get(source) for _ in range(50)), return_exceptions=True)
        assert {str(error) for error in errors} == {"fetch: 503"}
        assert {type(error) for error in errors} == {UnavailableError}
        assert len({id(error) for error in errors}) == 50
        assert source.fetches == 1
        source.broken = False
        await asyncio.sleep(4)
        with pytest.raises(UnavailableError):
            await renewed.get(source)
        await asyncio.sleep(1)
        assert await renewed.get(source) == 2  # who comes later tries again

    run(main)


def test_a_cancelled_fetch_is_taken_over_by_the_next_who_waits() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        first, second = (asyncio.create_task(renewed.get(source)) for _ in range(2))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == 2
        assert first.cancelled()

    run(main)


def test_where_a_renewal_fails_the_old_one_is_used_to_its_end_and_renewal_tried_each_minute() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        assert await renewed.get(source) == 1
        source.broken = True
        await asyncio.sleep(3000)
        for _ in range(59):
            assert await renewed.get(source) == 1
            await asyncio.sleep(10)
        assert source.fetches == 1 + 10
        await asyncio.sleep(20)
        with pytest.raises(UnavailableError):
            await renewed.get(source)
        source.broken = False
        await asyncio.sleep(5)
        assert await renewed.get(source) == source.fetches

    run(main)


@pytest.mark.parametrize("seconds", [-1e6, 0, 30, 300])
def test_what_ends_too_soon_or_has_ended_by_our_clock_is_used_for_a_minute_all_the_same(seconds: float) -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        for _ in range(59):
            assert await renewed.get(source) == 1
            await asyncio.sleep(1)
        await asyncio.sleep(1)
        assert await renewed.get(source) == 2

    run(main, seconds=seconds)


def test_what_never_ends_is_never_renewed() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        await renewed.get(source)
        await asyncio.sleep(1e6)
        assert await renewed.get(source) == 1

    run(main, seconds=float("inf"))


def test_what_was_forgotten_is_fetched_again() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        await renewed.get(source)
        assert renewed.forget()
        assert renewed.forget()  # two calls were refused at once
        assert renewed.value == 1  # for who is about to send it
        assert await renewed.get(source) == 2
        assert source.fetches == 2

    run(main)


def test_what_is_refused_again_and_again_is_renewed_every_five_minutes_only() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        forgotten = 0
        for _ in range(120):
            await renewed.get(source)
            forgotten += renewed.forget()
            await asyncio.sleep(30)
        assert forgotten == 12

    run(main)


def test_what_was_forgotten_and_can_not_be_fetched_is_not_used_again() -> None:
    async def main(renewed: Refreshed[int], source: Source) -> None:
        await renewed.get(source)
        renewed.forget()
        source.broken = True
        for fetches in (2, 3):
            with pytest.raises(CloudError):
                await renewed.get(source)
            assert source.fetches == fetches
            await asyncio.sleep(5)

    run(main)


def test_there_is_no_value_before_the_first_fetch() -> None:
    with pytest.raises(LookupError):
        _ = Refreshed[int]().value
