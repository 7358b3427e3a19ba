"""The storage in a file: queues records, and writes them in one thread beside the event loop."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from exporter.runtime.threads import DaemonPool
from exporter.storage.database import Database
from exporter.storage.records import NOTHING, TaskKey
from exporter.storage.rows import Batch
from exporter.storage.storage import Storage

if TYPE_CHECKING:
    from exporter.config import StorageSettings
    from exporter.model.events import Event
    from exporter.model.task import ProjectKey
    from exporter.model.timeline import Point
    from exporter.runtime.clock import Clock
    from exporter.storage.records import Member, Run, TaskTimes, WaveTimes

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

MOST_QUEUED = 20_000
"""Events, and points, that wait to be written; further ones displace the oldest."""
_BATCH = 500
_GAP_SECONDS = 1.0
"""Between two writes."""
_ALIVE_SECONDS = 10.0
"""A write is made at least this often, so that the end of a run is known."""
_RETRY_SECONDS = 5.0
_TIMEOUT_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_TOUCH_SECONDS = 3600.0
_LOG_SECONDS = 60.0
_log = structlog.get_logger()


class StorageMeter(Protocol):
    """Counts what happens to the storage."""

    def failed(self) -> None:
        """Count a write or a read that failed."""

    def dropped(self, records: int) -> None:
        """Count records that were dropped because too many waited."""

    def written(self, size: int) -> None:
        """Observe a write that succeeded, and the bytes of the file after it."""


class _Records(dict[K, V | None]):
    """The newest record of each key, and the keys that are not written yet; None removes a record."""

    def __init__(self) -> None:
        super().__init__()
        self.due: dict[K, None] = {}

    def put(self, key: K, value: V | None) -> bool:
        """Store a record. Return whether it is another than before."""
        if key in self and self[key] == value:
            return False
        self[key] = value
        self.due[key] = None
        return True

    def take(self) -> tuple[tuple[K, V | None], ...]:
        return tuple((key, self[key]) for key in islice(self.due, _BATCH))

    def wrote(self, written: tuple[tuple[K, V | None], ...]) -> None:
        """Forget that records are due, unless they have changed since; removed ones are forgotten."""
        for key, value in written:
            if self[key] is value:
                del self.due[key]
                if value is None:
                    del self[key]

    def touch(self) -> None:
        self.due = dict.fromkeys(self)


class SqliteStorage(Storage):
    """Keeps records in a file. Errors are counted and logged; they stop nothing.

    Args:
        settings: with a path.
        clock: of the process.
        meter: counts writes and errors.
    """

    enabled = True

    def __init__(self, settings: StorageSettings, clock: Clock, meter: StorageMeter) -> None:
        if settings.path is None:
            raise ValueError("needs a path")
        self._clock = clock
        self._meter = meter
        self._database = Database(settings.path, settings.keep, settings.max_size)
        self._pool = DaemonPool("storage", threads=1, timeout=_TIMEOUT_SECONDS)
        self._added = asyncio.Event()
        self._events: deque[tuple[int, Event]] = deque()
        self._points: deque[tuple[int, TaskKey, Point]] = deque()
        self._numbers = 0
        self._times: _Records[TaskKey, TaskTimes] = _Records()
        self._members: _Records[tuple[str, TaskKey], Member] = _Records()
        self._waves: _Records[str, WaveTimes] = _Records()
        self._opened = 0
        self._touched_at = clock.steady()
        self._logged_at = -math.inf
        self._failing = False

    def limit(self, settings: StorageSettings) -> None:
        """Adopt the limits of another configuration; another path is used after a restart only."""
        self._database.keep, self._database.max_size = settings.keep, settings.max_size
        if settings.path != self._database.directory:
            _log.warning("a new storage.path is used only after a restart", in_use=str(self._database.directory))

    async def open(self) -> None:
        """Open the file and read what an earlier process has left; without it after an error."""
        self.restored = await self._call(self._database.open, self._clock.now()) or NOTHING

    async def run(self) -> None:
        """Write records for ever, soon after they are added."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_ALIVE_SECONDS):
                    await self._added.wait()
            await asyncio.sleep(_GAP_SECONDS if await self.flush() else _RETRY_SECONDS)

    async def close(self) -> None:
        """Write what waits, and close the file; a disk that hangs delays it by seconds at most."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.flush()
                await self._call(self._database.close)
        except TimeoutError as error:
            self._failed(error)

    async def flush(self) -> bool:
        """Write all that waits. Return whether that succeeded."""
        self._added.clear()
        if self._clock.steady() - self._touched_at >= _TOUCH_SECONDS:
            self._touch()
        while True:
            batch = self._batch()
            written = await self._call(self._database.write, batch)
            if written is None:
                self._added.set()
                return False
            self._wrote(batch)
            self._meter.written(written.size)
            if self._opened not in {0, written.opened}:
                self._touch()  # it may be a new file
            self._opened = written.opened
            if not (self._events or self._points or self._times.due or self._members.due or self._waves.due):
                return True

    def add_event(self, event: Event) -> None:
        """Queue an event."""
        self._numbers += 1
        self._events.append((self._numbers, event))
        self._limit_queue(self._events)

    def add_point(self, key: ProjectKey, task_id: str, point: Point) -> None:
        """Queue a point of the history of a task."""
        self._numbers += 1
        self._points.append((self._numbers, TaskKey(key, task_id), point))
        self._limit_queue(self._points)

    def set_times(self, key: ProjectKey, task_id: str, times: TaskTimes | None) -> None:
        """Queue the last observations of a task, if they have changed; None once it is removed."""
        before = self._times.get(TaskKey(key, task_id))
        if self._times.put(TaskKey(key, task_id), times) and not _is_confirmed(before, times):
            self._added.set()

    def set_member(self, wave: str, key: ProjectKey, task_id: str, member: Member | None) -> None:
        """Queue a member of a wave, if it has changed; None once the wave has begun again."""
        if self._members.put((wave, TaskKey(key, task_id)), member):
            self._added.set()

    def set_wave(self, wave: str, times: WaveTimes | None) -> None:
        """Queue the readiness of a wave, if it has changed; None if it is unknown."""
        if self._waves.put(wave, times):
            self._added.set()

    async def read_events(self, since: float, until: float) -> list[Event] | None:
        """Return the events of a time that are written, ascending; None if that fails."""
        return await self._call(self._database.read_events, since, until)

    async def read_points(self, key: ProjectKey, task_id: str, since: float, until: float) -> list[Point] | None:
        """Return the history of a task that is written, ascending; None if that fails."""
        return await self._call(self._database.read_points, TaskKey(key, task_id), since, until)

    async def read_runs(self, since: float, until: float) -> list[Run] | None:
        """Return the runs of the exporter that overlap a time, ascending; None if that fails."""
        return await self._call(self._database.read_runs, since, until)

    def _batch(self) -> Batch:
        return Batch(
            self._clock.now(),
            tuple(islice(self._events, _BATCH)),
            tuple(islice(self._points, _BATCH)),
            self._times.take(),
            self._members.take(),
            self._waves.take(),
            self._clock.step,
        )

    def _wrote(self, batch: Batch) -> None:
        """Remove from the queues what was written; other records may have been dropped meanwhile."""
        for queue, written in ((self._events, batch.events), (self._points, batch.points)):
            while queue and written and queue[0][0] <= written[-1][0]:
                queue.popleft()
        self._times.wrote(batch.times)
        self._members.wrote(batch.members)
        self._waves.wrote(batch.waves)

    def _limit_queue(self, queue: deque[Any]) -> None:
        self._added.set()
        if len(queue) > MOST_QUEUED:
            queue.popleft()
            self._meter.dropped(1)

    def _touch(self) -> None:
        """Write all records again: those that no longer change must not become too old."""
        self._touched_at = self._clock.steady()
        for records in (self._times, self._members, self._waves):
            records.touch()

    async def _call(self, function: Callable[..., T], *arguments: object) -> T | None:
        """Call a function of the file in the thread. Return None if it fails, which is counted and logged."""
        try:
            result = await self._pool.run(function, *arguments)
        except Exception as error:  # noqa: BLE001 - a damaged file may cause any; none may stop the exporter
            self._failed(error)
            return None
        if self._failing and function == self._database.write:
            self._failing = False
            _log.info("the storage works again", path=str(self._database.directory))
        return result

    def _failed(self, error: Exception) -> None:
        self._meter.failed()
        self._failing = True
        now = self._clock.steady()
        if now - self._logged_at >= _LOG_SECONDS:
            self._logged_at = now
            text = "the disk does not respond" if isinstance(error, TimeoutError) else str(error)
            _log.error("the storage fails; records wait in memory", path=str(self._database.directory), error=text)


def _is_confirmed(before: TaskTimes | None, times: TaskTimes | None) -> bool:
    """Return whether facts only confirm a verdict, which each poll does: that waits for the next write."""
    return before is not None and times is not None and before._replace(ready_until=times.ready_until) == times
