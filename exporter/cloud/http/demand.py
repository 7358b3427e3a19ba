"""How many calls the poll loops of one account in one region would make, and how far that has to be stretched."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_KEPT_FREE = 0.1
"""Of the rate: for retries, and for polls that meet."""
LEFT_TO_OTHERS = 0.1
"""Of what a priority could use: for all those after it together, which so never stand still."""


class Demand:
    """Pure arithmetic; numbers are calls a second.

    Args:
        rate: that are allowed.
    """

    def __init__(self, rate: float) -> None:
        self._usable = rate * (1 - _KEPT_FREE)
        self._wants: dict[Hashable, tuple[int, float]] = {}

    def want(self, who: Hashable, priority: int, calls: float) -> None:
        """A poll loop of this priority would like to make so many."""
        self._wants[who] = priority, calls

    def forget(self, who: Hashable) -> None:
        """A poll loop has ended."""
        self._wants.pop(who, None)

    @property
    def total(self) -> float:
        """What all of them would like."""
        return sum(calls for _, calls in self._wants.values())

    def stretch(self, priority: int) -> float:
        """By how much the intervals of this priority must be longer; 1 where there is enough for all."""
        wanted = defaultdict[int, float](float)
        for rank, calls in self._wants.values():
            wanted[rank] += calls
        left, later = self._usable, sum(wanted.values())
        for rank in sorted(wanted):
            later -= wanted[rank]
            share = left - min(LEFT_TO_OTHERS * left, max(later, 0.0))
            if rank == priority:
                return wanted[rank] / share if wanted[rank] > share else 1.0
            left -= min(wanted[rank], share)
        return 1.0
