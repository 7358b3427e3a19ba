"""Comparisons through v3 "query-compare-result": the list first, then the results by the ids in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError, DecodeError
from exporter.cloud.wire.answers import require_about
from exporter.cloud.wire.comparison import (
    CONTENT,
    LINE,
    OBJECT,
    PAGE,
    ComparedRowsWire,
    Results,
    is_complete,
    sum_rows,
)
from exporter.cloud.wire.fields import DecodeErrors, Items, Nested, Number, Text, Wire, alias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.wire.comparison import ComparisonTaskWire
    from exporter.model.facts import Compared

_IDS = {OBJECT: "object_level_compare_id", LINE: "line_compare_id", CONTENT: "content_compare_id"}


class BlockWire(Wire):
    """One block of results; each has its own keys."""

    compare_task_list: Items = None
    overview: Items = alias("object_compare_overview", "line_compare_overview", "content_compare_overview")
    total: Number = alias("line_compare_overview_count", "content_compare_overview_count")
    details: Items = alias("line_compare_details", "content_compare_details")


class ComparisonWire(Wire):
    """The whole response; which blocks are filled depends on the query."""

    job_id: Text = None
    compare_task_list_results: Nested[BlockWire] = None
    object: Nested[BlockWire] = alias("object_level_compare_results")
    line: Nested[BlockWire] = alias("line_compare_results")
    content: Nested[BlockWire] = alias("content_compare_results")


class DetailsWire(Wire):
    """The compared tables of one database."""

    tables: Items = alias("line_compare_detail", "content_compare_detail")


class ComparisonReaderV3:
    """Queries all results of a task in one call."""

    def __init__(self, client: Client, errors: DecodeErrors) -> None:
        self._client = client
        self._errors = errors

    async def listed(self, job_id: str) -> list[Any] | None:
        found = (await self._query(job_id, {})).compare_task_list_results
        return found.compare_task_list if found else None

    async def results(self, job_id: str, tasks: Sequence[ComparisonTaskWire]) -> list[Results | None]:
        try:
            found = await self._query(job_id, {_IDS[task.kind]: task.id for task in tasks})
        except BadRequestError:
            return [None] * len(tasks)
        blocks = {OBJECT: found.object, LINE: found.line, CONTENT: found.content}
        filled = [blocks[task.kind] or BlockWire() for task in tasks]
        return [Results(block.overview, block.total, partial(self._different_rows, block.details)) for block in filled]

    async def _query(self, job_id: str, compare_ids: Mapping[str, Any]) -> ComparisonWire:
        body = {"job_id": job_id, **compare_ids, "current_page": 1, "per_page": PAGE}
        answer = await self._client.call(operations.COMPARE_V3, body=body)
        found = ComparisonWire.read(answer, self._errors) or ComparisonWire()
        if answer and not found.model_fields_set:
            self._errors.count += 1
            raise DecodeError(operations.COMPARE_V3.name, "decode")
        require_about(operations.COMPARE_V3.name, answer, job_id, self._errors)
        return found

    async def _different_rows(self, items: list[Any] | None, _verdict: Compared) -> float | None:
        details = DetailsWire.read_all(items, self._errors)
        tables = [table for detail in details for table in detail.tables or ()]
        rows = ComparedRowsWire.read_all(tables, self._errors)
        return sum_rows(rows, complete=is_complete(tables, rows) and is_complete(items, details))
