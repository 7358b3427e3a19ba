"""On whose behalf calls are made: how urgent they are, how many they were, and whether their maker is alive."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def clock() -> float:
    """Monotonic seconds, as the event loop counts them: the wall's clock may be set back."""
    return asyncio.get_running_loop().time()


class Caller:
    """One poll loop. Neither a slow cloud nor a short budget makes it a stuck one.

    Args:
        priority: of its calls where the budget is short; the lowest number goes first.
    """

    def __init__(self, priority: int = 0) -> None:
        self.priority = priority
        self.calls = 0
        """That have ended, those that were tried again but once."""
        self._at = clock()
        self._waiting = 0

    def beat(self) -> None:
        """Something was done."""
        self._at = clock()

    def called(self, retries: int) -> None:
        """A call has ended, well or not, after so many that were like it."""
        self.calls += not retries
        self.beat()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the wait for the right to a call, which takes as long as it takes."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            self.beat()

    def silent_for(self) -> float:
        """Seconds since the last sign of life."""
        return 0.0 if self._waiting else clock() - self._at


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def call_for(caller: Caller) -> None:
    """From now on this task, and those that it starts, make their calls on behalf of this one."""
    _current.set(caller)


def current() -> Caller:
    """The one on whose behalf this call is made; nobody in particular, and urgent, for commands."""
    return _current.get() or Caller()
