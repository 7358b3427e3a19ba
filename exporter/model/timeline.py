"""The recent history of a task: 1 min steps for an hour, and 10 min steps for a day, in memory of a fixed size."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple, TypeAlias

from exporter.model.task import Phase

HOUR, DAY = 3600.0, 86_400.0
GAP_STEPS = 2.5
"""A longer distance between two points, in steps, is a gap."""
_JITTER_SECONDS = 5.0
"""A point may be recorded this much before the end of a step: polls are not made at the very second."""
_SPARE_SLOTS = 2
_PACKED = struct.Struct("<IfHfB")
"""Seconds since the first point, delay, ratio, rows per second, and phase and verdict in one number."""
_Values: TypeAlias = tuple[int, float, int, float, int]
_RATIO_UNIT, _NO_RATIO = 60_000, 0xFFFF
_PHASES: tuple[Phase | None, ...] = (None, *Phase)
_VERDICTS = (None, False, True)
_DECIMALS = 3


class Point(NamedTuple):
    """Values of a task at one time. None: unknown, or not fresh, at that time.

    Args:
        at: when the delay and the progress were received; of a task without them, when the rest was known.
        delay_seconds: of the target.
        full_progress_ratio: the completed part of the full load.
        rows_per_second: rows applied to the target per second.
        phase: of the task.
        ready: whether the task was ready for the cut-over.
    """

    at: float
    delay_seconds: float | None = None
    full_progress_ratio: float | None = None
    rows_per_second: float | None = None
    phase: Phase | None = None
    ready: bool | None = None


def step_of(window_seconds: float) -> float:
    """Return the seconds between the points of a window, at least; much longer distances are gaps."""
    return 60.0 if window_seconds <= HOUR else 600.0


class _Ring:
    """Packed points in steps of a fixed length; the newest replaces the oldest."""

    __slots__ = ("_count", "_packed", "_step", "newest")

    def __init__(self, window_seconds: float) -> None:
        self._step = step_of(window_seconds) - _JITTER_SECONDS
        self._packed = bytearray((math.ceil(window_seconds / self._step) + _SPARE_SLOTS) * _PACKED.size)
        self._count = 0
        self.newest = -math.inf

    def is_due(self, at: float) -> bool:
        """Return whether a step has passed since the newest point."""
        return at >= self.newest + self._step

    def append(self, at: float, values: bytes) -> None:
        """Store a point."""
        start = self._count * _PACKED.size % len(self._packed)
        self._packed[start : start + _PACKED.size] = values
        self._count, self.newest = self._count + 1, at

    def values_since(self, seconds: float) -> list[_Values]:
        """Return the values of the points since a time after the first one, ascending."""
        slots, found = len(self._packed) // _PACKED.size, list[_Values]()
        for number in range(self._count - 1, max(self._count - slots, 0) - 1, -1):
            values = _PACKED.unpack_from(self._packed, number % slots * _PACKED.size)
            if values[0] < seconds:
                break
            found.append(values)
        return found[::-1]


class TimelineRecorder:
    """Records the points of one task. All times are steady ones, see `Clock`.

    Args:
        since: the time of the first point.
    """

    __slots__ = ("_day", "_hour", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self._hour, self._day = _Ring(HOUR), _Ring(DAY)

    def is_due(self, at: float) -> bool:
        """Return whether a point at this time would be recorded: a minute has passed since the newest one."""
        return self._hour.is_due(at)

    def record(self, point: Point) -> None:
        """Store a point; one that comes too soon after the newest one, or is older, is left out."""
        if not self.is_due(point.at):
            return
        values = _packed(point, self.since)
        for ring in (self._hour, self._day):
            if ring.is_due(point.at):
                ring.append(point.at, values)

    @property
    def newest(self) -> Point:
        """The newest point; IndexError without one."""
        return self.points(self._hour.newest - 1)[-1]

    def points(self, start: float, *, of_day: bool = False) -> list[Point]:
        """Return the points since a time, ascending: in steps of 1 min, or `of_day` in steps of 10 min."""
        ring = self._day if of_day else self._hour
        return [_unpacked(values, self.since) for values in ring.values_since(start - self.since)]

    def delays(self, start: float) -> list[tuple[float, float]]:
        """Return the known delays of the last hour since a time, ascending, each with its time."""
        values = self._hour.values_since(start - self.since)
        return [(self.since + seconds, delay) for seconds, delay, *_ in values if not math.isnan(delay)]

    def ratios(self, start: float) -> list[tuple[float, float]]:
        """Return the known progress of the full load in the same way."""
        values = self._hour.values_since(start - self.since)
        return [(self.since + seconds, ratio / _RATIO_UNIT) for seconds, _, ratio, *_ in values if ratio != _NO_RATIO]


class Timeline:
    """The history of one task as it is at one moment, with Unix times.

    Args:
        recorder: of the task.
        now: the steady time.
        step: seconds to add to a steady time for the Unix time.
    """

    def __init__(self, recorder: TimelineRecorder, now: float, step: float) -> None:
        self._recorder = recorder
        self._now = now
        self._step = step

    @property
    def since(self) -> float:
        """When the first point was recorded. A restart of the exporter loses all points that the storage lacks."""
        return self._recorder.since + self._step

    def points(self, window_seconds: float) -> tuple[Point, ...]:
        """Return the points of the last seconds, ascending.

        They are a minute apart; in a window of over an hour, ten minutes, and the newest point follows them. Times
        without a fresh value have no point: longer distances than `step_of` are gaps.
        """
        start = self._now - window_seconds
        points = self._recorder.points(start, of_day=window_seconds > HOUR)
        newest = self._recorder.points(max(start, points[-1].at + 1 if points else start))[-1:]
        return tuple(point._replace(at=point.at + self._step) for point in (*points, *newest))


def _packed(point: Point, since: float) -> bytes:
    ratio = point.full_progress_ratio
    return _PACKED.pack(
        round(point.at - since),
        math.nan if point.delay_seconds is None else point.delay_seconds,
        _NO_RATIO if ratio is None else min(round(ratio * _RATIO_UNIT), _NO_RATIO - 1),
        math.nan if point.rows_per_second is None else point.rows_per_second,
        _PHASES.index(point.phase) * len(_VERDICTS) + _VERDICTS.index(point.ready),
    )


def _unpacked(values: _Values, since: float) -> Point:
    seconds, delay, ratio, rows, state = values
    phase, ready = divmod(state, len(_VERDICTS))
    return Point(
        since + seconds,
        None if math.isnan(delay) else round(delay, _DECIMALS),
        None if ratio == _NO_RATIO else ratio / _RATIO_UNIT,
        None if math.isnan(rows) else round(rows, _DECIMALS),
        _PHASES[phase],
        _VERDICTS[ready],
    )
