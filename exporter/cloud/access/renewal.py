"""Values that expire: fetched once for all that need them, and again before they expire."""

from __future__ import annotations

import asyncio
from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from exporter.cloud.http.errors import CloudError
from exporter.runtime.clock import loop_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_AT_LEAST_SECONDS = 60.0
"""A new value is used for so long, even if the clocks disagree about its end."""
_AGAIN_SECONDS = 60.0
"""A renewal that failed ahead of the end is tried again after so long."""
_FAILED_SECONDS = 5.0
"""A failure without a value to use is shared for so long: the lists of a poll follow each other."""
_FORGET_SECONDS = 300.0
"""A value that the cloud refuses is not fetched again more often than this, or every call would do so."""
_NEVER = float("-inf")


class Refreshed(Generic[T]):
    """A value that expires. If fetching a new one fails, the old one is used until it expires.

    Args:
        ahead: seconds before the end at which a new value is fetched.
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
        """The newest value, expired or not; raises LookupError if `get` has never succeeded."""
        if self._value is None:
            raise LookupError("nothing was fetched yet")
        return self._value

    async def get(self, fetch: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        """Return a value that has not expired; `fetch` returns a new one and its seconds.

        Calls during a fetch share its outcome, also a failure; so do calls shortly after a failure.

        Raises:
            CloudError: of the fetch.
        """
        flights = self._flights
        if loop_time() >= self._due:
            async with self._lock:
                if self._flights == flights:
                    await self._fly(fetch)
        if self._failure is not None and loop_time() >= self._end:
            raise copy(self._failure)  # raised as it is, it would gather tracebacks
        return self.value

    def forget(self) -> bool:
        """Drop a value that the cloud refuses; returns whether there is, or will be, another one to try."""
        now = loop_time()
        if now >= self._end:  # another call was refused as well
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
            self._due = loop_time() + (_AGAIN_SECONDS if loop_time() < self._end else _FAILED_SECONDS)
        else:
            self._failure = None
            self._due = loop_time() + max(seconds - self._ahead, _AT_LEAST_SECONDS)
            self._end = loop_time() + max(seconds, _AT_LEAST_SECONDS)
        self._flights += 1
