"""Comparisons through v5 "Querying Task Details" with type=compare: list, overview, detail, diff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError
from exporter.cloud.wire.batch_item import read_job
from exporter.cloud.wire.comparison import (
    CONTENT,
    LINE,
    OBJECT,
    PAGE,
    ComparisonReader,
    ComparisonTaskWire,
    Results,
    sum_rows,
)
from exporter.cloud.wire.fields import JsonArray, Nested, Number, Text, Wire
from exporter.model.facts import Compared

_COMPARE_TYPES = {OBJECT: "object_compare", LINE: "line_compare", CONTENT: "content_compare"}


class ObjectOverviewWire(Wire):
    """`objects_compare_overview_info`, table 41."""

    compare_job_id: Text = None
    compare_results: JsonArray = None


class ContentDifferencesWire(Wire):
    """`content_diff_detail_info`, table 49."""

    count: Number = None


class ComparisonResultWire(Wire):
    """`compare_result`, table 40; each query fills its own block."""

    data_compare_task_list: JsonArray = None
    objects_compare_overview_info: Nested[ObjectOverviewWire] = None
    line_compare_overview_infos: JsonArray = None
    content_compare_overview_infos: JsonArray = None
    line_compare_detail_infos: JsonArray = None
    content_diff_detail_info: Nested[ContentDifferencesWire] = None


class ComparisonJobWire(Wire):
    """The object `job` with type=compare."""

    compare_result: Nested[ComparisonResultWire] = None
    total_count: Number = None


class ComparisonReaderV5(ComparisonReader):
    """Queries the results of each comparison by itself, and the rows that differ only where some do."""

    async def listed(self) -> list[Any] | None:
        found, _ = await self._query("data_compare", "list")
        return found.data_compare_task_list

    async def results(self, tasks: Sequence[ComparisonTaskWire]) -> list[Results | None]:
        return [await self._results(task) for task in tasks]

    async def _results(self, task: ComparisonTaskWire) -> Results | None:
        try:
            overview, total = await self._query(_COMPARE_TYPES[task.kind], "overview", task.id or "")
        except BadRequestError:
            return None
        if task.kind == OBJECT:
            found = overview.objects_compare_overview_info or ObjectOverviewWire()
            about_another = found.compare_job_id not in {None, task.id}  # the cloud may return the newest one only
            return Results(None if about_another else found.compare_results)
        line = task.kind == LINE
        return Results(overview.line_compare_overview_infos if line else overview.content_compare_overview_infos, total)

    async def different_rows(self, task: ComparisonTaskWire, verdict: Compared) -> float | None:
        if verdict.consistent is None:
            return None
        query_type = "detail" if task.kind == LINE else "diff"
        try:
            results, total = await self._query(_COMPARE_TYPES[task.kind], query_type, task.id or "")
        except BadRequestError:
            return None  # some versions want the names of two databases for this: the count stays unknown
        if task.kind == CONTENT:
            return results.content_diff_detail_info.count if results.content_diff_detail_info else None
        return sum_rows(results.line_compare_detail_infos, self._errors, total)

    async def _query(
        self, compare_type: str, query_type: str, *compare_id: str
    ) -> tuple[ComparisonResultWire, float | None]:
        """Return the block that is filled, and the total where there is one."""
        query: list[tuple[str, str | int]] = [
            ("compare_type", compare_type),
            ("query_type", query_type),
            *(("compare_task_id", given) for given in compare_id),
            ("limit", PAGE),
            ("offset", 0),
        ]
        job = await read_job(self._client, operations.COMPARE_V5, self._job_id, ComparisonJobWire, self._errors, *query)
        return job.compare_result or ComparisonResultWire(), job.total_count
