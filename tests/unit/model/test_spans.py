"""Stretches of time with a known value."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.spans import Mark, Period, Span, observed, sample, spans_of, without_early

DAY = Period(0.0, 1000.0)
LIMIT = 100.0


def values(*marks: Mark[str], runs: tuple[Period, ...] = (DAY,), lasting: str = "") -> list[tuple[str | None, float]]:
    """The values with the times at which they end."""
    return [(span.value, span.end) for span in spans_of(marks, runs, DAY, limit=LIMIT, lasting=lasting)]


def changes(at: float, before: str | None, after: str | None) -> Mark[str]:
    return Mark(at, before, after)


def samples(start: int, end: int, value: str) -> list[Mark[str]]:
    return [sample(float(at), value) for at in range(start, end + 1, 50)]


def test_without_marks_the_whole_window_is_unknown() -> None:
    assert values() == [(None, 1000.0)]


def test_a_value_is_known_from_its_first_to_its_last_sample() -> None:
    assert values(*samples(200, 600, "a")) == [(None, 200.0), ("a", 600.0), (None, 1000.0)]


def test_a_newest_sample_counts_until_now() -> None:
    assert values(*samples(0, 950, "a")) == [("a", 1000.0)]


def test_a_change_ends_one_value_and_begins_the_next() -> None:
    marks = [*samples(0, 400, "a"), changes(420, "a", "b"), *samples(450, 1000, "b")]
    assert values(*marks) == [("a", 420.0), ("b", 1000.0)]


def test_a_value_that_changed_unobserved_is_unknown_in_between() -> None:
    marks = [*samples(0, 400, "a"), *samples(450, 1000, "b")]
    assert values(*marks) == [("a", 400.0), (None, 450.0), ("b", 1000.0)]


def test_a_long_distance_between_two_samples_is_unknown() -> None:
    marks = [*samples(0, 300, "a"), *samples(500, 1000, "a")]
    assert values(*marks) == [("a", 300.0), (None, 500.0), ("a", 1000.0)]


def test_a_value_without_samples_lasts_until_the_next_mark() -> None:
    marks = [*samples(0, 300, "a"), changes(300, "a", "z"), changes(800, "z", "a"), *samples(800, 1000, "a")]
    assert values(*marks, lasting="z") == [("a", 300.0), ("z", 800.0), ("a", 1000.0)]
    assert values(*marks) == [("a", 300.0), (None, 800.0), ("a", 1000.0)]


def test_a_last_value_without_samples_lasts_until_the_end() -> None:
    marks = [*samples(0, 300, "a"), changes(300, "a", "z")]
    assert values(*marks, lasting="z") == [("a", 300.0), ("z", 1000.0)]
    assert values(*marks) == [("a", 300.0), (None, 1000.0)]


def test_a_first_value_without_samples_has_lasted_since_the_start() -> None:
    marks = [changes(300, "z", "a"), *samples(300, 1000, "a")]
    assert values(*marks, lasting="z") == [("z", 300.0), ("a", 1000.0)]
    assert values(*marks) == [(None, 300.0), ("a", 1000.0)]


def test_changes_alone_are_enough_where_no_samples_exist() -> None:
    assert values(changes(100, None, "a"), changes(900, "a", "b")) == [(None, 100.0), ("a", 900.0), ("b", 1000.0)]


def test_nothing_is_known_while_the_exporter_did_not_run() -> None:
    runs = (Period(0.0, 400.0), Period(600.0, 1000.0))
    marks = [*samples(0, 400, "a"), *samples(600, 1000, "a")]
    assert values(*marks, runs=runs) == [("a", 400.0), (None, 600.0), ("a", 1000.0)]


def test_a_value_after_a_run_is_not_that_before_it() -> None:
    runs = (Period(0.0, 400.0), Period(600.0, 1000.0))
    marks = [*samples(0, 400, "a"), changes(610, "a", "b"), *samples(610, 1000, "b")]
    assert values(*marks, runs=runs) == [("a", 400.0), (None, 610.0), ("b", 1000.0)]


def test_marks_outside_the_window_count_inside() -> None:
    run = Period(-500.0, 1500.0)
    marks = [sample(float(at), "a") for at in range(-500, 1501, 50)]
    assert values(*marks, runs=(run,)) == [("a", 1000.0)]


def test_a_sample_that_contains_a_later_change_already_is_left_out() -> None:
    marks = [sample(0.0, "a"), sample(50.0, "b"), changes(60, "a", "b"), sample(100.0, "b")]
    assert without_early(marks, LIMIT) == [marks[0], *marks[2:]]


def test_a_sample_that_contradicts_a_much_later_change_is_kept() -> None:
    marks = [sample(0.0, "b"), changes(400, "a", "b")]
    assert without_early(marks, LIMIT) == marks


MARKS = st.lists(
    st.builds(
        Mark,
        st.floats(-100, 1100),
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["a", "b", None]),
        st.booleans(),
    ),
    max_size=12,
)


@given(MARKS, st.lists(st.floats(0, 1000), min_size=0, max_size=6, unique=True))
def test_the_result_covers_the_window_without_holes_and_overlaps(marks: list[Mark[str]], edges: list[float]) -> None:
    edges.sort()
    runs = [Period(*edges[at : at + 2]) for at in range(0, len(edges) - 1, 2)]
    found = spans_of(sorted(marks, key=lambda mark: mark.at), runs, DAY, limit=LIMIT, lasting={"b"})
    assert (found[0].start, found[-1].end) == (0.0, 1000.0)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(span.period.seconds > 0 for span in found)
    for span in found:
        inside = any(run.start <= span.start and span.end <= run.end for run in runs)
        assert span.value is None or inside


@pytest.mark.parametrize(("start", "end"), [(1000.0, 1200.0), (-200.0, 0.0), (500.0, 500.0)])
def test_a_period_outside_of_another_has_no_part_in_it(start: float, end: float) -> None:
    assert Period(start, end).within(DAY) is None


def test_a_span_has_a_length() -> None:
    assert Span("a", 1.0, 3.0).period.seconds == 2.0
    assert DAY.seconds == 1000.0


def test_a_change_after_an_unknown_time_was_not_observed() -> None:
    spans: list[Span[str]] = [Span("a", 0.0, 1.0), Span("b", 1.0, 2.0), Span(None, 2.0, 3.0), Span("c", 3.0, 4.0)]
    assert observed(spans, {1.0, 2.0, 3.0}) == [(False, True), (True, False), (False, False), (False, False)]


def test_values_that_follow_each_other_without_a_change_were_not_observed() -> None:
    assert observed([Span("a", 0.0, 1.0), Span("b", 1.0, 2.0)], set()) == [(False, False), (False, False)]
