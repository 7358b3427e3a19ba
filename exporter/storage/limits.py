"""The limits of the storage: records that are too old, and a file that is too large."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from exporter.storage.folder import size_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_CHUNK_ROWS = 2000
_MOST_CHUNKS = 20
_LARGEST_RESERVE_BYTES = 8_000_000
"""For the write-ahead log, at most a quarter of the limit."""


def remove_old(connection: sqlite3.Connection, before: float) -> None:
    """Remove the records before a Unix time, the oldest first; many of them take several calls."""
    for table in ("events", "points"):
        for _ in range(_MOST_CHUNKS):
            oldest = _oldest(connection, table)
            if oldest is None or oldest >= before:
                break
            connection.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?) AND at < ?",
                (_CHUNK_ROWS, before),
            )
    connection.execute("DELETE FROM tasks WHERE stored_at < ? AND id NOT IN (SELECT task FROM points)", (before,))
    connection.execute("DELETE FROM members WHERE stored_at < ?", (before,))
    connection.execute("DELETE FROM waves WHERE stored_at < ?", (before,))
    connection.execute("DELETE FROM runs WHERE alive_at < ?", (before,))
    connection.execute("PRAGMA incremental_vacuum").fetchall()


def keep_within(connection: sqlite3.Connection, path: Path, max_size: int) -> None:
    """Remove the oldest events and points while the file is too large.

    Raises:
        OSError: the file and its write-ahead log are larger than the limit nevertheless.
        sqlite3.Error: from the file.
    """
    reserve = min(_LARGEST_RESERVE_BYTES, max_size // 4)
    for _ in range(_MOST_CHUNKS):
        if _used_bytes(connection) <= max_size - reserve or not _remove_oldest(connection):
            break
        connection.execute("PRAGMA incremental_vacuum").fetchall()
    if size_of(path) > max_size:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if size_of(path) > max_size:
            raise OSError(errno.EFBIG, "larger than storage.max_size: another program may hold the file open")


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of the file once its changes are checkpointed."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * page_bytes)


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
