from __future__ import annotations

import asyncio

import pytest

from exporter.cloud.access.renewal import Refreshed
from exporter.cloud.http.errors import CloudError, UnavailableError


class Source:
    """Returns 1, 2, 3...; a fetch takes a second."""

    def __init__(self, seconds: float | None = 3600.0) -> None:
        self.seconds = seconds
        self.fetches = 0
        self.broken = False

    async def __call__(self) -> tuple[int, float | None]:
        self.fetches += 1
        await asyncio.sleep(1)
        if self.broken:
            raise UnavailableError("fetch", "503")
        return self.fetches, self.seconds


async def test_value_is_fetched_when_needed_and_again_before_it_expires() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    assert [await renewed.get(source) for _ in range(3)] == [1, 1, 1]
    await asyncio.sleep(2999)
    assert await renewed.get(source) == 1
    await asyncio.sleep(1)
    assert await renewed.get(source) == 2


async def test_calls_during_a_fetch_share_it() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    assert await asyncio.gather(*(renewed.get(source) for _ in range(50))) == [1] * 50
    assert (source.fetches, asyncio.get_running_loop().time()) == (1, 1)


async def test_calls_during_a_fetch_share_its_failure_but_not_the_exception() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    source.broken = True
    errors = await asyncio.gather(*(renewed.get(source) for _ in range(50)), return_exceptions=True)
    assert {str(error) for error in errors} == {"fetch: 503"}
    assert ({type(error) for error in errors}, len({id(error) for error in errors})) == ({UnavailableError}, 50)
    assert source.fetches == 1
    source.broken = False
    await asyncio.sleep(4)
    with pytest.raises(UnavailableError):
        await renewed.get(source)
    await asyncio.sleep(1)
    assert await renewed.get(source) == 2  # a later call tries again


async def test_a_waiting_call_fetches_if_the_fetch_is_cancelled() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    first, second = (asyncio.create_task(renewed.get(source)) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second == 2
    assert first.cancelled()


async def test_value_is_used_until_it_expires_if_renewal_fails_and_renewal_is_tried_each_minute() -> None:
    renewed, source = Refreshed[int](600.0), Source()
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


@pytest.mark.parametrize("seconds", [-1e6, 0, 30, 300])
async def test_value_that_expires_too_soon_is_used_for_a_minute(seconds: float) -> None:
    renewed, source = Refreshed[int](600.0), Source(seconds)
    for _ in range(59):
        assert await renewed.get(source) == 1
        await asyncio.sleep(1)
    await asyncio.sleep(1)
    assert await renewed.get(source) == 2


async def test_value_that_never_expires_is_never_renewed() -> None:
    renewed, source = Refreshed[int](600.0), Source(float("inf"))
    await renewed.get(source)
    await asyncio.sleep(1e6)
    assert await renewed.get(source) == 1


async def test_forgotten_value_is_fetched_again() -> None:
    renewed, source = Refreshed[int](600.0), Source(float("inf"))
    await renewed.get(source)
    assert renewed.forget()
    assert renewed.forget()  # two calls were refused at once
    assert renewed.value == 1  # for a call that is about to send it
    assert await renewed.get(source) == 2
    assert source.fetches == 2


async def test_value_that_is_always_refused_is_renewed_every_five_minutes() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    forgotten = 0
    for _ in range(120):
        await renewed.get(source)
        forgotten += renewed.forget()
        await asyncio.sleep(30)
    assert forgotten == 12


async def test_forgotten_value_is_not_used_if_the_fetch_fails() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    await renewed.get(source)
    renewed.forget()
    source.broken = True
    for fetches in (2, 3):
        with pytest.raises(CloudError):
            await renewed.get(source)
        assert source.fetches == fetches
        await asyncio.sleep(5)


def test_there_is_no_value_before_the_first_fetch() -> None:
    with pytest.raises(LookupError):
        _ = Refreshed[int]().value


async def test_the_rest_of_the_lifetime_is_that_of_the_newest_value_also_after_its_end() -> None:
    renewed, source = Refreshed[int](600.0), Source()
    assert renewed.seconds_left is None
    await renewed.get(source)
    await asyncio.sleep(2999)
    assert renewed.seconds_left == 601
    source.broken = True
    await asyncio.sleep(1000)
    with pytest.raises(UnavailableError):
        await renewed.get(source)
    assert renewed.seconds_left == -400


@pytest.mark.parametrize("seconds", [None, 0.0, -3600.0, 60.0])
async def test_the_rest_of_a_lifetime_that_is_unknown_or_cannot_be_is_unknown(seconds: float | None) -> None:
    renewed = Refreshed[int](600.0)
    await renewed.get(Source(seconds))
    assert renewed.seconds_left is None


async def test_a_refused_value_has_no_rest() -> None:
    renewed = Refreshed[int](600.0)
    await renewed.get(Source())
    assert renewed.forget()
    assert renewed.seconds_left is None
