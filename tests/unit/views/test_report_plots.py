"""The axis of time of a report, and what is drawn over it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from exporter.model.timeline import DAY, HOUR
from exporter.views.report_plots import Axis, Bar, delay_of

BERLIN = ZoneInfo("Europe/Berlin")


def axis(start: str, hours: float, zone: tzinfo = UTC) -> Axis:
    begins = datetime.fromisoformat(start).timestamp()
    return Axis(begins, begins + hours * HOUR, zone)


def labels(shown: Axis) -> list[str]:
    return [tick.label for tick in shown.ticks()]


def test_a_night_has_a_label_every_two_hours_and_names_each_day() -> None:
    assert labels(axis("2026-12-05T20:00Z", 12)) == [
        *("Dec 5 20:00", "22:00", "Dec 6 00:00", "02:00", "04:00", "06:00", "08:00"),
    ]


def test_labels_are_at_round_times_within_the_axis() -> None:
    shown = axis("2026-12-05T20:07Z", 1)
    assert labels(shown) == ["Dec 5 20:10", "20:20", "20:30", "20:40", "20:50", "21:00"]
    assert shown.ticks()[0].percent == 5.0


@pytest.mark.parametrize("hours", [0.001, 0.1, 1, 5, 13, 30, 60, 24 * 9, 24 * 90, 24 * 4000])
def test_no_axis_has_more_labels_than_fit(hours: float) -> None:
    assert len(labels(axis("2026-12-05T20:00Z", hours))) <= 8


def test_the_last_label_is_on_the_left_of_its_place() -> None:
    assert [tick.left for tick in axis("2026-12-05T20:00Z", 2).ticks()][-1]
    assert not axis("2026-12-05T20:00Z", 2).ticks()[0].left


def test_labels_are_in_the_zone() -> None:
    assert labels(axis("2026-12-05T22:00Z", 2, BERLIN))[:2] == ["Dec 5 23:00", "23:20"] or labels(
        axis("2026-12-05T22:00Z", 2, BERLIN)
    )[0].startswith("Dec 5 23:00")


def test_over_a_change_of_summer_time_each_label_has_its_offset() -> None:
    assert labels(axis("2026-10-24T22:00Z", 5, BERLIN)) == [
        *("Oct 25 00:00+02:00", "01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00", "04:00+01:00"),
    ]


def test_a_bar_is_visible_however_short_it_is() -> None:
    shown = axis("2026-12-05T20:00Z", 12)
    assert shown.bar(shown.start + 6 * HOUR, shown.end, "full") == Bar(300.0, 300.0, "full")
    assert shown.bar(shown.start, shown.start + 1, "full").width == 1.0


def test_a_delay_is_plotted_over_the_axis() -> None:
    shown = axis("2026-12-05T20:00Z", 1)
    plot = delay_of(shown, [(shown.start, 10.0), (shown.start + 60, 5.0)], 60.0)
    assert plot is not None
    assert (plot.path, plot.levels) == ("M0.0 0.0L10.0 50.0", ("10s", "5s", "0"))


@pytest.mark.parametrize("values", [[], [(0.0, 1.0)]], ids=["none", "outside"])
def test_without_a_delay_there_is_no_plot(values: list[tuple[float, float]]) -> None:
    assert delay_of(axis("2026-12-05T20:00Z", 1), values, DAY) is None
