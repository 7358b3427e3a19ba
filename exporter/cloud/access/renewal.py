"""Values that expire: fetched once for all that need them, and again before they expire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Generic, TypeVar

from exporter.cloud.http.errors import CloudError
from exporter.runtime.clock import loop_time

T = TypeVar("T")

_SHORTEST_SECONDS = 60.0
"""The minimum lifetime of a new value, even if the clocks disagree about its end."""
_UNKNOWN_LIFETIME = 3600.0
"""The assumed lifetime of a new value that does not contain its end: documented are 24 h for a token."""
_RETRY_SECONDS = 60.0
"""The time to the next fetch after a fetch that failed while the old value is valid."""
_FAILED_SECONDS = 5.0
"""The time for which callers share a failure without a valid value: the lists of a poll follow each other."""
_FORGET_SECONDS = 300.0
"""The shortest time between two fetches because the cloud refuses the value; without it, every call would fetch."""
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
        self._reported_end: float | None = None
        self._failure: CloudError | None = None
        self._fetches = 0

    @property
    def value(self) -> T:
        """The newest value, expired or not; raises LookupError if `get` has never succeeded."""
        if self._value is None:
            raise LookupError("nothing was fetched yet")
        return self._value

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the newest value expires, negative after that; None if that is not known."""
        return None if self._reported_end is None else self._reported_end - loop_time()

    async def get(self, fetch: Callable[[], Awaitable[tuple[T, float | None]]]) -> T:
        """Return a value that has not expired; `fetch` returns a new one and its seconds, None if these are unknown.

        Calls during a fetch share its outcome, also a failure; so do calls shortly after a failure.

        Raises:
            CloudError: of the fetch.
        """
        fetches = self._fetches
        if loop_time() >= self._due:
            async with self._lock:
                if self._fetches == fetches:
                    await self._fetch(fetch)
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
        self._reported_end = None
        return True

    async def _fetch(self, fetch: Callable[[], Awaitable[tuple[T, float | None]]]) -> None:
        try:
            self._value, lifetime = await fetch()
        except CloudError as error:
            self._failure = error
            self._due = loop_time() + (_RETRY_SECONDS if loop_time() < self._end else _FAILED_SECONDS)
        else:
            self._failure = None
            seconds = _UNKNOWN_LIFETIME if lifetime is None else lifetime
            # If it is shorter, the clocks disagree.
            self._reported_end = loop_time() + seconds if lifetime and lifetime > _SHORTEST_SECONDS else None
            self._due = loop_time() + max(seconds - self._ahead, _SHORTEST_SECONDS)
            self._end = loop_time() + max(seconds, _SHORTEST_SECONDS)
        self._fetches += 1
