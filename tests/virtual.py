"""An event loop whose time passes only when nothing is left to do: hours in milliseconds, and the same every time."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z: Unix time where the loop's clock is 0


class _Selector(selectors.DefaultSelector):
    """Where the loop would wait, time jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0 if timeout is not None else None)
        if not events and timeout:
            self.elapsed += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """For tests only: nothing on it may wait for the real world."""

    def __init__(self) -> None:
        self._jumps = _Selector()
        super().__init__(self._jumps)
        self._clock_resolution = 1e-6  # after months, a float of seconds has no more digits

    def time(self) -> float:
        return self._jumps.elapsed


def now() -> float:
    """Unix time on the virtual loop that runs: the clock to inject."""
    return EPOCH + asyncio.get_running_loop().time()


def simulate(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine in virtual time; tasks that it leaves behind are cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
