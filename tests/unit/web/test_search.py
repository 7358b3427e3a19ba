"""Queries are parsed strictly and written back as links; tasks are filtered, sorted and cut into pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.facts import Progress
from exporter.model.task import Identity, Listed, Task
from exporter.store.store import Store
from exporter.web.search import MAX_LIMIT, SORTS, Query, SearchResult, search
from tests.lib.virtual_time import other_task, simulate

STATUSES = ("INCRE_TRANSFER_STARTED", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "PAUSING", "DREAMING")


class Shelf:
    """A store as far as it is looked at."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks

    def tasks(self) -> Sequence[Task]:
        return self._tasks


def numbered(number: int, **facts: Any) -> Task:
    identity = Identity("acme", "eu-de", f"shop-{number % 3}", f"id-{number}", f"Task {number}")
    status = facts.pop("status", STATUSES[0])
    listed = Listed(identity.task_id, identity.task_name, status, "sync") if status else None
    return Task(replace(identity, parent_id=facts.pop("parent_id", None)), listed=listed, **facts)


def found(tasks: Sequence[Task], **asked: Any) -> SearchResult:
    return simulate(search(cast("Sequence[Store]", [Shelf(tasks[::2]), Shelf(tasks[1::2])]), Query(**asked)))


def ids(tasks: Sequence[Task], **asked: Any) -> list[str]:
    return [task.identity.task_id.removeprefix("id-") for task in found(tasks, **asked).tasks]


TASKS = [
    numbered(0, progress=Progress(full_ratio=1.0, delay_seconds=3.0), collected=(("node", 1.0), ("progress", 50.0))),
    numbered(1, status=STATUSES[1], progress=Progress(full_ratio=0.4), collected=(("progress", 40.0),)),
    numbered(2, status=STATUSES[2], blockers=(("phase", True), ("stale", True))),
    numbered(3, status=None),
    numbered(4, progress=Progress(delay_seconds=9.0), blockers=(("phase", False), ("delay_high", True))),
    numbered(5, status=STATUSES[3], parent_id="id-4", blockers=None),
    numbered(6, status=STATUSES[4], blockers=(("phase", False),)),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        *[({}, "3 2 6 4 5 0 1"), ({"sort": "-phase"}, "1 0 4 5 6 2 3"), ({"sort": "task_name"}, "0 1 2 3 4 5 6")],
        *[({"sort": "-task_name"}, "6 4 5 3 2 1 0"), ({"sort": "project"}, "0 3 6 1 4 5 2")],
        *[({"sort": "progress"}, "1 0 2 3 4 5 6"), ({"sort": "-progress"}, "0 1 6 4 5 3 2")],
        *[({"sort": "delay"}, "0 4 5 1 2 3 6"), ({"sort": "-delay"}, "4 5 0 6 3 2 1")],
        *[({"sort": "age"}, "0 1 2 3 4 5 6"), ({"sort": "-age"}, "1 0 6 4 5 3 2")],
        *[({"sort": "cutover"}, "6 4 5 2 0 1 3"), ({"sort": "-cutover"}, "2 4 5 6 3 1 0")],
        *[({"phase": "incremental"}, "4 0"), ({"phase": "unknown"}, "3"), ({"cutover": "ready"}, "6")],
        *[({"cutover": "blocked"}, "2 4"), ({"project": "acme/eu-de/shop-1"}, "4 1")],
        *[({"project": "acme/eu-de"}, ""), ({"q": "TASK 3"}, "3"), ({"q": "id-5"}, "5")],
        *[({"q": "none of them"}, ""), ({"q": "task 3, ID-5 ,none"}, "3 5"), ({"q": " , "}, "3 2 6 4 5 0 1")],
        ({"q": "task", "phase": "paused", "project": "acme/eu-de/shop-2"}, "5"),
        *[({"limit": 3}, "3 2 6"), ({"limit": 3, "page": 2}, "4 5 0"), ({"limit": 3, "page": 3}, "1")],
        ({"limit": 3, "page": 99}, "1"),
    ],
)
def test_which_tasks_and_in_which_order(asked: dict[str, Any], expected: str) -> None:
    assert " ".join(ids(TASKS, **asked)) == expected


def test_what_is_counted_is_the_whole_fleet() -> None:
    whole = found(TASKS, q="task 1", limit=1)
    assert (whole.total, whole.subtasks, whole.matched, whole.pages) == (7, 1, 1, 1)
    assert whole.phases == {"unknown": 1, "failed": 1, "other": 1, "paused": 1, "incremental": 2, "full": 1}
    assert (whole.cutover["ready"], whole.cutover["blocked"]) == (1, 2)
    assert whole.projects == {"acme/eu-de/shop-0": 3, "acme/eu-de/shop-1": 2, "acme/eu-de/shop-2": 1}
    assert whole.slowest is TASKS[4]
    assert (whole.names["id-3"], found(TASKS, limit=2).pages) == ("Task 3", 4)
    nothing = found([])
    assert (nothing.tasks, nothing.pages, nothing.slowest) == ([], 1, None)


@given(
    st.lists(st.tuples(st.sampled_from(STATUSES), st.none() | st.floats(0, 1e6)), max_size=40),
    st.sampled_from([*SORTS, *(f"-{word}" for word in SORTS)]),
    st.integers(1, 7),
)
def test_pages_together_are_all_tasks_in_order(facts: list[tuple[str, float | None]], sort: str, limit: int) -> None:
    tasks = [
        numbered(number, status=status, progress=Progress(delay_seconds=delay))
        for number, (status, delay) in enumerate(facts)
    ]
    whole = ids(tasks, sort=sort, limit=MAX_LIMIT)
    assert sorted(whole, key=int) == [str(number) for number in range(len(tasks))]
    pages = found(tasks, limit=limit).pages
    assert [
        task_id for page in range(1, pages + 1) for task_id in ids(tasks, sort=sort, limit=limit, page=page)
    ] == whole


async def test_others_run_while_many_tasks_are_searched() -> None:
    stores = cast("Sequence[Store]", [Shelf([numbered(number) for number in range(5000)])])
    async with other_task() as turns:
        await search(stores, Query(sort="task_name", page=50))
    assert len(turns) >= 5000 / 250 + 5000 / 250


def query_of(link: str) -> Query:
    query, faults = Query.of(dict(parse_qsl(link.removeprefix("?"))))
    assert not faults
    return query


def test_an_empty_query_returns_all_tasks_the_worst_first() -> None:
    query, faults = Query.of({})
    assert (query, faults) == (Query(), ())
    assert (query.key, query.backwards, query.filtered, query.link()) == ("phase", False, False, "?")


def test_all_that_can_be_query_of() -> None:
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
    assert (faults, query) == ((), Query("Orders", "failed", "acme/eu-de/shop", "blocked", "-delay", 3, 50))
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
def test_an_invalid_parameter_is_reported_and_ignored(name: str, value: str, fault: str) -> None:
    query, (told,) = Query.of({name: value, "q": "kept"})
    assert told.startswith(fault)
    assert "<" not in told
    assert query == Query(q="kept")


@given(st.text(max_size=200).map(str.strip), st.sampled_from(["", "failed", "full"]), st.integers(1, 99))
def test_a_link_contains_the_query_that_it_shows(words: str, phase: str, page: int) -> None:
    query = Query(q=words.encode(errors="replace").decode(), phase=phase, sort="-age", page=page)
    assert query_of(query.link(page=page)) == query


def test_whatever_changes_the_first_page_is_shown() -> None:
    query = Query(q="a", page=7)
    assert query_of(query.link(phase="failed")) == Query(q="a", phase="failed", page=1)
    assert query_of(query.link(page=8)).page == 8


def test_the_head_of_a_column_sorts_by_it_and_then_the_other_way_round() -> None:
    query = Query()
    assert (query.direction("phase"), query.direction("delay")) == ("ascending", "none")
    by_delay = query_of(query.sorted_by("delay"))
    assert (by_delay.sort, by_delay.direction("delay")) == ("-delay", "descending")
    assert query_of(by_delay.sorted_by("delay")).sort == "delay"
    by_name = query_of(query.sorted_by("task_name"))
    assert (by_name.sort, by_name.direction("task_name")) == ("task_name", "ascending")
    assert query_of(by_name.sorted_by("task_name")).sort == "-task_name"
