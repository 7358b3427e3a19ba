from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cloud.http.errors import BadRequestError, CloudError, DecodeError
from exporter.model.task_lists import Gap
from exporter.simulator import Fault, SimTask, SimulatedCloud, World
from tests.lib import virtual_time as virtual
from tests.lib.cloud import PROJECT, Script, connected, refusal
from tests.lib.task_lists import BOTH, listed, page, seen, task, walked
from tests.lib.transport import InProcess
from tests.lib.virtual_time import simulated

EMPTY = refusal(422, "DRS.M00002", "The returned result is empty.")


class Moving:
    """A list, newest first, that changes after the first page; pages hold at most `size`."""

    def __init__(self, api: str, change: Callable[[list[int]], None], size: int = 100) -> None:
        self.numbers = list(range(250, 0, -1))
        self.api = api
        self._change = change
        self._size = size
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked == 2:
            self._change(self.numbers)
        if self.api == "v3":
            start = (json.loads(request.content)["cur_page"] - 1) * 100
            ordered = self.numbers
        else:
            start = int(request.url.params["offset"])
            ordered = sorted(self.numbers, reverse=request.url.params.get("sort_dir", "desc") == "desc")
        return httpx.Response(200, json=page(ordered[start : start + self._size], len(self.numbers)))


@BOTH
def test_what_is_asked_for(api: str) -> None:
    script = Script(page(range(100), 150), page(range(100, 150), 150))
    assert seen(script, api) == (set(range(150)), True)
    if api == "v3":
        assert script.bodies == [
            {"cur_page": number, "per_page": 100, "db_use_type": "sync", "engine_type": ""} for number in (1, 2)
        ]
    else:
        asked = [dict(request.url.params) for request in script.requests]
        sort = {"sort_key": "create_time", "sort_dir": "asc"}
        assert asked == [{"job_type": "sync", "offset": offset, "limit": "100", **sort} for offset in ("0", "100")]


@BOTH
@pytest.mark.parametrize(
    ("pages", "numbers", "gap"),
    [
        ([page([], 0)], set(), None),
        ([{"jobs": None, "total_record": 0, "total_count": 0}], set(), None),
        *[([{"total_record": 0, "total_count": 0}], set(), None), ([page([1], 1)], {1}, None)],
        *[([EMPTY], set(), None), ([page([1, 2], 3), EMPTY], {1, 2}, Gap.TOTAL)],
        # a short page is not the end
        ([page([1], 3), page([2], 3), page([3], 3)], {1, 2, 3}, None),
        ([page([1, 2], 3), page([3], 3)], {1, 2, 3}, None),
        # an empty page is
        ([page([1], 3), page([], 3)], {1}, Gap.TOTAL),
        # the same page again
        ([page([1, 2], 9)] * 2, {1, 2}, Gap.REPEATED),
        # a part of it again
        ([page([1, 2], 4), page([2, 3], 4)], {1, 2, 3}, Gap.TOTAL),
        ([page([1, 2, 2], 3)], {1, 2}, Gap.TOTAL),
        # a total that is wrong, or changes
        ([page([1, 2], 1)], {1, 2}, Gap.TOTAL),
        ([page([1], 9), page([2], 9), page([], 9)], {1, 2}, Gap.TOTAL),
        ([page([1, 2], 4), page([3], 3)], {1, 2, 3}, Gap.TOTAL),
        # a page of which nothing can be read is not the end
        ([{**page([], 3), "jobs": [None]}, page([2, 3], 3)], {2, 3}, Gap.UNREADABLE),
        ([page([1, 2], 2) | {"jobs": [task(1), {"id": "id-2"}]}], {1}, Gap.UNREADABLE),
        ([page([1], 1) | {"jobs": [task(1) | {"children": 7}]}], {1}, None),  # all tasks are known, but for subtasks
        ([page([1], 1) | {"jobs": [task(1) | {"children": [task(1)]}]}], {1}, None),  # all ids are known
    ],
)
def test_where_a_list_ends_and_what_it_may_lack(api: str, pages: list[Any], numbers: set[int], gap: Gap | None) -> None:
    script = Script(*(_again(page) for page in pages))
    assert (seen(script, api), len(script.requests)) == ((numbers, gap is None), len(pages))
    assert listed(Script(*(_again(page) for page in pages)), api) == (len(numbers), gap, len(pages))


def _again(reply: Any) -> Any:
    return reply if isinstance(reply, dict) else httpx.Response(reply.status_code, content=reply.content)


@BOTH
def test_a_list_without_an_end_is_cut_and_proves_no_absence(api: str) -> None:
    answer = walked(Script(*(page(range(first, first + 100), 10**9) for first in range(0, 30_000, 100))), api)
    assert not isinstance(answer, CloudError)
    assert (len(answer.tasks), answer.gap) == (20_100, Gap.LONG)


PAST_END = [refusal(400, code, "Invalid page number.") for code in ("DRS.M00210", "DRS.M00211")]


@BOTH
@pytest.mark.parametrize("past_end", PAST_END)
def test_a_page_that_is_refused_as_beyond_the_end_keeps_what_arrived(api: str, past_end: httpx.Response) -> None:
    script = Script(page(range(100), 150), _again(past_end))
    assert (listed(script, api), len(script.requests)) == ((100, Gap.REFUSED, 1), 2)


@BOTH
@pytest.mark.parametrize("past_end", PAST_END)
def test_a_refused_first_page_is_an_error_and_so_is_any_other_refusal(api: str, past_end: httpx.Response) -> None:
    assert isinstance(walked(Script(_again(past_end)), api), BadRequestError)
    assert isinstance(walked(Script(page(range(100), 150), refusal(400, "DRS.M00200")), api), BadRequestError)


@BOTH
@pytest.mark.parametrize(
    ("total", "most"),
    [
        (lambda calls: calls + 2, 103),  # a page more than were there at first
        (lambda calls: calls - 1, 1),
        (lambda _: 10**9, 1000),
    ],
)
def test_endless_pages_end(api: str, total: Callable[[int], int], most: int) -> None:
    calls = 0

    def more(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(200, json=page([calls], total(calls)))

    numbers, complete = seen(Script(more), api)
    assert (calls, numbers, complete) == (most, set(range(1, most + 1)), False)


@pytest.mark.parametrize(("api", "all_of_them"), [("v3", range(1, 251)), ("v5", range(1, 252))])
def test_a_task_created_between_two_pages_makes_the_list_incomplete(api: str, all_of_them: range) -> None:
    moving = Moving(api, lambda numbers: numbers.insert(0, 251))
    assert seen(Script(moving), api) == (set(all_of_them), False)  # in v5 it comes last
    assert moving.asked == 3


@pytest.mark.parametrize(("api", "deleted", "hidden"), [("v3", 200, 150), ("v5", 50, 101)])
def test_a_task_deleted_between_two_pages_makes_the_list_incomplete(api: str, deleted: int, hidden: int) -> None:
    numbers, complete = seen(Script(Moving(api, lambda numbers: numbers.remove(deleted))), api)
    # The first of what was the second page is hidden; the counts match all the same.
    assert (numbers, complete) == (set(range(1, 251)) - {hidden}, False)


def test_v3_lists_all_tasks_if_one_is_created_and_one_deleted_between_two_pages() -> None:
    def change(numbers: list[int]) -> None:
        numbers.remove(200)
        numbers.insert(0, 251)

    assert seen(Script(Moving("v3", change)), "v3") == (set(range(1, 251)), True)


def test_v5_may_miss_a_task_although_all_counts_agree() -> None:
    """Why a list of several pages proves an absence only as the second in a row."""

    def change(numbers: list[int]) -> None:
        numbers.remove(50)
        numbers.insert(0, 251)

    script = Script(Moving("v5", change))
    assert seen(script, "v5") == (set(range(1, 252)) - {101}, True)
    script = Script(Moving("v5", change))
    assert listed(script, "v5") == (250, None, 3)


def test_v5_goes_on_behind_what_came_however_short_the_page() -> None:
    moving = Moving("v5", lambda _: None, size=30)
    assert (seen(Script(moving), "v5"), moving.asked) == ((set(range(1, 251)), True), 9)


def test_v3_sees_that_short_pages_leave_gaps() -> None:
    moving = Moving("v3", lambda _: None, size=30)
    numbers, complete = seen(Script(moving), "v3")
    assert (len(numbers), complete, moving.asked) == (90, False, 4)


@given(pages=st.lists(st.tuples(st.lists(st.integers(0, 9), max_size=5), st.integers(0, 12)), min_size=1, max_size=6))
def test_a_list_is_complete_only_if_all_counts_agree(pages: list[tuple[list[int], int]]) -> None:
    script = Script(*(page(numbers, total) for numbers, total in pages))
    for api in ("v3", "v5"):
        script.requests.clear()
        if not pages[0][0] and pages[0][1]:
            assert isinstance(walked(script, api), DecodeError)
            continue
        numbers, complete = seen(script, api)
        read = (pages + pages[-1:] * 1000)[: len(script.requests)]
        assert numbers == {number for shown, _ in read for number in shown}
        everything = [number for shown, _ in read for number in shown]
        agree = len(everything) == len(numbers) and {total for _, total in read} == {len(numbers)}
        assert complete is agree


@simulated
async def shown_of(api: str, number: int, kind: str = "") -> tuple[int, bool]:
    """How many of so many tasks the simulated cloud shows, and whether that is everything."""

    tasks = [SimTask(name=f"task-{index}") for index in range(number)]
    cloud = SimulatedCloud(worlds=[World(project_id=PROJECT, tasks=tasks)], keys={"AK": "SK"}, now=virtual.now)
    cloud.faults = [Fault(match="/jobs", kind=kind)] if kind else []
    async with connected(InProcess(cloud)) as project:
        answer = await project.list_tasks(api)
        return len(answer.tasks), answer.complete


@BOTH
@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
def test_the_simulated_cloud_is_listed_whole(api: str, number: int) -> None:
    assert shown_of(api, number) == (number, True)


@pytest.mark.parametrize(
    ("api", "kind", "shown", "complete"),
    [
        ("v3", "short_page", 125, False),  # page numbers leave gaps
        ("v5", "short_page", 250, True),  # offsets do not
        *[("v3", "wrong_total", 250, False), ("v5", "wrong_total", 250, False)],
        *[("v3", "page_past_end", 250, False), ("v5", "page_past_end", 250, False)],
        *[("v3", "repeat_page", 100, False), ("v5", "repeat_page", 100, False)],
    ],
)
def test_the_simulated_cloud_with_bad_pages(api: str, kind: str, shown: int, complete: bool) -> None:  # noqa: FBT001
    assert shown_of(api, 250, kind) == (shown, complete)


@BOTH
def test_the_simulated_cloud_without_end(api: str) -> None:
    assert shown_of(api, 1, "endless_pages") == (300, False)
