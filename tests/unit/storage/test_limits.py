"""The limits of the storage: old records, and a file that is too large."""

from __future__ import annotations

import sqlite3
from collections import deque
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from exporter.storage import TaskKey
from exporter.storage.folder import FILE, size_of
from exporter.storage.rows import Batch
from tests.lib.storage import DAY, KEY, NOW, TASK, TIMES, database, events, point, stored_events

MEGABYTE = 1_000_000


def batch_of(part: int) -> Batch:
    """Events of half a megabyte."""
    return Batch(NOW, events=tuple((part * 500 + number, each) for number, each in events(500, text="x" * 1000)))


def test_records_older_than_keep_are_removed(tmp_path: Path) -> None:
    made = database(tmp_path, keep=DAY)
    points = tuple((number, TASK, point(NOW + number * 3600)) for number in range(20))
    made.write(Batch(NOW, events=events(20, step=3600), times=((TASK, TIMES),), points=points))
    made.write(Batch(NOW + 30 * 3600))
    assert [found.at for found in made.read_events(0, 1e10)] == [NOW + hour * 3600 for hour in range(6, 20)]
    assert [found.at for found in made.read_points(TASK, 0, 1e10)] == [NOW + hour * 3600 for hour in range(6, 20)]
    made.write(Batch(NOW + 60 * 3600))
    made.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        for table in ("events", "points", "tasks"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


def test_the_time_of_a_task_is_kept_while_it_is_written_again(tmp_path: Path) -> None:
    made = database(tmp_path, keep=DAY)
    for hour in range(60):
        made.write(Batch(NOW + hour * 3600, times=((TASK, TIMES),)))
    made.close()
    assert database(tmp_path).open(NOW + 60 * 3600).times


def test_the_oldest_records_are_removed_while_the_file_is_too_large(tmp_path: Path) -> None:
    made, limit = database(tmp_path, max_size=20 * MEGABYTE), 20 * MEGABYTE
    text, number, largest = "x" * 500, 0, 0
    for _ in range(120):
        batch = tuple((number + each, event) for each, (_, event) in enumerate(events(500, NOW + number, text=text)))
        number += 500
        largest = max(largest, made.write(Batch(NOW, events=batch)).size)
    made.write(Batch(NOW))
    rows = [row[1] for row in stored_events(tmp_path)]
    assert largest <= limit
    assert rows == [*range(int(rows[0]), int(NOW) + number)]  # the newest, without a gap
    assert 10_000 < len(rows) < 40_000
    made.close()
    assert size_of(tmp_path / FILE) <= limit


def test_a_smaller_limit_shrinks_the_file(tmp_path: Path) -> None:
    made = database(tmp_path, max_size=100 * MEGABYTE)
    for part in range(50):
        made.write(batch_of(part))
    made.max_size = 20 * MEGABYTE
    for _ in range(6):
        size = made.write(Batch(NOW)).size
    made.close()
    assert size <= 20 * MEGABYTE
    assert size_of(tmp_path / FILE) <= 15 * MEGABYTE


def test_a_reader_that_stops_the_journal_from_shrinking_stops_the_writes_and_not_the_limit(tmp_path: Path) -> None:
    made, limit = database(tmp_path, max_size=20 * MEGABYTE), 20 * MEGABYTE
    made.write(Batch(NOW, events=events(10)))
    with closing(sqlite3.connect(tmp_path / FILE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchall()
        with pytest.raises(OSError, match="another program reads the file"):
            deque(made.write(batch_of(part)) for part in count(1))
        assert size_of(tmp_path / FILE) < limit + MEGABYTE
    made.write(Batch(NOW))
    made.close()
    assert size_of(tmp_path / FILE) < limit


def test_a_damaged_time_counts_as_the_oldest(tmp_path: Path) -> None:
    made = database(tmp_path)
    made.write(Batch(NOW, events=events(3)))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE events SET at = 'x' WHERE id = 1")
    made.write(Batch(NOW + 4000))
    assert len(made.read_events(0, 1e10)) == 2
    made.close()


def test_the_last_observations_of_tasks_are_not_removed_because_of_the_size(tmp_path: Path) -> None:
    made = database(tmp_path, max_size=100_000)
    keys = [TaskKey(KEY, str(number)) for number in range(1000)]
    for _ in range(3):
        made.write(Batch(NOW, times=tuple((key, TIMES) for key in keys)))
    made.close()
    assert len(database(tmp_path).open(NOW).times[KEY]) == 1000
