"""Predictions from values: which trends are steady, and how near to the truth their ends are."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.prediction import Trend, Values, catch_up_seconds, direction, end_of_load, trend_of

DAY = 86_400.0
FALLING = Trend(-0.5, steady=True)


def every(step: float, *values: float) -> Values:
    return [(1e9 + number * step, value) for number, value in enumerate(values)]


@pytest.mark.parametrize("step", [55, 60, 90, 150])
@pytest.mark.parametrize("slope", [-3.0, -0.001, 0.001, 2.0])
def test_the_slope_of_values_on_a_line(step: float, slope: float) -> None:
    trend = trend_of(every(step, *(10_000 + slope * step * number for number in range(12))))
    assert trend is not None
    assert trend.slope == pytest.approx(slope)
    assert trend.steady


@pytest.mark.parametrize(
    "values",
    [[], every(60, 5), every(60, 5, 4, 3, 2, 1), every(100, 3, 2, 1), every(400, 9, 5, 1), every(74.9, 5, 4, 3, 2, 1)],
)
def test_less_than_five_minutes_or_four_values_have_no_trend(values: Values) -> None:
    assert trend_of(values) is None


def test_five_minutes_have_a_trend() -> None:
    assert trend_of(every(75, 5, 4, 3, 2, 1)) == Trend(-1 / 75, steady=True)


@pytest.mark.parametrize("value", [0.0, 7.0, 1e18])
def test_values_that_do_not_change_are_constant_and_no_steady_trend(value: float) -> None:
    assert trend_of(every(60, *[value] * 20)) == Trend(0.0, steady=False)


@pytest.mark.parametrize(("swing", "known"), [(5, True), (40, True), (60, False), (500, False)])
def test_values_that_swing_are_constant_if_they_swing_little(swing: float, known: bool) -> None:  # noqa: FBT001
    values = every(60, *[1000 - swing, 1000.0] * 10)
    assert trend_of(values) == (Trend(0.0, steady=False) if known else None)


def test_one_wrong_value_does_not_change_the_slope() -> None:
    numbers = [1000.0 - 60 * number for number in range(16)]
    numbers[7] += 20
    trend = trend_of(every(60, *numbers))
    assert trend is not None
    assert trend.slope == pytest.approx(-1, rel=0.02)
    assert trend.steady


@pytest.mark.parametrize("jump", [9000, -9000])
def test_a_jump_against_all_other_movements_leaves_no_trend(jump: int) -> None:
    numbers = [5000 - math.copysign(60, jump) * number for number in range(12)]
    assert trend_of(every(60, *numbers, numbers[-1] + jump)) is None


@pytest.mark.parametrize("minutes", range(2, 31, 2))
def test_a_few_steps_are_no_steady_trend(minutes: int) -> None:
    first = every(60, *[1000.0] * minutes, *[800.0] * minutes)
    trend = trend_of(first)
    assert trend is None or not trend.steady


@pytest.mark.parametrize(
    "numbers",
    [
        [*range(3000, 1500, -100), *[1500] * 14],  # stalled
        [*[3000 - number for number in range(14)], *range(2986, 1400, -100)],  # began to shrink
    ],
)
def test_a_trend_that_has_changed_is_not_steady(numbers: list[float]) -> None:
    trend = trend_of(every(60, *numbers))
    assert trend is not None
    assert not trend.steady


@pytest.mark.parametrize("climbing", [1, 2, 5])
def test_a_delay_that_begins_to_grow_is_not_steady(climbing: int) -> None:
    trend = trend_of(every(60, *[1.0] * 26, *(60.0 * number for number in range(1, climbing + 1))))
    assert trend is None or direction(trend.slope) == 1


@pytest.mark.parametrize(("delay", "seconds"), [(0, 0), (5, 0), (5.001, 1), (15, 20), (43_205, 86_400)])
def test_the_time_until_the_delay_is_within_its_limit(delay: float, seconds: float) -> None:
    assert catch_up_seconds(delay, 5, FALLING) == seconds


@pytest.mark.parametrize(
    ("delay", "trend"),
    [
        (None, FALLING),
        (6, None),
        (6, Trend(-0.5, steady=False)),
        (6, Trend(0.0, steady=True)),
        (6, Trend(0.5, steady=True)),
        (43_206, FALLING),
    ],
)
def test_no_catch_up_is_predicted_without_a_steady_trend_or_beyond_a_day(
    delay: float | None, trend: Trend | None
) -> None:
    assert catch_up_seconds(delay, 5, trend) is None


@pytest.mark.parametrize("trend", [None, Trend(0.5, steady=True)])
def test_a_delay_within_its_limit_is_caught_up_whatever_its_trend(trend: Trend | None) -> None:
    assert catch_up_seconds(4, 5, trend) == 0


@pytest.mark.parametrize("minutes", [20, 60, 600])
def test_the_end_of_a_load(minutes: int) -> None:
    ratios = every(60, *(number / minutes for number in range(15)))
    assert end_of_load(ratios) == pytest.approx(1e9 + 60 * minutes, abs=1)


@pytest.mark.parametrize("percent_minutes", [1, 2, 3, 5, 7])
def test_the_end_of_a_load_in_whole_percent_does_not_move_between_the_steps(percent_minutes: int) -> None:
    ratios = every(60, *(number // percent_minutes / 100 for number in range(100)))
    ends = [end_of_load(ratios[last - 30 : last + 1]) for last in range(40, 40 + 3 * percent_minutes)]
    times = [end - 1e9 for end in ends if end is not None]
    assert len(times) == len(ends)
    assert times == pytest.approx([6000 * percent_minutes] * len(times), rel=0.25)
    assert max(times) - min(times) < 0.15 * 6000 * percent_minutes


@pytest.mark.parametrize(
    "ratios",
    [
        every(60, *[0.5] * 30),
        every(60, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0),
        every(60, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3),
        every(60, *(number / 2000 for number in range(30))),
        every(60, 0.7, 0.8, 0.9),
    ],
    ids=["stalled", "backwards", "again and again", "over a day", "short"],
)
def test_no_end_of_a_load_is_predicted_without_a_steady_trend_or_beyond_a_day(ratios: Values) -> None:
    assert end_of_load(ratios) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_line_with_noise_is_predicted_within_a_tenth(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    trend = trend_of(every(60, *(9000 - 60 * number + chance.gauss(0, 15) for number in range(31))))
    assert trend is not None
    assert trend.steady
    assert trend.slope == pytest.approx(-1, rel=0.1)


@given(
    numbers=st.lists(st.floats(0, 1e18) | st.floats(0, 100) | st.just(0.0), max_size=34),
    steps=st.lists(st.floats(1, 2000), min_size=34, max_size=34),
    delay=st.none() | st.floats(0, 1e18),
    limit=st.floats(0, 3600),
)
def test_predictions_are_never_negative_infinite_or_too_far(
    numbers: list[float], steps: list[float], delay: float | None, limit: float
) -> None:
    at, values = 1e9, list[tuple[float, float]]()
    for number, step in zip(numbers, steps, strict=False):
        at += step
        values.append((at, number))
    trend = trend_of(values)
    assert trend is None or math.isfinite(trend.slope)
    seconds = catch_up_seconds(delay, limit, trend)
    assert seconds is None or 0 <= seconds <= DAY
    assert (seconds == 0) == (delay is not None and delay <= limit)
    end = end_of_load([(time, min(value, 1.0)) for time, value in values])
    assert end is None or 0 < end - values[-1][0] <= DAY
