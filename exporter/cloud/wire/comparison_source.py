"""Which comparisons of a task are queried, and by which one its data is judged.

A comparison that has ended does not change, so its results are queried once: after that a task costs one call.
An inconsistent result counts until a later one is equal, whatever runs or failed since, also if it is listed no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
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
_MOST_ROUNDS = 3
"""Comparisons of a type whose results are queried in one poll at most; the next poll continues with older ones."""
_ByType: TypeAlias = Mapping[str, Sequence[ComparisonTaskWire]]
"""Comparisons of a task, the newest first."""


@dataclass(slots=True)
class _Known:
    """The results of the comparisons of one task."""

    queried_at: float = 0.0
    results: dict[str | None, Comparison] = field(default_factory=dict)
    """By id, of comparisons that are listed and have ended well."""
    verdicts: dict[str, tuple[float, Compared]] = field(default_factory=dict)
    """By type, the newest comparison that has a verdict, preceded by its order; it need not be listed any more."""


class ComparisonSource:
    """The comparisons of tasks; keeps the results of those that have ended.

    Args:
        reader: of one API generation.
    """

    def __init__(self, reader: Callable[[Client, str, DecodeErrors], ComparisonReader]) -> None:
        self._reader = reader
        self._known: dict[str, _Known] = {}
        """By task, the one that was queried the longest ago first."""

    async def fetch(self, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        """Return the newest comparison of each type of one task, and the one by which its data is judged.

        Results are those of comparisons that have ended well. Older ones are queried as long as the newer ones have no
        verdict. Results that the cloud does not have yet, or refuses, are queried again the next time.

        Raises:
            CloudError: the list, or a result, failed.
        """
        job_id, counted = ids[0], errors[Comparison.collector]
        reader = self._reader(client, job_id, counted)
        items = await reader.listed()
        decoded = ComparisonTaskWire.read_all(items, counted)
        unknown = sum(task.unknown for task in decoded)
        counted.count += unknown
        listed = _by_type(decoded)
        finished = {kind: [task for task in tasks if task.ended_well] for kind, tasks in listed.items()}
        known = self._recall(job_id, finished)
        queried = set[str | None]()
        for _ in range(_MOST_ROUNDS):
            missing = list(_missing(finished, known, queried))
            queried.update(task.id for task in missing)
            for task, results in zip(missing, await reader.results(missing) if missing else (), strict=True):
                if results is None:
                    counted.count += 1  # the list stays a fact, and so do other types
                elif (comparison := await _comparison(reader, task, results, counted)) is not None:
                    known.results[task.id] = comparison
        _update_verdicts(finished, known)
        lost = unknown + len(items) - len(decoded)
        return {job_id: (replace(_merged(listed, finished, known), unknown=lost > 0),)}

    def _recall(self, job_id: str, finished: _ByType) -> _Known:
        """Return what is known of a task, with the results down to the newest verdict of each type.

        Tasks that were not queried for a day are removed.
        """
        known = self._known.pop(job_id, _Known())
        kept = {task.id for tasks in finished.values() for task in _until_verdict(tasks, known)}
        known.results = {key: comparison for key, comparison in known.results.items() if key in kept}
        known.queried_at = loop_time()
        self._known[job_id] = known
        while loop_time() - self._known[oldest := next(iter(self._known))].queried_at > _FORGOTTEN_SECONDS:
            del self._known[oldest]
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


def _until_verdict(finished: Sequence[ComparisonTaskWire], known: _Known) -> Iterator[ComparisonTaskWire]:
    """Yield comparisons, down to the newest that is known to prove that the data is equal or different."""
    for task in finished:
        yield task
        if _result(task, known).types[0].consistent is not None:
            return


def _missing(finished: _ByType, known: _Known, queried: set[str | None]) -> Iterator[ComparisonTaskWire]:
    """Yield the newest comparison of each type whose results are needed, unknown and not queried yet."""
    for tasks in finished.values():
        needed = _until_verdict(tasks, known)
        yield from islice((task for task in needed if task.id not in known.results and task.id not in queried), 1)


def _update_verdicts(finished: _ByType, known: _Known) -> None:
    """Replace the verdict of each type by a later one."""
    for kind, tasks in finished.items():
        for task in _until_verdict(tasks, known):
            (verdict,) = _result(task, known).types
            later = not task.order or task.order >= known.verdicts.get(kind, (0.0,))[0]
            if verdict.consistent is not None and later:
                known.verdicts[kind] = task.order, verdict


def _result(task: ComparisonTaskWire, known: _Known) -> Comparison:
    """Return a comparison with its results, without any if they are unknown."""
    result = known.results.get(task.id) if task.ended_well else None
    return result or Comparison((Compared(task.kind, task.status or "", finished_at=task.ended),))


def _merged(listed: _ByType, finished: _ByType, known: _Known) -> Comparison:
    newest = [_result(tasks[0], known) for _, tasks in sorted(listed.items())]
    judged = {kind: _result(tasks[0], known).types[0] for kind, tasks in finished.items() if tasks}
    judged |= {kind: verdict for kind, (_, verdict) in known.verdicts.items() if verdict.consistent is False}
    types = tuple(compared for result in newest for compared in result.types)
    return Comparison(
        types,
        objects=tuple(count for result in newest for count in result.objects),
        earlier=tuple(compared for _, compared in sorted(judged.items()) if compared not in types),
    )
