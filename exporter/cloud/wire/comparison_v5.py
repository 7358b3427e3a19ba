"""Comparisons through v5 "Querying Task Details" with type=compare: list, overview, detail, diff."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError
from exporter.cloud.wire.batch_item import JobWire, read_job
from exporter.cloud.wire.comparison import (
    CONTENT,
    LINE,
    OBJECT,
    PAGE,
    ComparisonReader,
    ComparisonTaskWire,
    Results,
    Rows,
    sum_rows,
)
from exporter.cloud.wire.fields import JsonArray, Nested, Number, Text, Wire, alias
from exporter.model.facts import Compared

_COMPARE_TYPES = {OBJECT: "object_compare", LINE: "line_compare", CONTENT: "content_compare"}


class ObjectOverviewWire(Wire):
    """`objects_compare_overview_info`, table 41."""

    compare_job_id: Text = None
    compare_results: JsonArray = None


class ContentDifferencesWire(Wire):
    """`content_diff_detail_info`, table 49. A row whose target is null is missing there."""

    different_rows: Number = alias("count")
    missing_rows: Number = alias("target_meta_is_null")
    extra_rows: Number = alias("source_meta_is_null")


class ComparisonResultWire(Wire):
    """`compare_result`, table 40; each query fills its own block."""

    data_compare_task_list: JsonArray = None
    objects_compare_overview_info: Nested[ObjectOverviewWire] = None
    line_compare_overview_infos: JsonArray = None
    content_compare_overview_infos: JsonArray = None
    line_compare_detail_infos: JsonArray = None
    content_compare_detail_infos: JsonArray = None
    content_diff_detail_info: Nested[ContentDifferencesWire] = None


class ComparisonJobWire(JobWire):
    """The object `job` with type=compare."""

    compare_result: Nested[ComparisonResultWire] = None
    total_count: Number = None


class ComparisonReaderV5(ComparisonReader):
    """Queries the results of each comparison by itself, then its rows, and those that differ only where some do."""

    async def page(self, number: int) -> Results:
        found, total = await self._query("data_compare", "list", page=number)
        return Results(found.data_compare_task_list, total)

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

    async def rows(self, task: ComparisonTaskWire, verdict: Compared) -> Rows:
        if verdict.consistent is None:
            return {}
        results, total = await self._rows(task, "detail")
        line = task.kind == LINE
        tables = results.line_compare_detail_infos if line else results.content_compare_detail_infos
        rows = sum_rows(tables, self._errors, total)
        if line or verdict.consistent:
            return rows
        differences = (await self._rows(task, "diff"))[0].content_diff_detail_info or ContentDifferencesWire()
        return {**rows, **{name: number for name, number in differences if number is not None}}

    async def _rows(self, task: ComparisonTaskWire, query_type: str) -> tuple[ComparisonResultWire, float | None]:
        try:
            return await self._query(_COMPARE_TYPES[task.kind], query_type, task.id or "")
        except BadRequestError:  # some versions want the names of two databases for this: the numbers stay unknown
            return ComparisonResultWire(), None

    async def _query(
        self, compare_type: str, query_type: str, *compare_id: str, page: int = 0
    ) -> tuple[ComparisonResultWire, float | None]:
        """Return the block that is filled, and the total where there is one."""
        query: list[tuple[str, str | int]] = [
            ("compare_type", compare_type),
            ("query_type", query_type),
            *(("compare_task_id", given) for given in compare_id),
            ("limit", PAGE),
            ("offset", page * PAGE),
        ]
        job = await read_job(self._client, operations.COMPARE_V5, self._job_id, ComparisonJobWire, self._errors, *query)
        return job.compare_result or ComparisonResultWire(), job.total_count
