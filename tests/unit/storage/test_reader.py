"""The storage of an exporter, read without the right to write to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exporter.storage.folder import FILE, connect
from exporter.storage.reader import UnreadableStorageError, reading
from exporter.storage.rows import Batch, write
from tests.lib.storage import NOW, TASK, events, point


def fill(folder: Path) -> sqlite3.Connection:
    """A file with records, open as an exporter has it."""
    connection = connect(folder / FILE)
    write(connection, Batch(NOW, events=events(3), points=((4, TASK, point()),)), 1)
    connection.execute("INSERT INTO runs (started_at, alive_at) VALUES (?, ?)", (NOW - 60, NOW))
    return connection


async def test_records_are_read_beside_an_exporter_and_without_one(tmp_path: Path) -> None:
    connection = fill(tmp_path)
    for beside in (True, False):
        if not beside:
            connection.close()
        with reading(tmp_path) as storage:
            assert storage.enabled
            assert len(await storage.read_events(0, NOW + 60)) == 3
            assert await storage.read_points(*TASK, 0, NOW + 60) == [point()]
            assert await storage.read_points(TASK.project, "other", 0, NOW + 60) == []
            assert [*map(tuple, await storage.read_runs(0, NOW))] == [(NOW - 60, NOW)]


def test_reading_creates_no_file(tmp_path: Path) -> None:
    fill(tmp_path).close()
    with reading(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with closing(fill(tmp_path)), reading(tmp_path) as storage, pytest.raises(sqlite3.OperationalError):
        storage._connection.execute("DELETE FROM events")


@pytest.mark.parametrize(
    ("version", "words"), [(0, "an older exporter has written it"), (99, "a newer exporter has written it")]
)
def test_a_file_of_another_version_is_refused(tmp_path: Path, version: int, words: str) -> None:
    with closing(fill(tmp_path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(UnreadableStorageError, match=words), reading(tmp_path):
        pass


def test_a_directory_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStorageError, match="does not exist"), reading(tmp_path):
        pass
    assert [*tmp_path.iterdir()] == []


def test_a_directory_that_cannot_be_searched_is_refused_with_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(UnreadableStorageError, match=r"cannot be read: .*File name too long"),
        reading(tmp_path / ("x" * 300)),
    ):
        pass
