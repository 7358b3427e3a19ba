"""What ends, or has to be found out first: fetched once for all who need it, and again ahead of its end."""

from __future__ import annotations

import asyncio
from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from exporter.cloud.http.caller import clock
from exporter.cloud.http.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_AT_LEAST_SECONDS = 60.0
"""What was just fetched is used for so long, whatever the clocks on both sides make of its end."""
_AGAIN_SECONDS = 60.0
"""A renewal that failed ahead of the end is tried again after so long."""
_FAILED_SECONDS = 5.0
"""A failure without anything to use is everybody's for so long: the lists of a poll ask one after the other."""
_FORGET_SECONDS = 300.0
"""What the cloud refuses although it is new is not renewed more often, or every call would."""
_NEVER = float("-inf")


class Refreshed(Generic[T]):
    """A value with an end. Where a renewal fails, the value is used to its end.

    Args:
        ahead: seconds before the end at which a new one is fetched.
    """

    def __init__(self, ahead: float = 0.0) -> None:
        self._ahead = ahead
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._due = self._end = self._forgotten_at = _NEVER
        self._failure: CloudError | None = None
        self._flights = 0

    @property
    def value(self) -> T:
        """The newest one, whether it has ended or not; LookupError where `get` has never succeeded."""
        if self._value is None:
            raise LookupError("nothing was fetched yet")
        return self._value

    async def get(self, fetch: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        """One that has not ended; `fetch` gives a new one and the seconds that it lasts.

        Who comes while a fetch is under way shares its outcome, its failure too; and so does who comes shortly after
        a failure.

        Raises:
            CloudError: of the fetch.
        """
        flights = self._flights
        if clock() >= self._due:
            async with self._lock:
                if self._flights == flights:
                    await self._fly(fetch)
        if self._failure is not None and clock() >= self._end:
            raise copy(self._failure)  # raised as it is, it would gather tracebacks
        return self.value

    def forget(self) -> bool:
        """The cloud refuses the value: whether there is, or will be, another one to try."""
        now = clock()
        if now >= self._end:  # somebody else was refused as well
            return True
        if now < self._forgotten_at + _FORGET_SECONDS:
            return False
        self._forgotten_at = now
        self._due = self._end = _NEVER
        return True

    async def _fly(self, fetch: Callable[[], Awaitable[tuple[T, float]]]) -> None:
        try:
            self._value, seconds = await fetch()
        except CloudError as error:
            self._failure = error
            self._due = clock() + (_AGAIN_SECONDS if clock() < self._end else _FAILED_SECONDS)
        else:
            self._failure = None
            self._due = clock() + max(seconds - self._ahead, _AT_LEAST_SECONDS)
            self._end = clock() + max(seconds, _AT_LEAST_SECONDS)
        self._flights += 1
