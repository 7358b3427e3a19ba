"""Comparisons through v3 "query-compare-result": the list first, then the results by the ids in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError, DecodeError
from exporter.cloud.wire.batch_item import require_about
from exporter.cloud.wire.comparison import (
    CONTENT,
    LINE,
    OBJECT,
    PAGE,
    ComparisonReader,
    ComparisonTaskWire,
    Results,
    Rows,
    is_complete,
    sum_rows,
)
from exporter.cloud.wire.fields import JsonArray, Nested, NestedList, Number, Text, Wire, alias
from exporter.model.facts import Compared

_IDS = {OBJECT: "object_level_compare_id", LINE: "line_compare_id", CONTENT: "content_compare_id"}


class DifferentRowWire(Wire):
    """A row that differs: its key on each side that has it. The keys are data of users."""

    source_key_value: JsonArray = None
    target_key_value: JsonArray = None

    @property
    def sides(self) -> tuple[bool, bool]:
        """Whether the source and the target have the row."""
        return bool(self.source_key_value), bool(self.target_key_value)


class DifferencesWire(Wire):
    """The rows of one table that differ."""

    content_compare_diff: NestedList[DifferentRowWire] = ()


class ListBlockWire(Wire):
    """`compare_task_list_results`."""

    compare_task_list: JsonArray = None
    compare_task_list_count: Number = None


class ObjectBlockWire(Wire):
    """`object_level_compare_results`."""

    compare_task_id: Text = None
    overview: JsonArray = alias("object_compare_overview")


class LineBlockWire(Wire):
    """`line_compare_results`."""

    compare_task_id: Text = None
    overview: JsonArray = alias("line_compare_overview")
    total: Number = alias("line_compare_overview_count")
    details: JsonArray = alias("line_compare_details")


class ContentBlockWire(LineBlockWire):
    """`content_compare_results`: the same under other names."""

    overview: JsonArray = alias("content_compare_overview")
    total: Number = alias("content_compare_overview_count")
    details: JsonArray = alias("content_compare_details")
    diffs: NestedList[DifferencesWire] = Field((), validation_alias="content_compare_diffs")


class ComparisonWire(Wire):
    """The whole response; which blocks are filled depends on the query."""

    job_id: Text = None
    compare_task_list_results: Nested[ListBlockWire] = None
    object_level_compare_results: Nested[ObjectBlockWire] = None
    line_compare_results: Nested[LineBlockWire] = None
    content_compare_results: Nested[ContentBlockWire] = None


class DetailsWire(Wire):
    """The compared tables of one database."""

    line_compare_detail: JsonArray = None
    content_compare_detail: JsonArray = None


class ComparisonReaderV3(ComparisonReader):
    """Queries all results of a task in one call."""

    _found = ComparisonWire()

    async def page(self, number: int) -> Results:
        block = (await self._query({}, number)).compare_task_list_results or ListBlockWire()
        return Results(block.compare_task_list, block.compare_task_list_count)

    async def results(self, tasks: Sequence[ComparisonTaskWire]) -> list[Results | None]:
        try:
            self._found = await self._query({_IDS[task.kind]: task.id for task in tasks})
        except BadRequestError:
            return [None] * len(tasks)
        return [self._results(task) for task in tasks]

    def _results(self, task: ComparisonTaskWire) -> Results | None:
        objects = self._found.object_level_compare_results or ObjectBlockWire()
        block = objects if task.kind == OBJECT else self._block(task.kind)
        if block.compare_task_id not in {None, task.id}:
            return None
        return Results(block.overview, None if isinstance(block, ObjectBlockWire) else block.total)

    def _block(self, kind: str) -> LineBlockWire:
        found = self._found
        return (found.line_compare_results if kind == LINE else found.content_compare_results) or LineBlockWire()

    async def rows(self, task: ComparisonTaskWire, _verdict: Compared) -> Rows:
        block = self._block(task.kind)
        items = block.details
        details = DetailsWire.read_all(items, self._errors)
        lines = task.kind == LINE
        tables = [
            table
            for detail in details
            for table in (detail.line_compare_detail if lines else detail.content_compare_detail) or ()
        ]
        rows = sum_rows(tables, self._errors) if is_complete(items, details) else {}
        if isinstance(block, ContentBlockWire):
            sides = Counter(row.sides for table in block.diffs for row in table.content_compare_diff)
            del sides[False, False]
            if sides.total() == rows.get("different_rows"):  # else the page does not have all of them
                rows = {**rows, "missing_rows": float(sides[True, False]), "extra_rows": float(sides[False, True])}
        return rows

    async def _query(self, compare_ids: Mapping[str, Any], page: int = 0) -> ComparisonWire:
        body = {"job_id": self._job_id, **compare_ids, "current_page": page + 1, "per_page": PAGE}
        response = await self._client.call(operations.COMPARE_V3, body=body)
        found = ComparisonWire.read(response, self._errors) or ComparisonWire()
        if response and not found.model_fields_set:
            self._errors.count += 1
            raise DecodeError(operations.COMPARE_V3.name, "decode")
        require_about(operations.COMPARE_V3.name, response, self._job_id, self._errors)
        return found
