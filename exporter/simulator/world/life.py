"""The life of a task as a pure function of the time: scripts of (status, life seconds), and moments in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias

Script: TypeAlias = tuple[tuple[str, float], ...]
Times: TypeAlias = Mapping[str, float]
"""Epoch seconds by status."""

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FOR_EVER = 1e15

GONE = "GONE"
"""Not a status of the cloud: nothing of the task is left until it is born again."""

HIDDEN = frozenset({"DELETED", GONE})
"""Statuses that no list shows; DELETED still comes back when asked for by id."""

PREPARED: Script = (("CREATING", 200.0), ("CONFIGURATION", 10 * MINUTE), ("STARTJOBING", 60.0))
FULL: Script = (("FULL_TRANSFER_STARTED", 40 * MINUTE), ("FULL_TRANSFER_COMPLETE", 60.0))
INCREMENTAL: Script = (*PREPARED, *FULL, ("INCRE_TRANSFER_STARTED", FOR_EVER))
"""A task that runs for ever: what a SimTask does unless told otherwise."""
WITHOUT_FULL: Script = (*PREPARED, ("INCRE_TRANSFER_STARTED", FOR_EVER))
"""The same for INCR_TRANS."""


def ending(*, shown: float, kept: float = 10 * MINUTE) -> Script:
    """Stops by itself, stays in the list for a while, is deleted, and is gone before it may come again."""
    return (
        ("RELEASE_RESOURCE_STARTED", 5 * MINUTE),
        ("RELEASE_RESOURCE_COMPLETE", shown),
        ("DELETED", kept),
        (GONE, 10 * MINUTE),
    )


def duration(script: Script) -> float:
    """Life seconds of the whole script."""
    return sum(seconds for _, seconds in script)


@dataclass(frozen=True, slots=True)
class Moment:
    """A task at one point in time.

    Attributes:
        id: the id of this life (a task that is born again has a new one).
        status: what the cloud says, pinned or by the script.
        now, born: epoch seconds.
        life: life seconds since birth; the clock of delays and counters.
        fraction: how far the current step is, 0 to 1.
        entered: when each status was entered last, epoch seconds.
        first: when each status was entered for the first time, epoch seconds; a failed task may enter one again.
        speed: life seconds in a second.
    """

    id: str
    status: str
    now: float
    born: float
    life: float
    fraction: float
    entered: Times
    first: Times
    speed: float

    def since(self, status: str) -> float | None:
        """Life seconds since a status was entered, None if it never was."""
        entered = self.entered.get(status)
        return None if entered is None else (self.now - entered) * self.speed

    @property
    def changed(self) -> float:
        """Epoch second of the newest change of status."""
        return max(self.entered.values(), default=self.born)


def step_at(script: Script, life: float) -> tuple[int, float]:
    """The number of the current step, from 0, and how far it is."""
    start, number, fraction = 0.0, 0, 0.0
    for number, (_, seconds) in enumerate(script):  # noqa: B007 - the last one is the result
        fraction = min((life - start) / seconds, 1.0) if seconds > 0 else 1.0
        start += seconds
        if life < start:
            break
    return number, max(fraction, 0.0)


@lru_cache(maxsize=10_000)
def entered_until(script: Script, step: int, born: float, speed: float) -> tuple[Times, Times]:
    """When each status up to a step was entered last, and when for the first time."""
    starts = accumulate((seconds for _, seconds in script), initial=0.0)
    times = [(status, born + start / speed) for (status, _), start in zip(script[: step + 1], starts, strict=False)]
    return dict(times), dict(reversed(times))
