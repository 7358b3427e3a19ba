"""Signs of life of a poll loop, which its calls give: neither a slow cloud nor a short budget makes it a stuck one."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pulse:
    """Of one loop."""

    def __init__(self) -> None:
        self._at = _clock()
        self._waiting = 0

    def beat(self) -> None:
        """Something was done."""
        self._at = _clock()

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
        return 0.0 if self._waiting else _clock() - self._at


_current: ContextVar[Pulse | None] = ContextVar("pulse", default=None)


def take(pulse: Pulse) -> None:
    """From now on the calls of this task, and of those that it starts, are signs of life of this loop."""
    _current.set(pulse)


def current() -> Pulse:
    """The one of the loop that makes this call, or one that nobody feels."""
    return _current.get() or Pulse()


def _clock() -> float:
    return asyncio.get_running_loop().time()
