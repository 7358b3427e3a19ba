"""The limits of the storage: records that are too old, and a file that is too large."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from exporter.storage.folder import size_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_CHUNK_ROWS = 500
_SECONDS = 1.0
_LARGEST_RESERVE_BYTES = 8_000_000
"""For the write-ahead log, at most a quarter of the limit."""


def remove_old(connection: sqlite3.Connection, before: float) -> None:
    """Remove the records before a Unix time, the oldest first, for a second of each kind at most."""
    for table in ("events", "points"):
        until = time.monotonic() + _SECONDS
        while (oldest := _oldest(connection, table)) is not None and oldest < before and time.monotonic() < until:
            connection.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?) "
                "AND (at < ? OR typeof(at) != 'real')",  # of a damaged file
                (_CHUNK_ROWS, before),
            )
    connection.execute(
        "DELETE FROM tasks WHERE stored_at < ? AND NOT EXISTS (SELECT 1 FROM points WHERE task = tasks.id)", (before,)
    )
    connection.execute("DELETE FROM members WHERE stored_at < ?", (before,))
    connection.execute("DELETE FROM waves WHERE stored_at < ?", (before,))
    connection.execute("DELETE FROM runs WHERE alive_at < ?", (before,))
    _shrink(connection)


def keep_within(connection: sqlite3.Connection, path: Path, max_size: int) -> None:
    """Remove the oldest events and points while the file is too large, for a second at most.

    Raises:
        OSError: the write-ahead log is too large, and cannot be emptied.
        sqlite3.Error: from the file.
    """
    if size_of(path) > max_size and not _empty_log(connection):
        raise OSError(errno.EFBIG, "larger than storage.max_size: another program reads the file")
    limit, until = max_size - min(_LARGEST_RESERVE_BYTES, max_size // 4), time.monotonic() + _SECONDS
    while _used_bytes(connection) > limit and _remove_oldest(connection) and time.monotonic() < until:
        _shrink(connection)
        if not _empty_log(connection):
            break


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log to the file. Return False if another program that reads the file does not let it."""
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _shrink(connection: sqlite3.Connection) -> None:
    """Return the free pages of the file to the disk; `execute` would return a single one."""
    connection.executescript("PRAGMA incremental_vacuum")


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of the pages that contain records."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * page_bytes)


def _remove_oldest(connection: sqlite3.Connection) -> bool:
    """Remove the oldest rows of the table with the oldest row. Return False if there is none."""
    oldest = [(at, table) for table in ("events", "points") if (at := _oldest(connection, table)) is not None]
    if not oldest:
        return False
    _, table = min(oldest)
    connection.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?)", (_CHUNK_ROWS,))
    return True


def _oldest(connection: sqlite3.Connection, table: str) -> float | None:
    """Return the time of the first row of a table."""
    found = connection.execute(f"SELECT at FROM {table} ORDER BY id LIMIT 1").fetchone()
    if found is None:
        return None
    return float(found[0]) if isinstance(found[0], float | int) else 0.0  # of a damaged file
