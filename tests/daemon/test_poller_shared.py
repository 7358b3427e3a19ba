"""Sources that feed several collectors: each fact comes from its cheapest source, and no success is borrowed."""

from __future__ import annotations

import asyncio

import pytest

from exporter.simulator import faults
from tests.lib.daemon import Scrape, calls, cloud_of, config_of, polling, scraped, sim_task
from tests.lib.virtual_time import EPOCH

AGE = "drs_exporter_collector_last_success_timestamp_seconds"


@pytest.mark.parametrize("disabled", ["progress", "node"])
def test_facts_of_a_disabled_collector_that_come_along_are_left_out(disabled: str) -> None:
    """A v5 call for progress brings the node's figures, and the other way round."""
    kept = {"progress": "drs_node_cpu_usage_ratio", "node": "drs_task_full_progress_ratio"}[disabled]
    left_out = {"node": "drs_node_cpu_usage_ratio", "progress": "drs_task_full_progress_ratio"}[disabled]
    enabled = {"tasks", "progress", "node"} - {disabled}
    page = scraped(sim_task("one"), config=config_of("v5", enabled))
    assert page.succeeded()
    assert page.by("task_name", kept).keys() == {"one"}
    assert page.samples(left_out) == []
    assert page.by("collector", "drs_task_collected_timestamp_seconds").keys() == enabled - {"tasks"}


@pytest.mark.usefixtures("published_seldom")
async def test_progress_of_v5_never_replaces_that_of_v3() -> None:
    """The node's figures come with a progress that lacks the rate of bytes, and is minutes older at times."""
    task = sim_task("one")
    task.overrides["v3_progress"] = {"progress": "77", "apply_bytes_rate": 1000}
    task.overrides["v5_progress"] = {"progress_info": {"progress": "11"}}
    async with polling(cloud_of(task)) as exporter:
        for _ in range(100):
            page = await Scrape.after(3, exporter)
            assert page.value("drs_task_full_progress_ratio") == 0.77
            assert page.value("drs_apply_bytes_per_second") == 1000
            assert page.value("drs_node_cpu_usage_ratio") is not None


@pytest.mark.usefixtures("published_seldom")
async def test_a_v5_that_fails_for_the_node_is_no_failure_of_the_progress_that_v3_provides() -> None:
    cloud = cloud_of(sim_task("one"))
    cloud.faults = [faults.forbidden("GET .*/jobs/")]
    async with polling(cloud) as exporter:
        for _ in range(50):
            success = (await Scrape.after(3, exporter)).by("collector", "drs_exporter_collector_success")
            assert success == {"tasks": 1, "progress": 1, "node": 0}


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize("collectors", [("tasks", "progress", "node"), ("tasks", "progress", "node", "objects")])
async def test_a_collector_whose_facts_others_bring_claims_no_success_of_its_own(collectors: tuple[str, ...]) -> None:
    """On v5 the node's figures and the objects come with the progress; where that fails, so do they."""
    cloud = cloud_of(sim_task("one"))
    cloud.faults = [faults.unpublished("monitor-data")]
    async with polling(cloud, config_of("v5", collectors, intervals={"node": "20s", "objects": "20s"})) as exporter:
        brought = set(collectors) - {"tasks"}
        first = (await Scrape.after(2, exporter)).by("collector", "drs_exporter_collector_success")
        assert first == dict.fromkeys(collectors, 1)
        cloud.faults.append(faults.forbidden("type=progress"))
        page = await Scrape.after(120, exporter)
        success = page.by("collector", "drs_exporter_collector_success")
        assert success == {"tasks": 1, **dict.fromkeys(brought, 0)}
        assert {name: at for name, at in page.by("collector", AGE).items() if name in brought} == dict.fromkeys(
            brought, EPOCH
        )


async def test_a_collector_with_nothing_to_query_succeeds() -> None:
    cloud = cloud_of(sim_task("ended", status="RELEASE_RESOURCE_COMPLETE"))
    async with polling(cloud, config_of("v5")) as exporter:
        assert set((await Scrape.after(2, exporter)).by("collector", "drs_exporter_collector_success").values()) == {1}
        assert calls(cloud) == {"v5 jobs": 3}


async def test_a_task_that_only_v5_lists_has_its_progress_from_there_and_the_others_from_v3() -> None:
    cloud = cloud_of(
        sim_task("both"), sim_task("redis", engine="redis-to-gaussredis"), sim_task("pg", engine="postgresql")
    )
    for task in cloud.worlds[0].tasks:
        task.overrides["v3_progress"] = {"progress": "30"}
        task.overrides["v5_progress"] = {"progress_info": {"progress": "50"}}
    async with polling(cloud, config_of(collectors=["tasks", "progress"])) as exporter:
        await asyncio.sleep(2)
        known = Scrape(exporter).by("task_name", "drs_task_full_progress_ratio")
        assert known == {"both": 0.3, "pg": 0.3, "redis": 0.5}


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize(("api", "shown"), [("v3", {"both", "pg"}), ("v5", {"both", "redis"})])
async def test_only_a_pinned_generation_is_queried(api: str, shown: set[str]) -> None:
    cloud = cloud_of(
        sim_task("both"), sim_task("redis", engine="redis-to-gaussredis"), sim_task("pg", engine="postgresql")
    )
    async with polling(cloud, config_of(api)) as exporter:
        assert (await Scrape.after(400, exporter)).tasks() == shown
        assert {operation.split()[0] for operation in calls(cloud)} == {api}
