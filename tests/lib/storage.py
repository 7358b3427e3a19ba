"""A storage in a folder, and records for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from exporter.config import StorageSettings
from exporter.model.events import Event, Kind
from exporter.model.task import Phase, ProjectKey
from exporter.model.timeline import Point
from exporter.storage import SqliteStorage, TaskKey, TaskTimes
from exporter.storage.database import Database
from exporter.storage.folder import FILE
from exporter.storage.rows import Batch
from tests.lib.virtual_time import clock

KEY = ProjectKey("acme", "cn-north-4", "payments")
TASK = TaskKey(KEY, "a")
NOW = 1_767_225_600.0
DAY = 86_400.0
TIMES = TaskTimes("orders", Phase.INCREMENTAL, NOW - 60, None, True, NOW - 30, NOW + 60, 7)  # noqa: FBT003

_made: list[Database] = []


class Meter:
    """Counts as the metrics do."""

    def __init__(self) -> None:
        self.errors = self.dropped_records = 0
        self.sizes: list[int] = []

    def failed(self) -> None:
        self.errors += 1

    def dropped(self, records: int) -> None:
        self.dropped_records += records

    def written(self, size: int) -> None:
        self.sizes.append(size)


def event(at: float = NOW, kind: Kind = Kind.FAILED, task_id: str | None = "a", **detail: str) -> Event:
    needed = {"phase_before": "incremental"} if kind is Kind.FAILED else {}
    return Event(at, kind, *KEY, task_id, task_id and f"task {task_id}", needed | detail)


def point(at: float = NOW, **values: Any) -> Point:
    return Point(at, **{"delay_seconds": 1.5, "phase": Phase.INCREMENTAL, **values})


def events(count: int, at: float = NOW, step: float = 1.0, **detail: Any) -> tuple[tuple[int, Event], ...]:
    """Events with their numbers."""
    return tuple((number, event(at + number * step, **detail)) for number in range(count))


def database(folder: Path, keep: float = 30 * DAY, max_size: int = 512_000_000) -> Database:
    """Closed after the test, see `close_databases`."""
    _made.append(Database(folder, keep, max_size))
    return _made[-1]


def close_databases() -> None:
    """Close those that a test has left open: Python 3.13 warns of them whenever it collects them."""
    while _made:
        _made.pop().close()


def storage(folder: Path, meter: Meter | None = None, **settings: Any) -> SqliteStorage:
    """On the virtual loop that runs."""
    return SqliteStorage(StorageSettings(path=folder, **settings), clock(), meter or Meter())


def stored_events(folder: Path) -> list[tuple[Any, ...]]:
    """The rows of events in the file, read by SQLite alone."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT * FROM events ORDER BY id").fetchall()


def remove_files(folder: Path) -> None:
    """Remove the file and those beside it."""
    for path in folder.glob(f"{FILE}*"):
        path.unlink()


def write_all(folder: Path, batch: Batch) -> None:
    """Write a batch as a process of its own would, and end."""
    made = database(folder)
    made.write(batch)
    made.close()
