"""Reads what is known about a wave: from the storage, and from the memory of the exporter that runs."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from exporter.model.member_facts import UNKNOWN_FACTS, MemberFacts
from exporter.model.recorded import Recorded
from exporter.model.spans import Period
from exporter.model.task import ProjectKey
from exporter.model.task_record import TaskRecord
from exporter.model.timeline import DAY, HOUR, step_of
from exporter.model.wave_record import WaveRecord
from exporter.runtime.threads import DaemonPool
from exporter.runtime.turns import Turns
from exporter.storage import TaskKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exporter.model.events import Event, EventLog
    from exporter.model.timeline import Point
    from exporter.model.waves import WaveMember, WaveStatus
    from exporter.storage import Storage
    from exporter.store.store import Store

T = TypeVar("T")

_SORTING = DaemonPool("events", threads=1, timeout=120.0)
"""Sorts the events of all tasks: hundreds of thousands take a second."""
_TASKS_PER_TURN = 10
_BEFORE = 7 * DAY
"""Seconds before the wave whose events and points are read: the full load may have begun then."""


class UnreadableRecordsError(Exception):
    """The storage cannot be read now. Without what it contains, a record would deny what happened."""


class Memory(NamedTuple):
    """What the exporter that runs keeps in memory.

    Args:
        stores: one for each project.
        events: of all projects.
    """

    stores: Sequence[Store]
    events: EventLog


_ALIVE_SECONDS = 60.0
"""An exporter whose last write is younger still runs: it writes every 10 s."""


class _Source(NamedTuple):
    """The places of the records of one wave."""

    wave: str
    storage: Storage
    stores: Mapping[ProjectKey, Store]

    def facts_of(self, member: WaveMember) -> MemberFacts:
        """Return the last known facts of a member."""
        if store := self.stores.get(member.key):
            return store.state.waves.facts(self.wave, member.task_id)
        stored = self.storage.restored.members.get(self.wave, {}).get(TaskKey(member.key, member.task_id))
        return stored.facts if stored else UNKNOWN_FACTS


async def wave_record(status: WaveStatus, storage: Storage, memory: Memory | None, now: float) -> WaveRecord:
    """Return what is known about a wave; `memory` is None if no exporter runs.

    The record of a wave that always runs is that of the last day.

    Raises:
        UnreadableRecordsError: the storage cannot be read.
        TimeoutError, OSError: the events cannot be sorted now.
    """
    end = now if status.ends_at is None else min(now, status.ends_at)
    start = end - DAY if status.starts_at is None else status.starts_at
    runs = await _runs(storage, memory, start, now)
    if status.starts_at is None and runs:
        start = max(start, runs[0].start)
    step = step_of(HOUR if storage.enabled or now - start <= HOUR else DAY)
    recorded = Recorded(Period(start, max(end, start + 1)), runs, step, now)
    events = await _events(storage, memory, start - _BEFORE, now)
    stores = {store.key: store for store in memory.stores} if memory else {}
    source, turns = _Source(status.name, storage, stores), Turns()
    tasks = []
    for member in (*status.members, *status.deleted):
        about = events.get((member.key, member.task_id), ())
        tasks.append((member, await _task(source, member, about, recorded)))
        await turns.after(1 / _TASKS_PER_TURN)
    projects = dict.fromkeys(member.key for member, _ in tasks)
    of_projects = sorted((event for key in projects for event in events.get((key, None), ())), key=attrgetter("at"))
    return WaveRecord(status, recorded, storage.enabled, memory is not None, tasks, of_projects)


def _found(records: list[T] | None, storage: Storage) -> list[T]:
    """Return records that were read, none without a storage. Raises `UnreadableRecordsError`."""
    if records is None and storage.enabled:
        raise UnreadableRecordsError
    return records or []


async def _runs(storage: Storage, memory: Memory | None, since: float, now: float) -> list[Period]:
    """Return when the exporter ran, ascending; one that runs is the last."""
    found = [Period(*run) for run in _found(await storage.read_runs(since, now), storage)]
    if memory is None and (not found or now - found[-1].end > _ALIVE_SECONDS):
        return found
    if not found and memory is not None:
        return [Period(memory.events.since(), now)]
    return [*found[:-1], Period(found[-1].start, now)]


_ByTask = dict[tuple[ProjectKey, str | None], list["Event"]]
"""The events of each task with those of its subtasks, and with None those of each project itself; ascending."""


async def _events(storage: Storage, memory: Memory | None, since: float, now: float) -> _ByTask:
    """Return the events of all projects: what is stored, and what is only in memory."""
    stored = _found(await storage.read_events(since, now), storage)
    recent = memory.events.find(since=since)[::-1] if memory else []
    return await _SORTING.run(_by_task, stored, recent)


def _by_task(stored: Sequence[Event], recent: Iterable[Event]) -> _ByTask:
    """Return events by task: all that are stored, and those recent ones that are not."""
    known, found = {_identity(event) for event in stored}, _ByTask()
    new = [event for event in recent if _identity(event) not in known]
    for event in sorted((*stored, *new), key=attrgetter("at")):
        ids = {event.task_id} if event.task_id is None else {event.task_id, event.detail.get("parent_id")} - {None}
        for task_id in ids:
            found.setdefault((_key_of(event), task_id), []).append(event)
    return found


async def _task(source: _Source, member: WaveMember, events: Sequence[Event], recorded: Recorded) -> TaskRecord:
    store, storage = source.stores.get(member.key), source.storage
    exposed = store.state.exposed(member.task_id) if store else None
    since = recorded.window.start - _BEFORE
    if recorded.runs:
        since = max(since, recorded.runs[0].start)
    stored = _found(await storage.read_points(member.key, member.task_id, since, recorded.now), storage)
    facts = source.facts_of(member)
    return TaskRecord(
        member.key,
        member.task_id,
        member.task_name,
        exposed,
        events,
        [*stored, *_recent(store, member.task_id, stored[-1].at if stored else 0.0)],
        recorded,
        facts if exposed is None else facts.updated(exposed),
    )


def _recent(store: Store | None, task_id: str, since: float) -> list[Point]:
    """Return the points after a time that are in memory, ascending: a minute apart in the last hour."""
    timeline = store.timeline(task_id) if store else None
    if timeline is None:
        return []
    hour = timeline.points(HOUR)
    day = [point for point in timeline.points(DAY) if not hour or point.at < hour[0].at]
    return [point for point in (*day, *hour) if point.at > since]


def _identity(event: Event) -> tuple[object, ...]:
    return (*event[:-1], frozenset(event.detail.items()))


def _key_of(event: Event) -> ProjectKey:
    return ProjectKey(event.account, event.region, event.project)
