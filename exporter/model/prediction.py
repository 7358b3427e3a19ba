"""Predictions about a task from its recent history: when its delay is within the limit, and when its load ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple, TypeAlias

WINDOW_SECONDS = 1800.0
"""Predictions are made from at most this much history."""
_LEAST_SECONDS, _LEAST_POINTS, _LEAST_MOVES = 300.0, 4, 3
_FARTHEST_SECONDS = 86_400.0
_MOST_BACK = 0.15
"""Movements against the trend, as a part of those along it; with more of them the values swing."""
_EVEN = 0.5, 1.5
"""How fast each half of the history may move, as a part of the slope; else the trend has changed."""
_CONSTANT_SECONDS, _CONSTANT_PART = 5.0, 0.05
"""Delays that swing by at most this much, or by at most this part of their median, are constant."""
STEADY_SLOPE = 1 / 60
"""A delay that changes by less than a second a minute is steady."""

Values: TypeAlias = Sequence[tuple[float, float]]
"""Times and values, ascending."""


class Predicted(NamedTuple):
    """Predictions about a task. None: the history is too short, or shows no steady change.

    Args:
        catch_up_seconds: time until the delay is within `max_delay`; 0 while it is.
        full_load_end_at: Unix time of the end of the full load.
        delay_slope: seconds by which the delay grows in a second; below 0 the target catches up.
    """

    catch_up_seconds: float | None = None
    full_load_end_at: float | None = None
    delay_slope: float | None = None


UNPREDICTED = Predicted()


class Trend(NamedTuple):
    """How values change.

    Args:
        slope: in a second.
        steady: whether they have changed evenly, in several steps: only then they are likely to go on.
    """

    slope: float
    steady: bool


def trend_of(values: Values) -> Trend | None:
    """Return the trend of values of at most `WINDOW_SECONDS`.

    None if they cover less than five minutes, swing, or the later half moves in another direction than the whole.

    The slope is the median of the slopes between all values that are at least half of the history apart, so that single
    values and the steps in which a cloud reports have little effect.
    """
    count = len(values)
    if count < _LEAST_POINTS or values[-1][0] - values[0][0] < _LEAST_SECONDS:
        return None
    moves = [later - earlier for (_, earlier), (_, later) in pairwise(values)]
    up, down = math.fsum(move for move in moves if move > 0), -math.fsum(move for move in moves if move < 0)
    constant = is_constant([value for _, value in values])
    if min(up, down) > _MOST_BACK * max(up, down):
        return Trend(0.0, steady=False) if constant else None
    slope = median(
        _slope(values[first], second) for first in range(count // 2 + 1) for second in values[first + count // 2 :]
    )
    halves = _halves(values)
    if sum(move != 0 for move in moves) >= _LEAST_MOVES and _is_even(halves, slope):
        return Trend(slope, steady=True)
    return Trend(slope, steady=False) if constant or direction(slope) == direction(halves[1]) else None


def direction(slope: float) -> int:
    """Return 1 if values grow, -1 if they shrink, 0 if they are steady."""
    return 0 if abs(slope) < STEADY_SLOPE else 1 if slope > 0 else -1


def is_constant(numbers: Sequence[float]) -> bool:
    """Return whether delays swing so little that they count as constant."""
    return max(numbers) - min(numbers) <= max(_CONSTANT_SECONDS, _CONSTANT_PART * median(numbers))


def _halves(values: Values) -> tuple[float, float]:
    """Return the slopes of the earlier and of the later half."""
    middle = (values[0][0] + values[-1][0]) / 2
    between = min(values[1:-1], key=lambda value: abs(value[0] - middle))
    return _slope(values[0], between), _slope(between, values[-1])


def _is_even(halves: tuple[float, float], slope: float) -> bool:
    """Return whether both halves move about as fast as the whole."""
    return slope != 0 and all(_EVEN[0] <= half / slope <= _EVEN[1] for half in halves)


def _slope(earlier: tuple[float, float], later: tuple[float, float]) -> float:
    return (later[1] - earlier[1]) / (later[0] - earlier[0])


def catch_up_seconds(delay: float | None, max_delay: float, trend: Trend | None) -> float | None:
    """Return the time until a fresh delay is within its limit; 0 while it is, None if that cannot be predicted."""
    if delay is None:
        return None
    if delay <= max_delay:
        return 0.0
    if trend is None or not trend.steady or trend.slope >= 0:
        return None
    seconds = (delay - max_delay) / -trend.slope
    return float(math.ceil(seconds)) if seconds <= _FARTHEST_SECONDS else None


def end_of_load(values: Values) -> float | None:
    """Return when a ratio reaches 1; None if that cannot be predicted."""
    trend = trend_of(values)
    if trend is None or not trend.steady or trend.slope <= 0:
        return None
    end = median(at + (1 - ratio) / trend.slope for at, ratio in values)
    return end if 0 < end - values[-1][0] <= _FARTHEST_SECONDS else None
