"""Lists of many tasks that have ended: what may have changed is read every interval, everything every five minutes."""

from __future__ import annotations

import asyncio

import pytest

from exporter.simulator import SimTask, SimulatedCloud
from tests.lib.daemon import Scrape, calls, cloud_of, config_of, polling, sim_task
from tests.lib.virtual_time import EPOCH

pytestmark = pytest.mark.usefixtures("published_seldom")


def ended(first: int, last: int) -> list[SimTask]:
    return [sim_task(f"ended-{number}", status="RELEASE_RESOURCE_COMPLETE") for number in range(first, last)]


def last(api: str, name: str) -> SimTask:
    """A task on the last page: v3 lists the youngest first, v5 the oldest."""
    return sim_task(name, born=EPOCH - (3600 if api == "v5" else 400 * 3600))


def large(*active: SimTask, published: set[str]) -> SimulatedCloud:
    """500 tasks that have ended, and a few between them that have not."""
    return cloud_of(*ended(0, 450), *active, *ended(450, 500), published=published)


def lists(cloud: SimulatedCloud) -> int:
    return sum(number for operation, number in calls(cloud).items() if operation in {"v3 jobs", "v5 jobs"})


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_calls_of_lists_with_many_ended_tasks(api: str) -> None:
    cloud = large(last(api, "a"), last(api, "b"), published={api})
    async with polling(cloud, config_of(api, ["tasks"])) as exporter:
        await asyncio.sleep(1)
        assert lists(cloud) == 8
        cloud.calls.clear()
        await asyncio.sleep(900)
        # Nine of ten polls: the first page and the two tasks; two other lists of a page each. One of ten: all pages.
        assert lists(cloud) == 27 * (1 + 1 + 2) + 3 * 8
        page = await Scrape.after(0, exporter)
        assert page.value("drs_tasks", job_type="sync", phase="ended") == 500
        assert page.value("drs_exporter_listed_tasks", api=api, job_type="sync") == 502


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_what_changes_among_many_ended_tasks_is_seen_within_an_interval(api: str) -> None:
    task, other = last(api, "a"), last(api, "b")
    cloud = large(task, other, published={api})
    world = cloud.worlds[0]
    async with polling(cloud, config_of(api, ["tasks"])) as exporter:
        await asyncio.sleep(40)
        task.pin("INCRE_TRANSFER_FAILED")
        page = await Scrape.after(31, exporter)
        assert page.current("phase", "drs_task_phase", task_name="a") == "failed"
        world.tasks.remove(other)
        page = await Scrape.after(31, exporter)
        assert "b" not in page.tasks()
        task.pin("RELEASE_RESOURCE_COMPLETE")
        page = await Scrape.after(31, exporter)
        assert page.value("drs_tasks", job_type="sync", phase="ended") == 501
        world.tasks.append(sim_task("new"))
        page = await Scrape.after(31, exporter)
        assert "new" in page.tasks()
        world.tasks.remove(world.tasks[3])
        page = await Scrape.after(61, exporter)  # two lists of several pages prove that one which has ended is gone
        assert page.value("drs_tasks", job_type="sync", phase="ended") == 500


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_ended_tasks_do_not_expire_between_whole_lists(api: str) -> None:
    cloud = large(sim_task("a"), published={api})
    async with polling(cloud, config_of(api, ["tasks"])) as exporter:
        for _ in range(20):
            page = await Scrape.after(47, exporter)
            assert page.value("drs_tasks", job_type="sync", phase="ended") == 500


async def test_tasks_that_only_v5_lists_are_listed_every_interval() -> None:
    redis = [sim_task(f"redis-{number}", engine="redis-to-gaussredis") for number in range(12)]
    cloud = cloud_of(*redis, sim_task("both"))
    async with polling(cloud, config_of("auto", ["tasks"])):
        await asyncio.sleep(1)
        cloud.calls.clear()
        await asyncio.sleep(900)
        made = calls(cloud)
    assert made == {"v3 jobs": 90, "v5 jobs": 30 + 3 * 2}  # a page is fewer calls than two lists by ids
