"""Which comparisons of a task are queried, and by which one its data is judged.

A comparison that has ended does not change, so its results are queried once: after that a task costs one call.
An inconsistent result counts until a later one is equal, whatever runs or failed since; so older results are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from exporter.cloud.source import DecodeErrors, ErrorsByCollector, TaskResults
from exporter.cloud.wire.comparison import (
    CONTENT,
    OBJECT,
    ComparedObjectsWire,
    ComparedWire,
    ComparisonReader,
    ComparisonTaskWire,
    Results,
    Rows,
    is_complete,
    object_counts,
    verdict_of,
)
from exporter.model.facts import Compared, Comparison
from exporter.runtime.clock import loop_time

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

_FORGOTTEN_SECONDS = 86_400.0
_JUDGED = 3
"""Comparisons of a type, the newest that have ended well, whose results are queried at most."""
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
        finished = {kind: [task for task in tasks if task.ended_well] for kind, tasks in listed.items()}
        known = self._recall(job_id, finished)
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

    def _recall(self, job_id: str, finished: _ByType) -> _Known:
        """Return the stored results of the newest comparisons of each type, and of the newest that has a verdict.

        Tasks that were not queried for a day are removed.
        """
        before = self._known.pop(job_id, (0.0, {}))[1]
        kept = {
            task.id
            for tasks in finished.values()
            for task in (*tasks[:_JUDGED], _decided(tasks, before))
            if task is not None
        }
        known = {key: comparison for key, comparison in before.items() if key in kept}
        self._known[job_id] = (loop_time(), known)
        oldest = next(iter(self._known))
        while loop_time() - self._known[oldest][0] > _FORGOTTEN_SECONDS:
            del self._known[oldest]
            oldest = next(iter(self._known))
        return known


def _by_type(listed: Sequence[ComparisonTaskWire]) -> _ByType:
    by_type, orders, following = defaultdict[str, list[ComparisonTaskWire]](list), list[float](), 0.0
    for task in reversed(listed):  # one without a time that can be read is newer than the next: so lists the cloud
        following = task.order or following
        orders.append(following)
    ordered = zip(reversed(orders), listed, strict=True)
    for _, task in sorted(ordered, key=itemgetter(0), reverse=True):  # of equals the first
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
    known_result = known.get(task.id) if task.ended_well else None
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
