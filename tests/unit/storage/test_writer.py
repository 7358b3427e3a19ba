"""The queue before the file of the storage, in virtual time."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
from structlog.testing import capture_logs

from exporter.config import StorageSettings
from exporter.storage import NOTHING, Member, Restored, SqliteStorage, Storage, WaveTimes, writer
from exporter.storage.rows import Batch
from tests.lib.storage import DAY, KEY, NOW, TASK, TIMES, Meter, event, point, remove_files, storage, stored_events
from tests.lib.virtual_time import in_real_time, simulated


class Slow:
    """Runs the storage, and counts its batches; `errors` are raised instead of the next writes."""

    def __init__(self, made: SqliteStorage) -> None:
        self.storage, self.batches, self.errors = made, list[Batch](), list[Exception]()
        write = made._database.write

        def counted(batch: Batch) -> Any:
            if self.errors:
                raise self.errors.pop(0)
            self.batches.append(batch)
            return write(batch)

        made._database.write = counted  # type: ignore[method-assign]

    async def __aenter__(self) -> Self:
        await self.storage.open()
        self._running = asyncio.create_task(self.storage.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        await self.storage.close()


async def next_process(folder: Path) -> Restored:
    """What the next process finds in the file."""
    made = storage(folder)
    await made.open()
    await made.close()
    return made.restored


@simulated
async def test_records_are_written_within_seconds_in_batches(tmp_path: Path) -> None:
    async with Slow(storage(tmp_path)) as slow:
        for number in range(1200):
            slow.storage.add_event(event(NOW + number))
        await asyncio.sleep(1)
        assert [len(batch.events) for batch in slow.batches] == [500, 500, 200]
        slow.storage.add_point(*TASK, point())
        slow.storage.set_times(*TASK, TIMES)
        slow.storage.set_member("w", *TASK, Member("orders", "ready", NOW))
        slow.storage.set_wave("w", WaveTimes(ready=True))
        await asyncio.sleep(2)
        (batch,) = slow.batches[3:]
        assert batch.step == slow.storage._clock.step
        assert [len(part) for part in batch[1:-1]] == [0, 1, 1, 1, 1]
        assert len(stored_events(tmp_path)) == 1200


@simulated
async def test_without_changes_a_write_every_ten_seconds_shows_that_the_exporter_runs(tmp_path: Path) -> None:
    async with Slow(storage(tmp_path)) as slow:
        slow.storage.set_times(*TASK, TIMES)
        for _ in range(40):
            slow.storage.set_times(*TASK, TIMES)
            await asyncio.sleep(1)
        assert 4 <= len(slow.batches) <= 6
        runs = await slow.storage.read_runs(0, math.inf)
        assert runs is not None
        assert 30 <= runs[0].alive_at - runs[0].started_at <= 40


@simulated
async def test_a_verdict_that_facts_only_confirm_waits_for_the_next_write(tmp_path: Path) -> None:
    async with Slow(storage(tmp_path)) as slow:
        for second in range(30):
            slow.storage.set_times(*TASK, TIMES._replace(ready_until=NOW + second))
            await asyncio.sleep(1)
        assert len(slow.batches) <= 5


@simulated
async def test_the_end_writes_what_waits(tmp_path: Path) -> None:
    made = storage(tmp_path)
    await made.open()
    made.add_event(event())
    await made.close()
    assert len(stored_events(tmp_path)) == 1
    assert (await next_process(tmp_path)).events == (event(),)


@simulated
async def test_a_write_that_fails_is_counted_logged_once_a_minute_and_repeated(tmp_path: Path) -> None:
    meter = Meter()
    with capture_logs() as lines:
        async with Slow(storage(tmp_path, meter)) as slow:
            slow.errors = [sqlite3.OperationalError("database or disk is full") for _ in range(17)]
            slow.storage.add_event(event())
            await asyncio.sleep(84)
            assert (meter.errors, meter.sizes) == (17, [])
            await asyncio.sleep(10)
            assert meter.sizes
            assert len(stored_events(tmp_path)) == 1
    failures = [line for line in lines if line["event"] == "the storage fails; records wait in memory"]
    assert len(failures) == 2
    assert failures[0]["error"] == "database or disk is full"
    assert lines[-1]["event"] == "the storage works again"


@simulated
async def test_what_no_one_expected_is_an_error_as_well(tmp_path: Path) -> None:
    meter = Meter()
    async with Slow(storage(tmp_path, meter)) as slow:
        slow.errors = [TypeError("a damaged file"), RecursionError()]
        slow.storage.add_event(event())
        await asyncio.sleep(60)
        assert meter.errors == 2
        assert len(stored_events(tmp_path)) == 1


@simulated
async def test_the_queues_are_bounded_and_keep_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_QUEUED", 10)
    meter = Meter()
    async with Slow(storage(tmp_path, meter)) as slow:
        slow.errors = [OSError()]
        for number in range(15):
            slow.storage.add_event(event(NOW + number))
            slow.storage.add_point(*TASK, point(NOW + number))
        assert meter.dropped_records == 10
        await asyncio.sleep(30)
        assert [row[1] for row in stored_events(tmp_path)] == [NOW + number for number in range(5, 15)]
        points = await slow.storage.read_points(*TASK, 0, math.inf)
        assert points is not None
        assert len(points) == 10


@simulated
async def test_a_record_that_changes_during_a_write_is_written_again(tmp_path: Path) -> None:
    made = storage(tmp_path)
    await made.open()
    write, goes_on = made._database.write, threading.Event()

    def waiting(batch: Batch) -> Any:
        goes_on.wait(5)
        return write(batch)

    made._database.write = waiting  # type: ignore[method-assign]
    made.set_times(*TASK, TIMES)
    flushing = asyncio.create_task(made.flush())
    await asyncio.sleep(0)
    made.set_times(*TASK, TIMES._replace(ready=False))
    made.add_event(event())
    goes_on.set()
    await flushing
    await made.close()
    restored = await next_process(tmp_path)
    assert restored.times[KEY]["a"].ready is False
    assert len(restored.events) == 1


@in_real_time
async def test_a_disk_that_hangs_is_an_error_and_delays_the_end_by_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_CLOSE_SECONDS", 0.05)
    meter, released = Meter(), threading.Event()
    made = storage(tmp_path, meter)
    await made.open()
    made._database.write = lambda batch: released.wait(20)  # type: ignore[method-assign, assignment, return-value]
    made.add_event(event())
    loop = asyncio.get_running_loop()
    start = loop.time()
    with capture_logs() as lines:
        await made.close()
    assert loop.time() - start <= 3
    assert meter.errors == 1
    assert lines[-1]["error"] == "the disk does not respond"
    released.set()
    made._database.close()


@simulated
async def test_after_a_new_file_all_last_observations_are_written_again(tmp_path: Path) -> None:
    async with Slow(storage(tmp_path)) as slow:
        slow.storage.set_times(*TASK, TIMES)
        slow.storage.set_wave("w", WaveTimes(ready=True))
        await asyncio.sleep(5)
        remove_files(tmp_path)
        await asyncio.sleep(60)
    restored = await next_process(tmp_path)
    assert restored.times == {KEY: {"a": TIMES}}
    assert restored.waves == {"w": WaveTimes(ready=True)}


@simulated
async def test_an_unchanged_task_is_kept_for_longer_than_keep(tmp_path: Path) -> None:
    made = storage(tmp_path, keep=DAY)
    await made.open()
    made.set_times(*TASK, TIMES)
    for _ in range(60):
        await made.flush()
        await asyncio.sleep(3600)
    await made.close()
    assert (await next_process(tmp_path)).times == {KEY: {"a": TIMES}}


@simulated
async def test_a_reload_changes_the_limits_and_reports_that_another_path_needs_a_restart(tmp_path: Path) -> None:
    made = storage(tmp_path)
    with capture_logs() as lines:
        made.limit(StorageSettings(path=tmp_path, keep=2 * DAY, max_size=30_000_000))
        assert (made._database.keep, made._database.max_size) == (2 * DAY, 30_000_000)
        assert lines == []
        made.limit(StorageSettings(path=tmp_path / "other"))
        made.limit(StorageSettings())
        Storage().limit(StorageSettings(path=tmp_path))
    assert [line["event"] for line in lines] == ["a new storage.path is used only after a restart"] * 3
    assert [line["in_use"] for line in lines] == [str(tmp_path), str(tmp_path), None]


@simulated
async def test_a_storage_needs_a_path() -> None:
    with pytest.raises(ValueError, match="needs a path"):
        SqliteStorage(StorageSettings(), storage(Path("/x"))._clock, Meter())


def test_the_storage_in_a_file_leaves_nothing_to_the_one_that_keeps_nothing() -> None:
    public = {name for name in vars(Storage) if not name.startswith("_")}
    assert public - vars(SqliteStorage).keys() == {"restored"}


@simulated
async def test_without_a_storage_nothing_is_kept_and_nothing_fails() -> None:
    nothing = Storage()
    await nothing.open()
    nothing.add_event(event())
    nothing.add_point(*TASK, point())
    nothing.set_times(*TASK, TIMES)
    nothing.set_member("w", *TASK, None)
    nothing.set_wave("w", None)
    await nothing.run()
    assert nothing.restored == NOTHING
    assert await nothing.read_events(0, math.inf) is None
    assert await nothing.read_points(*TASK, 0, math.inf) is None
    assert await nothing.read_runs(0, math.inf) is None
    await nothing.close()
    nothing.limit(StorageSettings())


@simulated
async def test_removed_records_are_removed_from_the_file_and_from_memory(tmp_path: Path) -> None:
    async with Slow(storage(tmp_path)) as slow:
        slow.storage.set_times(*TASK, TIMES)
        slow.storage.set_wave("w", WaveTimes(ready=True))
        await asyncio.sleep(5)
        slow.storage.set_times(*TASK, None)
        slow.storage.set_wave("w", None)
        await asyncio.sleep(15)
        assert not slow.storage._times
        assert not slow.storage._waves
    restored = await next_process(tmp_path)
    assert (restored.times, restored.waves) == ({}, {})
