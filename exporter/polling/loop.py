"""The poll loop of a collector: its interval as it really is, and whether the loop is alive."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from exporter.cloud.http.call_context import CallContext
from exporter.config import COLLECTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from exporter.cloud.http.budget import Demand

_WATCHDOG_INTERVALS = 5
_WATCHDOG_SECONDS = 300.0
"""A loop counts as stuck only after this time: calls that time out one after the other are a fault of the cloud."""


class CollectorLoop:
    """Polls one collector of one project.

    Args:
        collector: its name.
        interval: seconds between its polls, as configured.
        demand: of the account in the region; stretches the interval where the rate limit is short.
        overran: counts polls that were left out.
        offset: share of an interval by which all polls but the first are delayed, so that projects poll at different
            times.
    """

    def __init__(
        self, collector: str, interval: float, demand: Demand, overran: Callable[[int], None], offset: float = 0.0
    ) -> None:
        self.context = CallContext(COLLECTORS[collector].priority)
        self.interval = interval
        self._demand = demand
        self._overran = overran
        self._offset = offset
        self._rate = 0.0
        self._begun = False
        self._took = 0.0
        self._clock = asyncio.get_running_loop().time

    @property
    def due_every(self) -> float:
        """Seconds from poll to poll: the configured ones, stretched where the rate limit is short."""
        return self.interval * self._demand.stretch(self.context.priority)

    @property
    def effective(self) -> float:
        """Seconds from poll to poll as they really are: a poll that takes longer than that leaves out the next ones."""
        return self.due_every * max(1, math.ceil(self._took / self.due_every))

    def succeeded(self, started: float) -> None:
        """A poll that began then succeeded; the duration of failed polls means nothing."""
        self._took = self._clock() - started

    def expect(self, calls: float) -> None:
        """A poll begins that needs at least n calls."""
        self.set_demand(max(calls / self.interval, self._rate))

    def set_demand(self, rate: float) -> None:
        """Polls at the configured interval need n calls a second."""
        self._rate = rate
        self._demand.want(self, self.context.priority, rate)

    def forget(self) -> None:
        """There will be no more polls."""
        self._demand.forget(self)

    def alive(self) -> bool:
        """Return whether there was a sign of life within five intervals, or five minutes where that is longer."""
        return not self._begun or self.context.silent_for() < max(
            _WATCHDOG_INTERVALS * self.effective, _WATCHDOG_SECONDS
        )

    async def run(self, poll: Callable[[], Coroutine[None, None, None]]) -> None:
        """Poll now and for ever; missed polls are left out, never made up for."""
        self._begun = True
        due, later = self._clock(), self._offset
        while True:
            began, due = due, due + self.due_every * (1 + later)
            async with asyncio.TaskGroup() as group:
                polling = group.create_task(poll())
                while not (await asyncio.wait({polling}, timeout=due - self._clock()))[0]:
                    self._overran(1)  # counted now: the poll may never end
                    began, due, later = due, due + self.due_every, 0.0
            due = await self._rest(began, later)
            later = 0.0

    async def _rest(self, began: float, later: float) -> float:
        """Wait for the next poll, which comes sooner where the rate limit has grown. Return when it was due."""
        while (due := began + self.due_every * (1 + later)) > self._clock():
            await asyncio.sleep(min(due - self._clock(), self.interval))
            self.context.beat()
        return due if self._clock() - due < self.interval else self._clock()
