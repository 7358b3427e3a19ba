"""The recent history of a task: its steps, its gaps and its size."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest

from exporter.model.task import Phase
from exporter.model.timeline import DAY, HOUR, Point, Timeline, TimelineRecorder, step_of

START = 1_767_225_600.0


def recorded(*points: Point) -> TimelineRecorder:
    recorder = TimelineRecorder(points[0].at)
    for point in points:
        recorder.record(point)
    return recorder


def every(step: float, seconds: float) -> list[Point]:
    return [Point(START + number * step, delay_seconds=number) for number in range(int(seconds // step) + 1)]


def ages(timeline: Timeline, window: float, now: float) -> list[float]:
    return [now - point.at for point in timeline.points(window)]


@pytest.mark.parametrize("phase", [None, *Phase])
@pytest.mark.parametrize("ready", [None, False, True])
def test_a_point_contains_what_was_recorded(phase: Phase | None, *, ready: bool | None) -> None:
    point = Point(START, 1.731, 0.4537, 1234.5, phase, ready)
    assert recorded(point).points(0) == [point]


@pytest.mark.parametrize("value", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("known", [1, 2, 3])
def test_unknown_values_stay_unknown_beside_known_ones(known: int, value: float) -> None:
    delay, ratio, rows = (value if number == known else None for number in (1, 2, 3))
    point = Point(START, delay, ratio, rows)
    assert recorded(point).points(0) == [point]


def test_values_beyond_all_sense_are_stored_without_an_error() -> None:
    (point,) = recorded(Point(START, 1e18, 1e16, 1e18)).points(0)
    assert point.delay_seconds == pytest.approx(1e18)
    assert point.full_progress_ratio == pytest.approx(1.09, rel=0.01)


@pytest.mark.parametrize(("step", "kept"), [(5, 60), (10, 60), (20, 60), (30, 60), (60, 60), (90, 90), (600, 600)])
def test_points_are_a_minute_apart_or_as_far_as_polls(step: float, kept: float) -> None:
    points = recorded(*every(step, 2 * HOUR)).points(0)
    distances = {later.at - earlier.at for earlier, later in pairwise(points)}
    assert distances == {55.0 if step == 5 else kept}


def test_a_point_before_the_newest_one_is_left_out() -> None:
    recorder = recorded(Point(START, 1), Point(START - 60, 2), Point(START + 30, 3))
    assert [point.delay_seconds for point in recorder.points(0)] == [1]


@pytest.mark.parametrize("step", [60, 55, 30])
def test_the_last_hour_is_there_in_steps_of_a_minute(step: float) -> None:
    now = START + 3 * HOUR
    shown = ages(Timeline(recorded(*every(step, 3 * HOUR)), now, 0), HOUR, now)
    assert len(shown) in {61, 66}
    assert shown[0] >= HOUR - step_of(HOUR)
    assert shown[-1] < 60


def test_the_last_day_is_there_in_steps_of_ten_minutes_with_the_newest_point() -> None:
    now = START + 2 * DAY + 240
    shown = ages(Timeline(recorded(*every(60, 2 * DAY + 240)), now, 0), DAY, now)
    assert shown[0] >= DAY - step_of(DAY)
    assert len(shown) == 145
    assert shown[-2:] == [240, 0]
    assert {earlier - later for earlier, later in pairwise(shown[:-1])} == {600}


def test_the_newest_point_is_there_once() -> None:
    now = START + DAY
    assert ages(Timeline(recorded(*every(600, DAY)), now, 0), DAY, now)[-2:] == [600, 0]


def test_a_gap_has_no_points() -> None:
    points = [point for point in every(60, HOUR) if not START + 600 < point.at < START + 1200]
    timeline = Timeline(recorded(*points), START + HOUR, 0)
    shown = [point.at - START for point in timeline.points(HOUR)]
    assert [at for at in shown if 600 <= at <= 1200] == [600, 1200]


def test_points_are_removed_from_a_window_by_their_age_also_without_new_ones() -> None:
    recorder, now = recorded(*every(60, HOUR)), START + HOUR
    assert len(Timeline(recorder, now + 1800, 0).points(HOUR)) == 31
    assert Timeline(recorder, now + 2 * HOUR, 0).points(HOUR) == ()
    assert len(Timeline(recorder, now + 2 * HOUR, 0).points(DAY)) == 7
    assert Timeline(recorder, now + DAY, 0).points(DAY)[0].at == START + HOUR
    assert Timeline(recorder, now + DAY + 1, 0).points(DAY) == ()


def test_times_are_unix_times_after_a_step_of_the_clock() -> None:
    timeline = Timeline(recorded(*every(60, 120)), START + 120, 7200)
    assert timeline.since == START + 7200
    assert [point.at for point in timeline.points(HOUR)] == [START + 7200 + seconds for seconds in (0, 60, 120)]


def test_a_history_needs_at_most_4_kb_however_long_it_is() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    recorders = [TimelineRecorder(START) for _ in range(10)]
    for number in range(0, 90_000, 60):
        for recorder in recorders:
            recorder.record(Point(START + number, 1.5, 0.5, 10.5, Phase.FULL, ready=True))
    size = (tracemalloc.get_traced_memory()[0] - before) / len(recorders)
    tracemalloc.stop()
    assert 3000 < size < 4000
