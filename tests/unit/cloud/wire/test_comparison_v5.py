"""Comparisons through the v5 detail with type=compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from exporter.cloud.http.errors import ThrottledError
from exporter.model.facts import Compared, Comparison, ObjectCount
from tests.lib.cloud import Reply, refusal
from tests.lib.facts import ID, fetched, only_facts

NAME = "v5_job_compare"
MOMENT = 1_667_837_718.0  # 2022-11-07T16:15:18Z


class Responses:
    """Responses by compare_type and query_type; what is not given is empty."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.queries: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        assert (query.pop("type"), query.pop("limit"), query.pop("offset")) == ("compare", "100", "0")
        self.queries.append(" ".join(query.values()))
        answer = self._answers.get(f"{query['compare_type']} {query['query_type']}", {})
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json={"job": {"id": ID, **answer}})


def result(**blocks: Any) -> dict[str, Any]:
    return {"compare_result": blocks}


def listing(*kinds: str, status: str = "SUCCESSFUL") -> dict[str, Any]:
    times = {"start_time": "2022-11-07T16:15:18Z", "end_time": "2022-11-07T16:15:18Z"}
    tasks = [{"id": f"{kind}-1", "type": kind, "status": status, **times} for kind in kinds]
    return {"data_compare list": result(data_compare_task_list=tasks)}


def lines(*statuses: Any, **extra: Any) -> dict[str, Any]:
    databases = [{"source_db_name": "d", "status": status} for status in statuses]
    return {"line_compare overview": {**result(line_compare_overview_infos=databases), **extra}}


def tables(*differences: Any, **extra: Any) -> dict[str, Any]:
    details = [{"source_table_name": "t", "difference_row_num": number} for number in differences]
    return {"line_compare detail": {**result(line_compare_detail_infos=details), **extra}}


def contents(*statuses: Any) -> dict[str, Any]:
    databases = [{"source_db": "d", "status": status, "compare_result": False} for status in statuses]
    return {"content_compare overview": result(content_compare_overview_infos=databases)}


def count(number: Any) -> dict[str, Any]:
    return {"content_compare diff": result(content_diff_detail_info={"count": number, "contents_infos": []})}


def objects(*results: Any) -> dict[str, Any]:
    info = {"create_time": "", "status": "SUCCESSFUL", "compare_results": [*results], "report_remain_seconds": -1}
    return {"object_compare overview": result(objects_compare_overview_info=info)}


def found(*answers: Mapping[str, Any]) -> tuple[Comparison, int]:
    merged: Reply = Responses({key: value for given in answers for key, value in given.items()})
    return only_facts(NAME, merged, kind=Comparison)


def verdict(kind: str, rows: float | None = None, *, consistent: bool | None = None, **results: int) -> Comparison:
    none = 0.0 if kind == "content" and consistent else None
    return Comparison(
        (Compared(kind, "SUCCESSFUL", consistent, MOMENT, rows, tuple(sorted(results.items())), none, none),)
    )


def different(kind: str, rows: float | None, status: str = "INCONSISTENT") -> Comparison:
    return verdict(kind, rows, consistent=False, **{status: 1})


REFUSED = refusal(400, "DRS.10000001")
LINES: list[tuple[dict[str, Any], Comparison, int]] = [
    (lines("CONSISTENT", "CONSISTENT"), verdict("line", 0, consistent=True, CONSISTENT=2), 0),
    ({**lines("INCONSISTENT"), **tables("3", "4")}, different("line", 7), 0),
    ({**lines("INCONSISTENT"), **tables(3, "N/A")}, different("line", None), 0),
    ({**lines("INCONSISTENT"), **tables(*["1"] * 100)}, different("line", None), 0),
    ({**lines("INCONSISTENT"), **tables(*["1"] * 100, total_count=100)}, different("line", 100), 0),
    ({**lines("INCONSISTENT"), **tables("3", total_count=2)}, different("line", None), 0),
    ({**lines("INCONSISTENT"), **tables()}, different("line", None), 0),
    (
        {**lines("TARGET_DB_NOT_EXIST"), "line_compare detail": REFUSED},
        different("line", None, "TARGET_DB_NOT_EXIST"),
        0,
    ),
    (lines("COMPARING"), verdict("line", COMPARING=1), 0),
    (lines(*["CONSISTENT"] * 100), verdict("line"), 0),
    (lines(*["CONSISTENT"] * 100, total_count=100), verdict("line", 0, consistent=True, CONSISTENT=100), 0),
    (lines("CONSISTENT", total_count="2"), verdict("line"), 0),
    (lines("CONSISTENT", ["x"]), verdict("line", CONSISTENT=1), 1),
]
CONTENTS: list[tuple[dict[str, Any], Comparison, int]] = [
    (contents("CONSISTENT"), verdict("content", 0, consistent=True, CONSISTENT=1), 0),
    ({**contents("INCONSISTENT"), **count(3)}, different("content", 3), 0),
    ({**contents("INCONSISTENT"), **count("3")}, different("content", 3), 0),
    ({**contents("INCONSISTENT"), **count(-1)}, different("content", None), 0),
    ({**contents("INCONSISTENT"), **count("x")}, different("content", None), 1),
    (contents("INCONSISTENT"), different("content", None), 0),
    ({**contents("INCONSISTENT"), "content_compare diff": REFUSED}, different("content", None), 0),
    (contents("CANCELED", "WAIT_FOR_COMPARE"), verdict("content", CANCELED=1, WAIT_FOR_COMPARE=1), 0),
]


@pytest.mark.parametrize(
    ("kind", "row"), [*(("lines", row) for row in LINES), *(("contents", row) for row in CONTENTS)]
)
def test_lines_and_contents(kind: str, row: tuple[dict[str, Any], Comparison, int]) -> None:
    answers, expected, errors = row
    assert found(listing(kind), answers) == (expected, errors)


def table(source: Any, target: Any, difference: Any) -> dict[str, Any]:
    return {"source_row_num": source, "target_row_num": target, "difference_row_num": difference}


@pytest.mark.parametrize("kind", ["lines", "contents"])
@pytest.mark.parametrize(
    ("status", "second", "numbers", "errors"),
    [
        # Rows of the source, of the target, and rows that differ.
        ("CONSISTENT", table("7", "7", "0"), (17, 17, 0), 0),
        ("INCONSISTENT", table("7", 5, "2"), (17, 15, 2), 0),
        ("INCONSISTENT", table("7", "N/A", -1), (17, None, None), 0),
        ("INCONSISTENT", table("seven", [], "2"), (None, None, 2), 2),
        ("COMPARING", table("7", "5", "2"), (None, None, None), 0),
    ],
)
def test_rows_of_both_sides(
    kind: str, status: str, second: dict[str, Any], numbers: tuple[float | None, ...], errors: int
) -> None:
    word = kind[:-1]
    answers = {f"{word}_compare detail": result(**{f"{word}_compare_detail_infos": [table(10, "10", 0), second]})}
    comparison, lost = found(listing(kind), lines(status), contents(status), answers)
    (compared,) = comparison.types
    assert (compared.rows_source, compared.rows_target, compared.different_rows) == numbers
    assert lost == errors


@pytest.mark.parametrize(
    ("fields", "numbers", "errors"),
    [
        # Rows that differ, that only the source has, and that only the target has.
        ({"count": 6, "target_meta_is_null": 3, "source_meta_is_null": "1"}, (6, 3, 1), 0),
        ({"target_meta_is_null": 0, "source_meta_is_null": 0}, (9, 0, 0), 0),
        ({"count": "null", "target_meta_is_null": -1, "source_meta_is_null": "N/A"}, (9, None, None), 0),
        ({"count": [6], "target_meta_is_null": True, "source_meta_is_null": "one"}, (9, None, None), 3),
    ],
)
def test_contents_that_differ(fields: dict[str, Any], numbers: tuple[float | None, ...], errors: int) -> None:
    answers = {
        "content_compare detail": result(content_compare_detail_infos=[table(10, 7, 9)]),
        "content_compare diff": result(content_diff_detail_info=fields),
    }
    comparison, lost = found(listing("contents"), contents("INCONSISTENT"), answers)
    (compared,) = comparison.types
    assert (compared.different_rows, compared.missing_rows, compared.extra_rows) == numbers
    assert (compared.rows_source, lost) == (10, errors)


@pytest.mark.parametrize("other", [None, [], [{"status": "INCONSISTENT"}]])
def test_the_block_of_another_kind_is_not_read(other: Any) -> None:
    given = contents("CONSISTENT")
    given["content_compare overview"]["compare_result"]["line_compare_overview_infos"] = other
    assert found(listing("contents"), given) == (verdict("content", 0.0, consistent=True, CONSISTENT=1), 0)


@pytest.mark.parametrize(
    ("results", "consistent", "counts", "errors"),
    [
        (
            [{"type": "DB", "source_count": 2, "target_count": 2, "status": "CONSISTENT"}],
            True,
            (ObjectCount("db", 2, 2),),
            0,
        ),
        (
            [
                {"type": "DB", "source_count": 2, "target_count": 1, "status": "INCONSISTENT"},
                {"type": "INDEX", "source_count": "5", "status": "CONSISTENT"},
            ],
            False,
            (ObjectCount("db", 2, 1), ObjectCount("index", 5, None)),
            0,
        ),
        ([{"type": "DB", "status": "CONSISTENT"}, None], None, (ObjectCount("db", None, None),), 1),
    ],
)
def test_objects(results: list[Any], counts: tuple[Any, ...], errors: int, *, consistent: bool | None) -> None:
    comparison, lost = found(listing("object"), objects(*results))
    (compared,) = comparison.types
    assert (compared.type, compared.consistent, compared.different_rows) == ("object", consistent, None)
    assert (comparison.objects, lost) == (counts, errors)


@pytest.mark.parametrize(("about", "consistent"), [("object-1", True), (None, True), ("object-2", None)])
def test_objects_of_another_comparison_are_not_used(about: str | None, *, consistent: bool | None) -> None:
    given = objects({"type": "DB", "status": "CONSISTENT"})
    given["object_compare overview"]["compare_result"]["objects_compare_overview_info"]["compare_job_id"] = about
    comparison, lost = found(listing("object"), given)
    assert ([compared.consistent for compared in comparison.types], lost) == ([consistent], 0)


def queries(answers: Mapping[str, Any], polls: int) -> list[str]:
    script = Responses(answers)
    fetched(NAME, script, polls=polls)
    return script.queries


def test_results_are_queried_once_and_then_the_list_alone() -> None:
    """The list, an overview a type, and the rows; then the list alone."""
    answers = {
        **listing("object", "lines", "contents"),
        **objects({"type": "DB", "status": "CONSISTENT"}),
        **lines("INCONSISTENT"),
        **contents("CONSISTENT"),
    }
    first = [
        *("data_compare list", "object_compare overview object-1", "line_compare overview lines-1"),
        *("content_compare overview contents-1", "line_compare detail lines-1", "content_compare detail contents-1"),
    ]
    assert (queries(answers, 1), queries(answers, 3)) == (first, [*first, "data_compare list", "data_compare list"])


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "TIMEOUT_INTERRUPT"])
def test_no_results_are_queried_of_a_comparison_that_has_not_succeeded(status: str) -> None:
    answers = listing("lines", status=status)
    assert found(answers) == (Comparison((Compared("line", status, finished_at=MOMENT),)), 0)
    assert queries(answers, 2) == ["data_compare list"] * 2


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        *[({}, 0), ({"compare_result": None}, 0), ({"compare_result": {}}, 0), ({"compare_result": []}, 1)],
        *[(result(data_compare_task_list=None), 0), (result(data_compare_task_list={}), 1)],
        (result(data_compare_task_list=[None, "x", {}]), 3),
    ],
)
def test_a_task_without_comparisons(answer: dict[str, Any], errors: int) -> None:
    assert found({"data_compare list": answer}) == (Comparison(unknown=errors == 3), errors)


@pytest.mark.parametrize("kind", ["object", "lines", "contents"])
@pytest.mark.parametrize(
    ("blocks", "errors"),
    [
        ({}, 0),
        ({"line_compare_overview_infos": [], "content_compare_overview_infos": []}, 0),
        ({"objects_compare_overview_info": {"status": "RUNNING", "compare_results": []}}, 0),
        ({"objects_compare_overview_info": None}, 0),
    ],
)
def test_missing_results_leave_the_status(kind: str, blocks: dict[str, Any], errors: int) -> None:
    overview = {f"{name}_compare overview": result(**blocks) for name in ("object", "line", "content")}
    name = {"object": "object", "lines": "line", "contents": "content"}[kind]
    expected = Comparison((Compared(name, "SUCCESSFUL", finished_at=MOMENT),))
    assert found(listing(kind), overview) == (expected, errors)


def test_one_type_that_is_refused_leaves_the_others() -> None:
    answers = {
        **listing("lines", "contents"),
        **contents("CONSISTENT"),
        "line_compare overview": refusal(400, "DRS.M00200"),
    }
    comparison, lost = found(answers)
    assert [(compared.type, compared.consistent) for compared in comparison.types] == [
        ("content", True),
        ("line", None),
    ]
    assert lost == 1


@pytest.mark.parametrize("query", ["data_compare list", "line_compare overview", "line_compare detail"])
def test_any_other_error_fails_the_task(query: str) -> None:
    with pytest.raises(ThrottledError):
        fetched(NAME, Responses({**listing("lines"), **lines("INCONSISTENT"), query: refusal(429, "APIGW.0308")}))
