"""A poll loop: makes one kind of calls for one project, each when it is due and when the rate limit has its turn."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING

from exporter.cloud.http.call_context import CallContext
from exporter.cloud.http.client import Client
from exporter.cloud.http.scheduler import Turn

if TYPE_CHECKING:
    from exporter.polling.context import PollContext

_WATCHDOG_INTERVALS = 5
_WATCHDOG_SECONDS = 300.0
"""A poll counts as stuck only after this time: calls that time out one after the other are a fault of the cloud."""


class PollLoop(ABC):
    """Waits until something is due, then for a turn of the scheduler, and only then decides what to poll.

    Args:
        context: the project.
        collector: whose interval and share of the rate limit it uses.
    """

    def __init__(self, context: PollContext, collector: str) -> None:
        self.collector = collector
        self._context = context
        self._clock = asyncio.get_running_loop().time
        self._woken = asyncio.Event()
        self._running: dict[CallContext, Turn] = {}
        self._ended_calls = 0
        self.raised = False
        """True if the newest poll raised an unexpected exception."""

    @property
    @abstractmethod
    def fed(self) -> Collection[str]:
        """The collectors whose facts it polls."""

    @abstractmethod
    def succeeds(self) -> bool | None:
        """Return whether the newest polls succeeded; None before the first one."""

    @abstractmethod
    def due(self) -> float:
        """Return when the next poll is due; infinity if there is nothing to poll."""

    @abstractmethod
    def demand(self) -> float:
        """Return the calls a second that polls at the configured intervals take."""

    @abstractmethod
    def turn(self) -> Turn:
        """Return what the next poll is worth to the scheduler."""

    @abstractmethod
    async def poll(self, client: Client) -> None:
        """Make one poll. What it polls is taken before it waits for anything."""

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return self._ended_calls + sum(context.calls for context in self._running)

    def alive(self) -> bool:
        """Return whether every poll under way shows signs of life within five intervals, at least five minutes."""
        return all(
            context.silent_for() < max(_WATCHDOG_INTERVALS * turn.interval, _WATCHDOG_SECONDS)
            for context, turn in self._running.items()
        )

    def wake(self) -> None:
        """Look again when the next poll is due: that has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Poll for ever."""
        async with asyncio.TaskGroup() as polls:
            while True:
                await self._wait_until_due()
                await self._begin(polls)

    async def run_once(self) -> None:
        """Poll once what is due now."""
        until = self._clock()
        async with asyncio.TaskGroup() as polls:
            while self._running or self.due() <= until:
                self._woken.clear()
                if self.due() <= until:
                    await self._begin(polls)
                else:
                    await self._woken.wait()

    async def _wait_until_due(self) -> None:
        while (seconds := self.due() - self._clock()) > 0:
            self._woken.clear()
            try:
                async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                    await self._woken.wait()
            except TimeoutError:
                return

    async def _begin(self, polls: asyncio.TaskGroup) -> None:
        """Begin the next poll when the scheduler lets it, unless nothing is due any more by then."""
        turn = self.turn()
        await self._context.scheduler.take(turn)
        late = self._clock() - self.due()
        if late < 0:
            self._context.scheduler.give_back()
            return
        if missed := int(late / turn.interval):
            self._context.meter.overran(self.collector, missed)
        context = CallContext(turn, rights=1)
        self._running[context] = turn
        polls.create_task(self._run(context))
        await asyncio.sleep(0)  # the poll takes what is due

    async def _run(self, context: CallContext) -> None:
        started = self._clock()
        try:
            await self.poll(self._context.connection.client.in_context(context))
            self.raised = False
        except Exception as error:  # noqa: BLE001 - an unforeseen exception costs one poll and nothing else
            self.raised = True
            self._context.failures.unexpected_exception(self.collector, error)
        finally:
            context.give_back(self._context.scheduler)
            self._ended_calls += context.calls
            del self._running[context]
        await self._context.ended(self, self._clock() - started)
        self.wake()
