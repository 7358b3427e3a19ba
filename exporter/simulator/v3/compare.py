"""v3 query-compare-result: numbers as numbers, times as strings of ms (examples/v3_query_compare_result)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.simulator.protocol import Json, Refusal
from exporter.simulator.world import comparisons
from exporter.simulator.world.formats import millis

if TYPE_CHECKING:
    from exporter.simulator.world.comparisons import Comparison, Table
    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask

_TYPES = {"objects": "object_comparison", "lines": "lines", "contents": "contents"}
_MISSING = "TARGET_DB_NOT_EXIT"  # sic; v5 has EXIST


def compare_result(task: SimTask, moment: Moment, body: Json) -> Json:
    """The list of comparison tasks, and the results of those whose ids the body names."""
    start, size = _page_of(body)
    known = {comparison.id: comparison for comparison in comparisons.comparisons(task, moment)}
    answer: Json = {"job_id": moment.id}
    for key, (asked, build) in _RESULTS.items():
        identity = body.get(asked)
        if identity:
            found = known.get(identity)
            answer[key] = build(task, found, start, size) if found else _unknown(identity)
    listed = [_listed(comparison) for comparison in known.values()]
    answer["compare_task_list_results"] = {
        "compare_task_list_count": len(listed),
        "compare_task_list": listed[start : start + size],
    }
    wired: Json = task.wire("v3_compare", answer)
    return wired


def _page_of(body: Json) -> tuple[int, int]:
    page: Any = body.get("current_page")
    size: Any = body.get("per_page")
    if not isinstance(page, int) or not isinstance(size, int) or page < 1 or not 1 <= size <= 100:  # noqa: PLR2004
        raise Refusal(400, "DRS.M00200", "Parameter error: current_page and per_page are mandatory.")
    return (page - 1) * size, size


def _unknown(identity: str) -> Json:
    return {"compare_task_id": identity, "error_code": "DRS.M05003", "error_msg": "Comparison task not found."}


def _listed(comparison: Comparison) -> Json:
    item = {
        "compare_task_id": comparison.id,
        "compare_type": _TYPES[comparison.kind],
        "compare_task_status": comparison.status,
        "create_time": millis(comparison.created),
    }
    return item if comparison.ended is None else {**item, "end_time": millis(comparison.ended)}


def _objects(task: SimTask, comparison: Comparison, _start: int, _size: int) -> Json:
    overview = []
    for kind in comparisons.OBJECT_TYPES:
        source, target = comparisons.object_counts(task, kind)
        overview.append(
            {
                "object_type": kind,
                "object_compare_result": comparisons.object_result(task, comparison, kind),
                "source_count": source,
                "target_count": target,
                "diff_count": source - target,
            }
        )
    return {"compare_task_id": comparison.id, "object_compare_overview": overview, "object_compare_details": {}}


def _lines(task: SimTask, comparison: Comparison, start: int, size: int) -> Json:
    details = []
    for database in comparisons.DATABASES:
        rows = [_row(table, comparison) for table in comparisons.tables(task) if table.database == database]
        details.append(
            {
                "source_db_name": database,
                "line_compare_detail": rows[start : start + size],
                "line_compare_detail_count": len(rows),
            }
        )
    return {
        "compare_task_id": comparison.id,
        "line_compare_overview": _overview(task, comparison, "line_compare_result"),
        "line_compare_overview_count": len(comparisons.DATABASES),
        "line_compare_details": details,
    }


def _contents(task: SimTask, comparison: Comparison, start: int, size: int) -> Json:
    details = []
    for database in comparisons.DATABASES:
        rows = [_content(table, comparison) for table in comparisons.tables(task) if table.database == database]
        details.append(
            {
                "source_db_name": database,
                "content_compare_detail": rows[start : start + size],
                "content_compare_detail_count": len(rows),
                "content_uncompare_detail": [],
                "content_uncompare_detail_count": 0,
            }
        )
    return {
        "compare_task_id": comparison.id,
        "content_compare_overview": _overview(task, comparison, "content_compare_result"),
        "content_compare_overview_count": len(comparisons.DATABASES),
        "content_compare_details": details,
        "content_compare_diffs": [
            {
                "source_db_name": table.database,
                "source_table_name": table.name,
                "content_compare_diff": [_missing(row) for row in range(table.difference)][start : start + size],
                "content_compare_diff_count": table.difference,
            }
            for table in comparisons.tables(task)
            if table.difference
        ],
    }


def _missing(row: int) -> Json:
    """A row that the target lacks: without the keys of its side."""
    return {"source_key_value": [str(row)], "source_select_sql": "select * from shop.orders where id = 5"}


def _overview(task: SimTask, comparison: Comparison, key: str) -> list[Json]:
    return [
        {
            "source_db_name": database,
            "target_db_name": database,
            key: comparisons.database_result(task, comparison, database, missing=_MISSING),
        }
        for database in comparisons.DATABASES
    ]


def _row(table: Table, comparison: Comparison) -> Json:
    return {
        "source_table_name": table.name,
        "source_row_num": table.source,
        "target_table_name": table.name,
        "target_row_num": table.target or 0,
        "diff_row_num": table.difference,
        "line_compare_result": comparisons.table_result(comparison, table),
    }


def _content(table: Table, comparison: Comparison) -> Json:
    return {
        "source_db_name": table.database,
        "target_db_name": table.database,
        **_row(table, comparison),
        "content_compare_result": comparisons.table_result(comparison, table),
    }


_RESULTS = {
    "object_level_compare_results": ("object_level_compare_id", _objects),
    "line_compare_results": ("line_compare_id", _lines),
    "content_compare_results": ("content_compare_id", _contents),
}
