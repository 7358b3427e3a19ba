"""Slots are limited, and client addresses take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from exporter.web.slots import FairSlots, address_block
from tests.lib.virtual_time import simulate

Story = Callable[["Door"], Coroutine[object, object, None]]


class Door:
    """Slots, and calls for them; each result is noted when it is there."""

    def __init__(self, slots: int, per_address: int, queue: int) -> None:
        self.slots = FairSlots(slots, per_address=per_address, queue=queue)
        self.results: list[tuple[str, bool]] = []
        self.calls: list[asyncio.Task[None]] = []

    async def come(self, addresses: str) -> str:
        """A call from each of these addresses, and who has got a slot since the last look."""
        for address in addresses:
            self.calls.append(asyncio.create_task(self._call(address)))
            await asyncio.sleep(0)
        return await self.new()

    async def leave(self, addresses: str) -> str:
        for address in addresses:
            self.slots.leave(address)
        return await self.new()

    async def new(self) -> str:
        await asyncio.sleep(1)
        seen, self.results = self.results, []
        return "".join(address if granted else f"-{address}" for address, granted in seen)

    async def _call(self, address: str) -> None:
        granted = await self.slots.enter(address)
        self.results.append((address, granted))


def behind(slots: int, per_address: int, queue: int) -> Callable[[Story], Callable[[], None]]:
    return lambda story: lambda: simulate(story(Door(slots, per_address, queue)))


@behind(2, 2, 10)
async def test_calls_of_one_address_are_served_in_order_as_slots_become_free(door: Door) -> None:
    assert await door.come("aaaa") == "aa"
    assert (door.slots.held, door.slots.waiting) == (2, 2)
    assert await door.leave("a") == "a"
    assert await door.leave("aa") == "a"
    assert await door.leave("a") == ""
    assert (door.slots.held, door.slots.waiting) == (0, 0)


@behind(3, 3, 10)
async def test_a_free_slot_is_for_the_address_that_has_the_fewest(door: Door) -> None:
    assert await door.come("aaaaaab") == "aaa"
    assert await door.leave("a") == "b"
    assert await door.leave("a") == "a"


@behind(1, 1, 10)
async def test_addresses_take_turns(door: Door) -> None:
    assert await door.come("aaaabbcc") == "a"
    served = ""
    for _ in range(7):
        served += await door.leave((served or "a")[-1])
    assert served == "abcabca"


@behind(4, 3, 10)
async def test_one_address_leaves_slots_to_others(door: Door) -> None:
    assert await door.come("aaaaa") == "aaa"
    assert await door.come("b") == "b"
    assert await door.come("b") == ""
    assert await door.leave("b") == "b"
    assert await door.leave("a") == "a"


@behind(1, 1, 2)
async def test_when_too_many_wait_the_largest_crowd_loses_its_newest(door: Door) -> None:
    assert await door.come("aaa") == "a"
    assert await door.come("a") == "-a"
    assert await door.come("b") == "-a"
    assert door.slots.waiting == 2
    assert await door.leave("a") == "a"
    assert await door.leave("a") == "b"


@behind(1, 1, 10)
async def test_a_cancelled_call_waits_no_longer_and_keeps_no_slot(door: Door) -> None:
    assert await door.come("aab") == "a"
    door.calls[1].cancel()
    assert await door.new() == ""
    assert (door.slots.held, door.slots.waiting) == (1, 1)
    door.slots.leave("a")  # grants the slot to b
    door.calls[2].cancel()  # before b runs
    assert await door.new() == ""
    assert (door.slots.held, door.slots.waiting) == (0, 0)


@behind(1, 1, 2)
async def test_a_refused_call_that_is_cancelled_returns_no_slot(door: Door) -> None:
    assert await door.come("aaa") == "a"
    other = asyncio.create_task(door.slots.enter("b"))  # for which the newest call of a is refused
    asyncio.get_running_loop().call_soon(door.calls[2].cancel)
    assert await door.new() == ""
    assert (door.calls[2].cancelled(), door.slots.held, door.slots.waiting) == (True, 1, 2)
    other.cancel()


@pytest.mark.parametrize(
    ("host", "block"),
    [
        *[("10.1.2.3", "10.1.2.3"), ("::ffff:10.1.2.3", "10.1.2.3")],
        *[("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"), ("::1", "::/64")],
        *[("", ""), ("testclient", "testclient")],
    ],
)
def test_an_address_block_is_what_one_client_controls(host: str, block: str) -> None:
    assert address_block(host) == block
