"""The directory of the storage: its lock, its file, and files that are set aside."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from exporter.storage.schema import APPLICATION_ID, MIGRATIONS, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "drs-exporter.db"
_LOCK = "lock"
_SUFFIXES = ("", "-wal", "-shm")
"""Of the file and of those that SQLite creates beside it."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""The last one means that a table is missing."""
_BUSY_SECONDS = 1.0
_CHECK_SECONDS = 2.0
_STEPS = 10_000
"""Of SQLite between two looks at the time."""
_LOG_PAGES = 250
"""Of 4 KiB: a larger write-ahead log is moved to the file after the next write."""


class DirectoryInUseError(OSError):
    """Another process uses the directory."""


class UnusableFileError(Exception):
    """The file cannot be used, and is set aside.

    Args:
        suffix: of its new name.
        reason: for the log.
    """

    def __init__(self, suffix: str, reason: str) -> None:
        super().__init__(reason)
        self.suffix = suffix


def lock(folder: Path) -> int:
    """Create and lock the directory, and return the descriptor of the lock; the end of the process releases it.

    Raises:
        DirectoryInUseError: another process has locked it.
        OSError: it cannot be created or written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DirectoryInUseError("another exporter uses the directory: each needs its own") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the file, with the newest schema.

    Raises:
        UnusableFileError: it is damaged, of a newer version, or of another program.
        sqlite3.Error, OSError: it cannot be opened now.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its other files get the same mode
    path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    return _opened(connection, _prepare)


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open the file beside an exporter, or without one; nothing is written, and no file is created.

    Raises:
        UnusableFileError: it is damaged, of another version, or of another program.
        sqlite3.Error: it cannot be opened.
    """
    # Without this file, no exporter has the database open, or has left records outside of it.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, timeout=_BUSY_SECONDS)
    return _opened(connection, _refuse_older)


def _opened(connection: sqlite3.Connection, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Prepare a connection and return it; it is closed after an error. Raises `UnusableFileError` of a damaged file."""
    try:
        connection.text_factory = _text_of
        prepare(connection)
    except Exception as error:
        connection.close()
        if is_damaged(error):
            raise UnusableFileError("corrupt", f"it is damaged: {error}") from error
        raise
    return connection


def _refuse_older(connection: sqlite3.Connection) -> None:
    if _version(connection) < len(MIGRATIONS):
        raise UnusableFileError("older", "an older exporter has written it: start the exporter once")


def _prepare(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    connection.execute("PRAGMA journal_size_limit = 0")
    if version < len(MIGRATIONS):
        migrate(connection, version)


def _version(connection: sqlite3.Connection) -> int:
    """Check the file, and return the version of its schema; 0 of a new one. Raises `UnusableFileError`."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    version: int
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise UnusableFileError("corrupt", "it is damaged, or a file of another program")
    if version > len(MIGRATIONS):
        raise UnusableFileError("newer", f"a newer exporter has written it: schema {version}, not {len(MIGRATIONS)}")
    _check(connection)
    return version


def _check(connection: sqlite3.Connection) -> None:
    """Raise `UnusableFileError` if the file is damaged; of a large file, only its first part is checked."""
    until = time.monotonic() + _CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
            raise
    else:
        if result != "ok":
            raise UnusableFileError("corrupt", f"it is damaged: {' '.join(str(result).split())}")
    finally:
        connection.set_progress_handler(None, 0)


def is_damaged(error: Exception) -> bool:
    """Return whether an error shows that the content of the file is damaged."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    decoding = isinstance(error, UnicodeDecodeError)  # of the message of an error of SQLite
    return decoding or (code is not None and code & 0xFF in _DAMAGED)


def set_aside(path: Path, suffix: str) -> Path:
    """Rename the file, and return its new path; an earlier one of the same name is replaced. Raises OSError."""
    new = path.with_name(f"{path.name}.{suffix}")
    for end in reversed(_SUFFIXES):
        target = new.with_name(new.name + end)
        target.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            path.with_name(path.name + end).replace(target)
    return new


def size_of(path: Path) -> int:
    """Return the bytes of the file and of those beside it. Raises OSError if there is no file."""
    size = path.stat().st_size
    for end in _SUFFIXES[1:]:
        with suppress(FileNotFoundError):
            size += path.with_name(path.name + end).stat().st_size
    return size


def release(descriptor: int) -> None:
    """Release the lock of the directory."""
    os.close(descriptor)


def _text_of(value: bytes) -> str:
    """Decode a text; a damaged one must not fail the rows beside it."""
    return value.decode(errors="replace")
