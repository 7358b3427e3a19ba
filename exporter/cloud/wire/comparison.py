"""What comparisons found: v3 "query-compare-result", v5 "Querying Task Details" with type=compare.

A comparison that has ended does not change, so its results are asked for once: after that a task costs one call.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import AliasChoices, Field

from exporter.cloud.http.caller import clock
from exporter.cloud.wire.fields import Number, Text, Time, Wire, Word
from exporter.model.facts import Compared, Comparison, ObjectCount

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

OBJECT, LINE, CONTENT = "object", "line", "content"
_TYPES = {
    "object": OBJECT,
    "objects": OBJECT,
    "object_comparison": OBJECT,
    "lines": LINE,
    "contents": CONTENT,
}
_SUCCESSFUL = "SUCCESSFUL"
_WAITING = "WAITING_FOR_RUNNING"
_EQUAL = "CONSISTENT"
_DIFFERENT = frozenset({"INCONSISTENT", "TARGET_DB_NOT_EXIST"})
_SPELLINGS = {"TARGET_DB_NOT_EXIT": "TARGET_DB_NOT_EXIST"}  # v3's own
_FORGOTTEN_SECONDS = 86_400.0


class Task(Wire):
    """A comparison in the list: v5 `data_compare_task_list`, v3 `compare_task_list`."""

    id: Text = Field(None, validation_alias=AliasChoices("id", "compare_task_id"))
    type: Word = Field(None, validation_alias=AliasChoices("type", "compare_type"))
    status: Word = Field(None, validation_alias=AliasChoices("status", "compare_task_status"))
    started: Time = Field(None, validation_alias=AliasChoices("start_time", "create_time"))
    ended: Time = Field(None, validation_alias="end_time")

    @property
    def kind(self) -> str | None:
        """Object, line or content; None for the kinds that tell nothing about data (accounts and so on)."""
        return _TYPES.get(self.type or "")

    @property
    def order(self) -> float:
        """The later, the newer; one that waits has no times yet."""
        return self.started or self.ended or (math.inf if self.status == _WAITING else 0.0)


class Objects(Wire):
    """How objects of one type compare: v5 `compare_results`, v3 `object_compare_overview`."""

    type: Word = Field(None, validation_alias=AliasChoices("type", "object_type"))
    source: Number = Field(None, validation_alias="source_count")
    target: Number = Field(None, validation_alias="target_count")
    status: Word = Field(None, validation_alias=AliasChoices("status", "object_compare_result"))


class Database(Wire):
    """How one database compares: v5 `*_compare_overview_infos`, v3 `line_`, `content_compare_overview`."""

    status: Word = Field(None, validation_alias=AliasChoices("status", "line_compare_result", "content_compare_result"))


class Rows(Wire):
    """How many rows of a table differ; a string in v5, a number in v3."""

    different: Number = Field(None, validation_alias=AliasChoices("difference_row_num", "diff_row_num"))


def is_complete(items: Sequence[Any] | None, decoded: Sequence[Wire], total: float | None, page: int) -> bool:
    """Whether everything came and was understood; where no total is told, a full page may have been cut."""
    received = len(items or ())
    return len(decoded) == received and (received < page if total is None else received >= total)


def verdict_of(
    task: Task, statuses: Sequence[str | None], *, complete: bool, different_rows: float | None = None
) -> Compared | None:
    """A comparison that has ended well, with what it found; None where nothing is told yet.

    Only complete results prove that all is equal; any part of them proves that something is not.
    """
    results = Counter(_SPELLINGS.get(status, status) for status in statuses if status)
    found = results.keys()
    if not found:
        return None
    equal = complete and found == {_EQUAL} and None not in statuses
    consistent = False if found & _DIFFERENT else True if equal else None
    return Compared(
        type=task.kind or "",
        status=task.status or "",
        consistent=consistent,
        finished_at=task.ended,
        different_rows=0.0 if consistent and task.kind != OBJECT else different_rows,
        results=tuple(sorted(results.items())) if complete else (),
    )


def row_sum(rows: Sequence[Rows], *, complete: bool) -> float | None:
    """How many rows differ in all tables; None where that is not known of each."""
    counted = [row.different for row in rows if row.different is not None]
    return sum(counted) if complete and counted and len(counted) == len(rows) else None


def object_counts(objects: Iterable[Objects]) -> tuple[ObjectCount, ...]:
    """The counts of an object comparison."""
    return tuple(ObjectCount(one.type.lower(), one.source, one.target) for one in objects if one.type)


_Known: TypeAlias = dict[str, tuple[str, Comparison]]
"""By type: the id of the newest comparison that has ended well, and its results."""


class Newest:
    """Keeps the results of the newest ended comparisons, by task and type.

    Args:
        ask: asks the cloud for the results of ended comparisons of one task that are not known yet; None for those
            of which it has nothing to tell, which are asked for again.
    """

    def __init__(self, ask: Callable[[str, list[Task]], Awaitable[list[Comparison | None]]]) -> None:
        self._ask = ask
        self._known: dict[str, tuple[float, _Known]] = {}
        """With the time of the newest question, the oldest of them first."""

    async def comparison(self, job_id: str, listed: Iterable[Task]) -> Comparison:
        """The newest comparison of each type; results where it has ended well. Raises `CloudError`."""
        newest: dict[str, Task] = {}
        for task in sorted(listed, key=attrgetter("order"), reverse=True):  # of equals the first: so does the cloud
            if task.kind and task.id and task.status:
                newest.setdefault(task.kind, task)
        known = self._recall(job_id)
        done = [task for task in newest.values() if task.status == _SUCCESSFUL]
        missing = [task for task in done if known.get(task.kind or "", ("", None))[0] != task.id]
        answers = await self._ask(job_id, missing) if missing else []
        found = {
            task.kind or "": (task.id or "", answer)
            for task, answer in zip(missing, answers, strict=True)
            if answer is not None
        }
        if found:
            self._keep(job_id, {**known, **found})
        return self._merged(newest, {**known, **found})

    def _recall(self, job_id: str) -> _Known:
        """What is known of a task; tasks that nobody has asked about for long are gone, and forgotten."""
        known = self._known.get(job_id, (0.0, {}))[1]
        self._keep(job_id, known)
        oldest = next(iter(self._known))
        while clock() - self._known[oldest][0] > _FORGOTTEN_SECONDS:
            del self._known[oldest]
            oldest = next(iter(self._known))
        return known

    def _keep(self, job_id: str, known: _Known) -> None:
        self._known.pop(job_id, None)
        self._known[job_id] = (clock(), known)

    @staticmethod
    def _merged(newest: dict[str, Task], known: dict[str, tuple[str, Comparison]]) -> Comparison:
        merged = Comparison()
        for kind, task in sorted(newest.items()):
            compare_id, result = known.get(kind, ("", Comparison()))
            if compare_id == task.id:
                merged = replace(merged, types=merged.types + result.types, objects=merged.objects + result.objects)
            else:
                compared = Compared(kind, task.status or "", finished_at=task.ended)
                merged = replace(merged, types=(*merged.types, compared))
        return merged
