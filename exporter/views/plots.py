"""Plots of a value over time, as paths and labels for SVG. A gap stays a gap, and the axis of the value begins at 0."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exporter.model.timeline import DAY, GAP_STEPS, HOUR, Timeline, step_of
from exporter.views.text import clock_time, duration, percent

WIDTH, HEIGHT = 600, 100
"""The size of the box of every path."""
_MINUTE = 60.0
_TOPS = (
    *(10.0, 30.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE),
    *(HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 10 * DAY),
)
"""The ends of an axis of seconds: at least 10 s, so that a delay of a second or two does not look like much."""
_TICKS = 3

Values = Sequence[tuple[float, float | None]]
"""Times, ascending, and values; None is unknown."""


class Window(NamedTuple):
    """The times of a plot: its end, and the seconds before that; `step` are the seconds between two values."""

    end: float
    seconds: float
    step: float

    @property
    def start(self) -> float:
        return self.end - self.seconds


class Plot(NamedTuple):
    """A plot.

    Args:
        path: the data of the SVG path; empty if no value is known.
        summary: the plot as a text, for those who do not see it.
        levels: labels of the axis of the value, from top to bottom.
        times: labels of the axis of the time, from left to right.
    """

    path: str
    summary: str
    levels: tuple[str, ...]
    times: tuple[str, ...]


def sparkline(timeline: Timeline, now: float) -> Plot | None:
    """Return the plot of the delay of the last hour; None if none is known."""
    plot = _delay_of(timeline, Window(now, HOUR, step_of(HOUR)))
    return plot if plot.path else None


def history(timeline: Timeline, now: float) -> list[tuple[str, Plot]]:
    """Return titles and plots of the last hour and day, without those of which no value is known.

    The full load has no plot if it was complete all the time.
    """
    found = []
    for name, seconds in (("hour", HOUR), ("day", DAY)):
        window = Window(now, seconds, step_of(seconds))
        found.append((f"Delay, last {name}", _delay_of(timeline, window)))
        ratios = [(point.at, point.full_progress_ratio) for point in timeline.points(seconds)]
        if any(ratio != 1 for ratio in _known(ratios)):
            found.append((f"Full load, last {name}", progress_plot(ratios, window)))
    return [(title, plot) for title, plot in sorted(found, key=lambda item: item[0][:4]) if plot.path]


def _delay_of(timeline: Timeline, window: Window) -> Plot:
    points = timeline.points(window.seconds)
    return delay_plot([(point.at, point.delay_seconds) for point in points], window)


def delay_plot(values: Values, window: Window) -> Plot:
    """Return the plot of a delay in seconds."""
    known = _known(values)
    peak = max(known, default=0.0)
    top = next((top for top in _TOPS if top >= peak), math.ceil(peak / DAY) * DAY)
    summary = f"{duration(min(known))} to {duration(peak)}, last {duration(known[-1])}" if known else "no values"
    levels = tuple(duration(top * part / (_TICKS - 1)) if part else "0" for part in reversed(range(_TICKS)))
    return Plot(_path(values, window, top), summary, levels, _times(window))


def progress_plot(values: Values, window: Window) -> Plot:
    """Return the plot of a ratio from 0 to 1."""
    known = _known(values)
    summary = f"{percent(known[0])} to {percent(known[-1])}" if known else "no values"
    levels = tuple(percent(part / (_TICKS - 1)) for part in reversed(range(_TICKS)))
    return Plot(_path(values, window, 1.0), summary, levels, _times(window))


def _known(values: Values) -> list[float]:
    return [value for _, value in values if value is not None]


def _times(window: Window) -> tuple[str, ...]:
    return tuple(clock_time(window.start + window.seconds * tick / (_TICKS - 1)) for tick in range(_TICKS))


def _path(values: Values, window: Window, top: float) -> str:
    """Return a line for each series of values without a gap; a single value is a dot."""
    return "".join(_line(run, window, top) for run in _runs(values, window))


def _runs(values: Values, window: Window) -> Iterable[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for at, value in values:
        if value is None or at < window.start or at > window.end:
            continue
        if run and at - run[-1][0] > GAP_STEPS * window.step:
            yield run
            run = []
        run.append((at, value))
    if run:
        yield run


def _line(run: Sequence[tuple[float, float]], window: Window, top: float) -> str:
    points = [
        f"{(at - window.start) / window.seconds * WIDTH:.1f} {HEIGHT - value / top * HEIGHT:.1f}" for at, value in run
    ]
    return f"M{points[0]}" + ("".join(f"L{point}" for point in points[1:]) or "h0")
