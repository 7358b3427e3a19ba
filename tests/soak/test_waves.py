"""The whole daemon with too many calls, while a wave runs."""

from __future__ import annotations

import asyncio

import pytest

from exporter.config import Config
from exporter.simulator import SimulatedCloud
from tests.lib.daemon import Scrape, calls, cloud_of, config_of, polling, sim_task
from tests.lib.rendering import render_no_samples
from tests.lib.virtual_time import now
from tests.lib.wave_polls import MEMBER, OTHER, oldest, stamp, tasks_of, wave

ALL = ("tasks", "progress", "recovery", "node", "detail", "comparison", "quota", "async_jobs")


@pytest.fixture(autouse=True)
def _without_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render no samples of tasks and projects, which would take most of the time."""
    render_no_samples(monkeypatch)


def fleet(api: str, members: int, tasks: int) -> SimulatedCloud:
    """Tasks in incremental replication, of which some are in the wave."""
    made = [sim_task(f"{MEMBER if number < members else OTHER}{number}") for number in range(tasks)]
    return cloud_of(*made, published={api}, v5_engines=tuple({task.words.v5 for task in made}))


def config(api: str, rate: float, **times: str) -> Config:
    return config_of(api, ALL, poll={"rate_limit": rate, "burst": 5}, waves=[wave(**times)])


@pytest.mark.parametrize(("api", "rate", "seconds"), [("v3", 0.6, 300), ("v5", 1.5, 500)])
async def test_a_wave_is_never_older_than_promised_and_starves_no_other_task(
    api: str, rate: float, seconds: int
) -> None:
    cloud = fleet(api, 12, 300)
    async with polling(cloud, config(api, rate)) as exporter:
        await asyncio.sleep(2 * seconds)
        before = calls(cloud).total()
        during, others = await asyncio.gather(oldest(exporter, seconds), oldest(exporter, seconds, OTHER))
        assert calls(cloud).total() - before <= seconds * rate + 5
        demand = Scrape(exporter).value("drs_exporter_api_demand_ratio")
        status = exporter.waves.status("weekend")
        assert demand is not None
        assert status is not None
        assert status.polled_every is not None
        assert demand > 1
        assert max(during) <= status.polled_every + 2 / rate
        assert max(others) <= 1.1 * 2 * demand * 30


async def test_no_value_comes_and_goes_when_a_wave_begins_and_ends() -> None:
    """Without the wave, the progress of 80 tasks takes seven minutes, and at most the double during the wave."""
    begin, end = 4000, 7600
    times = {"from": stamp(now() + begin), "until": stamp(now() + end)}
    async with polling(fleet("v5", 2, 80), config("v5", 0.2, **times)) as exporter:
        await asyncio.sleep(begin / 2)
        for _ in range((end - begin // 2 + 2000) // 20):
            await asyncio.sleep(20)
            known = [task for task in tasks_of(exporter, "").values() if "progress" in task.facts]
            assert len(known) == 80
