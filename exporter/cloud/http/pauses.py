"""Operations of one project that are paused after the cloud throttled them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exporter.runtime.clock import TIMER_SECONDS

DEFAULT_PAUSE = 30.0
"""Seconds after which a throttled operation is tried again where the cloud named no time."""


class Pauses:
    """Until when calls of which operation would be throttled again."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._until: dict[str, float] = {}

    def pause(self, operation: str, seconds: float | None) -> None:
        """Pause an operation for n seconds, 30 if the cloud named no time."""
        until = self._clock() + (DEFAULT_PAUSE if seconds is None else seconds)
        self._until[operation] = max(until, self._until.get(operation, 0.0))

    def rest(self, operation: str) -> float:
        """Return the seconds for which calls of the operation would still be throttled."""
        seconds = self._until.get(operation, 0.0) - self._clock()
        return seconds if seconds > TIMER_SECONDS else 0.0

    def paused(self, operation: str) -> bool:
        return self.rest(operation) > 0
