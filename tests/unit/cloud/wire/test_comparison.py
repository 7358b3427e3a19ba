"""What both generations say of comparisons: the list of tasks, and verdicts from results."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire import comparison
from exporter.cloud.wire.comparison import (
    CONTENT,
    LINE,
    OBJECT,
    ComparedObjectsWire,
    ComparedRowsWire,
    ComparedWire,
    ComparisonTaskWire,
)
from exporter.model.facts import Compared, ObjectCount

MOMENT = 1_607_766_110.535
TIMES = [("1607766110535", MOMENT, 0), ("0", None, 0), ("", None, 0), (None, None, 0), ("soon", None, 1)]


def item(number: int = 1, kind: str = "lines", status: str = "SUCCESSFUL", **fields: Any) -> dict[str, Any]:
    """A comparison as the cloud lists it."""
    return {"id": f"{kind}-{number}", "type": kind, "status": status, "start_time": MOMENT * 1000 + number, **fields}


def task(kind: str = "lines") -> ComparisonTaskWire:
    read = ComparisonTaskWire.read(item(kind=kind), DecodeErrors())
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("v5", "v3", "field", "rows"),
    [
        ("id", "compare_task_id", "id", [("dc16", "dc16", 0), (7, "7", 0), (None, None, 0), ({}, None, 1)]),
        ("type", "compare_type", "type", [("lines", "lines", 0), ("", None, 0), ("10.0.0.1", None, 1)]),
        ("status", "compare_task_status", "status", [("RUNNING", "RUNNING", 0), ("no host", None, 1), (7, "7", 0)]),
        ("start_time", "create_time", "started", [*TIMES, ("2020-12-12T09:41:50.535Z", MOMENT, 0)]),
        ("end_time", "end_time", "ended", TIMES),
    ],
)
def test_one_field_of_a_listed_comparison(v5: str, v3: str, field: str, rows: list[tuple[Any, Any, int]]) -> None:
    for key in (v5, v3):
        for given, value, lost in rows:
            errors = DecodeErrors()
            read = ComparisonTaskWire.read({key: given}, errors)
            assert (getattr(read, field), errors.count) == (value, lost), (key, given)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *[("object", OBJECT), ("objects", OBJECT), ("object_comparison", OBJECT), ("lines", LINE)],
        *[("contents", CONTENT), ("account", ""), ("random", "")],
    ],
)
def test_types_by_the_words_of_both_generations(word: str, kind: str) -> None:
    assert task(kind=word).kind == kind


@pytest.mark.parametrize("keys", [("type", "status"), ("object_type", "object_compare_result")])
@pytest.mark.parametrize(
    ("counts", "expected", "lost"),
    [
        ({"source_count": 12, "target_count": 11}, ObjectCount("index", 12, 11), 0),
        ({"source_count": "12", "target_count": "0"}, ObjectCount("index", 12, 0), 0),
        ({"source_count": -1, "target_count": "N/A"}, ObjectCount("index", None, None), 0),
        ({"source_count": "many", "target_count": 11}, ObjectCount("index", None, 11), 1),
    ],
)
def test_object_counts(keys: tuple[str, str], counts: dict[str, Any], expected: ObjectCount, lost: int) -> None:
    errors = DecodeErrors()
    read = ComparedObjectsWire.read_all([{keys[0]: "INDEX", keys[1]: "CONSISTENT", **counts}], errors)
    assert (comparison.object_counts(read), read[0].status, errors.count) == ((expected,), "CONSISTENT", lost)


def test_objects_without_a_type_have_no_count() -> None:
    assert comparison.object_counts([ComparedObjectsWire.model_validate({"source_count": 1})]) == ()


@pytest.mark.parametrize("key", ["status", "line_compare_result", "content_compare_result"])
@pytest.mark.parametrize(
    ("given", "status", "lost"), [("CONSISTENT", "CONSISTENT", 0), (None, None, 0), (True, None, 1)]
)
def test_the_result_of_a_database(key: str, given: Any, status: str | None, lost: int) -> None:
    errors = DecodeErrors()
    (read,) = ComparedWire.read_all([{key: given, "compare_result": False}], errors)
    assert (read.status, errors.count) == (status, lost)


@pytest.mark.parametrize(
    ("key", "field"),
    [
        *[("difference_row_num", "different_rows"), ("diff_row_num", "different_rows")],
        *[("source_row_num", "rows_source"), ("target_row_num", "rows_target")],
    ],
)
@pytest.mark.parametrize(
    ("given", "number", "lost"),
    [("3", 3, 0), (3, 3, 0), (0, 0, 0), ("-1", None, 0), (None, None, 0), ("three", None, 1), (False, None, 1)],
)
def test_rows_are_text_in_v5_and_numbers_in_v3(key: str, field: str, given: Any, number: Any, lost: int) -> None:
    errors = DecodeErrors()
    (read,) = ComparedRowsWire.read_all([{key: given}], errors)
    assert (getattr(read, field), errors.count) == (number, lost)


@pytest.mark.parametrize(
    ("rows", "complete", "number"),
    [([3, 0, 4], True, 7), ([0], True, 0), ([3, None], True, None), ([3, 4], False, None), ([], True, None)],
)
def test_a_sum_is_known_where_each_table_is(rows: list[int | None], number: float | None, *, complete: bool) -> None:
    tables = [{"diff_row_num": row} for row in rows]
    found = comparison.sum_rows(tables, DecodeErrors(), len(rows) + (not complete))
    assert found == ({} if number is None else {"different_rows": number})


def test_the_rows_of_each_side_are_summed_by_themselves() -> None:
    tables = [{"source_row_num": "7", "target_row_num": "5"}, {"source_row_num": 3, "target_row_num": None}]
    assert comparison.sum_rows(tables, DecodeErrors()) == {"rows_source": 10}


@pytest.mark.parametrize(
    ("items", "decoded", "total", "complete"),
    [
        (None, 0, None, True),
        (3, 3, None, True),
        (100, 100, None, False),  # the page may have been cut
        (100, 100, 100, True),
        (100, 100, 250, False),
        (50, 50, 51, False),  # the cloud may serve fewer than were asked for
        (3, 2, 3, False),  # one could not be understood
        (3, 3, 2, True),
    ],
)
def test_whether_everything_came(items: int | None, decoded: int, total: float | None, *, complete: bool) -> None:
    given: list[Any] | None = None if items is None else [{}] * items
    assert comparison.is_complete(given, [ComparedRowsWire()] * decoded, total) is complete


@pytest.mark.parametrize(
    ("statuses", "consistent", "results"),
    [
        (["CONSISTENT"] * 2, True, (("CONSISTENT", 2),)),
        (["CONSISTENT", "INCONSISTENT"], False, (("CONSISTENT", 1), ("INCONSISTENT", 1))),
        (["CONSISTENT", "TARGET_DB_NOT_EXIST"], False, (("CONSISTENT", 1), ("TARGET_DB_NOT_EXIST", 1))),
        (["CONSISTENT", "TARGET_DB_NOT_EXIT"], False, (("CONSISTENT", 1), ("TARGET_DB_NOT_EXIST", 1))),
        (["TARGET_DB_NOT_EXIT", "TARGET_DB_NOT_EXIST"], False, (("TARGET_DB_NOT_EXIST", 2),)),
        (["CONSISTENT", "COMPARING"], None, (("COMPARING", 1), ("CONSISTENT", 1))),
        (["CONSISTENT", "WAITING_FOR_COMPARISON"], None, (("CONSISTENT", 1), ("WAITING_FOR_COMPARISON", 1))),
        (["CONSISTENT", "WAIT_FOR_COMPARE"], None, (("CONSISTENT", 1), ("WAIT_FOR_COMPARE", 1))),
        (["CONSISTENT", "FAILED_TO_COMPARE"], None, (("CONSISTENT", 1), ("FAILED_TO_COMPARE", 1))),
        (["CAN_NOT_COMPARE"], None, (("CAN_NOT_COMPARE", 1),)),
        (["CONSISTENT", None], None, (("CONSISTENT", 1),)),  # of one it is not known
        (["INCONSISTENT", None, "COMPARING"], False, (("COMPARING", 1), ("INCONSISTENT", 1))),
    ],
)
def test_all_equal_or_anything_different_or_unknown(statuses: Any, consistent: Any, results: Any) -> None:
    found = comparison.verdict_of(task(), statuses, complete=True)
    assert found == Compared(LINE, "SUCCESSFUL", consistent, results=results)


@pytest.mark.parametrize(("statuses", "consistent"), [(["CONSISTENT"], None), (["CONSISTENT", "INCONSISTENT"], False)])
def test_a_part_of_the_results_proves_a_difference_only(statuses: list[str], *, consistent: bool | None) -> None:
    assert comparison.verdict_of(task(), statuses, complete=False) == Compared(LINE, "SUCCESSFUL", consistent)


@pytest.mark.parametrize("statuses", [[], [None]])
def test_no_results_are_no_verdict(statuses: list[Any]) -> None:
    assert comparison.verdict_of(task(), statuses, complete=True) is None
