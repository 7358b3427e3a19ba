"""The two clocks of the exporter: one that never jumps, for ages, and the host's, for what is shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_SECONDS = 0.5
"""A smaller difference between both clocks is not worth showing all timestamps again."""
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> float:
    """Seconds that only grow; where the system counts them, those during which it was suspended as well."""
    return time.clock_gettime(_SINCE_BOOT)


class Clock:
    """Steady time for everything that ages, and its conversion to the host's Unix time.

    Steady time is the Unix time at which the clock was made plus the seconds that have passed since. Values are kept
    and compared in steady time only, so a host clock that is set back or forward makes nothing older or younger.
    `unix` converts a steady time when it leaves the process: an event of ten seconds ago is shown as ten seconds
    before what the host's clock shows now, also where that clock was wrong when the event happened. The difference
    changes only in `follow`, so everything that is shown between two calls is consistent.

    Args:
        wall: the host's Unix time.
        elapsed: seconds that only grow.
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

    def follow(self) -> None:
        """Look at the host's clock again, and adopt a step of it."""
        step = self.wall() - self.steady()
        if abs(step - self.step) > _STEP_SECONDS:
            self.step = step
