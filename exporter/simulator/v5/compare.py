"""v5 "Querying Task Details" (Huawei Cloud, DRS API reference) with type=compare: Tables 40 to 50."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.simulator.v5.rules import failed, window
from exporter.simulator.world import comparisons
from exporter.simulator.world.formats import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.simulator.protocol import Json, Request
    from exporter.simulator.world.comparisons import Comparison, Table
    from exporter.simulator.world.tasks import SimTask
    from exporter.simulator.world.world import Found, World

_TYPES = {"objects": "object", "lines": "lines", "contents": "contents"}
_MISSING = "TARGET_DB_NOT_EXIST"


def compare(_world: World, found: Found, request: Request) -> Json:
    """``compare_type`` and ``query_type`` are mandatory; the results of lines and contents need an id as well."""
    query = request.query
    build = _BUILDERS.get((query.get("compare_type", ""), query.get("query_type", "")))
    if build is None:
        raise failed()
    key, items = build(found, request)
    if not isinstance(items, list):
        return {"compare_result": {key: items} if items else {}}
    start, size = window(request)
    return {"total_count": len(items), "compare_result": {key: items[start : start + size]}}


def _known(found: Found, request: Request, kind: str) -> Comparison:
    wanted = request.query.get("compare_task_id")
    for comparison in comparisons.comparisons(found.task, found.moment):
        if comparison.id == wanted and comparison.kind == kind:
            return comparison
    raise failed()


def _list(found: Found, _request: Request) -> tuple[str, Any]:
    listed = [_listed(comparison) for comparison in comparisons.comparisons(found.task, found.moment)]
    return "data_compare_task_list", listed


def _listed(comparison: Comparison) -> Json:
    return {
        "id": comparison.id,
        "type": _TYPES[comparison.kind],
        "start_time": utc(comparison.created),
        "end_time": "" if comparison.ended is None else utc(comparison.ended),
        "status": comparison.status,
        "compute_type": "drs",
        "export_status": "INIT",
        "report_remain_seconds": -1,  # none exported
        "compare_job_tag": {},
        "options": {},
        "error_msg": "Source database is too busy." if comparison.status == "FAILED" else "",
    }


def _objects(found: Found, _request: Request) -> tuple[str, Any]:
    """Of the newest object comparison: this one is asked for without an id."""
    known = [
        comparison for comparison in comparisons.comparisons(found.task, found.moment) if comparison.kind == "objects"
    ]
    return "objects_compare_overview_info", _objects_overview(found.task, known[0]) if known else None


def _objects_overview(task: SimTask, comparison: Comparison) -> Json:
    results = []
    for kind in comparisons.OBJECT_TYPES:
        source, target = comparisons.object_counts(task, kind)
        status = comparisons.object_result(task, comparison, kind)
        results.append({"type": kind, "source_count": source, "target_count": target, "status": status})
    return {
        "create_time": utc(comparison.created),
        "start_time": utc(comparison.created),
        "status": comparison.status,
        "compare_job_id": comparison.id,
        "export_status": "INIT",
        "report_remain_seconds": -1,
        "error_msg": "",
        "compare_results": results,
    }


def _objects_detail(found: Found, request: Request) -> tuple[str, Any]:
    kind = request.query.get("object_type")
    if kind not in comparisons.OBJECT_TYPES:
        raise failed()
    source, target = comparisons.object_counts(found.task, kind)
    return "objects_compare_detail_infos", [
        {
            "source_db_name": comparisons.DATABASES[0],
            "target_db_name": comparisons.DATABASES[0],
            "source_db_value": f"{kind.lower()}_{number}",
            "target_db_value": f"{kind.lower()}_{number}" if number < target else "",
        }
        for number in range(source)
    ]


def _line_overview(found: Found, request: Request) -> tuple[str, Any]:
    comparison = _known(found, request, "lines")
    return "line_compare_overview_infos", [
        {"source_db_name": database, "target_db_name": database, "status": status}
        for database, status in _databases(found.task, comparison)
    ]


def _line_detail(found: Found, request: Request) -> tuple[str, Any]:
    comparison = _known(found, request, "lines")
    return "line_compare_detail_infos", [
        {
            "source_table_name": table.name,
            "source_row_num": str(table.source),  # strings for lines, numbers for contents
            "target_table_name": table.name,
            "target_row_num": str(table.target or 0),
            "difference_row_num": str(table.difference),
            "status": comparisons.table_result(comparison, table),
            "message": "",
        }
        for table in _tables(found, request, "source_db_name")
    ]


def _content_overview(found: Found, request: Request) -> tuple[str, Any]:
    comparison = _known(found, request, "contents")
    return "content_compare_overview_infos", [
        {"source_db": database, "target_db": database, "status": status, "compare_result": status == "CONSISTENT"}
        for database, status in _databases(found.task, comparison)
    ]


def _content_detail(found: Found, request: Request) -> tuple[str, Any]:
    _known(found, request, "contents")
    return "content_compare_detail_infos", [
        {
            "source_db": table.database,
            "target_db": table.database,
            "source_table_name": table.name,
            "target_table_name": table.name,
            "source_row_num": table.source,
            "target_row_num": table.target or 0,
            "difference_row_num": table.difference,
            "line_compare_result": table.difference == 0,
            "content_compare_result": table.difference == 0,
            "message": "",
        }
        for table in _tables(found, request, "source_db_name")
    ]


def _content_diff(found: Found, request: Request) -> tuple[str, Any]:
    _known(found, request, "contents")
    missing = sum(table.difference for table in comparisons.tables(found.task))
    row = {
        "source_key_value": ["5"],
        "target_key_value": [],
        "source_select_sql": "select * from shop.orders where id = 5",
        "target_select_sql": "",
    }
    return "content_diff_detail_info", {
        "count": missing,
        "target_meta_is_null": missing,
        "source_meta_is_null": 0,
        "source_target_meta_not_null": 0,
        "contents_infos": [row] if missing else [],
    }


def _databases(task: SimTask, comparison: Comparison) -> list[tuple[str, str]]:
    return [
        (database, comparisons.database_result(task, comparison, database, missing=_MISSING))
        for database in comparisons.DATABASES
    ]


def _tables(found: Found, request: Request, key: str) -> list[Table]:
    wanted = request.query.get(key)
    return [table for table in comparisons.tables(found.task) if wanted in {None, "", table.database}]


_BUILDERS: dict[tuple[str, str], Callable[[Found, Request], tuple[str, Any]]] = {
    ("data_compare", "list"): _list,
    ("object_compare", "overview"): _objects,
    ("object_compare", "detail"): _objects_detail,
    ("line_compare", "overview"): _line_overview,
    ("line_compare", "detail"): _line_detail,
    ("content_compare", "overview"): _content_overview,
    ("content_compare", "detail"): _content_detail,
    ("content_compare", "diff"): _content_diff,
}
"""(compare_type, query_type) -> the block of ``compare_result`` that it fills."""
