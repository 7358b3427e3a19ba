"""Comparisons through v3 "query-compare-result": the list first, then the results by the ids in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError, DecodeError
from exporter.cloud.wire.answers import require_about
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
from exporter.cloud.wire.fields import Fields, Items, Number, Text, Wire
from exporter.model.facts import Comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors

_IDS = {OBJECT: "object_level_compare_id", LINE: "line_compare_id", CONTENT: "content_compare_id"}
_PAGE = 100


class Answered(Wire):
    """The whole answer."""

    job_id: Text = None
    compare_task_list_results: Fields = None
    object_level_compare_results: Fields = None
    line_compare_results: Fields = None
    content_compare_results: Fields = None


class Block(Wire):
    """One block of results; each has its own keys."""

    compare_task_list: Items = None
    object_compare_overview: Items = None
    line_compare_overview: Items = None
    line_compare_overview_count: Number = None
    line_compare_details: Items = None
    content_compare_overview: Items = None
    content_compare_overview_count: Number = None
    content_compare_details: Items = None


class Details(Wire):
    """The compared tables of one database."""

    line_compare_detail: Items = None
    content_compare_detail: Items = None


class ComparisonV3:
    """The source; keeps results of ended comparisons."""

    def __init__(self, client: Client, errors: DecodeErrors) -> None:
        self._client = client
        self._losses = errors
        self._newest = Newest(self._results)

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, Answer]:
        """The newest comparisons of one task."""
        job_id = ids[0]
        answer = await self._query(job_id, {})
        tasks = Task.read_all(self._block(answer.compare_task_list_results).compare_task_list, self._losses)
        return {job_id: (await self._newest.comparison(job_id, tasks),)}

    async def _query(self, job_id: str, compare_ids: Mapping[str, Any]) -> Answered:
        body = {"job_id": job_id, **compare_ids, "current_page": 1, "per_page": _PAGE}
        answer = await self._client.call(operations.COMPARE_V3, body=body)
        answered = Answered.read(answer, self._losses) or Answered()
        if answer and not answered.model_fields_set:
            self._losses.count += 1
            raise DecodeError(operations.COMPARE_V3.name, "decode")
        require_about(operations.COMPARE_V3.name, answer, job_id, self._losses)
        return answered

    def _block(self, fields: Mapping[str, Any] | None) -> Block:
        return Block.read(fields or {}, self._losses) or Block()

    async def _results(self, job_id: str, tasks: list[Task]) -> list[Comparison | None]:
        try:
            answer = await self._query(job_id, {_IDS[task.kind or ""]: task.id for task in tasks})
        except BadRequestError:
            self._losses.count += len(tasks)  # the list stays a fact
            return [None] * len(tasks)
        return [self._result(answer, task) for task in tasks]

    def _result(self, answer: Answered, task: Task) -> Comparison | None:
        if task.kind == OBJECT:
            return self._objects(self._block(answer.object_level_compare_results), task)
        line = task.kind == LINE
        block = self._block(answer.line_compare_results if line else answer.content_compare_results)
        overview = block.line_compare_overview if line else block.content_compare_overview
        total = block.line_compare_overview_count if line else block.content_compare_overview_count
        databases = Database.read_all(overview, self._losses)
        found = verdict_of(
            task,
            [database.status for database in databases],
            complete=is_complete(overview, databases, total, _PAGE),
            different_rows=self._different_rows(
                block.line_compare_details if line else block.content_compare_details, line=line
            ),
        )
        return Comparison((found,)) if found else None

    def _objects(self, block: Block, task: Task) -> Comparison | None:
        objects = Objects.read_all(block.object_compare_overview, self._losses)
        complete = is_complete(block.object_compare_overview, objects, None, _PAGE)
        found = verdict_of(task, [one.status for one in objects], complete=complete)
        return Comparison((found,), object_counts(objects)) if found else None

    def _different_rows(self, items: list[Any] | None, *, line: bool) -> float | None:
        details = Details.read_all(items, self._losses)
        tables = [
            table
            for detail in details
            for table in (detail.line_compare_detail if line else detail.content_compare_detail) or ()
        ]
        rows = Rows.read_all(tables, self._losses)
        return row_sum(
            rows, complete=is_complete(tables, rows, None, _PAGE) and is_complete(items, details, None, _PAGE)
        )
