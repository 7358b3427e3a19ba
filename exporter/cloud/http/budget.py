"""Rate limit of calls: a token bucket with priorities, and back-off after throttling."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_KEPT_FREE = 0.1
"""Of the rate: for retries, and for polls that meet."""
_LEFT_TO_OTHERS = 0.1
"""Part of what a priority could use that is left to all later priorities together, so that they never stop."""
_DEFAULT_PAUSE = 30.0
_TIMER_SECONDS = 1e-3  # a timer may end a little too early
_TRIFLE = 1e-9  # of a call
_SLOWEST = 1 / 60
_OLDEST_EVERY = round(1 / _LEFT_TO_OTHERS)
"""One of n calls that had to wait is the longest waiting, whatever its priority: no call waits for ever."""
_RECOVERY_SECONDS = 300.0
"""Seconds in which the rate recovers from 0 to the configured one."""


class Demand:
    """Pure arithmetic; numbers are calls a second.

    Args:
        rate: that are allowed.
    """

    def __init__(self, rate: float) -> None:
        self._usable = rate * (1 - _KEPT_FREE)
        self._wants: dict[Hashable, tuple[int, float]] = {}

    def want(self, who: Hashable, priority: int, calls: float) -> None:
        """A poll loop of this priority would like to make so many."""
        self._wants[who] = priority, calls

    def forget(self, who: Hashable) -> None:
        """A poll loop has ended."""
        self._wants.pop(who, None)

    @property
    def total(self) -> float:
        """What all of them would like."""
        return sum(calls for _, calls in self._wants.values())

    def stretch(self, priority: int) -> float:
        """By how much the intervals of this priority must be longer; 1 where there is enough for all."""
        wanted = defaultdict[int, float](float)
        for rank, calls in self._wants.values():
            wanted[rank] += calls
        left, later = self._usable, sum(wanted.values())
        for rank in sorted(wanted):
            later -= wanted[rank]
            share = left - min(_LEFT_TO_OTHERS * left, max(later, 0.0))
            if rank == priority:
                return wanted[rank] / share if wanted[rank] > share else 1.0
            left -= min(wanted[rank], share)
        return 1.0


class Budget:
    """The rate limit of one account in one region, shared by all its projects and collectors.

    Args:
        rate: calls a second.
        burst: calls that may leave at once after a rest.
        clock: monotonic seconds; default the event loop's.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] | None = None) -> None:
        self.rate = rate
        self.limits = rate, burst
        self.demand = Demand(rate)
        self._burst = burst
        self._clock = clock or asyncio.get_running_loop().time
        self._allowed = rate
        self._tokens = float(burst)
        self._at = self._clock()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._served = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def allowed(self) -> float:
        """Calls a second allowed now."""
        self._refill()
        return self._allowed

    @property
    def wanted(self) -> float:
        """Calls a second that polls at the configured intervals take."""
        return self.demand.total

    async def take(self, priority: int) -> None:
        """Wait for the right to one call; the lowest priority number is served first, but no call waits for ever."""
        self._refill()
        if not self._queue and self._tokens >= 1:
            self._tokens -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._order), waiter))
        self._schedule()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # served and cancelled at once
                self.give_back()
            raise

    def give_back(self) -> None:
        """A right that was taken is not used: it goes to the next in the queue."""
        self._tokens += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._schedule()

    def throttled(self) -> None:
        """The cloud said "too many calls": halve the rate; it recovers by itself."""
        self._refill()
        self._allowed = max(self._allowed / 2, min(_SLOWEST, self.rate))
        self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock()
        passed, self._at = now - self._at, now
        self._tokens = min(self._tokens + passed * self._allowed, self._burst)
        self._allowed = min(self._allowed + passed * self.rate / _RECOVERY_SECONDS, self.rate)

    def _schedule(self) -> None:
        if self._timer is None and self._queue:
            missing = 1 - self._tokens
            # Not shorter than the resolution of timers: a timer that ends too early would be set again for ever.
            wait = max(missing / self._allowed, _TIMER_SECONDS) if missing > _TRIFLE else 0.0
            self._timer = asyncio.get_running_loop().call_later(wait, self._serve)

    def _serve(self) -> None:
        self._timer = None
        self._refill()
        while self._queue and self._tokens >= 1 - _TRIFLE:
            waiter = self._next()
            if not waiter.done():
                self._tokens -= 1
                waiter.set_result(None)
        self._schedule()

    def _next(self) -> asyncio.Future[None]:
        self._served += 1
        if self._served % _OLDEST_EVERY:
            return heapq.heappop(self._queue)[2]
        oldest = min(self._queue, key=itemgetter(1))
        self._queue.remove(oldest)
        heapq.heapify(self._queue)
        return oldest[2]


class Pauses:
    """The operations of one project that are paused after the cloud throttled them."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._until: dict[str, float] = {}

    def pause(self, operation: str, seconds: float | None) -> None:
        """Let no call of the operation leave for so long; half a minute where the cloud named no time."""
        until = self._clock() + (_DEFAULT_PAUSE if seconds is None else seconds)
        self._until[operation] = max(until, self._until.get(operation, 0.0))

    def rest(self, operation: str) -> float:
        """For how many seconds calls of the operation would still make it worse."""
        seconds = self._until.get(operation, 0.0) - self._clock()
        return seconds if seconds > _TIMER_SECONDS else 0.0

    def paused(self, operation: str) -> bool:
        return self.rest(operation) > 0
