"""What is asked, and what is not, while tasks live: drafts, ended tasks, new comparisons, what a region lacks."""

from __future__ import annotations

import asyncio

import pytest

from exporter.simulator import SimulatedCloud, faults
from exporter.simulator.world.comparisons import EVERY as ROUND
from tests.daemon.test_collectors import DR, EVERY, LISTS, V5_WORDS, asked
from tests.lib.daemon import DAY, HOUR, Scrape, cloud_of, config_of, exporter_on, polled, polling, scraped, sim_task
from tests.lib.virtual_time import EPOCH

SUCCESS = "drs_exporter_collector_success"


def one_poll(cloud: SimulatedCloud, api: str, *collectors: str) -> dict[str, int]:
    """The calls of one poll, lists left out."""
    return {name: calls for name, calls in asked(polled(cloud, api, *collectors)).items() if name not in LISTS["auto"]}


@pytest.mark.parametrize("api", ["v3", "v5", "auto"])
def test_ended_and_merely_configured_tasks_cost_nothing_but_the_list(api: str) -> None:
    tasks = [
        sim_task("ended", status="RELEASE_RESOURCE_COMPLETE"),
        sim_task("draft", status="CONFIGURATION"),
        sim_task(
            "parent",
            status="RELEASE_RESOURCE_COMPLETE",
            relation="multi_to_single",
            children=[sim_task("child", status="RELEASE_CHILD_TRANSFER_COMPLETE")],
        ),
        sim_task("ended-dr", status="RELEASE_RESOURCE_COMPLETE", **DR),
    ]
    collectors = set(EVERY) - {"tasks", "precheck", "quota", "async_jobs"}
    assert one_poll(cloud_of(*tasks, v5_engines=(*V5_WORDS, "cloudDataGuard-mysql")), api, *collectors) == {}


@pytest.mark.parametrize(
    ("born", "naive", "calls"),
    [
        (EPOCH - 60, False, 1),
        (EPOCH - 3 * DAY + 1, False, 1),
        (EPOCH - 3 * DAY, False, 0),
        (EPOCH - 30 * DAY, False, 0),
        # A time without a zone is no fact, but bounds what is asked.
        (EPOCH - 2 * DAY, True, 1),
        (EPOCH - 4 * DAY, True, 0),
    ],
)
def test_a_draft_is_prechecked_for_three_days(born: float, calls: int, *, naive: bool) -> None:
    cloud = cloud_of(sim_task("draft", status="CONFIGURATION", born=born), naive_times=naive)
    assert one_poll(cloud, "v3", "precheck") == ({"v3_batch_precheck_result": calls} if calls else {})


@pytest.mark.usefixtures("published_seldom")
async def test_an_old_draft_is_polled_no_more_and_its_facts_expire() -> None:
    cloud = cloud_of(sim_task("draft", status="CONFIGURATION", born=EPOCH - 3 * DAY + 315))
    async with polling(cloud, config_of("v3", ("tasks", "precheck"), intervals={"precheck": "1m"})) as exporter:
        assert (await Scrape.after(10, exporter)).value("drs_precheck_passed_ratio") == 1
        await asyncio.sleep(600)
        assert asked(cloud)["v3_batch_precheck_result"] == 6  # every minute of those five
        page = await Scrape.after(0, exporter)
        assert page.value("drs_precheck_passed_ratio") is None
        assert page.value("drs_task_status") == 1
        assert page.value(SUCCESS, collector="precheck") == 1


@pytest.mark.parametrize("mixed", ["item", "whole"])
def test_a_draft_without_a_precheck_is_no_failure(mixed: str) -> None:
    drafts = [
        sim_task(f"draft-{number}", status="CONFIGURATION", born=EPOCH - HOUR, precheck="") for number in range(3)
    ]
    page = scraped(*drafts, config=config_of("v3", ("tasks", "precheck")), mixed_batches=mixed)
    assert page.succeeded()
    assert page.samples("drs_precheck_items") == []
    assert page.value("drs_exporter_task_errors_total", collector="precheck") == 0


@pytest.mark.parametrize(
    ("api", "first", "later"),
    [
        ("v3", {"v3_query_compare_result": 2}, {"v3_query_compare_result": 1}),
        ("v5", {"v5_job_compare": 1 + 3 + 3}, {"v5_job_compare": 1}),
    ],
)
async def test_a_new_round_of_comparisons_costs_its_results_once(
    api: str, first: dict[str, int], later: dict[str, int]
) -> None:
    task = sim_task("one", comparison="different")
    begun = EPOCH - task.at(EPOCH).since("INCRE_TRANSFER_STARTED")  # type: ignore[operator]  # it has begun
    next_round = begun + ROUND * (1 + (EPOCH - begun) // ROUND)
    cloud = cloud_of(task)
    async with exporter_on(cloud, config_of(api, ("tasks", "comparison"), intervals={"comparison": "30s"})) as exporter:
        for when, expected in (
            (next_round - 60, first),
            (next_round - 30, later),
            (next_round + 2 * HOUR, first),
            (next_round + 3 * HOUR, later),
        ):
            await asyncio.sleep(when - exporter.now())
            assert await exporter.poll_once()
            assert {name: calls for name, calls in asked(cloud).items() if "list" not in name} == expected


@pytest.mark.parametrize(
    ("api", "collectors", "calls"),
    [
        ("v5", ("progress", "node", "objects"), 1),
        ("v5", ("progress", "objects"), 1),
        ("v5", ("node", "objects"), 1),
        ("v5", ("objects",), 1),
        ("auto", ("progress", "node", "objects"), 1),  # v3 has the progress
        ("auto", ("progress", "objects"), 1),
        ("auto", ("progress",), 0),
    ],
)
def test_objects_come_along(api: str, collectors: tuple[str, ...], calls: int) -> None:
    made = one_poll(cloud_of(sim_task("one")), api, *collectors)
    assert made.get("v5_job_progress", 0) == calls


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize(
    ("api", "intervals", "calls"),
    [
        ("v5", {}, 20),  # progress, every 30 s
        ("v5", {"progress": "5m"}, 5),  # node, every two minutes
        ("v5", {"progress": "5m", "node": "5m", "objects": "20s"}, 30),
        ("auto", {}, 5),
        ("auto", {"node": "1m"}, 10),
        ("auto", {"node": "5m"}, 3),  # objects, after two minutes, and once they have not changed after four
    ],
)
async def test_of_the_collectors_that_share_a_call_the_quickest_polls(
    api: str, intervals: dict[str, str], calls: int
) -> None:
    cloud = cloud_of(sim_task("one"))
    config = config_of(api, ("tasks", "progress", "node", "objects"), intervals=intervals)
    async with polling(cloud, config) as exporter:
        await asyncio.sleep(599)
        made = asked(cloud)
        assert made["v5_job_progress"] == calls
        page = await Scrape.after(0, exporter)
        assert set(page.by("collector", SUCCESS).values()) == {1}
        shown = ("drs_task_full_progress_ratio", "drs_node_cpu_usage_ratio")
        assert [page.value(name) is not None for name in shown] == [True, True]
        assert page.samples("drs_task_objects_source") != []


@pytest.mark.parametrize(
    ("match", "collector", "source"),
    [
        ("batch-rpo-and-rto", "recovery", "v3_batch_rpo_and_rto"),
        ("disaster-recovery-monitoring-data", "node", "v3_dr_monitoring"),
        ("query-compare-result", "comparison", "v3_query_compare_result"),
        ("batch-precheck-result", "precheck", "v3_batch_precheck_result"),
        ("quotas", "quota", "v3_quotas"),
    ],
)
async def test_a_missing_operation_of_a_region_is_no_failure_and_is_reported(
    match: str, collector: str, source: str
) -> None:
    """Open Telekom Cloud has neither RPO and RTO nor quotas."""
    cloud = cloud_of(sim_task("dr", **DR), sim_task("draft", status="CONFIGURATION", born=EPOCH - HOUR))
    cloud.faults = [faults.unpublished(match)]
    async with exporter_on(cloud, config_of("v3", ("tasks", collector))) as exporter:
        assert await exporter.poll_once()
        await asyncio.sleep(1)
        assert await exporter.poll_once()
        assert asked(cloud)[source] == 1
        page = Scrape(exporter)
        assert page.by("source", "drs_exporter_source_published", collector=collector)[source] == 0
        others = collector == "recovery"  # the details, which tell of a switchover
        assert page.value(SUCCESS, collector=collector) == (1 if others else None)
        assert page.value("drs_exporter_collector_interval_seconds", collector=collector) is not None


def test_where_the_first_source_is_missing_the_next_serves_in_the_same_poll() -> None:
    missing = [faults.unpublished("batch-detail"), faults.unpublished("batch-progress")]
    tasks = sim_task("one"), sim_task("only-v3", engine="postgresql")
    page = scraped(*tasks, config=config_of("auto", ("tasks", "progress", "detail")), faults=missing)
    assert page.succeeded()
    assert page.by("task_name", "drs_task_full_progress_ratio") == {"one": 1}
    assert page.by("node_type", "drs_task_detail_info", task_name="one") == {"high": 1}


@pytest.mark.parametrize("size", [1, 5, 6, 10, 11, 37])
def test_details_in_batches_never_lose_a_task(size: int) -> None:
    """Without page_req the cloud would answer five of ten, and say nothing."""
    page = scraped(*(sim_task(f"task-{number}") for number in range(size)), config=config_of("v3", ("tasks", "detail")))
    assert page.succeeded()
    assert len(page.samples("drs_task_detail_info")) == size
    assert page.value("drs_exporter_task_errors_total", collector="detail") == 0


@pytest.mark.parametrize("single", [False, True])
def test_a_task_that_is_refused_costs_no_other_its_facts(*, single: bool) -> None:
    tasks = [sim_task(f"dr-{number}", **DR) for number in range(10)]  # one batch: a second may contain it again
    tasks[7].overrides["v3_rpo_rto"] = {"error_code": "DRS.M05003"}
    page = scraped(*tasks, config=config_of("v3", ("tasks", "recovery")), single_id_only=single)
    assert page.succeeded()
    assert page.value("drs_exporter_task_errors_total", collector="recovery") == 1
    assert page.by("task_name", "drs_task_rpo_seconds").keys() == {task.name for task in tasks} - {"dr-7"}


def test_a_task_that_is_refused_in_one_of_two_batches_costs_no_other_its_facts() -> None:
    tasks = [sim_task(f"dr-{number}", **DR) for number in range(12)]
    tasks[7].overrides["v3_rpo_rto"] = {"error_code": "DRS.M05003"}
    page = scraped(*tasks, config=config_of("v3", ("tasks", "recovery")))
    assert page.succeeded()
    assert page.value("drs_exporter_task_errors_total", collector="recovery") in {1, 2}  # the second may repeat it
    assert page.by("task_name", "drs_task_rpo_seconds").keys() == {task.name for task in tasks} - {"dr-7"}
