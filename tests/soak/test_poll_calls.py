"""How many calls a minute a project takes once it is known, with the default settings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from exporter.config import from_mapping
from exporter.simulator import SimulatedCloud
from exporter.simulator.world.fleet import fleet_world
from tests.lib.daemon import HOUR, PROJECT_ID, Scrape, calls, polling, sim_task
from tests.lib.virtual_time import now

if TYPE_CHECKING:
    from exporter.config import Config


def config(api: str) -> Config:
    """One project with the default settings."""
    project = {"region": "cn-north-4", "name": "payments", "project_id": PROJECT_ID, "api": api}
    credentials = {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"}
    account = {"name": "acme", "cloud": "huaweicloud", "credentials": credentials, "projects": [project]}
    return from_mapping({"accounts": [account]})


def cloud(active: int, ended: int) -> SimulatedCloud:
    """A cloud with so many tasks, of which a sixth is disaster recovery."""
    world = fleet_world(active, now, project_id=PROJECT_ID)
    world.tasks += [sim_task(f"ended-{number}", status="RELEASE_RESOURCE_COMPLETE") for number in range(ended)]
    return SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=now)


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize(
    ("active", "ended", "api", "hours", "most"),
    [(5, 0, "auto", 3, 16), (100, 0, "auto", 3, 110), (100, 9900, "auto", 0.8, 130)],
)
async def test_calls_a_minute_of_a_known_project(active: int, ended: int, api: str, hours: float, most: float) -> None:
    simulated = cloud(active, ended)
    async with polling(simulated, config(api)) as exporter:
        await asyncio.sleep(hours * HOUR)  # until comparisons that nobody made are seldom queried
        simulated.calls.clear()
        await asyncio.sleep(1200)
        made = calls(simulated)
        assert sum(made.values()) / 20 <= most, made
        await exporter.publish()
        page = Scrape(exporter)
        intervals = page.by("collector", "drs_exporter_collector_interval_seconds")
        oldest = page.by("collector", "drs_exporter_collector_oldest_seconds")
        assert all(age <= 10.5 * intervals[collector] + 10 for collector, age in oldest.items())
