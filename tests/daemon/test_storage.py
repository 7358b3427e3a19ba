"""A restart of the whole daemon in virtual time: what the storage keeps, and what no exporter can know."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exporter.daemon.exporter import Exporter
from exporter.views.events import sentence
from tests.lib.daemon import Scrape, get
from tests.lib.stored_cloud import MINUTE, Cloud
from tests.lib.virtual_time import EPOCH, now, simulated

pytestmark = pytest.mark.usefixtures("published_each_minute")

CHANGED = "drs_task_phase_changed_timestamp_seconds"
READY = "drs_task_cutover_ready"


async def task_of(exporter: Exporter, name: str) -> Any:
    tasks = json.loads((await get(exporter, "/api/v1/tasks")).body)["tasks"]
    return next(task for task in tasks if task["task_name"] == name)


async def ready_since(exporter: Exporter) -> float:
    """The time since when the task orders is ready."""
    since: float = (await task_of(exporter, "orders"))["cutover_ready_since_timestamp_seconds"]
    return since


def sentences(exporter: Exporter) -> list[str]:
    """The oldest first."""
    return [sentence(event) for event in exporter.events.find()][::-1]


def gaps_of(minutes: list[int]) -> list[int]:
    """Return the distances over a minute."""
    return [later - earlier for earlier, later in pairwise(minutes) if later - earlier > 1]


@simulated
async def test_without_a_storage_a_restart_loses_the_times() -> None:
    cloud = Cloud()
    await cloud.live(None)
    async with cloud.polling(None) as exporter:
        page = await Scrape.after(5 * MINUTE, exporter)
        assert page.samples(CHANGED) == []
        assert not page.names() & {f"drs_exporter_storage_{name}" for name in ("success", "errors_total", "size_bytes")}
        assert sentences(exporter) == ["Wave weekend is ready for the cut-over: 2 ready."]


@simulated
async def test_a_restart_keeps_since_when_tasks_are_in_their_phase(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    await asyncio.sleep(MINUTE)
    async with cloud.polling(folder) as exporter:
        page = await Scrape.after(MINUTE, exporter)
        changed = page.by("task_name", CHANGED)
        assert changed.keys() == {"paused", "ended"}
        assert all(4 * MINUTE <= at - EPOCH <= 5 * MINUTE for at in changed.values())
        assert set(page.by("task_name", "drs_task_phase_changes_total").values()) == {0}


@simulated
async def test_an_ended_task_is_removed_as_long_after_its_end_as_without_a_restart(folder: Path) -> None:
    cloud, tasks = Cloud(), {"tasks": {"ended_for": "20m"}}
    await cloud.live(folder)
    async with cloud.polling(folder, **tasks) as exporter:
        assert "ended" in (await Scrape.after(13 * MINUTE, exporter)).tasks()
        assert "ended" not in (await Scrape.after(3 * MINUTE, exporter)).tasks()


@simulated
async def test_a_phase_that_changed_while_no_exporter_ran_has_no_time(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    cloud.paused.pin("INCRE_TRANSFER_STARTED")
    cloud.full.pin("FULL_TRANSFER_FAILED")
    cloud.sales.pin("RELEASE_RESOURCE_COMPLETE")
    await asyncio.sleep(MINUTE)
    async with cloud.polling(folder) as exporter:
        page = await Scrape.after(MINUTE, exporter)
        assert page.by("task_name", CHANGED).keys() == {"ended"}
        assert set(page.by("task_name", "drs_task_failures_total").values()) == {0}
        found = sentences(exporter)
        assert (
            "The exporter runs again. It has no record of project acme/cn-north-4/payments for the 1m before." in found
        )
        away = {line.partition(", which")[0] for line in found if ", which was found after a restart" in line}
        assert {line.removesuffix(" with error code DRS.KE0002") for line in away} == {
            "Task paused changed from phase paused to incremental",
            "Task sales ended",
            "Task full failed",
        }
        cloud.paused.pin("PAUSING")
        page = await Scrape.after(MINUTE, exporter)
        assert page.by("task_name", CHANGED).keys() == {"ended", "paused"}
        assert sentences(exporter)[-1] == "Task paused changed from phase incremental to paused."


@simulated
async def test_a_restart_keeps_since_when_a_task_is_ready(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    await asyncio.sleep(20)
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(MINUTE)
        task = await task_of(exporter, "orders")
        assert (task["cutover"], task["cutover_blockers"]) == ("blocked", ["not_stable"])
        await asyncio.sleep(2 * MINUTE)
        task = await task_of(exporter, "orders")
        assert task["cutover"] == "ready"
        assert 2 * MINUTE <= task["cutover_ready_since_timestamp_seconds"] - EPOCH <= 3 * MINUTE
        assert not [line for line in sentences(exporter) if line.startswith("Task orders")]


@simulated
async def test_two_restarts_in_a_row_keep_since_when_a_task_is_ready(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    for _ in range(3):
        await asyncio.sleep(10)
        async with cloud.polling(folder):
            await asyncio.sleep(MINUTE)
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(3 * MINUTE)
        assert await ready_since(exporter) - EPOCH <= 3 * MINUTE


@simulated
async def test_after_a_longer_time_without_an_exporter_a_task_is_ready_since_it_was_observed_again(
    folder: Path,
) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    await asyncio.sleep(5 * MINUTE)
    start = now()
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(3 * MINUTE)
        assert await ready_since(exporter) >= start + 2 * MINUTE


@simulated
async def test_a_fact_that_blocks_after_the_restart_ends_the_time_in_which_a_task_was_ready(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    cloud.orders.delay = 100.0
    start = now()
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(40)
        found = "Task orders is no longer ready for the cut-over, which was found after a restart. delay_high: "
        assert sentences(exporter)[-1].startswith(found)
        cloud.orders.delay = 1.0
        await asyncio.sleep(4 * MINUTE)
        assert await ready_since(exporter) >= start + 2 * MINUTE


async def blocked_since(exporter: Exporter, name: str) -> float | None:
    """The time since when a member of the wave is blocked."""
    members = json.loads((await get(exporter, "/api/v1/waves/weekend")).body)["members"]
    (member,) = (member for member in members if member["task_name"] == name)
    assert member["state"] == "blocked"
    since: float | None = member["state_since_timestamp_seconds"]
    return since


@simulated
async def test_since_when_a_member_is_blocked_is_unknown_if_that_is_found_after_a_restart(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    cloud.orders.delay = 100.0
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(40)
        assert await blocked_since(exporter, "orders") is None
        await asyncio.sleep(20)
        since = now()
        cloud.sales.delay = 100.0
        await asyncio.sleep(40)
        assert since <= (await blocked_since(exporter, "sales") or 0) <= since + 31
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(40)
        assert since <= (await blocked_since(exporter, "sales") or 0) <= since + 31
        assert await blocked_since(exporter, "orders") is None


@simulated
async def test_other_rules_after_the_restart_end_the_time_in_which_a_task_was_ready(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    start = now()
    async with cloud.polling(folder, cutover={"max_delay": "3s"}) as exporter:
        await asyncio.sleep(4 * MINUTE)
        assert await ready_since(exporter) >= start + 2 * MINUTE


@simulated
async def test_a_restart_keeps_since_when_a_wave_is_ready(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    await asyncio.sleep(20)
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(4 * MINUTE)
        status = exporter.waves.status("weekend")
        assert status is not None
        assert status.ready
        assert status.ready_since is not None
        assert 2 * MINUTE <= status.ready_since - EPOCH <= 3 * MINUTE


@simulated
async def test_a_restart_keeps_the_history_of_tasks_in_waves_with_a_gap(folder: Path) -> None:
    cloud = Cloud()
    await cloud.live(folder)
    await asyncio.sleep(5 * MINUTE)
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(5 * MINUTE)
        (store,) = exporter.stores
        timelines = {task.identity.task_name: store.timeline(task.identity.task_id) for task in store.tasks()}
        minutes = {
            name: [round((point.at - EPOCH) / MINUTE) for point in timeline.points(3600.0)]
            for name, timeline in timelines.items()
            if timeline is not None
        }
        assert gaps_of(minutes["orders"]) == [5]
        assert (minutes["orders"][0], minutes["full"][0]) == (0, 15)
        stored = await exporter.storage.read_points(store.key, cloud.orders.id, 0, now())
        assert stored is not None
        assert gaps_of([round((point.at - EPOCH) / MINUTE) for point in stored]) == [5]
        runs = await exporter.storage.read_runs(0, now())
        assert runs is not None
        assert (round(runs[0].started_at - EPOCH), round(runs[0].alive_at - EPOCH)) == (0, 600)


@simulated
async def test_the_events_are_those_of_both_processes_and_the_times_of_the_first(folder: Path) -> None:
    cloud = Cloud()
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(4 * MINUTE)
        cloud.paused.pin("PAUSING")
        await asyncio.sleep(MINUTE)
        before = exporter.events.find()
    async with cloud.polling(folder) as exporter:
        assert exporter.events.find()[1:] == before
        assert exporter.events.since() <= before[-1].at
        answer = json.loads((await get(exporter, "/api/v1/events?task=paused")).body)
        assert [event["kind"] for event in answer["events"]] == ["phase_changed", "not_ready"]
