"""Backs off after the cloud has refused a call with 401 or 403."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from exporter.cloud.http.errors import NO_CREDENTIALS, AccessDeniedError, CloudError

T = TypeVar("T")

_REFUSED_SECONDS = 15.0, 300.0  # first less than a poll, then doubled each time


class Backoff:
    """The refusals of one project by what was queried. While one holds, nothing is sent."""

    def __init__(self) -> None:
        self._refused: dict[str, tuple[float, float, AccessDeniedError]] = {}
        self._clock = asyncio.get_running_loop().time

    def until(self, what: str) -> float:
        """Return the event-loop time until which nothing is sent."""
        return self._refused.get(what, (-math.inf,))[0]

    def refusal(self, what: str) -> AccessDeniedError | None:
        """Return the refusal that still holds, if any."""
        until, _, error = self._refused.get(what, (-math.inf, 0.0, None))
        return error if self._clock() < until else None

    def record(self, what: str, error: CloudError | None) -> None:
        """Record the outcome of a call. Each refusal in a row holds twice as long as the one before."""
        _, rest, _ = self._refused.pop(what, (0.0, 0.0, None))
        if isinstance(error, AccessDeniedError) and error.code != NO_CREDENTIALS:  # else no call was made
            shortest, longest = _REFUSED_SECONDS
            rest = min(max(2 * rest, shortest), longest)
            self._refused[what] = self._clock() + rest, rest, error

    async def call(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a call; raises its `CloudError`, or the refusal that still holds."""
        if (refusal := self.refusal(what)) is not None:
            raise refusal
        try:
            result = await call()
        except CloudError as error:
            self.record(what, error)
            raise
        self.record(what, None)
        return result
