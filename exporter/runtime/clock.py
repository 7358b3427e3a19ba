"""The clock of the exporter: steady time for ages, and its conversion to the host's time for output."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_STEP_SECONDS = 0.5
"""The least step of the host's clock that changes the timestamps in the output."""
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> float:
    """Return seconds that never go back; they include the time in which the system was suspended, if it counts that."""
    return time.clock_gettime(_SINCE_BOOT)


TIMER_SECONDS = 1e-3
"""A timer of the event loop may end this much too early."""


def loop_time() -> float:
    """Return the monotonic seconds of the running event loop."""
    return asyncio.get_running_loop().time()


class Clock:
    """Steady time for everything that ages, and its conversion to the host's Unix time.

    Steady time is the Unix time at which the clock was made plus the seconds that have passed since. Values are stored
    and compared in steady time only, so a step of the host's clock makes nothing older or younger. `unix` converts a
    steady time for output: an event of ten seconds ago gets a timestamp ten seconds before the host's time now, even
    if the host's clock was wrong when the event happened. The difference changes only in `update_step`, so all
    timestamps between two calls are consistent.

    Args:
        wall: returns the host's Unix time.
        elapsed: returns seconds that never go back.
    """

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = since_boot) -> None:
        self.wall = wall
        self._elapsed = elapsed
        self._start = round(wall() - elapsed(), 3)
        self.step = 0.0
        """Seconds by which the host's clock has been set forward since the start."""

    def steady(self) -> float:
        """Steady time: differences of two are true ages in seconds."""
        return self._start + self._elapsed()

    def unix(self, steady: float) -> float:
        """Convert a steady time to Unix time."""
        return steady + self.step

    def now(self) -> float:
        """Unix time, consistent with `unix`: within seconds of the host's after it has been set."""
        return self.unix(self.steady())

    def update_step(self) -> None:
        """Read the host's clock, and adopt a step of it."""
        step = self.wall() - self.steady()
        if abs(step - self.step) > _STEP_SECONDS:
            self.step = step
