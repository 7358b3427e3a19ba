"""The file of the storage under faults: damage, locks, full and read-only disks."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exporter.model.events import Event
from exporter.storage import NOTHING, Run, TaskKey
from exporter.storage.database import Database
from exporter.storage.folder import FILE, DirectoryInUseError
from exporter.storage.rows import Batch
from exporter.storage.schema import MIGRATIONS
from tests.lib.storage import KEY, NOW, TASK, TIMES, database, event, events, point, stored_events, write_all

DAMAGED_FILES = 40


def found(made: Database) -> list[Event]:
    return made.read_events(0, 1e10)


def test_the_next_process_continues_after_the_last_event(tmp_path: Path) -> None:
    for start in (NOW, NOW + 100):
        write_all(tmp_path, Batch(start, events=events(3, start)))
    assert [row[:2] for row in stored_events(tmp_path)] == [
        (1, NOW),
        (2, NOW + 1),
        (3, NOW + 2),
        (4, NOW + 100),
        (5, NOW + 101),
        (6, NOW + 102),
    ]


def test_the_runs_of_the_exporter_have_a_start_and_a_last_write(tmp_path: Path) -> None:
    for start in (NOW, NOW + 100):
        made = database(tmp_path)
        made.open(start)
        made.write(Batch(start + 10))
        made.write(Batch(start + 20))
        made.close()
    made = database(tmp_path)
    assert made.open(NOW + 200).alive_at == NOW + 120
    assert made.read_runs(0, 1e10) == [Run(NOW, NOW + 20), Run(NOW + 100, NOW + 120), Run(NOW + 200, NOW + 200)]
    assert made.read_runs(NOW + 30, NOW + 110) == [Run(NOW + 100, NOW + 120)]
    made.close()


def test_a_read_that_opens_the_file_again_adds_no_run(tmp_path: Path) -> None:
    made = database(tmp_path)
    made.write(Batch(NOW))
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    with pytest.raises(OSError, match="No such file"):
        made.write(Batch(NOW + 10))
    assert made.read_runs(0, NOW + 5000) == []
    made.write(Batch(NOW + 20))
    assert made.read_runs(0, NOW + 5000) == [Run(NOW + 20, NOW + 20)]
    made.close()


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_the_start_of_a_run_follows_a_clock_that_is_set(tmp_path: Path, step: float) -> None:
    write_all(tmp_path, Batch(NOW))
    made = database(tmp_path)
    made.open(NOW + 5000)
    made.write(Batch(NOW + 5010))
    made.write(Batch(NOW + 5020 + step, step=step))
    assert made.read_runs(0, 1e10)[1:] == [Run(NOW + 5000 + step, NOW + 5020 + step)]
    made.write(Batch(NOW + 5030 + step, step=step))
    assert made.read_runs(0, 1e10)[1:] == [Run(NOW + 5000 + step, NOW + 5030 + step)]
    made.close()
    made.write(Batch(NOW + 5040 + step, step=step))
    assert len(made.read_runs(0, 1e10)) == 2
    made.close()


def test_a_new_file_after_a_step_of_the_clock_begins_when_it_is_created(tmp_path: Path) -> None:
    made = database(tmp_path)
    made.write(Batch(NOW))
    (tmp_path / FILE).unlink()
    with pytest.raises(OSError, match="No such file"):
        made.write(Batch(NOW + 110, step=100.0))
    for at in (NOW + 120, NOW + 130):
        made.write(Batch(at, step=100.0))
    assert made.read_runs(0, 1e10) == [Run(NOW + 120, NOW + 130)]
    made.close()


def test_an_unknown_task_has_no_points(tmp_path: Path) -> None:
    made = database(tmp_path)
    made.write(Batch(NOW, points=((1, TASK, point()),)))
    assert made.read_points(TASK, NOW, NOW) == [point()]
    assert made.read_points(TaskKey(KEY, "b"), NOW, NOW) == []
    made.close()


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    first, second = database(tmp_path), database(tmp_path)
    first.write(Batch(NOW, events=events(1)))
    with pytest.raises(DirectoryInUseError):
        second.open(NOW)
    first.close()
    assert len(second.open(NOW).events) == 1
    second.close()


@pytest.mark.parametrize("suffix", ["newer", "corrupt"])
def test_a_file_that_cannot_be_used_is_set_aside_with_one_line(tmp_path: Path, suffix: str) -> None:
    write_all(tmp_path, Batch(NOW, events=events(3)))
    if suffix == "newer":
        with closing(sqlite3.connect(tmp_path / FILE)) as connection:
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    else:
        (tmp_path / FILE).write_bytes(b"x" * 10_000)
    before = (tmp_path / FILE).read_bytes()
    made = database(tmp_path)
    with capture_logs() as lines:
        assert made.open(NOW) == NOTHING
    (line,) = lines
    assert line["event"] == "the file of the storage cannot be used; a new one is created"
    assert line["set_aside"] == str(tmp_path / f"{FILE}.{suffix}")
    assert (tmp_path / f"{FILE}.{suffix}").read_bytes() == before
    made.write(Batch(NOW, events=events(1)))
    assert len(found(made)) == 1
    made.close()


def test_a_file_that_is_damaged_while_it_is_open_is_set_aside(tmp_path: Path) -> None:
    write_all(tmp_path, Batch(NOW, events=events(30_000)))
    made = database(tmp_path)
    made.open(NOW)
    assert made._connection is not None
    made._connection.execute("PRAGMA cache_size = 1")  # else no page is read again
    size = (tmp_path / FILE).stat().st_size
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(sqlite3.DatabaseError), capture_logs() as lines:
        found(made)
    assert [line["event"] for line in lines] == ["the file of the storage cannot be used; a new one is created"]
    made.write(Batch(NOW, events=events(1)))
    assert len(found(made)) == 1
    made.close()


def test_damage_again_within_an_hour_keeps_the_file_that_was_set_aside(tmp_path: Path) -> None:
    write_all(tmp_path, Batch(NOW, events=events(3)))
    made = database(tmp_path)
    (tmp_path / FILE).write_bytes(b"first" * 1000)
    made.open(NOW)
    made._disconnect()
    (tmp_path / FILE).write_bytes(b"again" * 1000)
    with pytest.raises(Exception, match="it is damaged"):
        made.open(NOW)
    assert (tmp_path / f"{FILE}.corrupt").read_bytes() == b"first" * 1000
    made.close()


def test_a_missing_table_counts_as_damage(tmp_path: Path) -> None:
    write_all(tmp_path, Batch(NOW, events=events(3)))
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("DROP TABLE points")
    made = database(tmp_path)
    with pytest.raises(sqlite3.OperationalError), capture_logs():
        made.open(NOW)
    assert made.open(NOW) == NOTHING
    made.close()


@pytest.mark.parametrize("seed", range(DAMAGED_FILES))
def test_damage_anywhere_in_the_file_stops_no_process(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    points = tuple((number, TASK, point(NOW + number)) for number in range(500))
    write_all(tmp_path, Batch(NOW, events=events(500, name_before="x"), times=((TASK, TIMES),), points=points))
    content = bytearray((tmp_path / FILE).read_bytes())
    for _ in range(chance.choice((1, 5, 200))):
        content[chance.randrange(len(content))] = chance.randrange(256)
    if seed % 5 == 0:
        del content[chance.randrange(len(content)) :]
    (tmp_path / FILE).write_bytes(content)
    made = database(tmp_path)
    with capture_logs():
        for _ in range(2):  # the damage may be found only when the record is read
            with suppress(sqlite3.Error, OSError, UnicodeDecodeError):
                made.open(NOW)
            with suppress(sqlite3.Error, OSError, UnicodeDecodeError):
                made.read_points(TASK, 0, 1e10)
            with suppress(sqlite3.Error, OSError, UnicodeDecodeError):
                made.write(Batch(NOW + 5000, events=events(10, NOW + 5000), points=((1, TASK, point(NOW + 5000)),)))
        made.write(Batch(NOW + 5000, events=((10, event(NOW + 5010)),)))
    assert found(made)[-1].at == NOW + 5010
    made.close()


def test_a_file_that_is_removed_while_it_is_open_is_made_again(tmp_path: Path) -> None:
    made = database(tmp_path)
    opened = made.write(Batch(NOW, events=events(3))).opened
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    with pytest.raises(OSError, match="No such file"):
        made.write(Batch(NOW, events=((4, event()),)))
    assert made.write(Batch(NOW, events=((4, event()),))).opened == opened + 1
    assert len(found(made)) == 1
    made.close()


def test_a_file_that_is_replaced_while_it_is_open_is_used(tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_all(other, Batch(NOW - 500, events=events(50)))
    made = database(tmp_path / "one")
    made.write(Batch(NOW, events=events(3)))
    for path in (tmp_path / "one").glob(f"{FILE}*"):
        path.unlink()
    shutil.copy(other / FILE, tmp_path / "one" / FILE)
    with pytest.raises(OSError, match="the file was replaced"):
        made.write(Batch(NOW, events=((4, event()),)))
    made.write(Batch(NOW, events=((4, event()),)))
    assert len(found(made)) == 51
    made.close()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process become larger, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_on_a_full_disk_fails_whole_and_a_later_one_succeeds(tmp_path: Path) -> None:
    made = database(tmp_path)
    made.write(Batch(NOW, events=events(3)))
    batch = Batch(NOW, events=tuple((3 + number, event(text="x" * 500)) for number in range(2000)))
    with largest_file(300_000), pytest.raises(sqlite3.OperationalError):
        made.write(batch)
    assert len(found(made)) == 3
    made.write(batch)
    assert len(found(made)) == 2003
    assert not [*tmp_path.glob("*.corrupt")]
    made.close()


def test_a_start_on_a_full_disk_fails_and_a_later_one_succeeds(tmp_path: Path) -> None:
    made = database(tmp_path)
    with largest_file(100), pytest.raises((sqlite3.OperationalError, OSError)):
        made.open(NOW)
    made.write(Batch(NOW, events=events(3)))
    assert len(found(made)) == 3
    assert not [*tmp_path.glob("*.corrupt")]
    made.close()


def test_a_batch_that_fails_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = database(tmp_path)
    made.write(Batch(NOW, events=events(1)))
    with monkeypatch.context() as patch:
        patch.setattr("exporter.storage.rows._write_waves", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.write(Batch(NOW, events=((1, event()),)))
    assert len(found(made)) == 1
    made.write(Batch(NOW, events=((1, event()),)))
    assert len(found(made)) == 2
    made.close()


def test_a_file_that_cannot_be_written_after_it_was_opened_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = database(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(made, "_begin", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.open(NOW)
    assert made.write(Batch(NOW, events=events(1))).opened == 2
    made.close()
    made.close()


def test_of_a_large_file_only_the_first_part_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all(tmp_path, Batch(NOW, events=events(5000)))
    monkeypatch.setattr("exporter.storage.folder._CHECK_SECONDS", -1.0)
    monkeypatch.setattr("exporter.storage.folder._STEPS", 1)
    made = database(tmp_path)
    assert len(made.open(NOW).events) == 5000
    made.close()
