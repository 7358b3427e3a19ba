"""The calls that the configured intervals take, and how old delays become where too few are allowed."""

from __future__ import annotations

from math import ceil

import pytest

from exporter.polling.demand import WavePolls, calls_per_second, delay_growth, wave_stretch
from exporter.polling.list_reader import ListCost


@pytest.mark.parametrize(
    ("intervals", "batch", "calls"),
    [
        ([], 10, 0),
        ([30.0], 10, 1 / 30),
        ([30.0] * 3, 10, 1 / 30),  # one call for all of them
        ([30.0] * 100, 10, 10 / 30),
        ([30.0] * 100, 1, 100 / 30),
        ([60.0, 300.0], 1, 1 / 60 + 1 / 300),
        ([60.0, *[300.0] * 5], 10, 1 / 60),  # the task that is due most often decides; the others fill its batch
    ],
)
def test_calls_of_a_source(intervals: list[float], batch: int, calls: float) -> None:
    assert calls_per_second(intervals, batch) == pytest.approx(calls)


@pytest.mark.parametrize(
    ("total", "active", "most_ids", "minute"),
    [
        (0, 0, 100, 2),  # an empty list has a page as well
        (100, 100, 100, 2),
        (200, 200, 100, 2 * 2),  # first page and ids would cost three calls
        (10_000, 100, 100, 2 * 2 + 100 / 5),
        (10_000, 101, 100, 2 * 3 + 100 / 5),
        (10_000, 100, 10, 2 * 11 + 100 / 5),
        (1000, 100, 10, 2 * 10),
        (10_000, 0, 100, 2 * 1 + 100 / 5),
    ],
)
def test_calls_of_a_list(total: int, active: int, most_ids: int, minute: float) -> None:
    cost = ListCost(max(1, ceil(total / 100)), ceil(active / most_ids), second=False)
    assert 60 * cost.per_second(30.0) == pytest.approx(minute)


@pytest.mark.parametrize(
    ("demand", "growth"),
    [
        ({}, 1),
        ({"progress": 3.0}, 1),
        ({"progress": 6.0}, 2),
        ({"progress": 2.0, "tasks": 2.0, "recovery": 2.0}, 2),
        ({"progress": 3.0, "detail": 12.0}, 2),  # others count a quarter, because they become four times as late
        ({"progress": 0.5, "detail": 4.0}, 1),
    ],
)
def test_delays_become_older_only_where_delays_and_a_quarter_of_the_rest_exceed_the_limit(
    demand: dict[str, float], growth: float
) -> None:
    assert delay_growth(demand, 3.0) == pytest.approx(growth)


@pytest.mark.parametrize(("pages", "ids", "minute"), [(1, 0, 0.2), (1, 1, 2.2), (10, 10, 22), (1, 2, 2), (10, 100, 20)])
def test_a_list_beside_another_one_costs_its_own_tasks_or_its_pages_every_interval(
    pages: int, ids: int, minute: float
) -> None:
    assert 60 * ListCost(pages, ids, second=True).per_second(30.0) == pytest.approx(minute)


@pytest.mark.parametrize(("calls", "stretch"), [(0, 1), (0.5, 1), (1.5, 1), (4.5, 3)])
def test_the_intervals_of_waves_are_stretched_to_half_of_the_rate_limit(calls: float, stretch: float) -> None:
    assert wave_stretch(calls, 3.0) == stretch


def test_a_wave_takes_a_call_for_each_batch_of_tasks_with_the_same_interval() -> None:
    polls = WavePolls(30.0, 10, {})
    for number in range(12):
        polls.add(f"ten-{number}", 10.0)
        polls.add(f"usual-{number}", None)
        polls.add(f"minute-{number}", 60.0)  # longer than usual: a wave makes no interval longer
    assert polls.calls == pytest.approx(2 / 10 + 3 / 30)


def test_tasks_that_a_stretched_wave_would_poll_less_often_than_usual_are_none_of_its_tasks() -> None:
    polls = WavePolls(30.0, 10, {"a": 10.0, "b": 20.0, "c": 30.0})
    assert polls.stretched(1.0) == polls.intervals
    assert polls.stretched(1.5) == {"a": 15.0, "b": 30.0}
    assert polls.stretched(3.1) == {}
