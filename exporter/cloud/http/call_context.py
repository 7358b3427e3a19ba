"""The context of calls: how urgent they are, how many were made, and whether the loop that makes them is alive."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from exporter.runtime.clock import loop_time

if TYPE_CHECKING:
    from collections.abc import Iterator


class CallContext:
    """The calls of one poll loop. Neither a slow cloud nor a short rate limit makes the loop a stuck one.

    Args:
        priority: of the calls where the rate limit is short; the lowest number comes first.
    """

    def __init__(self, priority: int = 0) -> None:
        self.priority = priority
        self.calls = 0
        """The number of calls that have ended; retries do not count."""
        self._at = loop_time()
        self._waiting = 0

    def beat(self) -> None:
        """Record a sign of life."""
        self._at = loop_time()

    def called(self, retries: int) -> None:
        """A call has ended, well or not, after n retries."""
        self.calls += not retries
        self.beat()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surrounds a wait for the rate limit or for credentials, which may take any time."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            self.beat()

    def silent_for(self) -> float:
        """Seconds since the last sign of life."""
        return 0.0 if self._waiting else loop_time() - self._at
