"""Comparisons through v5 "Querying Task Details" with type=compare: list, overview, detail, diff."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError
from exporter.cloud.wire.answers import read_job
from exporter.cloud.wire.comparison import (
    CONTENT,
    LINE,
    OBJECT,
    Database,
    Newest,
    Objects,
    Rows,
    Task,
    is_complete,
    object_counts,
    row_sum,
    verdict_of,
)
from exporter.cloud.wire.fields import Fields, Items, Number, Wire
from exporter.model.facts import Comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors

_COMPARE_TYPES = {OBJECT: "object_compare", LINE: "line_compare", CONTENT: "content_compare"}
_LIMIT = 100


class Results(Wire):
    """`compare_result`, table 40; each query fills its own block."""

    data_compare_task_list: Items = None
    objects_compare_overview_info: Fields = None
    line_compare_overview_infos: Items = None
    line_compare_detail_infos: Items = None
    content_compare_overview_infos: Items = None
    content_diff_detail_info: Fields = None


class ObjectOverview(Wire):
    """`objects_compare_overview_info`, table 41."""

    compare_results: Items = None


class ContentDifferences(Wire):
    """`content_diff_detail_info`, table 49."""

    count: Number = None


class _Job(Wire):
    compare_result: Fields = None
    total_count: Number = None


class ComparisonV5:
    """The source; keeps results of ended comparisons."""

    def __init__(self, client: Client, errors: DecodeErrors) -> None:
        self._client = client
        self._losses = errors
        self._newest = Newest(self._results)

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, Answer]:
        """The newest comparisons of one task; nothing where nobody ever compared."""
        job_id = ids[0]
        listed, _ = await self._query(job_id, "data_compare", "list")
        tasks = Task.read_all(listed.data_compare_task_list, self._losses)
        return {job_id: (await self._newest.comparison(job_id, tasks),)}

    async def _query(
        self, job_id: str, compare_type: str, query_type: str, compare_id: str = ""
    ) -> tuple[Results, float | None]:
        """The block that is filled, and the total where one is told."""
        query: list[tuple[str, Any]] = [
            ("type", "compare"),
            ("compare_type", compare_type),
            ("query_type", query_type),
            *([("compare_task_id", compare_id)] if compare_id else []),
            ("limit", _LIMIT),
            ("offset", 0),
        ]
        job = await read_job(self._client, operations.COMPARE_V5, job_id, _Job, self._losses, *query)
        return Results.read(job.compare_result or {}, self._losses) or Results(), job.total_count

    async def _results(self, job_id: str, tasks: list[Task]) -> list[Comparison | None]:
        return [await self._result(job_id, task) for task in tasks]

    async def _result(self, job_id: str, task: Task) -> Comparison | None:
        kind, compare_id = task.kind or "", task.id or ""
        try:
            overview, total = await self._query(job_id, _COMPARE_TYPES[kind], "overview", compare_id)
        except BadRequestError:
            self._losses.count += 1  # the list stays a fact, and so do other types
            return None
        if kind == OBJECT:
            return self._objects(overview, task)
        items = overview.line_compare_overview_infos if kind == LINE else overview.content_compare_overview_infos
        databases = Database.read_all(items, self._losses)
        statuses, complete = [one.status for one in databases], is_complete(items, databases, total, _LIMIT)
        found = verdict_of(task, statuses, complete=complete)
        if found is not None and found.consistent is False:
            found = replace(found, different_rows=await self._different_rows(job_id, kind, compare_id))
        return Comparison((found,)) if found else None

    def _objects(self, overview: Results, task: Task) -> Comparison | None:
        info = ObjectOverview.read(overview.objects_compare_overview_info or {}, self._losses) or ObjectOverview()
        objects = Objects.read_all(info.compare_results, self._losses)
        complete = is_complete(info.compare_results, objects, None, _LIMIT)
        found = verdict_of(task, [one.status for one in objects], complete=complete)
        return Comparison((found,), object_counts(objects)) if found else None

    async def _different_rows(self, job_id: str, kind: str, compare_id: str) -> float | None:
        query_type = "detail" if kind == LINE else "diff"
        try:
            results, total = await self._query(job_id, _COMPARE_TYPES[kind], query_type, compare_id)
        except BadRequestError:
            return None  # some versions want the names of two databases for this: the count stays unknown
        if kind == CONTENT:
            info = ContentDifferences.read(results.content_diff_detail_info or {}, self._losses)
            return info.count if info else None
        items = results.line_compare_detail_infos
        rows = Rows.read_all(items, self._losses)
        return row_sum(rows, complete=is_complete(items, rows, total, _LIMIT))
