"""Results of comparisons: v3 "query-compare-result", v5 "Querying Task Details" with type=compare."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.fields import Number, Text, Time, Wire, Word, alias
from exporter.model.facts import Compared, ObjectCount

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

Rows: TypeAlias = Mapping[str, float]
"""Numbers of rows by the fields of `Compared`; those that are unknown are missing."""
PAGE = 100
"""Results in one response at most: a full page may have been cut."""
OBJECT, LINE, CONTENT = "object", "line", "content"
_TYPES = {"object": OBJECT, "objects": OBJECT, "object_comparison": OBJECT, "lines": LINE, "contents": CONTENT}
_OTHER_TYPES = frozenset({"account", "random", "node", "mgr"})
_WAITING = "WAITING_FOR_RUNNING"
_EQUAL = "CONSISTENT"
_DIFFERENT = frozenset({"INCONSISTENT", "TARGET_DB_NOT_EXIST"})
_SPELLINGS = {"TARGET_DB_NOT_EXIT": "TARGET_DB_NOT_EXIST"}  # v3's own
_MOST_PAGES = 10


class ComparisonTaskWire(Wire):
    """A comparison in the list: v5 `data_compare_task_list`, v3 `compare_task_list`."""

    id: Text = alias("id", "compare_task_id")
    type: Word = alias("type", "compare_type")
    status: Word = alias("status", "compare_task_status")
    started: Time = alias("start_time", "create_time")
    ended: Time = alias("end_time")

    @property
    def kind(self) -> str:
        """Object, line or content; empty for the kinds that say nothing about data (accounts and so on)."""
        return _TYPES.get(self.type or "", "")

    @property
    def unknown(self) -> bool:
        """True if it may compare data, but the type, the id or the status is missing or unknown."""
        return not (self.kind and self.id and self.status) and self.type not in _OTHER_TYPES

    @property
    def ended_well(self) -> bool:
        """True if it has results, or will have some."""
        return self.status == "SUCCESSFUL"

    @property
    def order(self) -> float:
        """The later, the newer; one that waits has no times yet."""
        return self.started or self.ended or (math.inf if self.status == _WAITING else 0.0)


class ComparedWire(Wire):
    """How one database compares: v5 `*_compare_overview_infos`, v3 `line_`, `content_compare_overview`."""

    status: Word = alias("status", "line_compare_result", "content_compare_result")


class ComparedObjectsWire(ComparedWire):
    """How objects of one type compare: v5 `compare_results`, v3 `object_compare_overview`."""

    status: Word = alias("status", "object_compare_result")
    type: Word = alias("type", "object_type")
    source: Number = alias("source_count")
    target: Number = alias("target_count")


class ComparedRowsWire(Wire):
    """Rows of a table on both sides, and how many differ; strings in v5, numbers in v3."""

    rows_source: Number = alias("source_row_num")
    rows_target: Number = alias("target_row_num")
    different_rows: Number = alias("difference_row_num", "diff_row_num")


def is_complete(items: Sequence[Any] | None, decoded: Sequence[Wire], total: float | None = None) -> bool:
    """Return whether every item came and was decoded; where no total is given, a full page may have been cut."""
    received = len(items or ())
    return len(decoded) == received and (received < PAGE if total is None else received >= total)


def verdict_of(task: ComparisonTaskWire, statuses: Sequence[str | None], *, complete: bool) -> Compared | None:
    """Return a comparison that has ended well, with its results; None where there are none yet.

    Only complete results prove that all is equal; any part of them proves that something is not.
    """
    results = Counter(_SPELLINGS.get(status, status) for status in statuses if status)
    found = results.keys()
    if not found:
        return None
    equal = complete and found == {_EQUAL} and None not in statuses
    consistent = False if found & _DIFFERENT else True if equal else None
    return Compared(
        type=task.kind,
        status=task.status or "",
        consistent=consistent,
        finished_at=task.ended,
        results=tuple(sorted(results.items())) if complete else (),
    )


def sum_rows(tables: list[Any] | None, errors: DecodeErrors, total: float | None = None) -> Rows:
    """Return the sums of all tables; those that are not known of each table are left out."""
    rows = ComparedRowsWire.read_all(tables, errors)
    if not rows or not is_complete(tables, rows, total):
        return {}
    columns = {name: [getattr(row, name) for row in rows] for name in ComparedRowsWire.model_fields}
    return {name: sum(column) for name, column in columns.items() if None not in column}


def object_counts(objects: Iterable[ComparedObjectsWire]) -> tuple[ObjectCount, ...]:
    """Return the counts of an object comparison."""
    return tuple(ObjectCount(item.type.lower(), item.source, item.target) for item in objects if item.type)


class Results(NamedTuple):
    """A page of comparisons, or of the results of one: object types or databases. They are not decoded yet."""

    items: list[Any] | None
    total: float | None = None
    """The number of items on all pages, where the cloud reports it."""


class ComparisonReader(ABC):
    """Queries the comparisons of one task through one API generation; raises `CloudError`."""

    def __init__(self, client: Client, job_id: str, errors: DecodeErrors) -> None:
        self._client = client
        self._job_id = job_id
        self._errors = errors

    async def listed(self) -> list[Any]:
        """Return the comparisons of the task, of at most ten pages: their order is documented nowhere."""
        listed: list[Any] = []
        for number in range(_MOST_PAGES):
            page = await self.page(number)
            if not page.items or page.items == listed[-len(page.items) :]:  # the last page, or the same one again
                break
            listed += page.items
            if len(page.items) < PAGE if page.total is None else len(listed) >= page.total:
                break
        return listed

    @abstractmethod
    async def page(self, number: int) -> Results:
        """Return one page of the comparisons of the task, the first with number 0."""

    @abstractmethod
    async def results(self, tasks: Sequence[ComparisonTaskWire]) -> list[Results | None]:
        """Return the results of each of these comparisons; None where the cloud refuses the query."""

    @abstractmethod
    async def rows(self, task: ComparisonTaskWire, verdict: Compared) -> Rows:
        """Return the numbers of rows that a comparison of lines or contents, which `results` has returned, found."""
