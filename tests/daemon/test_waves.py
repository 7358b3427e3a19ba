"""Waves while the daemon polls: their begin and end, reloads, and restarts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exporter.config import Config, from_mapping
from exporter.model.waves import Stage
from exporter.simulator import SimTask, SimulatedCloud, World
from tests.lib import project_waves
from tests.lib.daemon import HOUR, PROJECT_ID, calls, cloud_of, config_of, polling, sim_task
from tests.lib.reloads import clouds, config, running
from tests.lib.settings import account, settings
from tests.lib.virtual_time import now, simulate

FINE = {"stable_for": "30s"}
OTHER_ID = "1" * 32
status_of = partial(project_waves.status_of, name="weekend")
states = partial(project_waves.states, name="weekend")


def wave(**keys: Any) -> dict[str, Any]:
    return {"name": "weekend", "include": [{"name": "one|two|three"}], **keys}


def one_of(cloud: Any, name: str) -> SimTask:
    task: SimTask = cloud.worlds[0].task(name)
    return task


def test_a_reload_that_changes_waves_only_causes_no_call_and_takes_effect_at_once() -> None:
    async def main(*, reload: bool) -> object:
        cloud = clouds()
        async with running(cloud) as daemon:
            before = daemon.exporter.pollers
            if reload:
                await daemon.reload(config(waves=[wave(cutover={"comparison": "if_available", "max_delay": "500ms"})]))
                assert daemon.exporter.pollers == before
                page = await daemon.scrape()
                assert page.value("drs_task_wave_info", task_name="one", wave="weekend") == 1
                assert set(states(daemon.exporter)) == {"one", "two"}
                await daemon.reload(config())
                page = await daemon.scrape()
                assert not page.names() & {"drs_task_wave_info", "drs_wave_tasks", "drs_wave_ready"}
            await asyncio.sleep(65)
            return calls(cloud)

    assert simulate(main(reload=True)) == simulate(main(reload=False))


async def test_a_wave_judges_its_members_within_a_tick_of_its_begin_and_of_its_end() -> None:
    cloud = cloud_of(sim_task("one"), sim_task("two"))
    one_of(cloud, "one").overrides["v3_progress"] = {"incre_trans_delay": "3", "incre_trans_delay_millis": "3000"}
    times = {"from": "2026-01-01T00:10:00Z", "until": "2026-01-01T00:20:00Z"}
    limits = wave(cutover={"max_delay": "1s"}, **times)
    async with polling(cloud, config_of(cutover=FINE, waves=[limits], poll={"interval": "45s"})) as exporter:
        await asyncio.sleep(599)
        assert states(exporter) == {"one": "ready", "two": "ready"}
        assert (status_of(exporter).stage, status_of(exporter).ready) == (Stage.PLANNED, None)
        await asyncio.sleep(6)
        assert (status_of(exporter).stage, states(exporter)["one"]) == (Stage.RUNNING, "blocked")
        await asyncio.sleep(594)
        assert states(exporter) == {"one": "blocked", "two": "ready"}
        await asyncio.sleep(6)
        assert status_of(exporter).stage is Stage.OVER
        await asyncio.sleep(31)
        assert states(exporter) == {"one": "ready", "two": "ready"}


@pytest.mark.usefixtures("published_each_minute")
async def test_members_and_the_time_since_when_a_wave_is_ready_survive_a_restart(tmp_path: Path) -> None:
    cloud = cloud_of(sim_task("one"), sim_task("two"), sim_task("three"), sim_task("other"))
    rules = config_of(cutover=FINE, waves=[wave(expected=2)], storage={"path": str(tmp_path)})
    async with polling(cloud, rules) as exporter:
        await asyncio.sleep(100)
        one_of(cloud, "three").pin("RELEASE_RESOURCE_COMPLETE")
        await asyncio.sleep(100)
        since = status_of(exporter).ready_since
        assert (status_of(exporter).ready, states(exporter)["three"]) == (True, "ended")
        one_of(cloud, "two").name = "renamed"
        await asyncio.sleep(60)
        assert states(exporter) == {"one": "ready", "renamed": "ready", "three": "ended"}
    await asyncio.sleep(5)
    async with polling(cloud, rules) as exporter:
        await asyncio.sleep(100)
        assert states(exporter) == {"one": "ready", "renamed": "ready", "three": "ended"}
        assert (status_of(exporter).ready, status_of(exporter).ready_since) == (True, since)
        cloud.worlds[0].tasks.remove(one_of(cloud, "three"))
    await asyncio.sleep(HOUR)
    async with polling(cloud, rules) as exporter:
        await asyncio.sleep(100)
        assert states(exporter) == {"one": "ready", "renamed": "ready"}
        assert [(member.task_name, member.state.value) for member in status_of(exporter).deleted] == [
            ("three", "ended")
        ]
        assert status_of(exporter).ready_since != since


def two_projects(tmp_path: Path, *labels: str, **keys: Any) -> Config:
    """The projects with these labels; `a` and `renamed` are the same one."""
    ids = {"a": PROJECT_ID, "b": OTHER_ID, "renamed": PROJECT_ID}
    projects = [{"region": "cn-north-4", "name": label, "project_id": ids[label]} for label in labels]
    sections = {"waves": [wave(**keys)], "cutover": FINE, "storage": {"path": str(tmp_path)}}
    return from_mapping(settings(account("acme", *projects), collectors={"tasks", "progress"}, **sections))


@pytest.mark.usefixtures("published_each_minute")
async def test_members_in_a_project_that_is_not_polled_any_more_are_unknown(tmp_path: Path) -> None:
    worlds = [
        World(project_id=PROJECT_ID, tasks=[sim_task("one")]),
        World(project_id=OTHER_ID, tasks=[sim_task("two", status="INCRE_TRANSFER_FAILED")]),
    ]
    cloud = SimulatedCloud(worlds=worlds, keys={"AK": "SK"}, now=now)
    async with polling(cloud, two_projects(tmp_path, "a", "b")) as exporter:
        await asyncio.sleep(100)
        assert states(exporter) == {"one": "ready", "two": "failed"}
        await exporter.reload(lambda: two_projects(tmp_path, "a"))
        await asyncio.sleep(100)
        assert states(exporter) == {"one": "ready", "two": "unknown"}
        assert status_of(exporter).ready is False
        await exporter.reload(lambda: two_projects(tmp_path, "renamed"))
        await asyncio.sleep(100)
        assert states(exporter) == {"one": "ready", "two": "unknown"}
    async with polling(cloud, two_projects(tmp_path, "a")) as exporter:
        await asyncio.sleep(100)
        assert (states(exporter), status_of(exporter).ready) == ({"one": "ready", "two": "unknown"}, False)
        later = datetime.fromtimestamp(now() - 1, UTC).isoformat()
        await exporter.reload(lambda: two_projects(tmp_path, "a", **{"from": later}))
        await asyncio.sleep(100)
        assert (states(exporter), status_of(exporter).ready) == ({"one": "ready"}, True)
