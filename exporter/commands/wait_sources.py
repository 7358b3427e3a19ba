"""Where the command `wait` reads the tasks: a running exporter, or an exporter in this process."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from exporter.commands.documents import ObservedTasks, TaskEvents, WaveTable
from exporter.commands.live import first_poll
from exporter.commands.outcome import failures, gaps, reported_failures, reported_gaps
from exporter.commands.remote import LONGEST_QUERY, NOT_READY, Remote
from exporter.commands.tasks import document_of
from exporter.commands.waves import wave_at, wave_of
from exporter.config import NotReadyError
from exporter.daemon.exporter import Exporter
from exporter.model.events import Kind
from exporter.views.events import event_json

_LISTING = {Kind.APPEARED.value, Kind.REMOVED.value}
"""The kinds of events that show whether a task is listed."""


class Reading(NamedTuple):
    """Tasks as they are now.

    Args:
        table: the tasks.
        ready: whether the first poll of every project has ended.
        notes: why tasks may be missing.
    """

    table: ObservedTasks
    ready: bool
    notes: Sequence[str]


class Source(Protocol):
    """Reads tasks; raises `ConfigError`."""

    async def read(self, ids: Iterable[str] | None = None) -> Reading:
        """Return the tasks with these ids, or all tasks."""

    async def removed(self, ids: Iterable[str]) -> Collection[str]:
        """Return the ids of the tasks that were removed, by the newest event about it."""

    async def wave(self, name: str) -> WaveTable:
        """Return a wave with its members; raises also `NoWaveError`."""


class FromUrl:
    """Reads from a running exporter.

    Args:
        remote: the exporter.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def read(self, ids: Iterable[str] | None = None) -> Reading:
        queries = [""] if ids is None else [*_queries(ids)]
        tables, missing = [], dict[str, None]()
        async with self._remote as remote:
            for query in queries:
                document, texts = await remote.tasks(query)
                tables.append(remote.parsed(ObservedTasks, document))
                missing |= dict.fromkeys(texts)
        last = tables[-1]
        table = last.model_copy(update={"tasks": [task for found in tables for task in found.tasks]})
        notes = [*reported_failures(last.projects), *reported_gaps(last.projects), *missing]
        return Reading(table, NOT_READY not in missing, notes)

    async def removed(self, ids: Iterable[str]) -> Collection[str]:
        async with self._remote as remote:
            found = {task_id: remote.parsed(TaskEvents, await remote.events(task_id)) for task_id in ids}
        return [task_id for task_id, events in found.items() if _is_removed(task_id, events)]

    async def wave(self, name: str) -> WaveTable:
        async with self._remote as remote:
            return remote.parsed(WaveTable, await wave_at(remote, name))


class FromCloud:
    """Reads from an exporter that polls in this process.

    Args:
        exporter: polls.
    """

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._readable = False

    async def read(self, ids: Iterable[str] | None = None) -> Reading:
        await first_poll(self._exporter)
        pollers = self._exporter.pollers
        table = ObservedTasks.model_validate(document_of(self._exporter, None if ids is None else {*ids}))
        return Reading(table, self._exporter.ready, [*failures(pollers), *gaps(pollers)])

    async def removed(self, ids: Iterable[str]) -> Collection[str]:
        log = self._exporter.events
        found = {task_id: [event_json(event) for event in log.find(task_id=task_id)] for task_id in ids}
        return [key for key, rows in found.items() if _is_removed(key, TaskEvents.model_validate({"events": rows}))]

    async def wave(self, name: str) -> WaveTable:
        await first_poll(self._exporter)
        wave = WaveTable.model_validate(wave_of(self._exporter, name))
        self._readable = self._readable or any(store.project().up for store in self._exporter.stores)
        if not self._readable:
            raise NotReadyError("\n".join(failures(self._exporter.pollers)))
        return wave


def _is_removed(task_id: str, found: TaskEvents) -> bool:
    kinds = [event.kind for event in found.events if event.task_id == task_id and event.kind in _LISTING]
    return kinds[:1] == [Kind.REMOVED]


def _queries(ids: Iterable[str]) -> Iterator[str]:
    """Return the ids in queries that an exporter allows."""
    query = ""
    for task_id in ids:
        if query and len(query) + 1 + len(task_id) > LONGEST_QUERY:
            yield query
            query = ""
        query = f"{query},{task_id}" if query else task_id
    yield query
