"""Results of comparisons: v3 "query-compare-result", v5 "Querying Task Details" with type=compare.

A comparison that has ended does not change, so its results are queried once: after that a task costs one call.
An inconsistent result counts until a later one is equal, whatever runs or failed since; so older results are kept.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from exporter.cloud.source import DecodeErrors, ErrorsByCollector, TaskResults
from exporter.cloud.wire.fields import Number, Text, Time, Wire, Word, alias
from exporter.model.facts import Compared, Comparison, ObjectCount
from exporter.runtime.clock import loop_time

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

Rows: TypeAlias = Mapping[str, float]
"""Numbers of rows by the fields of `Compared`; those that are unknown are missing."""
PAGE = 100
"""Results in one response at most: a full page may have been cut."""
OBJECT, LINE, CONTENT = "object", "line", "content"
_TYPES = {"object": OBJECT, "objects": OBJECT, "object_comparison": OBJECT, "lines": LINE, "contents": CONTENT}
_SUCCESSFUL = "SUCCESSFUL"
_WAITING = "WAITING_FOR_RUNNING"
_EQUAL = "CONSISTENT"
_DIFFERENT = frozenset({"INCONSISTENT", "TARGET_DB_NOT_EXIST"})
_SPELLINGS = {"TARGET_DB_NOT_EXIT": "TARGET_DB_NOT_EXIST"}  # v3's own
_FORGOTTEN_SECONDS = 86_400.0
_JUDGED = 3
"""Comparisons of a type, the newest that have ended well, whose results are queried at most."""


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
    """The results of one comparison that has ended: object types or databases, not yet decoded."""

    items: list[Any] | None
    total: float | None = None
    """The number of items, where the cloud reports it."""


class ComparisonReader(ABC):
    """Queries the comparisons of one task through one API generation; raises `CloudError`."""

    def __init__(self, client: Client, job_id: str, errors: DecodeErrors) -> None:
        self._client = client
        self._job_id = job_id
        self._errors = errors

    @abstractmethod
    async def listed(self) -> list[Any] | None:
        """Return the comparisons of the task."""

    @abstractmethod
    async def results(self, tasks: Sequence[ComparisonTaskWire]) -> list[Results | None]:
        """Return the results of each of these comparisons; None where the cloud refuses the query."""

    @abstractmethod
    async def rows(self, task: ComparisonTaskWire, verdict: Compared) -> Rows:
        """Return the numbers of rows that a comparison of lines or contents, which `results` has returned, found."""


_Known: TypeAlias = dict[str | None, Comparison]
"""Results of comparisons that have ended well, by their ids."""
_ByType: TypeAlias = Mapping[str, Sequence[ComparisonTaskWire]]
"""Comparisons of a task, the newest first."""


class ComparisonSource:
    """The comparisons of tasks; keeps the results of those that have ended.

    Args:
        reader: of one API generation.
    """

    def __init__(self, reader: Callable[[Client, str, DecodeErrors], ComparisonReader]) -> None:
        self._reader = reader
        self._known: dict[str, tuple[float, _Known]] = {}
        """By task, with the time of the last query, the oldest first."""

    async def fetch(self, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        """Return the newest comparison of each type of one task, and the one by which its data is judged.

        Results are those of comparisons that have ended well. Older ones are queried as long as the newer ones have no
        verdict. Results that the cloud does not have yet, or refuses, are queried again the next time.

        Raises:
            CloudError: the list, or a result, failed.
        """
        job_id, counted = ids[0], errors[Comparison.collector]
        reader = self._reader(client, job_id, counted)
        listed = _by_type(ComparisonTaskWire.read_all(await reader.listed(), counted))
        finished = {kind: [task for task in tasks if task.status == _SUCCESSFUL] for kind, tasks in listed.items()}
        known = self._recall(job_id, {task.id for tasks in finished.values() for task in tasks[:_JUDGED]})
        for place in range(_JUDGED):
            missing = [
                tasks[place]
                for tasks in finished.values()
                if len(tasks) > place and tasks[place].id not in known and _decided(tasks[:place], known) is None
            ]
            for task, results in zip(missing, await reader.results(missing) if missing else (), strict=True):
                if results is None:
                    counted.count += 1  # the list stays a fact, and so do other types
                elif (comparison := await _comparison(reader, task, results, counted)) is not None:
                    known[task.id] = comparison
        return {job_id: (_merged(listed, finished, known),)}

    def _recall(self, job_id: str, compare_ids: Container[str | None]) -> _Known:
        """Return the stored results of these comparisons; tasks that were not queried for a day are removed."""
        before = self._known.pop(job_id, (0.0, {}))[1]
        known = {key: comparison for key, comparison in before.items() if key in compare_ids}
        self._known[job_id] = (loop_time(), known)
        oldest = next(iter(self._known))
        while loop_time() - self._known[oldest][0] > _FORGOTTEN_SECONDS:
            del self._known[oldest]
            oldest = next(iter(self._known))
        return known


def _by_type(listed: Iterable[ComparisonTaskWire]) -> _ByType:
    by_type = defaultdict[str, list[ComparisonTaskWire]](list)
    for task in sorted(listed, key=attrgetter("order"), reverse=True):  # of equals the first: so does the cloud
        if task.kind and task.id and task.status:
            by_type[task.kind].append(task)
    return by_type


async def _comparison(
    reader: ComparisonReader, task: ComparisonTaskWire, results: Results, errors: DecodeErrors
) -> Comparison | None:
    model = ComparedObjectsWire if task.kind == OBJECT else ComparedWire
    decoded: Sequence[ComparedWire] = model.read_all(results.items, errors)
    complete = is_complete(results.items, decoded, results.total)
    verdict = verdict_of(task, [item.status for item in decoded], complete=complete)
    if verdict is None:
        return None
    if task.kind != OBJECT:
        rows: dict[str, Any] = {**await reader.rows(task, verdict), **_no_rows(task.kind, verdict)}
        verdict = replace(verdict, **rows)
    return Comparison((verdict,), object_counts(item for item in decoded if isinstance(item, ComparedObjectsWire)))


def _no_rows(kind: str, verdict: Compared) -> Rows:
    """Return the numbers that are zero where all is equal; lines compare counts, not which rows there are."""
    names = ("different_rows", "missing_rows", "extra_rows") if kind == CONTENT else ("different_rows",)
    return dict.fromkeys(names, 0.0) if verdict.consistent else {}


def _decided(finished: Iterable[ComparisonTaskWire], known: _Known) -> ComparisonTaskWire | None:
    """Return the newest comparison that proves that the data is equal or different."""
    return next((task for task in finished if _result(task, known).types[0].consistent is not None), None)


def _judged(finished: Sequence[ComparisonTaskWire], known: _Known) -> ComparisonTaskWire:
    """Return the newest comparison; or an older one that found a difference, if no later one shows all equal."""
    decided = _decided(finished, known)
    return finished[0] if decided is None or _result(decided, known).types[0].consistent else decided


def _result(task: ComparisonTaskWire, known: _Known) -> Comparison:
    """Return a comparison with its results, without any if they are unknown."""
    known_result = known.get(task.id) if task.status == _SUCCESSFUL else None
    return known_result or Comparison((Compared(task.kind, task.status or "", finished_at=task.ended),))


def _merged(listed: _ByType, finished: _ByType, known: _Known) -> Comparison:
    merged = Comparison()
    for kind, (newest, *_) in sorted(listed.items()):
        result = _result(newest, known)
        judged = _judged(finished[kind], known) if finished[kind] else newest
        merged = replace(
            merged,
            types=merged.types + result.types,
            objects=merged.objects + result.objects,
            earlier=merged.earlier if judged is newest else merged.earlier + _result(judged, known).types,
        )
    return merged
