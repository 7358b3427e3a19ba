"""Which comparisons are queried, and by which one the data of a task is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.comparison import CONTENT, LINE, PAGE, ComparisonReader, ComparisonTaskWire, Results, Rows
from exporter.cloud.wire.comparison_source import ComparisonSource
from exporter.model.facts import Compared, Comparison

MOMENT = 1_607_766_110.535
ENDS = ["FAILED", "CANCELLED", "TIMEOUT_INTERRUPT", "SUCCESSFUL"]
RUNS = ["RUNNING", "WAITING_FOR_RUNNING", "FULL_DOING", "INCRE_DOING"]
ROWS = ("different_rows", "missing_rows", "extra_rows", "rows_source", "rows_target")


def item(number: int = 1, kind: str = "lines", status: str = "SUCCESSFUL", **fields: Any) -> dict[str, Any]:
    """A comparison as the cloud lists it."""
    return {"id": f"{kind}-{number}", "type": kind, "status": status, "start_time": MOMENT * 1000 + number, **fields}


@pytest.mark.parametrize(
    ("kind", "names"),
    [("object", ""), ("lines", "different_rows"), ("contents", "different_rows missing_rows extra_rows")],
)
async def test_no_rows_differ_where_all_is_equal(kind: str, names: str) -> None:
    cloud = Reader()
    await cloud.fetch(item(1, kind))
    (compared,) = cloud.facts.types
    assert {name for name in ROWS if getattr(compared, name) == 0} == set(names.split())


class Reader(ComparisonReader):
    """Has equal results of every comparison but those in `statuses`; records the queries for them."""

    def __init__(self, **statuses: Sequence[str] | None) -> None:
        self.queries: list[list[str | None]] = []
        self.statuses = {name.replace("_", "-"): words for name, words in statuses.items()}
        self.facts = Comparison()
        self.pages = 0
        self.counts = True
        self.judged: list[tuple[str, bool | None]] = []
        """The type of each comparison by which the data is judged, and whether it is equal."""
        self.source = ComparisonSource(lambda *_: self)
        self._listed: list[dict[str, Any]] = []

    async def page(self, number: int) -> Results:
        self.pages += 1
        return Results(self._listed[number * PAGE :][:PAGE], len(self._listed) if self.counts else None)

    async def results(self, tasks: Sequence[ComparisonTaskWire]) -> list[Results | None]:
        self.queries.append([task.id for task in tasks])
        found = [self.statuses.get(task.id or "", ["CONSISTENT"]) for task in tasks]
        return [None if words is None else Results([{"status": word} for word in words]) for words in found]

    async def rows(self, _task: ComparisonTaskWire, _verdict: Compared) -> Rows:
        return {}

    async def fetch(self, *listed: dict[str, Any], job_id: str = "job") -> dict[str, tuple[Any, ...]]:
        self._listed = list(listed)
        client: Any = None
        self.errors = DecodeErrors()
        results = await self.source.fetch(client, {"comparison": self.errors}, [job_id])
        found: Any = results[job_id]
        self.facts = found[0]
        self.judged = [(compared.type, compared.consistent) for compared in found[0].judged]
        return {
            compared.type: (compared.status, compared.consistent, compared.finished_at) for compared in found[0].types
        }


async def test_the_results_of_an_ended_comparison_are_queried_once() -> None:
    cloud = Reader()
    for _ in range(3):
        assert await cloud.fetch(item(1)) == {LINE: ("SUCCESSFUL", True, None)}
    assert await cloud.fetch(item(2), item(1)) == {LINE: ("SUCCESSFUL", True, None)}
    assert cloud.queries == [["lines-1"], ["lines-2"]]


async def test_all_types_are_queried_together_and_each_once() -> None:
    cloud = Reader()
    first = [item(1), item(1, "contents"), item(1, "object")]
    await cloud.fetch(*first)
    await cloud.fetch(*first, item(2, "contents"))
    assert cloud.queries == [["lines-1", "contents-1", "object-1"], ["contents-2"]]


async def test_missing_results_are_queried_again() -> None:
    cloud = Reader(lines_1=[])
    assert await cloud.fetch(item(1, end_time=MOMENT * 1000)) == {LINE: ("SUCCESSFUL", None, MOMENT)}
    cloud.statuses.clear()
    assert await cloud.fetch(item(1)) == {LINE: ("SUCCESSFUL", True, None)}
    assert cloud.queries == [["lines-1"]] * 2


@pytest.mark.parametrize("status", [*RUNS, *ENDS[:3], "SOMETHING_NEW"])
async def test_results_are_queried_only_of_a_comparison_that_has_succeeded(status: str) -> None:
    cloud = Reader()
    assert await cloud.fetch(item(1, status=status, end_time=MOMENT * 1000)) == {LINE: (status, None, MOMENT)}
    assert cloud.queries == []


async def test_the_newest_comparison_of_a_type_decides_even_if_it_failed() -> None:
    cloud = Reader()
    await cloud.fetch(item(1))
    assert await cloud.fetch(item(1), item(2, status="FAILED")) == {LINE: ("FAILED", None, None)}
    assert await cloud.fetch(item(1), item(0, status="FAILED")) == {LINE: ("SUCCESSFUL", True, None)}


EQUAL, DIFFERENT, UNCLEAR = ["CONSISTENT"], ["INCONSISTENT"], ["CAN_NOT_COMPARE"]


@pytest.mark.parametrize(
    ("newest_first", "consistent", "queried"),
    [
        # Results by comparison, or its status if it has none; what the data is judged by; comparisons that are queried.
        ([EQUAL, DIFFERENT], True, 1),
        ([DIFFERENT, EQUAL], False, 1),
        *(([status, DIFFERENT, EQUAL], False, 1) for status in (*RUNS, *ENDS[:3])),
        *(([status, EQUAL, DIFFERENT], True, 1) for status in (*RUNS, *ENDS[:3])),
        (["FAILED", "RUNNING", DIFFERENT], False, 1),
        # A result without a verdict takes nothing back, and proves nothing.
        ([UNCLEAR, DIFFERENT], False, 2),
        ([UNCLEAR, EQUAL, DIFFERENT], None, 2),
        (["RUNNING", UNCLEAR, DIFFERENT], False, 2),
        ([UNCLEAR], None, 1),
        # Neither do results that the cloud does not have, or refuses.
        *[([[], DIFFERENT], False, 2), ([None, DIFFERENT], False, 2)],
        *[([[], EQUAL], None, 2), ([None, EQUAL], None, 2)],
        ([UNCLEAR] * 3 + [DIFFERENT], None, 3),
        (["FAILED"], None, 0),
    ],
)
async def test_a_difference_counts_until_a_later_comparison_is_equal(
    newest_first: list[Any], *, consistent: bool | None, queried: int
) -> None:
    oldest_first = list(enumerate(reversed(newest_first), 1))
    cloud = Reader(**{f"lines_{number}": found for number, found in oldest_first})
    listed = [item(number, status=found if isinstance(found, str) else "SUCCESSFUL") for number, found in oldest_first]
    await cloud.fetch(*listed)
    assert cloud.judged == ([] if consistent is None else [(LINE, consistent)])
    assert len(cloud.queries) == queried


async def test_the_earlier_results_of_all_types_are_queried_together_and_once() -> None:
    cloud = Reader(lines_1=DIFFERENT)
    listed = [item(number, kind) for kind in ("lines", "contents") for number in (1, 2)]
    running = [item(3, kind, status="RUNNING") for kind in ("lines", "contents")]
    for _ in range(2):
        await cloud.fetch(*listed[::2], *running)
    assert cloud.queries == [["lines-1", "contents-1"]]
    assert cloud.judged == [(CONTENT, True), (LINE, False)]
    await cloud.fetch(*listed)
    assert cloud.judged == [(CONTENT, True), (LINE, True)]


@pytest.mark.parametrize(
    ("listed", "newest"),
    [
        ([item(9), item(10, status="WAITING_FOR_RUNNING", start_time="")], "WAITING_FOR_RUNNING"),  # has not begun
        ([item(9), item(10, status="CANCELLED", start_time="")], "SUCCESSFUL"),
        ([item(9), item(8, status="CANCELLED", start_time="", end_time=MOMENT * 2000)], "CANCELLED"),
        ([item(9, start_time=""), item(10, status="FAILED", start_time="")], "SUCCESSFUL"),  # the first of equals
        ([item(10, status="FAILED"), item(10)], "FAILED"),
    ],
)
async def test_the_newest_comparison(listed: list[dict[str, Any]], newest: str) -> None:
    assert (await Reader().fetch(*listed))[LINE][0] == newest


@pytest.mark.parametrize(
    ("listed", "pages", "pages_without_total"), [(0, 1, 1), (99, 1, 1), (100, 1, 2), (250, 3, 3), (2000, 10, 10)]
)
async def test_all_pages_of_the_list_are_read_for_the_newest(listed: int, pages: int, pages_without_total: int) -> None:
    for counts, expected in ((True, pages), (False, pages_without_total)):
        cloud = Reader()
        cloud.counts = counts
        await cloud.fetch(*(item(number) for number in range(listed)))
        assert cloud.pages == expected
        assert cloud.queries == ([[f"lines-{min(listed, 1000) - 1}"]] if listed else [])


@pytest.mark.parametrize("nameless", [item(id=None), item(status=""), item(kind="account"), item(kind="")])
async def test_a_comparison_without_id_status_or_known_type_is_left_out(nameless: dict[str, Any]) -> None:
    assert await Reader().fetch(nameless) == {}


@pytest.mark.parametrize(
    ("beside", "unknown"),
    [
        (item(2, id=None), 1),
        (item(2, status=""), 1),
        (item(2, kind=""), 1),
        (item(2, kind="rows"), 1),
        *[(item(2, kind=kind), 0) for kind in ("account", "random", "node", "mgr", "contents")],
    ],
)
async def test_a_comparison_without_id_status_or_known_type_is_a_decode_error(
    beside: dict[str, Any], unknown: int
) -> None:
    cloud = Reader()
    assert LINE in await cloud.fetch(beside, item(1))
    assert (cloud.facts.unknown, cloud.errors.count) == (bool(unknown), unknown)


async def test_results_of_other_tasks_are_kept_apart() -> None:
    cloud = Reader()
    await cloud.fetch(item(1), job_id="a")
    await cloud.fetch(item(1), job_id="b")
    assert cloud.queries == [["lines-1"]] * 2


async def test_results_of_a_task_that_is_not_queried_for_a_day_are_removed() -> None:
    cloud = Reader()
    for hour in range(26):
        await asyncio.sleep(3600)
        await cloud.fetch(item(1), job_id="a")
        if hour == 0:
            await cloud.fetch(item(1), job_id="b")
    assert (len(cloud.queries), list(cloud.source._known)) == (2, ["a"])


@pytest.mark.parametrize("time", [None, "2020-12-12 17:41:50", "soon"])
async def test_a_comparison_without_a_time_is_newer_than_the_next_in_the_list(time: str | None) -> None:
    cloud = Reader(lines_3=["INCONSISTENT"])
    await cloud.fetch(item(3, start_time=time), item(2))
    assert cloud.judged == [(LINE, False)]
    cloud = Reader(lines_2=["INCONSISTENT"])
    await cloud.fetch(item(3, start_time=time), item(2))
    assert cloud.judged == [(LINE, True)]
    await cloud.fetch(item(4), item(3, start_time=time), item(2))
    assert cloud.queries == [["lines-3"], ["lines-4"]]


async def test_a_difference_is_remembered_however_many_comparisons_have_no_verdict_since() -> None:
    cloud = Reader(lines_1=["INCONSISTENT"], **{f"lines_{number}": ["CAN_NOT_COMPARE"] for number in range(2, 9)})
    for newest in range(1, 9):
        await cloud.fetch(*(item(number) for number in range(newest, 0, -1)))
        assert cloud.judged == [(LINE, False)]
    await cloud.fetch(*(item(number) for number in range(9, 0, -1)))
    assert cloud.judged == [(LINE, True)]
    assert cloud.queries == [[f"lines-{number}"] for number in range(1, 10)]


async def test_a_difference_is_remembered_while_it_is_not_listed() -> None:
    cloud = Reader(lines_3=DIFFERENT, lines_4=UNCLEAR)
    await cloud.fetch(item(3))
    for listed in ([item(4)], [], [item(5, status="FAILED")], [item(2)], [item(1), item(4)]):
        await cloud.fetch(*listed)
        assert cloud.judged == [(LINE, False)]
    await cloud.fetch(item(6))
    assert cloud.judged == [(LINE, True)]
    await cloud.fetch(item(4))
    assert cloud.judged == []


@pytest.mark.parametrize(("found", "judged"), [(EQUAL, []), (DIFFERENT, [(LINE, False)])])
async def test_each_poll_queries_older_comparisons_until_one_has_a_verdict(
    found: list[str], judged: list[tuple[str, bool]]
) -> None:
    cloud = Reader(lines_1=found, lines_0=DIFFERENT, **{f"lines_{number}": UNCLEAR for number in range(2, 8)})
    for expected in ([], [], judged, judged):
        await cloud.fetch(*(item(number) for number in range(7, -1, -1)))
        assert cloud.judged == expected
    assert cloud.queries == [[f"lines-{number}"] for number in range(7, 0, -1)]
