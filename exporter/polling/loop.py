"""How often a collector polls: its loop, its interval as it really is, and whether it is alive."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, TypeVar

from exporter.cloud.http.caller import Caller
from exporter.cloud.http.errors import NO_CREDENTIALS, CloudError, RefusedError
from exporter.config.collectors import COLLECTORS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from exporter.cloud.http.budget import Demand

T = TypeVar("T")

_WATCHDOG_INTERVALS = 5
_WATCHDOG_SECONDS = 300.0
"""A loop is not called stuck sooner: calls that time out one after the other are the cloud's fault."""
_REFUSED_SECONDS = 15.0, 300.0  # first less than a poll, then doubled each time


class Pace:
    """Of one collector of one project.

    Args:
        collector: its name.
        interval: seconds between its polls, as configured.
        demand: of the account in the region; says how far the budget stretches the interval.
        overran: counts polls that were left out.
        offset: by which part of an interval polls after the first come later, so that not all projects poll at once.
    """

    def __init__(
        self, collector: str, interval: float, demand: Demand, overran: Callable[[int], None], offset: float = 0.0
    ) -> None:
        self.caller = Caller(COLLECTORS[collector].rank)
        self.interval = interval
        self._demand = demand
        self._overran = overran
        self._offset = offset
        self._wanted = 0.0
        self._begun = False
        self._took = 0.0
        self._clock = asyncio.get_running_loop().time

    @property
    def due_every(self) -> float:
        """Seconds from poll to poll: the configured ones, stretched where the budget is short."""
        return self.interval * self._demand.stretch(self.caller.priority)

    @property
    def effective(self) -> float:
        """Seconds from poll to poll as they really are: polls that take longer leave out the next ones."""
        return self.due_every * max(1, math.ceil(self._took / self.due_every))

    def ended(self, started: float) -> None:
        """A poll that began then went well; one that did not says nothing about how long they take."""
        self._took = self._clock() - started

    def expects(self, calls: float) -> None:
        """A poll begins that takes so many calls at least."""
        self.wants(max(calls / self.interval, self._wanted))

    def made(self, calls: int) -> None:
        """A poll took so many calls."""
        self.wants(calls / self.interval)

    def wants(self, rate: float) -> None:
        """Polls at the configured interval take so many calls a second."""
        self._wanted = rate
        self._demand.want(self, self.caller.priority, rate)

    def forget(self) -> None:
        """There will be no more polls."""
        self._demand.forget(self)

    def alive(self) -> bool:
        """Whether there was a sign of life within five intervals, or five minutes where that is longer."""
        return not self._begun or self.caller.silent_for() < max(
            _WATCHDOG_INTERVALS * self.effective, _WATCHDOG_SECONDS
        )

    async def loop(self, poll: Callable[[], Coroutine[None, None, None]]) -> None:
        """Poll for ever, and now; what is missed is left out, never made up for."""
        self._begun = True
        due, later = self._clock(), self._offset
        while True:
            began, due = due, due + self.due_every * (1 + later)
            async with asyncio.TaskGroup() as group:
                polling = group.create_task(poll())
                while not (await asyncio.wait({polling}, timeout=due - self._clock()))[0]:
                    self._overran(1)  # told meanwhile: it may never end
                    began, due, later = due, due + self.due_every, 0.0
            due = await self._rest(began, later)
            later = 0.0

    async def _rest(self, began: float, later: float) -> float:
        """Wait for the next poll, which comes sooner where the budget has become larger meanwhile; when it was due."""
        while (due := began + self.due_every * (1 + later)) > self._clock():
            await asyncio.sleep(min(due - self._clock(), self.interval))
            self.caller.beat()
        return due if self._clock() - due < self.interval else self._clock()


class SlowLane:
    """What was refused with 401 or 403 is asked again only after a while; until then the refusal stands."""

    def __init__(self) -> None:
        self._refused: dict[str, tuple[float, float, RefusedError]] = {}
        self._clock = asyncio.get_running_loop().time

    def standing(self, what: str) -> RefusedError | None:
        """The refusal for which this is not to be asked for now."""
        until, _, error = self._refused.get(what, (-math.inf, 0.0, None))
        return error if self._clock() < until else None

    def told(self, what: str, error: CloudError | None) -> None:
        """It was asked for, with this error or none."""
        _, rest, _ = self._refused.pop(what, (0.0, 0.0, None))
        if isinstance(error, RefusedError) and error.code != NO_CREDENTIALS:  # without credentials, no call was made
            shortest, longest = _REFUSED_SECONDS
            rest = min(max(2 * rest, shortest), longest)
            self._refused[what] = self._clock() + rest, rest, error

    async def ask(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """The answer to a call, or the refusal that stands, raised."""
        if (standing := self.standing(what)) is not None:
            raise standing
        try:
            answer = await call()
        except CloudError as error:
            self.told(what, error)
            raise
        self.told(what, None)
        return answer
