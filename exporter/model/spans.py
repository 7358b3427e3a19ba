"""Stretches of time with a known value, from observations; where nothing was observed, the value is unknown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Period(NamedTuple):
    """A stretch of time between two Unix times."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def contains(self, at: float) -> bool:
        """Return whether a time is between the two, or one of them."""
        return self.start <= at <= self.end

    def within(self, other: Period) -> Period | None:
        """Return the part of this period that another one contains; None if there is none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Mark(Generic[T]):
    """An observation of a value.

    Args:
        at: Unix time.
        before: the value until then; None: unknown.
        after: the value from then on.
        sampled: False for a change that was observed, True for a value that is recorded again and again.
    """

    at: float
    before: T | None
    after: T | None
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """A value during a period; None: unknown. It may have begun before, or may have lasted longer, unobserved."""

    value: T | None
    start: float
    end: float

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)


def sample(at: float, value: T) -> Mark[T]:
    """Return the mark of a value that is recorded again and again."""
    return Mark(at, value, value, sampled=True)


def observed(spans: Sequence[Span[T]], changes: Collection[float]) -> list[tuple[bool, bool]]:
    """Return for each of some stretches without holes whether its beginning, and its end, was observed.

    A change that is found after a time about which nothing is known may have happened at any moment of that time.

    Args:
        spans: ascending.
        changes: the times of the changes that were observed.
    """
    edges = [None not in {one.value, other.value} and one.end in changes for one, other in pairwise(spans)]
    return list(zip([False, *edges], [*edges, False], strict=True))


def spans_of(
    marks: Iterable[Mark[T]], runs: Sequence[Period], window: Period, *, limit: float, lasting: Collection[T] = ()
) -> list[Span[T]]:
    """Return the value at each time of a window, ascending and without holes.

    Between two marks the value is known if both agree, and the exporter ran all the time. It is unknown between two
    samples that are too far from each other: the values in between were too old to be recorded.

    Args:
        marks: ascending.
        runs: when the exporter ran, ascending.
        window: the times of the result.
        limit: the longest time in seconds between two samples.
        lasting: values that are not sampled, and so last until the next mark.
    """
    marks, known = list(marks), list[Span[T]]()
    for run in runs:
        inside = [mark for mark in marks if run.contains(mark.at)]
        known += _known(inside, run, limit, lasting)
    return _filled(known, window)


def without_early(marks: Sequence[Mark[T]], limit: float) -> list[Mark[T]]:
    """Return marks without the samples that contain a change that was observed up to `limit` seconds after them.

    The time of a sample is that of its oldest part.
    """
    found, change = list[Mark[T]](), None
    for mark in reversed(marks):
        if not mark.sampled:
            change = mark
        elif change is not None and change.at - mark.at <= limit and mark.after == change.after != change.before:
            continue
        found.append(mark)
    return found[::-1]


def _known(marks: Sequence[Mark[T]], run: Period, limit: float, lasting: Collection[T]) -> Iterable[Span[T]]:
    """Yield the known stretches of one run."""
    if not marks:
        return
    samples = [mark.at for mark in marks if mark.sampled]
    first, last = marks[0], marks[-1]
    if first.before is not None and first.before in lasting:
        yield Span(first.before, run.start, first.at)
    for one, other in pairwise(marks):
        sampled = bool(samples) and samples[0] <= one.at and other.at <= samples[-1]
        gap = sampled and other.at - one.at > limit and one.after not in lasting
        if one.after == other.before and not gap:
            yield Span(one.after, one.at, other.at)
    if last.after in lasting or run.end - last.at <= limit or not samples:
        yield Span(last.after, last.at, run.end)


def _filled(known: Iterable[Span[T]], window: Period) -> list[Span[T]]:
    """Return stretches cut to a window and joined where the value stays; the rest of the window is unknown."""
    found, end = list[Span[T]](), window.start
    for span in known:
        part = span.period.within(window)
        if part is None or span.value is None:
            continue
        if part.start > end:
            found.append(Span(None, end, part.start))
        if found and found[-1].value == span.value:
            found[-1] = Span(span.value, found[-1].start, part.end)
        else:
            found.append(Span(span.value, part.start, part.end))
        end = part.end
    return [*found, Span(None, end, window.end)] if end < window.end else found
