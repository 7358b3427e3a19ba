"""The times about which the exporter has recorded facts: its runs, and the gaps between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from exporter.model.spans import Mark, Period, Span, spans_of, without_early
from exporter.model.timeline import GAP_STEPS

T = TypeVar("T")

_SHORTEST_GAP = 1.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """The times about which the exporter has recorded facts.

    Args:
        window: the time of the wave until now, or until its end.
        runs: when the exporter ran, as far as its last write, ascending.
        step: seconds between two points of a task.
        now: when the record was read.
    """

    window: Period
    runs: Sequence[Period]
    step: float
    now: float

    @property
    def gaps(self) -> list[Period]:
        """The parts of the window of which nothing is recorded, of a second or more."""
        ends = [self.window.start, *(run.end for run in self.runs)]
        starts = [*(run.start for run in self.runs), self.window.end]
        found = (Period(end, start).within(self.window) for end, start in zip(ends, starts, strict=True))
        return [gap for gap in found if gap is not None and gap.seconds >= _SHORTEST_GAP]

    @property
    def longest_step(self) -> float:
        """Seconds between two points of a task that are no gap, at most."""
        return GAP_STEPS * self.step

    def spans(self, marks: Iterable[Mark[T]], lasting: Collection[T]) -> list[Span[T]]:
        """Return a value at each time of the window, see `spans_of`."""
        limit = self.longest_step
        ascending = sorted(marks, key=lambda mark: mark.at)
        return spans_of(without_early(ascending, limit), self.runs, self.window, limit=limit, lasting=lasting)
