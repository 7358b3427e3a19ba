"""The directory of the storage: lock, permissions, and files that are set aside."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from exporter.storage import folder
from exporter.storage.folder import DirectoryInUseError, UnusableFileError
from exporter.storage.schema import MIGRATIONS


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_and_its_files_are_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    descriptor = folder.lock(path)
    with closing(folder.connect(path / folder.FILE)) as connection:
        connection.execute("INSERT INTO runs VALUES (1, 1.0, 1.0)")
        assert mode(path) == 0o700
        files = {file.name: mode(file) for file in path.iterdir()}
    assert set(files.values()) == {0o600}
    assert files.keys() == {"lock", folder.FILE, f"{folder.FILE}-wal", f"{folder.FILE}-shm"}
    folder.release(descriptor)


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / folder.FILE
    path.touch(0o644)
    folder.connect(path).close()
    assert mode(path) == 0o600


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path: Path) -> None:
    first = folder.lock(tmp_path)
    with pytest.raises(DirectoryInUseError, match="another exporter uses the directory"):
        folder.lock(tmp_path)
    folder.release(first)
    folder.release(folder.lock(tmp_path))


def test_a_directory_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        folder.lock(tmp_path / "file")


def test_a_file_can_be_opened_again(tmp_path: Path) -> None:
    path = tmp_path / folder.FILE
    with closing(folder.connect(path)) as connection:
        connection.execute("INSERT INTO runs VALUES (1, 1.0, 1.0)")
    with closing(folder.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_of_something_else_is_unusable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / folder.FILE
    path.write_bytes(content)
    with pytest.raises(UnusableFileError, match="it is damaged") as raised:
        folder.connect(path)
    assert raised.value.suffix == "corrupt"


def test_a_database_of_another_program_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / folder.FILE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(UnusableFileError, match="a file of another program"):
        folder.connect(path)


def test_a_file_of_a_newer_version_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / folder.FILE
    with closing(folder.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(UnusableFileError, match="a newer exporter has written it: schema 2, not 1") as raised:
        folder.connect(path)
    assert raised.value.suffix == "newer"


def test_a_file_is_set_aside_with_its_journal_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / folder.FILE
    for end in ("", "-wal", ".corrupt", ".corrupt-wal", ".corrupt-shm"):
        (tmp_path / f"{folder.FILE}{end}").write_text(f"content{end}")
    assert folder.set_aside(path, "corrupt") == tmp_path / f"{folder.FILE}.corrupt"
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        f"{folder.FILE}.corrupt": "content",
        f"{folder.FILE}.corrupt-wal": "content-wal",
    }


def test_the_size_contains_the_journal(tmp_path: Path) -> None:
    path = tmp_path / folder.FILE
    path.write_bytes(b"12345")
    assert folder.size_of(path) == 5
    (tmp_path / f"{folder.FILE}-wal").write_bytes(b"123")
    assert folder.size_of(path) == 8
    path.unlink()
    with pytest.raises(FileNotFoundError):
        folder.size_of(path)
