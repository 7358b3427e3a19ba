"""Reads the file of a storage beside an exporter, or without one; it never writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from exporter.storage import rows
from exporter.storage.folder import FILE, UnusableFileError, connect_read_only
from exporter.storage.records import Restored, TaskKey
from exporter.storage.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exporter.model.events import Event
    from exporter.model.task import ProjectKey
    from exporter.model.timeline import Point
    from exporter.storage.records import Run


class UnreadableStorageError(Exception):
    """The storage cannot be read; the text contains the path, and why."""


class StorageReader(Storage):
    """The storage of an exporter, without the right to write to it. Only the members of waves are restored.

    Args:
        connection: to its file.
    """

    enabled = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.restored = Restored(members=rows.read_members(connection))

    async def read_events(self, since: float, until: float) -> list[Event]:
        """Return the events of a time, ascending."""
        return rows.read_events(self._connection, since, until)

    async def read_points(self, key: ProjectKey, task_id: str, since: float, until: float) -> list[Point]:
        """Return the history of a task, ascending."""
        return rows.read_points(self._connection, TaskKey(key, task_id), since, until)

    async def read_runs(self, since: float, until: float) -> list[Run]:
        """Return the runs of the exporter that overlap a time, ascending."""
        return rows.read_runs(self._connection, since, until)


@contextmanager
def reading(directory: Path) -> Iterator[StorageReader]:
    """Open the storage in a directory.

    Raises:
        UnreadableStorageError: it does not exist, or cannot be read.
    """
    path = directory / FILE
    try:
        path.stat()
        with closing(connect_read_only(path)) as connection:
            yield StorageReader(connection)
    except FileNotFoundError as error:
        raise UnreadableStorageError(f"{path} does not exist: no exporter has used this storage.path") from error
    except (sqlite3.Error, UnusableFileError, OSError) as error:
        raise UnreadableStorageError(f"{path} cannot be read: {error}") from error
