"""The record of a wave, from the memory of the exporter and from its storage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exporter.config import Config
from exporter.daemon.exporter import Exporter
from exporter.model.events import Event, Kind
from exporter.model.task import ProjectKey
from exporter.model.timeline import DAY, HOUR, Point
from exporter.model.wave_record import WaveRecord
from exporter.model.waves import WaveStatus
from exporter.simulator import SimTask
from exporter.storage import Run, Storage
from exporter.store.wave_records import Memory, UnreadableRecordsError, wave_record
from tests.lib.daemon import cloud_of, config_of, polling, sim_task
from tests.lib.virtual_time import EPOCH, simulated

WAVE: dict[str, Any] = {"name": "weekend-1", "include": [{"name": "orders.*"}]}
MINUTE = 60.0


def night(path: Path | None = None, *, starts: float | None = 0.0, ends: float | None = 12 * HOUR) -> Config:
    """A wave between two times after the start."""
    times = {name: _text(at) for name, at in (("from", starts), ("until", ends)) if at is not None}
    storage: dict[str, Any] = {} if path is None else {"storage": {"path": str(path)}}
    return config_of(
        "v3",
        ("tasks", "progress"),
        waves=[{**WAVE, **times}],
        cutover={"stable_for": "0s", "max_age": "5m"},
        poll={"interval": "1m"},
        **storage,
    )


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(EPOCH + seconds, UTC).isoformat()


def status_of(exporter: Exporter) -> WaveStatus:
    status = exporter.waves.status("weekend-1")
    assert status is not None
    return status


async def record_of(exporter: Exporter, storage: Storage | None = None) -> WaveRecord:
    memory = Memory(exporter.stores, exporter.events)
    return await wave_record(status_of(exporter), storage or exporter.storage, memory, exporter.now())


@simulated
async def recorded_after(seconds: float, *tasks: SimTask, config: Config | None = None) -> WaveRecord:
    async with polling(cloud_of(*tasks), config or night()) as exporter:
        await asyncio.sleep(seconds)
        return await record_of(exporter)


def of_phases(record: WaveRecord, number: int = 0) -> list[str | None]:
    return [span.value for span in record.tasks[number][1].phases]


def test_a_wave_without_storage_has_the_history_since_the_start() -> None:
    record = recorded_after(30 * MINUTE, sim_task("orders"))
    assert (record.stored, record.live, record.recorded.step) == (False, True, 60.0)
    assert (record.recorded.window.start, record.recorded.window.end) == (EPOCH, EPOCH + 30 * MINUTE)
    assert record.recorded.gaps == []
    assert of_phases(record) in (["incremental"], [None, "incremental"])
    assert len(record.tasks[0][1].delays) >= 29


def test_only_members_have_a_record() -> None:
    record = recorded_after(5 * MINUTE, sim_task("orders"), sim_task("billing"))
    assert [task.task_name for _, task in record.tasks] == ["orders"]


def test_a_wave_that_began_before_the_exporter_has_a_gap() -> None:
    record = recorded_after(10 * MINUTE, sim_task("orders"), config=night(starts=-HOUR))
    assert [gap.seconds for gap in record.recorded.gaps] == [HOUR]
    assert of_phases(record)[0] is None


def test_the_record_of_a_wave_that_is_over_ends_with_it() -> None:
    record = recorded_after(20 * MINUTE, sim_task("orders"), config=night(ends=10 * MINUTE))
    assert record.recorded.window.end == EPOCH + 10 * MINUTE
    assert record.recorded.now == EPOCH + 20 * MINUTE


def test_the_record_of_a_wave_that_always_runs_is_that_of_the_last_day() -> None:
    record = recorded_after(30 * MINUTE, sim_task("orders"), config=night(starts=None, ends=None))
    assert record.recorded.window.seconds == pytest.approx(30 * MINUTE, abs=1)


def test_memory_keeps_ten_minute_steps_after_an_hour() -> None:
    record = recorded_after(1.5 * HOUR, sim_task("orders"))
    assert record.recorded.step == 600.0
    assert of_phases(record)[-1] == "incremental"
    times = [at for at, _ in record.tasks[0][1].delays]
    assert times == sorted(times)
    assert times[0] <= EPOCH + 10 * MINUTE < times[-1]


@simulated
async def after_a_restart(path: Path, away: float, tasks: Iterable[SimTask]) -> WaveRecord:
    cloud = cloud_of(*tasks)
    async with polling(cloud, night(path)) as exporter:
        await asyncio.sleep(20 * MINUTE)
    await asyncio.sleep(away)
    async with polling(cloud, night(path)) as exporter:
        await asyncio.sleep(10 * MINUTE)
        return await record_of(exporter)


def test_a_restart_leaves_a_gap_of_its_length_and_no_other(tmp_path: Path) -> None:
    record = after_a_restart(tmp_path, 20 * MINUTE, [sim_task("orders")])
    assert record.stored
    assert [gap.seconds for gap in record.recorded.gaps] == [pytest.approx(20 * MINUTE, abs=15)]
    phases = [phase for phase in of_phases(record) if phase is not None]
    assert phases == ["incremental", "incremental"]


def test_an_event_that_is_stored_and_in_memory_is_there_once(tmp_path: Path) -> None:
    record = after_a_restart(tmp_path, MINUTE, [sim_task("orders")])
    kinds = [event.kind for event in record.tasks[0][1].own]
    assert kinds.count(Kind.READY) <= 2
    assert len({(event.at, event.kind) for event in record.tasks[0][1].own}) == len(kinds)


class LongStorage(Storage):
    """A storage of an exporter that has run for a month; records since when the points of tasks are read."""

    enabled = True

    def __init__(self) -> None:
        self.points_since: list[float] = []

    async def read_runs(self, since: float, until: float) -> list[Run]:
        return [Run(until - 30 * DAY, until)]

    async def read_events(self, since: float, until: float) -> list[Event]:
        return []

    async def read_points(self, key: ProjectKey, task_id: str, since: float, until: float) -> list[Point]:
        self.points_since.append(since)
        return []


@simulated
async def points_read_from(storage: LongStorage) -> list[float]:
    async with polling(cloud_of(sim_task("orders")), night()) as exporter:
        await asyncio.sleep(MINUTE)
        await record_of(exporter, storage)
    return storage.points_since


def test_the_points_of_a_month_without_a_restart_are_read_since_a_week_before_the_wave() -> None:
    assert points_read_from(LongStorage()) == [EPOCH - 7 * DAY]


class BrokenStorage(Storage):
    """A storage of which nothing can be read any more."""

    enabled = True


@simulated
async def with_a_broken_storage() -> None:
    async with polling(cloud_of(sim_task("orders")), night()) as exporter:
        await asyncio.sleep(MINUTE)
        await record_of(exporter, BrokenStorage())


def test_there_is_no_record_without_what_the_storage_contains() -> None:
    with pytest.raises(UnreadableRecordsError):
        with_a_broken_storage()


@simulated
async def without_an_exporter() -> WaveRecord:
    async with polling(cloud_of(sim_task("orders")), night()) as exporter:
        await asyncio.sleep(MINUTE)
        return await wave_record(status_of(exporter), Storage(), None, exporter.now() + DAY)


def test_without_storage_and_exporter_nothing_is_known() -> None:
    record = without_an_exporter()
    assert (record.live, record.stored, record.recorded.runs) == (False, False, [])
    assert of_phases(record) == [None]
    assert record.recorded.gaps == [record.recorded.window]


@simulated
async def after_the_end(path: Path) -> WaveRecord:
    """A task that ended before the restart of the exporter."""
    config = config_of(
        "auto",
        ("tasks", "progress", "objects"),
        waves=[{**WAVE, "from": _text(0)}],
        cutover={"stable_for": "0s", "max_age": "5m"},
        poll={"interval": "1m"},
        storage={"path": str(path)},
    )
    steps = (("FULL_TRANSFER_STARTED", 600.0), ("FULL_TRANSFER_COMPLETE", 60.0), ("INCRE_TRANSFER_STARTED", 960.0))
    task = SimTask(name="orders", born=EPOCH - 900, script=(*steps, ("RELEASE_RESOURCE_COMPLETE", 1e9)))
    cloud = cloud_of(task)
    async with polling(cloud, config):
        await asyncio.sleep(15 * MINUTE)
    async with polling(cloud, config) as exporter:
        await asyncio.sleep(5 * MINUTE)
        return await record_of(exporter)


def test_the_facts_of_an_ended_task_are_known_after_a_restart(tmp_path: Path) -> None:
    record = after_the_end(tmp_path)
    ((member, task),) = record.tasks
    assert member.state == "ended"
    assert task.full_load.started_at == EPOCH - 900
    assert task.full_load.by_cloud
    assert task.facts.engine_type is not None
    assert "phase" in task.facts.checked
