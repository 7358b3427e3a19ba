"""What readers ask for: parsed strictly, written back as links."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.web.search import Query


def asked(link: str) -> Query:
    query, faults = Query.of(dict(parse_qsl(link.removeprefix("?"))))
    assert not faults
    return query


def test_nothing_asked_is_everything_worst_first() -> None:
    query, faults = Query.of({})
    assert (query, faults) == (Query(), ())
    assert (query.key, query.backwards, query.filtered, query.link()) == ("phase", False, False, "?")


def test_all_that_can_be_asked() -> None:
    parameters = {
        "q": "  Orders ",
        "phase": "failed",
        "project": "acme/eu-de/shop",
        "cutover": "blocked",
        "sort": "-delay",
        "page": "3",
        "limit": "50",
        "utm_source": "mail",
    }
    query, faults = Query.of(parameters)
    assert faults == ()
    assert query == Query("Orders", "failed", "acme/eu-de/shop", "blocked", "-delay", 3, 50)
    assert (query.key, query.backwards, query.filtered) == ("delay", True, True)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("phase", "FAILED", "phase: expected one of unknown, failed, other, paused, changing, incremental, full, "),
        ("cutover", "yes", "cutover: expected one of ready, blocked"),
        ("sort", "name", "sort: expected one of phase, task_name, project, progress, delay, age, cutover, -phase, "),
        ("phase", "<script>", "phase: expected one of "),
        ("sort", "--delay", "sort: expected one of "),
        ("page", "0", "page: expected a number from 1 to 1000000"),
        ("page", "-1", "page: "),
        ("page", "٣", "page: "),
        ("page", "9" * 5000, "page: "),
        ("limit", "501", "limit: expected a number from 1 to 500"),
        ("limit", "ten", "limit: "),
    ],
)
def test_what_makes_no_sense_is_told_and_left_out(name: str, value: str, fault: str) -> None:
    query, (told,) = Query.of({name: value, "q": "kept"})
    assert told.startswith(fault)
    assert "<" not in told
    assert query == Query(q="kept")


@given(st.text(max_size=200).map(str.strip), st.sampled_from(["", "failed", "full"]), st.integers(1, 99))
def test_a_link_asks_for_what_it_says(words: str, phase: str, page: int) -> None:
    query = Query(q=words.encode(errors="replace").decode(), phase=phase, sort="-age", page=page)
    assert asked(query.link(page=page)) == query


def test_whatever_changes_the_first_page_is_shown() -> None:
    query = Query(q="a", page=7)
    assert asked(query.link(phase="failed")) == Query(q="a", phase="failed", page=1)
    assert asked(query.link(page=8)).page == 8


def test_the_head_of_a_column_sorts_by_it_and_then_the_other_way_round() -> None:
    query = Query()
    assert query.direction("phase") == "ascending"
    assert query.direction("delay") == "none"
    by_delay = asked(query.sorted_by("delay"))
    assert (by_delay.sort, by_delay.direction("delay")) == ("-delay", "descending")
    assert asked(by_delay.sorted_by("delay")).sort == "delay"
    by_name = asked(query.sorted_by("task_name"))
    assert (by_name.sort, by_name.direction("task_name")) == ("task_name", "ascending")
    assert asked(by_name.sorted_by("task_name")).sort == "-task_name"
