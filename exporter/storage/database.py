"""The file of the storage: opens it, writes batches and reads records. For one thread at a time."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import structlog

from exporter.storage import folder, limits, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exporter.model.events import Event
    from exporter.model.timeline import Point
    from exporter.storage.records import Restored, Run, TaskKey
    from exporter.storage.rows import Batch

T = TypeVar("T")

_CLEANUP_SECONDS = 3600.0
_SET_ASIDE_SECONDS = 3600.0
_log = structlog.get_logger()


class Written(NamedTuple):
    """The result of a write.

    Args:
        size: bytes of the file and of those beside it.
        opened: how many times the file has been opened.
    """

    size: int
    opened: int


class Database:
    """The file of one exporter. It is opened by the first call, and again after an error.

    Args:
        directory: which it is in.
        keep: seconds for which records are kept.
        max_size: bytes of the file and of those beside it.
    """

    def __init__(self, directory: Path, keep: float, max_size: int) -> None:
        self.directory = directory
        self.keep = keep
        self.max_size = max_size
        self._path = directory / folder.FILE
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._opened = 0
        self._has_run = False
        """True if the file that is open contains this run of the exporter: reads add none."""
        self._run = 0
        """The row of this run of the exporter."""
        self._started_at = 0.0
        """As it is stored."""
        self._step = self._newest_step = 0.0
        """Seconds by which the clock of the host had been set forward: as `_started_at` contains it, and now."""
        self._first_event = 1
        self._cleaned_at = 0.0
        self._next_set_aside = -math.inf

    def open(self, now: float) -> Restored:
        """Open the file, and return what an earlier process has left.

        Raises:
            sqlite3.Error, OSError: it cannot be opened now.
        """
        return self._guarded(lambda: rows.read_restored(self._begun(now), now))

    def write(self, batch: Batch) -> Written:
        """Write a batch in one transaction; raises as `open` does."""
        return self._guarded(lambda: self._write(batch))

    def read_events(self, since: float, until: float) -> list[Event]:
        """Return the events of a time, ascending; raises as `open` does."""
        return self._guarded(lambda: rows.read_events(self._connected(), since, until))

    def read_points(self, key: TaskKey, since: float, until: float) -> list[Point]:
        """Return the history of a task, ascending; raises as `open` does."""
        return self._guarded(lambda: rows.read_points(self._connected(), key, since, until))

    def read_runs(self, since: float, until: float) -> list[Run]:
        """Return the runs that overlap a time, ascending; raises as `open` does."""
        return self._guarded(lambda: rows.read_runs(self._connected(), since, until))

    def close(self) -> None:
        """Close the file, and release the directory."""
        self._disconnect()
        if self._lock is not None:
            folder.release(self._lock)
            self._lock = None

    def _guarded(self, call: Callable[[], T]) -> T:
        """Call a function; after an error, the next call opens the file again."""
        try:
            return call()
        except Exception as error:
            self._disconnect()
            if folder.is_damaged(error):
                self._set_aside("corrupt", f"it is damaged: {error}")
            raise

    def _write(self, batch: Batch) -> Written:
        self._newest_step = batch.step
        connection = self._begun(batch.now)
        if self._path.stat().st_ino != self._inode:
            raise OSError("the file was replaced")
        limits.keep_within(connection, self._path, self.max_size)
        if batch.now - self._cleaned_at >= _CLEANUP_SECONDS or batch.now < self._cleaned_at:
            limits.remove_old(connection, batch.now - self.keep)
            self._cleaned_at = batch.now
        started_at = self._started_at + batch.step - self._step  # else a wrong clock at the start hides a gap
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows.write(connection, batch, self._first_event)
            run = started_at, batch.now, self._run
            connection.execute("UPDATE runs SET started_at = ?, alive_at = ? WHERE id = ?", run)
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        self._started_at, self._step = started_at, batch.step
        return Written(folder.size_of(self._path), self._opened)

    def _begun(self, now: float) -> sqlite3.Connection:
        """Return the connection, and add this run of the exporter at a Unix time, unless the file contains it."""
        connection = self._connected()
        if not self._has_run:
            self._begin(connection, now)
            self._has_run = True
        return connection

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, and open it if there is none; a file that cannot be used is set aside."""
        if self._connection is not None:
            return self._connection
        if self._lock is None:
            self._lock = folder.lock(self.directory)
        try:
            connection = folder.connect(self._path)
        except folder.UnusableFileError as error:
            self._set_aside(error.suffix, str(error))
            connection = folder.connect(self._path)
        self._connection, self._has_run = connection, False
        self._inode = self._path.stat().st_ino
        self._opened += 1
        return connection

    def _begin(self, connection: sqlite3.Connection, now: float) -> None:
        same = "SELECT 1 FROM runs WHERE id = ? AND started_at = ?"
        if self._run and connection.execute(same, (self._run, self._started_at)).fetchone():
            return
        (last,) = connection.execute("SELECT max(id) FROM events").fetchone()
        added = connection.execute("INSERT INTO runs (started_at, alive_at) VALUES (?, ?)", (now, now))
        self._first_event, self._run = (last or 0) + 1, added.lastrowid or 0
        self._started_at, self._step = now, self._newest_step

    def _set_aside(self, suffix: str, reason: str) -> None:
        """Rename the file, but at most once an hour: a fault of the disk must not replace the only good one."""
        now = time.monotonic()
        if now < self._next_set_aside:
            return
        self._next_set_aside = now + _SET_ASIDE_SECONDS
        new = folder.set_aside(self._path, suffix)
        _log.error("the file of the storage cannot be used; a new one is created", reason=reason, set_aside=str(new))

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
