"""How many calls a poll makes, and when it runs, counted at the simulated cloud."""

from __future__ import annotations

import asyncio
from math import ceil

import pytest

from exporter.simulator import Fault, SimTask, faults
from tests.lib.daemon import Scrape, calls, cloud_of, config_of, exporter_on, polled, polling, sim_task

SCENARIOS = ("migration", "sync", "cloudDataGuard")


def fleet(*sizes: int, engine: str = "mysql", mark: str = "") -> list[SimTask]:
    """Tasks of each job type: n of each."""
    return [
        sim_task(f"{scenario}{mark}-{number}", scenario=scenario, engine=engine)
        for scenario, size in zip(SCENARIOS, sizes, strict=True)
        for number in range(size)
    ]


def lists(*sizes: int) -> int:
    """Calls of one generation's lists."""
    return sum(max(1, ceil(size / 100)) for size in sizes)


def named(**numbers: int) -> dict[str, int]:
    """Calls by operation, those that do not happen left out."""
    names = {"v3": "v3 jobs", "batches": "v3 jobs/batch-progress", "v5": "v5 jobs", "singles": "v5 jobs/ID progress"}
    return {names[key]: number for key, number in numbers.items() if number}


SIZES = [(0, 0, 0), (1, 0, 0), (9, 1, 1), (100, 101, 0), (250, 13, 7)]


@pytest.mark.usefixtures("without_samples")
@pytest.mark.parametrize("sizes", SIZES)
def test_a_poll_on_v3_costs_its_pages_and_a_tenth_of_its_active_tasks(sizes: tuple[int, ...]) -> None:
    made = calls(polled(cloud_of(*fleet(*sizes)), "v3", "progress"))
    assert made == named(v3=lists(*sizes), batches=ceil(sum(sizes) / 10))


@pytest.mark.usefixtures("without_samples")
@pytest.mark.parametrize("sizes", SIZES)
def test_a_poll_on_v5_costs_its_pages_and_its_active_tasks_once_for_progress_and_node(sizes: tuple[int, ...]) -> None:
    made = calls(polled(cloud_of(*fleet(*sizes)), "v5", "progress", "node"))
    monitors = made.pop("v5 jobs/ID/monitor-data", 0)
    assert made == named(v5=lists(*sizes), singles=sum(sizes))
    assert monitors == sum(sizes)


@pytest.mark.usefixtures("without_samples")
@pytest.mark.parametrize("sizes", SIZES)
def test_a_poll_on_auto_queries_v3_in_tens_and_v5_for_what_it_alone_lists(sizes: tuple[int, ...]) -> None:
    only_v5 = fleet(3, 12, 0, engine="redis-to-gaussredis", mark="-redis")
    only_v3 = fleet(0, 25, 0, engine="postgresql", mark="-postgresql")
    both = fleet(*sizes)
    in_v3 = (sizes[0], sizes[1] + 25, sizes[2])
    in_v5 = (sizes[0] + 3, sizes[1] + 12, sizes[2])
    made = calls(polled(cloud_of(*only_v5, *only_v3, *both), "auto", "progress"))
    assert made == named(v3=lists(*in_v3), v5=lists(*in_v5), batches=ceil(sum(in_v3) / 10), singles=15)


def test_only_tasks_with_progress_are_queried() -> None:
    children = [sim_task(f"child-{number}", role="child") for number in range(3)]
    ended_child = sim_task("ended child", role="child", status="RELEASE_CHILD_TRANSFER_COMPLETE")
    silent = [
        sim_task("ended", status="RELEASE_RESOURCE_COMPLETE"),
        sim_task("configured", status="CONFIGURATION"),
    ]
    parent = sim_task("parent", relation="multi_to_single", children=[*children, ended_child])
    statuses = ("CREATING", "WAITING_FOR_START", "INCRE_TRANSFER_FAILED", "PAUSING", "RELEASE_RESOURCE_STARTED", "NEW")
    speaking = [sim_task(status, status=status) for status in statuses]
    cloud = cloud_of(*silent, parent, *speaking)
    polled(cloud, "v3", "progress")
    asked = [call.body["jobs"] for call in cloud.calls if call.path.endswith("batch-progress")]
    assert [parent.id] in asked  # it might have some
    assert sorted(job for jobs in asked for job in jobs) == sorted(task.id for task in (parent, *children, *speaking))


@pytest.mark.usefixtures("published_seldom")
async def test_v5_is_listed_every_five_minutes_beside_v3_and_facts_have_their_own_pace() -> None:
    cloud = cloud_of(sim_task("both"), sim_task("v3", engine="postgresql"))
    async with polling(cloud, config_of(intervals={"node": "60s"})):
        await asyncio.sleep(1)
        assert calls(cloud) == named(v3=3, v5=3, batches=1, singles=1) | {"v5 jobs/ID/monitor-data": 1}
        cloud.calls.clear()
        await asyncio.sleep(3600)
        made = named(v3=360, v5=36, batches=120, singles=60) | {"v5 jobs/ID/monitor-data": 60}
        assert calls(cloud) == made


@pytest.mark.usefixtures("published_seldom")
async def test_v5_is_listed_every_interval_where_v3_is_not_published() -> None:
    cloud = cloud_of(sim_task("one"), published={"v5"})
    async with polling(cloud, config_of(collectors=["tasks"])) as exporter:
        await asyncio.sleep(1)
        await exporter.publish()
        assert Scrape(exporter).value("drs_up") == 1
        cloud.calls.clear()
        await asyncio.sleep(3000)
        assert calls(cloud) == named(v5=300)


@pytest.mark.usefixtures("published_seldom")
async def test_a_generation_that_is_not_published_is_queried_again_hourly() -> None:
    cloud = cloud_of(sim_task("redis", engine="redis-to-gaussredis"), sim_task("mysql"), published={"v3"})
    async with polling(cloud, config_of(collectors=["tasks"])) as exporter:
        await asyncio.sleep(3599)
        await exporter.publish()
        assert calls(cloud) == named(v3=360, v5=3)
        assert Scrape(exporter).value("drs_up") == 1
        assert Scrape(exporter).tasks() == {"mysql"}
        cloud.worlds[0].published.add("v5")
        await asyncio.sleep(5)
        await exporter.publish()
        assert calls(cloud) == named(v3=363, v5=6)
        assert Scrape(exporter).tasks() == {"mysql", "redis"}


@pytest.mark.usefixtures("published_seldom")
async def test_a_source_that_is_not_published_is_queried_again_hourly_and_the_next_one_serves() -> None:
    cloud = cloud_of(sim_task("both"), sim_task("v3", engine="postgresql"))
    cloud.faults.append(faults.unpublished("batch-progress"))
    async with polling(cloud, config_of(collectors=["tasks", "progress"])) as exporter:
        await asyncio.sleep(3599)
        await exporter.publish()
        assert calls(cloud)["v3 jobs/batch-progress"] == 1
        assert Scrape(exporter).by("task_name", "drs_task_full_progress_ratio") == {"both": 1}
        published = Scrape(exporter).by("source", "drs_exporter_source_published", collector="progress")
        assert published == {"v3_batch_progress": 0, "v5_job_progress": 1}
        cloud.faults.clear()
        await asyncio.sleep(31)
        await exporter.publish()
        assert Scrape(exporter).by("task_name", "drs_task_full_progress_ratio") == {"both": 1, "v3": 1}


@pytest.mark.usefixtures("published_seldom")
async def test_v5_is_used_in_the_poll_in_which_v3_is_no_longer_published() -> None:
    """Its lists are slow later on, so that the next one after five minutes would come too late for what it told."""
    cloud = cloud_of(sim_task("one"))
    cloud.faults.append(Fault(match="GET .*job_type", kind="slow", seconds=9, after=6))
    async with polling(cloud, config_of(collectors=["tasks"])) as exporter:
        await asyncio.sleep(10)
        cloud.worlds[0].published.remove("v3")
        for _ in range(140):
            assert (await Scrape.after(5, exporter)).current(
                "phase", "drs_task_phase", task_name="one"
            ) == "incremental"
        assert Scrape(exporter).value("drs_up") == 1


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize(("tasks", "polls", "left_out"), [(101, 10, 0), (301, 9, 0), (701, 5, 4)])
async def test_a_slow_list_is_polled_again_when_it_has_ended(tasks: int, polls: int, left_out: int) -> None:
    """Pages of 9 seconds: lists of 18, which fit into the interval of 30, and lists of 36 and 72, which do not."""
    cloud = cloud_of(*fleet(0, tasks, 0), published={"v3"})
    cloud.faults.append(Fault(match="/jobs$", kind="slow", seconds=9))
    async with polling(cloud, config_of("v3", ["tasks"])) as exporter:
        await asyncio.sleep(300)
        first_pages = [call for call in cloud.calls if call.body["db_use_type"] == "migration"]
        assert len(first_pages) == polls
        overruns = (await Scrape.after(0, exporter)).by("collector", "drs_exporter_poll_overruns_total")
        assert overruns["tasks"] == left_out
        assert overruns["progress"] == 0


@pytest.mark.usefixtures("published_seldom")
async def test_collectors_poll_beside_each_other() -> None:
    """Progress that takes longer than its interval does not hold up the lists."""
    cloud = cloud_of(*fleet(0, 3, 0), published={"v5"})
    cloud.faults.append(Fault(match="type=progress", kind="slow", seconds=9.5))
    config = config_of("v5", ["tasks", "progress"], poll={"interval": "5s", "stale_after": "60s"})
    async with polling(cloud, config) as exporter:
        await asyncio.sleep(101)
        made = calls(cloud)
        assert made["v5 jobs"] == 3 * 21
        assert made["v5 jobs/ID progress"] == 3 * 10  # that have ended, each begun as soon as the one before had
        overruns = (await Scrape.after(0, exporter)).by("collector", "drs_exporter_poll_overruns_total")
        assert (overruns["tasks"], overruns["progress"]) == (0, 0)


@pytest.mark.usefixtures("published_seldom")
async def test_tasks_that_are_polled_no_more_do_not_count_as_old() -> None:
    ended, running = sim_task("ended"), sim_task("running")
    async with polling(cloud_of(ended, running), config_of("v3", ["tasks", "progress"])) as exporter:
        await asyncio.sleep(40)
        ended.pin("RELEASE_RESOURCE_COMPLETE")
        page = await Scrape.after(600, exporter)
        assert page.by("collector", "drs_exporter_collector_oldest_seconds")["progress"] <= 30


@pytest.mark.parametrize("published", [{"v5"}, {"v3", "v5"}])
async def test_a_single_poll_of_a_cloud_that_takes_time_polls_all_tasks(published: set[str]) -> None:
    """Also if a generation or a source turns out not to exist, which others then replace."""
    cloud = cloud_of(sim_task("one"), published=published)
    cloud.faults = [faults.unpublished("batch-progress"), Fault(match="", kind="slow", seconds=0.05)]
    async with exporter_on(cloud, config_of(collectors=["tasks", "progress"])) as exporter:
        assert await exporter.poll_once()
        assert Scrape(exporter).by("task_name", "drs_task_full_progress_ratio") == {"one": 1}
