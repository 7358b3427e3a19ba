"""Plots as SVG paths: gaps stay gaps, and the axis of the value begins at 0."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.timeline import DAY, HOUR, Point, Timeline, TimelineRecorder
from exporter.views.plots import HEIGHT, WIDTH, Values, Window, delay_plot, history, progress_plot, sparkline

HOUR_WINDOW = Window(end=HOUR, seconds=HOUR, step=60.0)


def delays(values: Values) -> str:
    return delay_plot(values, HOUR_WINDOW).path


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([], ""),
        ([(600.0, None)], ""),
        ([(0.0, 10.0), (60.0, 5.0), (120.0, 0.0)], "M0.0 0.0L10.0 50.0L20.0 100.0"),
        ([(0.0, 10.0), (60.0, None), (120.0, 10.0)], "M0.0 0.0L20.0 0.0"),  # one missed step is no gap
        ([(0.0, 10.0), (60.0, 10.0), (240.0, 10.0), (300.0, 10.0)], "M0.0 0.0L10.0 0.0M40.0 0.0L50.0 0.0"),
        ([(1800.0, 10.0)], "M300.0 0.0h0"),
        ([(-60.0, 10.0), (0.0, 10.0), (HOUR + 60, 10.0)], "M0.0 0.0h0"),
    ],
    ids=["none", "unknown", "line", "one missed step", "gap", "dot", "outside"],
)
def test_the_path_of_a_delay(values: Values, path: str) -> None:
    assert delays(values) == path


@pytest.mark.parametrize(
    ("peak", "levels"),
    [
        (0.0, ("10s", "5s", "0")),
        (10.0, ("10s", "5s", "0")),
        (11.0, ("30s", "15s", "0")),
        (200.0, ("5m", "2m30s", "0")),
        (9000.0, ("4h", "2h", "0")),
        (11 * DAY, ("11d", "5d12h", "0")),
    ],
)
def test_the_axis_of_a_delay_begins_at_0_and_ends_at_a_round_time(peak: float, levels: tuple[str, ...]) -> None:
    assert delay_plot([(0.0, 0.0), (60.0, peak)], HOUR_WINDOW).levels == levels


def test_the_axis_of_the_time_has_clock_times_in_utc() -> None:
    assert delay_plot([], HOUR_WINDOW).times == ("00:00Z", "00:30Z", "01:00Z")
    assert delay_plot([], Window(DAY, DAY, 600.0)).times == ("00:00Z", "12:00Z", "00:00Z")


def test_the_plot_of_a_progress_always_has_the_whole_range() -> None:
    plot = progress_plot([(0.0, 0.25), (60.0, 0.5)], HOUR_WINDOW)
    assert (plot.path, plot.levels) == ("M0.0 75.0L10.0 50.0", ("100%", "50%", "0%"))
    assert plot.summary == "25% to 50%"


def test_a_plot_is_a_text_too() -> None:
    assert delay_plot([(0.0, 7.0), (60.0, None), (120.0, 90.0), (180.0, 30.0)], HOUR_WINDOW).summary == (
        "7s to 1m30s, last 30s"
    )
    assert delay_plot([(0.0, None)], HOUR_WINDOW).summary == "no values"


@given(
    st.lists(st.tuples(st.floats(0, HOUR), st.none() | st.floats(0, 1e7)), max_size=50).map(
        lambda values: sorted(values, key=lambda value: value[0])
    )
)
def test_every_point_is_inside_the_box(values: list[tuple[float, float | None]]) -> None:
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", delays(values)):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT


def timeline_of(*points: Point) -> Timeline:
    recorder = TimelineRecorder(points[0].at)
    for point in points:
        recorder.record(point)
    return Timeline(recorder, points[-1].at, 0.0)


def test_the_history_of_a_load_has_its_progress_and_that_of_an_incremental_task_its_delay() -> None:
    loading = timeline_of(*(Point(60.0 * minute, full_progress_ratio=minute / 60) for minute in range(30)))
    assert [title for title, _ in history(loading, 1740.0)] == ["Full load, last hour", "Full load, last day"]
    assert sparkline(loading, 1740.0) is None
    replicating = timeline_of(*(Point(60.0 * minute, 5.0, 1.0) for minute in range(30)))
    assert [title for title, _ in history(replicating, 1740.0)] == ["Delay, last hour", "Delay, last day"]
    plot = sparkline(replicating, 1740.0)
    assert plot is not None
    assert plot.path.startswith("M310.0 50.0L")
