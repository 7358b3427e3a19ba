"""Comparisons through v3 query-compare-result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from exporter.cloud.http.errors import DecodeError, UnavailableError
from exporter.model.facts import Compared, Comparison, ObjectCount
from tests.lib.cloud import document, refusal
from tests.lib.facts import ID, fetched, only_facts

NAME = "v3_query_compare_result"
MOMENT = 1_607_766_110.535
KINDS = {"object_comparison": "object", "lines": "line", "contents": "content"}
IDS = {"object_comparison": "object_level_compare_id", "lines": "line_compare_id", "contents": "content_compare_id"}


def listing(*kinds: str, status: str = "SUCCESSFUL", number: int = 1) -> dict[str, Any]:
    """The list of comparison tasks, one of each kind."""
    tasks = [
        {
            "compare_task_id": f"{kind}-{number}",
            "compare_type": kind,
            "compare_task_status": status,
            "create_time": "1607766110535",
            "end_time": "1607766110535",
        }
        for kind in kinds
    ]
    return {
        "job_id": ID,
        "compare_task_list_results": {"compare_task_list_count": len(tasks), "compare_task_list": tasks},
    }


def rows(kind: str, *differences: Any, databases: int = 1) -> dict[str, Any]:
    """Results of lines or contents, with so many differing rows in each table."""
    word = "line" if kind == "lines" else "content"
    tables = [{"source_table_name": "t", "diff_row_num": number} for number in differences]
    verdict = "INCONSISTENT" if any(differences) else "CONSISTENT"
    return {
        f"{word}_compare_results": {
            "compare_task_id": f"{kind}-1",
            f"{word}_compare_overview": [{"source_db_name": "d", f"{word}_compare_result": verdict}] * databases,
            f"{word}_compare_overview_count": databases,
            f"{word}_compare_details": [{"source_db_name": "d", f"{word}_compare_detail": tables}],
        }
    }


def found(*bodies: Any) -> tuple[Comparison, int]:
    return only_facts(NAME, *bodies, kind=Comparison)


@pytest.mark.parametrize("kind", ["lines", "contents"])
@pytest.mark.parametrize(
    ("differences", "consistent", "different"),
    [
        *[([0, 0], True, 0), ([], True, 0), ([1, 2], False, 3), (["1", "2"], False, 3), ([1, None], False, None)],
        ([1] * 99, False, 99),
        ([1] * 100, False, None),  # the page is full: there may be more
    ],
)
def test_rows_that_differ(kind: str, differences: list[Any], different: float | None, *, consistent: bool) -> None:
    results = (("CONSISTENT" if consistent else "INCONSISTENT", 1),)
    expected = Compared(KINDS[kind], "SUCCESSFUL", consistent, MOMENT, different, results)
    if kind == "contents" and consistent:
        expected = replace(expected, missing_rows=0, extra_rows=0)
    assert found(listing(kind), rows(kind, *differences)) == (Comparison((expected,)), 0)


SOURCE, TARGET = {"source_key_value": ["5"]}, {"target_key_value": ["6"]}
BOTH = {**SOURCE, **TARGET}
NO_KEYS: tuple[Any, ...] = ([], None, "", "null")


@pytest.mark.parametrize(
    ("rows_that_differ", "missing", "extra", "errors"),
    [
        ([SOURCE, SOURCE, TARGET, BOTH], 2, 1, 0),
        ([BOTH] * 4, 0, 0, 0),
        ([{**SOURCE, "target_key_value": null} for null in NO_KEYS], 4, 0, 0),
        # Fewer or more than the tables count, and rows of which no side is known.
        *[(many, None, None, 0) for many in ([], [SOURCE] * 3, [SOURCE] * 5, [SOURCE] * 3 + [{}])],
        ([SOURCE] * 3 + [{"source_key_value": "5"}], None, None, 1),
        ([SOURCE] * 3 + ["5"], None, None, 1),
    ],
)
def test_rows_that_only_one_side_has(
    rows_that_differ: list[Any], missing: float | None, extra: float | None, errors: int
) -> None:
    body = rows("contents", 3, 1)
    body["content_compare_results"]["content_compare_diffs"] = [
        {"source_table_name": "t", "content_compare_diff": some, "content_compare_diff_count": len(some)}
        for some in (rows_that_differ[:1], rows_that_differ[1:])
    ]
    comparison, lost = found(listing("contents"), body)
    (compared,) = comparison.types
    assert (compared.missing_rows, compared.extra_rows, compared.different_rows) == (missing, extra, 4)
    assert lost == errors


@pytest.mark.parametrize("kind", ["lines", "contents"])
@pytest.mark.parametrize(("target", "number"), [("97", 197), (97, 197), (None, None), ("-1", None)])
def test_rows_of_both_sides(kind: str, target: Any, number: float | None) -> None:
    body = rows(kind, 3, 0)
    (details,) = body[f"{kind[:-1]}_compare_results"][f"{kind[:-1]}_compare_details"]
    for table, on_target in zip(details[f"{kind[:-1]}_compare_detail"], (100, target), strict=True):
        table |= {"source_row_num": 100, "target_row_num": on_target}
    (compared,) = found(listing(kind), body)[0].types
    assert (compared.rows_source, compared.rows_target) == (200, number)


@pytest.mark.parametrize("other", [None, [], [{"line_compare_result": "INCONSISTENT"}]])
def test_keys_of_another_kind_are_not_read(other: Any) -> None:
    body = rows("contents", 0)
    body["content_compare_results"] |= {"line_compare_overview": other, "line_compare_overview_count": 7}
    comparison, lost = found(listing("contents"), body)
    assert (comparison.types[0].consistent, comparison.types[0].results, lost) == (True, (("CONSISTENT", 1),), 0)


def test_keys_of_another_kind_in_an_item_are_not_read() -> None:
    body = rows("lines", 1)
    (item,), (detail,) = (body["line_compare_results"][f"line_compare_{name}"] for name in ("overview", "details"))
    item["object_compare_result"] = "CONSISTENT"
    detail |= {"line_compare_detail": [], "content_compare_detail": [{"diff_row_num": 7}]}
    (compared,) = found(listing("lines"), body)[0].types
    assert (compared.consistent, compared.different_rows) == (False, None)
    overview = [{"object_type": "DB", "line_compare_result": "CONSISTENT"}]
    body = {"object_level_compare_results": {"object_compare_overview": overview}}
    (compared,) = found(listing("object_comparison"), body)[0].types
    assert compared.consistent is None


def test_a_table_that_can_not_be_understood_makes_the_sum_unknown() -> None:
    comparison, lost = found(listing("lines"), rows("lines", 1, "many"))
    assert (comparison.types[0].different_rows, lost) == (None, 1)


@pytest.mark.parametrize(
    ("databases", "told_of", "consistent", "different"),
    [(99, 99, True, 0), (100, 100, True, 0), (100, 101, None, 0), (3, 4, None, 0)],
)
def test_a_part_of_the_databases_does_not_prove_that_all_is_equal(
    databases: int, told_of: int, different: float | None, *, consistent: bool | None
) -> None:
    body = rows("lines", 0, databases=databases)
    body["line_compare_results"]["line_compare_overview_count"] = told_of
    comparison, lost = found(listing("lines"), body)
    results = (("CONSISTENT", databases),) if consistent else ()
    assert (comparison.types, lost) == ((Compared("line", "SUCCESSFUL", consistent, MOMENT, different, results),), 0)


def test_a_database_that_can_not_be_understood_does_not_count_as_equal() -> None:
    body = rows("lines", 0, databases=2)
    body["line_compare_results"]["line_compare_overview"][0] = "?"
    comparison, lost = found(listing("lines"), body)
    assert (comparison.types[0].consistent, lost) == (None, 1)


@pytest.mark.parametrize(
    ("overview", "consistent", "objects"),
    [
        (
            [{"object_type": "DB", "object_compare_result": "CONSISTENT", "source_count": 2, "target_count": 2}],
            True,
            (ObjectCount("db", 2, 2),),
        ),
        (
            [
                {"object_type": "TABLE_COLLATION", "object_compare_result": "INCONSISTENT", "source_count": "3"},
                {"object_type": "DB", "object_compare_result": "CONSISTENT", "target_count": 2},
            ],
            False,
            (ObjectCount("table_collation", 3, None), ObjectCount("db", None, 2)),
        ),
    ],
)
def test_objects(overview: list[Any], objects: tuple[ObjectCount, ...], *, consistent: bool) -> None:
    body = {"object_level_compare_results": {"object_compare_overview": overview}}
    comparison, lost = found(listing("object_comparison"), body)
    (compared,) = comparison.types
    assert (compared.type, compared.consistent, compared.different_rows) == ("object", consistent, None)
    assert (comparison.objects, lost) == (objects, 0)


def test_a_task_costs_one_call_once_its_results_are_known() -> None:
    listed = listing(*KINDS)
    bodies = [listed, {**rows("lines", 0), **rows("contents", 1)}, listed]
    results, lost, script = fetched(NAME, *bodies, listed, polls=2)
    page = {"job_id": ID, "current_page": 1, "per_page": 100}
    named = {IDS[kind]: f"{kind}-1" for kind in KINDS}
    # What it did not tell, of the objects, is asked for again, and nothing else.
    again = {IDS["object_comparison"]: "object_comparison-1"}
    assert script.bodies == [page, {**page, **named}, page, {**page, **again}]
    facts = results[ID]
    assert isinstance(facts, tuple)
    (comparison,) = facts
    assert isinstance(comparison, Comparison)
    assert [(compared.type, compared.consistent) for compared in comparison.types] == [
        ("content", False),
        ("line", True),
        ("object", None),
    ]
    assert lost == 0


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_no_results_are_queried_of_a_comparison_that_has_not_succeeded(status: str) -> None:
    results, _, script = fetched(NAME, listing("lines", status=status))
    assert results == {ID: (Comparison((Compared("line", status, finished_at=MOMENT),)),)}
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, 0),
        ({"job_id": ID}, 0),
        ({"compare_task_list_results": None}, 0),
        ({"compare_task_list_results": {"compare_task_list": []}}, 0),
        ({"compare_task_list_results": {"compare_task_list": {}}}, 1),
        ({"compare_task_list_results": []}, 1),
        ({"compare_task_list_results": {"compare_task_list": [None, 7]}}, 2),
    ],
)
def test_a_task_without_comparisons(body: dict[str, Any], errors: int) -> None:
    assert found(body) == (Comparison(unknown=errors == 2), errors)


@pytest.mark.parametrize(
    "results",
    [
        {},
        {"line_compare_results": None},
        {"line_compare_results": {"compare_task_id": "lines-1", "error_code": "DRS.M05003"}},
        {"line_compare_results": {"line_compare_overview": []}},
        {"content_compare_results": {"content_compare_overview": [{"content_compare_result": "CONSISTENT"}]}},
    ],
)
def test_missing_results_leave_the_status(results: dict[str, Any]) -> None:
    assert found(listing("lines"), results) == (Comparison((Compared("line", "SUCCESSFUL", finished_at=MOMENT),)), 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("number", "consistent", "errors"), [(1, True, 0), (None, True, 0), (2, None, 1)])
def test_results_of_another_comparison_are_not_used(
    kind: str, number: int | None, errors: int, *, consistent: bool | None
) -> None:
    body = {**rows("lines", 0), **rows("contents", 0)}
    body["object_level_compare_results"] = {"object_compare_overview": [{"object_compare_result": "CONSISTENT"}]}
    for block in body.values():
        block["compare_task_id"] = number and f"{kind}-{number}"
    comparison, lost = found(listing(kind), body)
    assert ([compared.consistent for compared in comparison.types], lost) == ([consistent], errors)


def test_results_that_are_refused_leave_the_status_and_are_counted() -> None:
    statuses = tuple(Compared(kind, "SUCCESSFUL", finished_at=MOMENT) for kind in ("content", "line"))
    assert found(listing("lines", "contents"), refusal(400, "DRS.M00202")) == (Comparison(statuses), 2)


@pytest.mark.parametrize(
    ("bodies", "error"),
    [
        ([listing("lines"), refusal(500)], UnavailableError),
        ([httpx.Response(200, content=b"[]")], DecodeError),
        ([{"message": "no such thing"}], DecodeError),
    ],
)
def test_any_other_error_fails_the_task(bodies: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        fetched(NAME, *bodies)


def test_the_documented_results() -> None:
    """Its list names two comparisons; its results of contents are those of another one than the list names."""
    document_id = "c6e65e6a-de99-4112-9697-7c1923ajb201"
    results, lost, _ = fetched(NAME, document("v3_query_compare_result_doc"), ids=[document_id])
    contents = Compared("content", "SUCCESSFUL", finished_at=1_607_766_310.812)
    objects = Compared("object", "SUCCESSFUL", consistent=True, finished_at=1_607_766_127.373)
    expected = Comparison(
        (contents, replace(objects, results=(("CONSISTENT", 3),))),
        (ObjectCount("db", 1, 1), ObjectCount("index", 12, 12), ObjectCount("table", 6, 6)),
    )
    assert (results, lost) == ({document_id: (expected,)}, 1)
