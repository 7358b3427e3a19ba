"""The scheduler of an account in a region: how many calls are sent, and which of the waiting ones is next.

A token bucket limits the calls, and halves its rate after throttling. While calls wait, the one whose work is the
latest is next, measured in intervals of its collector, times the weight of the collector. So no collector falls behind
by more than four times as many of its intervals as the delays do. One call in ten goes to the collectors in rotation:
what is polled rarely, such as the quotas, is on time however much else waits. The calls of running waves go before all
others, but while others wait, every second call is one of these.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

from exporter.config import COLLECTORS, Poll
from exporter.runtime.clock import TIMER_SECONDS

_ROTATION = 10
"""One of n calls that had to wait is that of the collector that has waited longest for this: see the module."""
_EPSILON = 1e-9  # of a call
_SLOWEST = 1 / 60
_RECOVERY_SECONDS = 300.0
"""Seconds in which the rate recovers from 0 to the configured one."""
_BELIEVED_SECONDS = 3600.0
"""For which a learnt limit is kept; then the operation is tried without it."""
_USED_SHARE = 0.9
"""Part of the limit of an operation that is used: others may call it as well."""


class Turn(NamedTuple):
    """What decides when a waiting call is sent.

    Args:
        collector: whose share of the rate limit it uses; empty for calls that all others wait for, such as signing in.
        due: event-loop time at which its work was due.
        interval: seconds after which that work is due again.
        wave: True if it is work for a running wave, which goes first.
    """

    collector: str
    due: float
    interval: float
    wave: bool = False

    def lateness(self, now: float) -> float:
        """Return the age of what the call updates, in intervals, times the weight of its collector."""
        return COLLECTORS[self.collector].weight * (1 + (now - self.due) / self.interval)


SIGN_IN = Turn("", 0.0, 1.0)
"""All other calls wait for these."""

_Queue = list[tuple[float, int, Turn, asyncio.Future[None]]]
"""A heap, the longest overdue call first."""
_Key = tuple[bool, str, float]
"""Whether calls are those of a wave, their collector and their interval."""


def limits_of(poll: Poll, shards: int = 1) -> tuple[float, int, float | None]:
    """Return the rate, the burst and the limit of an operation for one of n shards.

    All shards together stay within the configured rates; each may begin with at least one call.
    """
    per_minute = None if poll.operation_rate_limit is None else poll.operation_rate_limit / shards
    return poll.rate_limit / shards, math.ceil(poll.burst / shards), per_minute


class Scheduler:
    """The rate limit of one account in one region, shared by all its projects and collectors.

    Args:
        rate: calls a second.
        burst: calls that may be sent at once after a rest.
        per_minute: calls a minute of one operation; None: learnt from the responses of the gateway.
        clock: monotonic seconds; default the event loop's.
    """

    def __init__(
        self, rate: float, burst: int, per_minute: float | None = None, clock: Callable[[], float] | None = None
    ) -> None:
        self.rate = rate
        self.limits = rate, burst, per_minute
        self._per_minute = per_minute
        self._learnt: dict[str, tuple[float, float]] = {}
        """By operation, calls a minute and until when that is believed."""
        self._operation_at = defaultdict[str, float](float)
        """When the next call of an operation may be sent."""
        self._operation_locks = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self.demand: dict[Hashable, float] = {}
        """Calls a second that each poll loop makes at its configured intervals."""
        self.waves: dict[Hashable, float] = {}
        """Calls a second that the running waves of each project take at their intervals."""
        self._burst = burst
        self._clock = clock or asyncio.get_running_loop().time
        self._allowed = rate
        self._tokens = float(burst)
        self._at = self._clock()
        self._queues: dict[_Key, _Queue] = {}
        """The waiting calls by collector and interval, in the order of their last turns in the rotation.

        Of calls with the same interval the longest overdue one is the latest; a shorter interval may be later.
        """
        self._order = itertools.count()
        self._served = 0
        self._wave_served = False
        """True if the last call that had to wait was one of a wave."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def allowed(self) -> float:
        """Calls a second allowed now."""
        self._refill()
        return self._allowed

    @property
    def wanted(self) -> float:
        """Calls a second that polls at the configured intervals take."""
        return sum(self.demand.values())

    async def take(self, turn: Turn) -> None:
        """Wait for the right to one call."""
        self._refill()
        if self._tokens >= 1 and not any(self._queues.values()):
            self._tokens -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault((turn.wave, turn.collector, turn.interval), [])
        heapq.heappush(queue, (turn.due, next(self._order), turn, waiter))
        self._schedule()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # served and cancelled at once
                self.give_back()
            raise

    def give_back(self) -> None:
        """A right that was taken is not used: it goes to the next call."""
        self._tokens = min(self._tokens + 1, self._burst)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._schedule()

    async def wait_for(self, operation: str) -> None:
        """Wait until the limit of the operation allows another call."""
        learnt, until = self._learnt.get(operation, (math.inf, 0.0))
        per_minute = self._per_minute or (learnt if self._clock() < until else math.inf)
        if per_minute < math.inf:
            async with self._operation_locks[operation]:  # in their order; who gives up leaves no gap
                await asyncio.sleep(self._operation_at[operation] - self._clock())
                self._operation_at[operation] = self._clock() + 60 / per_minute

    def throttled(self, operation: str, per_minute: int | None = None) -> None:
        """The cloud said "too many calls": limit the operation if it said how much, else halve the rate for a while."""
        if per_minute is not None and self._per_minute is None:
            self._learnt[operation] = _USED_SHARE * per_minute, self._clock() + _BELIEVED_SECONDS
            return
        self._refill()
        self._allowed = max(self._allowed / 2, min(_SLOWEST, self.rate))
        self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock()
        passed, self._at = now - self._at, now
        self._tokens = min(self._tokens + passed * self._allowed, self._burst)
        self._allowed = min(self._allowed + passed * self.rate / _RECOVERY_SECONDS, self.rate)

    def _schedule(self) -> None:
        if self._timer is None and any(self._queues.values()):
            missing = 1 - self._tokens
            # Not shorter than the resolution of timers: a timer that ends too early would be set again for ever.
            wait = max(missing / self._allowed, TIMER_SECONDS) if missing > _EPSILON else 0.0
            self._timer = asyncio.get_running_loop().call_later(wait, self._serve)

    def _serve(self) -> None:
        self._timer = None
        self._refill()
        while self._tokens >= 1 - _EPSILON and (waiting := [key for key, queue in self._queues.items() if queue]):
            *_, waiter = heapq.heappop(self._queues[self._next(waiting)])
            if not waiter.done():
                self._tokens -= 1
                waiter.set_result(None)
        self._schedule()

    def _next(self, waiting: list[_Key]) -> _Key:
        """Return the queue whose longest overdue call is sent now."""
        sign_in = SIGN_IN.wave, SIGN_IN.collector, SIGN_IN.interval
        if sign_in in waiting:
            return sign_in
        waves, others = [key for key in waiting if key[0]], [key for key in waiting if not key[0]]
        self._wave_served = bool(waves) and not (others and self._wave_served)
        if self._wave_served:
            return self._latest(waves)
        self._served += 1
        if self._served % _ROTATION:
            return self._latest(others)
        self._queues[others[0]] = self._queues.pop(others[0])  # to the end of the rotation
        return others[0]

    def _latest(self, keys: Iterable[_Key]) -> _Key:
        return max(keys, key=lambda key: self._queues[key][0][2].lateness(self._at))
