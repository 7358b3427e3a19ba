"""The drawings of a report: the time line of a task and the plot of its delay, over the same axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from exporter.model.timeline import DAY, HOUR
from exporter.views.plots import WIDTH, Plot, Window, delay_plot
from exporter.views.text import clock_time, day

_MINUTE = 60.0
_STEPS = (
    *(_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY),
)
_MOST_TICKS = 7
_LAST_PERCENT = 90


class Tick(NamedTuple):
    """A label of the axis of time.

    Args:
        percent: its place from the left.
        label: a time, with the day if that is a new one.
        left: whether the label is on the left of its place: there is no room on the right.
    """

    percent: float
    label: str
    left: bool


class Bar(NamedTuple):
    """A rectangle of a time line, in units of `WIDTH`."""

    x: float
    width: float
    word: str


class Axis(NamedTuple):
    """The axis of time of all drawings of a report.

    Args:
        start: Unix time.
        end: Unix time, later than the start.
        zone: of the labels.
    """

    start: float
    end: float
    zone: tzinfo

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def bar(self, start: float, end: float, word: str) -> Bar:
        """Return the rectangle of a period, which is visible however short it is."""
        x = (start - self.start) / self.seconds * WIDTH
        return Bar(round(x, 1), round(max((end - start) / self.seconds * WIDTH, 1.0), 1), word)

    def short(self, at: float) -> str:
        """Return a day and a time; with the offset if that changes on the axis."""
        return f"{day(at, self.zone)} {self._time(at)}"

    def _time(self, at: float) -> str:
        offsets = {datetime.fromtimestamp(each, self.zone).utcoffset() for each in (self.start, self.end)}
        time = clock_time(at, self.zone)
        return time if len(offsets) > 1 else time[:5]

    def ticks(self) -> list[Tick]:
        """Return labels at round times, each new day with its name; with the offset if that changes on the axis."""
        step = next((step for step in _STEPS if self.seconds / step < _MOST_TICKS), 0.0)
        step = step or -(-self.seconds // (_MOST_TICKS * DAY)) * DAY
        first = datetime.fromtimestamp(self.start, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        at, found, before = first.timestamp(), list[Tick](), ""
        while at <= self.end:
            if at >= self.start:
                name, label = day(at, self.zone), self._time(at)
                place = round((at - self.start) / self.seconds * 100, 2)
                found.append(Tick(place, label if name == before else f"{name} {label}", place > _LAST_PERCENT))
                before = name
            at += step
        return found


def delay_of(axis: Axis, values: Sequence[tuple[float, float]], step: float) -> Plot | None:
    """Return the plot of a delay over the axis, which has labels of its own; None if none is known."""
    plot = delay_plot(values, Window(axis.end, axis.seconds, step))
    return plot if plot.path else None
