"""Fair queues: a limited number of slots, for which client addresses wait in turn."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter, deque


def address_block(host: str) -> str:
    """The addresses that one client controls: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


class FairSlots:
    """A limited number of slots. A free slot goes to the waiting address that has the fewest.

    An address gets its slots in the order of its calls.

    Args:
        slots: the number of slots.
        per_address: the most slots of one address.
        queue: the most calls that wait. When one more waits, the address with the most waiting calls loses its
            newest one.

    Attributes:
        held: the number of slots in use.
        waiting: the number of calls that wait for a slot.
    """

    def __init__(self, slots: int, *, per_address: int, queue: int) -> None:
        self.held = 0
        self.waiting = 0
        self._slots = slots
        self._per_address = per_address
        self._queue = queue
        self._held_by: Counter[str] = Counter()
        # In the order of turns: an address that gets a slot moves to the end.
        self._calls: dict[str, deque[asyncio.Future[bool]]] = {}

    async def enter(self, address: str) -> bool:
        """Wait for a slot. False: too many calls wait, and the exporter refuses this one."""
        call: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._calls.setdefault(address, deque()).append(call)
        self.waiting += 1
        self._grant()
        if self.waiting > self._queue:
            largest = max(self._calls, key=lambda address: len(self._calls[address]))
            self._take(largest, self._calls[largest][-1], granted=False)
        try:
            return await call
        except asyncio.CancelledError:
            if call.cancelled():
                if call in self._calls.get(address, ()):
                    self._take(address, call, granted=False)
            elif call.result():
                self.leave(address)
            raise

    def leave(self, address: str) -> None:
        """Return a slot of this address."""
        self.held -= 1
        self._held_by[address] -= 1
        if not self._held_by[address]:
            del self._held_by[address]
        self._grant()

    def _grant(self) -> None:
        """Fill the free slots."""
        while self.held < self._slots:
            below_limit = [address for address in self._calls if self._held_by[address] < self._per_address]
            if not below_limit:
                return
            address = min(below_limit, key=self._held_by.__getitem__)
            if self._take(address, self._calls[address][0], granted=True):
                self.held += 1
                self._held_by[address] += 1
            if address in self._calls:
                self._calls[address] = self._calls.pop(address)

    def _take(self, address: str, call: asyncio.Future[bool], *, granted: bool) -> bool:
        """Remove a call from the queue, with its result. False: it has been cancelled."""
        calls = self._calls[address]
        calls.remove(call)
        self.waiting -= 1
        if not calls:
            del self._calls[address]
        if call.cancelled():
            return False
        call.set_result(granted)
        return True
