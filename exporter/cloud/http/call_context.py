"""The context of calls: what they are for, how many were made, and whether the poll loop that makes them is alive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from exporter.cloud.http.scheduler import SIGN_IN, Scheduler, Turn
from exporter.runtime.clock import loop_time

_RIGHT_SECONDS = 1.0
"""For which the right to a call is kept while the call waits for something else."""


class CallContext:
    """The calls of one poll. Neither a slow cloud nor a short rate limit makes its loop a stuck one.

    Args:
        turn: decides when a call is sent if calls have to wait.
        rights: calls for which the right was taken already.
    """

    def __init__(self, turn: Turn = SIGN_IN, rights: int = 0) -> None:
        self.calls = 0
        """The number of calls that have ended; retries do not count."""
        self._turn = turn
        self._rights = rights
        self._at = self._granted_at = loop_time()
        self._waiting = 0

    async def take(self, scheduler: Scheduler, retries: int) -> None:
        """Wait for the right to one call.

        A retry is worth as much as the next query of the same work, which is due an interval later. So a project whose
        calls fail does not use more of a short rate limit than with calls that succeed.
        """
        if self._rights:
            self._rights -= 1
            if loop_time() - self._granted_at < _RIGHT_SECONDS:
                return
            scheduler.give_back()  # else the calls that waited for credentials would leave at once
        with self.waiting():
            due = loop_time() + self._turn.interval if retries else self._turn.due
            await scheduler.take(self._turn._replace(due=due))

    def wait_longer(self, interval: float) -> None:
        """Let the calls that follow wait as part of work that is due now, and again after this interval."""
        self._turn = self._turn._replace(due=loop_time(), interval=interval)

    def give_back(self, scheduler: Scheduler) -> None:
        """Return the rights that were not used."""
        for _ in range(self._rights):
            scheduler.give_back()
        self._rights = 0

    def called(self, retries: int) -> None:
        """A call has ended, well or not, after n retries."""
        self.calls += not retries
        self._at = loop_time()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surrounds a wait for the rate limit or for credentials, which may take any time."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            self._at = loop_time()

    def silent_for(self) -> float:
        """Seconds since the last sign of life."""
        return 0.0 if self._waiting else loop_time() - self._at
