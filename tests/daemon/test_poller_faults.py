"""A broken list, source, job type, project or field does not affect the others, and is counted or logged."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from exporter.cloud.source import TaskList
from exporter.cloud.v3 import V3
from exporter.config import from_mapping
from exporter.simulator import Fault, SimulatedCloud, World, faults
from exporter.store.store import Store
from tests.lib.daemon import PROJECT_ID, Scrape, calls, cloud_of, config_of, polling, scraped, sim_task
from tests.lib.settings import account
from tests.lib.virtual_time import now

pytestmark = pytest.mark.usefixtures("published_seldom")

OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"


def tasks_of_each_kind() -> list[Any]:
    return [
        sim_task("m", scenario="migration"),
        sim_task("s"),
        sim_task("d", scenario="cloudDataGuard"),
        sim_task("redis", engine="redis-to-gaussredis"),
        sim_task("pg", engine="postgresql"),
    ]


async def test_a_failing_list_affects_no_other_job_type_or_generation() -> None:
    cloud = cloud_of(*tasks_of_each_kind())
    async with polling(cloud) as exporter:
        await asyncio.sleep(2)
        cloud.faults = [faults.forbidden("POST .*/jobs$", after=1, times=1)]  # the second list is that of sync
        for task in cloud.worlds[0].tasks:
            task.pin("PAUSING")
        page = await Scrape.after(32, exporter)
        assert page.by("job_type", "drs_exporter_list_success", api="v3") == {
            "migration": 1,
            "sync": 0,
            "cloudDataGuard": 1,
        }
        assert set(page.by("job_type", "drs_exporter_list_success", api="v5").values()) == {1}
        assert page.value("drs_up") == 0
        phases = {name: page.current("phase", "drs_task_phase", task_name=name) for name in ("m", "s", "d", "pg")}
        assert phases == {"m": "paused", "d": "paused", "s": "incremental", "pg": "incremental"}
        assert page.value("drs_exporter_collector_success", collector="progress") == 1
        page = await Scrape.after(32, exporter)
        assert page.value("drs_up") == 1
        assert page.current("phase", "drs_task_phase", task_name="s") == "paused"


async def test_a_job_type_that_is_not_offered_is_named_in_the_log() -> None:
    cloud = cloud_of(sim_task("s"))
    cloud.faults = [faults.refused("v5.*job_type=cloudDataGuard", 400, "DRS.M00202", "")]
    with capture_logs() as logged:
        async with polling(cloud):
            await asyncio.sleep(2)
    remedy = "this cloud may not offer job type cloudDataGuard: if so, remove it from tasks.job_types"
    assert [line["error"] for line in logged if line.get("what") == "v5 list of cloudDataGuard"] == [
        f"v5_list_jobs: 400 DRS.M00202: {remedy}"
    ]


@pytest.mark.parametrize(
    ("match", "silent", "speaking"),
    [("batch-progress", {"m", "s", "d", "pg"}, {"redis"}), ("type=progress", {"redis"}, {"m", "s", "d", "pg"})],
)
async def test_a_failing_source_leaves_the_others_alone(match: str, silent: set[str], speaking: set[str]) -> None:
    cloud = cloud_of(*tasks_of_each_kind())
    async with polling(cloud, config_of(collectors=["tasks", "progress"])) as exporter:
        page = await Scrape.after(2, exporter)
        first = page.by("task_name", "drs_task_collected_timestamp_seconds", collector="progress")
        cloud.faults = [faults.forbidden(match)]
        page = await Scrape.after(32, exporter)
        last = page.by("task_name", "drs_task_collected_timestamp_seconds", collector="progress")
        assert {name for name in last if last[name] > first[name]} == speaking
        assert {name for name in last if last[name] == first[name]} == silent
        assert page.by("collector", "drs_exporter_collector_success") == {"tasks": 1, "progress": 0}
        assert page.value("drs_up") == 1


def two_projects() -> tuple[SimulatedCloud, Any]:
    ids = {PROJECT_ID: ("first", "one"), OTHER_ID: ("second", "two")}
    worlds = [World(project_id=project_id, tasks=[sim_task(task)]) for project_id, (_, task) in ids.items()]
    projects = [{"region": "cn-north-4", "name": name, "project_id": key} for key, (name, _) in ids.items()]
    config = from_mapping({"accounts": [account("acme", *projects)], "poll": {"rate_limit": 1000.0, "burst": 1000}})
    return SimulatedCloud(worlds=worlds, keys={"AK": "SK"}, now=now), config


async def test_a_failing_project_leaves_the_others_alone() -> None:
    cloud, config = two_projects()
    cloud.faults = [faults.broken(OTHER_ID)]
    async with polling(cloud, config) as exporter:
        page = await Scrape.after(90, exporter)
        assert page.by("project", "drs_up") == {"first": 1, "second": 0}
        assert page.tasks() == {"one"}
        assert page.samples("drs_tasks", project="second") == []
        assert set(page.by("collector", "drs_exporter_collector_success", project="first").values()) == {1}


async def test_one_task_that_is_refused_costs_only_itself_and_is_counted() -> None:
    tasks = [sim_task(f"t{number}") for number in range(12)]
    tasks[3].overrides["v3_progress"] = {"error_code": "DRS.M01504", "transfer_status": None}
    cloud = cloud_of(*tasks)
    async with polling(cloud, config_of("v3")) as exporter:
        page = await Scrape.after(2, exporter)
        known = page.by("task_name", "drs_task_full_progress_ratio")
        assert set(known) == {task.name for task in tasks} - {"t3"}
        assert page.by("collector", "drs_exporter_task_errors_total")["progress"] == 1
        assert page.value("drs_exporter_collector_success", collector="progress") == 1


def test_a_source_that_refuses_every_task_does_not_work_at_all() -> None:
    task = sim_task("only")
    task.overrides["v3_progress"] = {"error_code": "DRS.M01504", "transfer_status": None}
    page = scraped(task, config=config_of("v3"))
    assert page.value("drs_exporter_collector_success", collector="progress") == 0


async def test_a_task_whose_progress_reports_it_as_deleted_is_removed_and_never_ready_where_lists_disagree() -> None:
    going = sim_task("going")
    cloud = cloud_of(going, sim_task("staying"))
    async with polling(cloud, config_of("v3")) as exporter:
        assert (await Scrape.after(29, exporter)).tasks() == {"going", "staying"}
        going.overrides["v3_progress"] = {"transfer_status": "DELETED"}
        assert (await Scrape.after(3, exporter)).tasks() == {"staying"}
        assert (await Scrape.after(30, exporter)).tasks() == {"staying"}
        page = await Scrape.after(60, exporter)
        assert page.tasks() == {"going", "staying"}
        assert page.value("drs_task_cutover_ready", task_name="going") == 0
        assert page.value("drs_task_cutover_blocker", task_name="going", reason="phase") == 1


async def test_what_could_not_be_decoded_is_counted_and_lost_alone() -> None:
    bad, good = sim_task("bad"), sim_task("good")
    bad.overrides["v3_list"] = {"net_type": {"not": "text"}}
    bad.overrides["v3_progress"] = {"progress": "much", "incre_trans_delay_millis": "2500"}
    cloud = cloud_of(bad, good)
    async with polling(cloud, config_of("v3")) as exporter:
        page = await Scrape.after(2, exporter)
        assert page.by("task_name", "drs_task_full_progress_ratio") == {"good": 1}
        assert page.value("drs_task_incremental_delay_seconds", task_name="bad") == 2.5
        assert page.by("task_name", "drs_task_info", net_type="vpn") == {"good": 1}
        errors = page.by("collector", "drs_exporter_decode_errors_total")
        assert (errors["tasks"], errors["progress"], errors["node"]) == (1, 1, 0)


def unforeseen(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: str) -> list[str]:
    """Let a method raise while the list that is returned has an item."""
    broken: list[str] = []
    method = getattr(owner, name)

    def raising(self: Any, *arguments: Any, **options: Any) -> Coroutine[Any, Any, Any]:
        if broken and (not when or when in arguments):
            raise ZeroDivisionError("s3cr3t")
        result: Coroutine[Any, Any, Any] = method(self, *arguments, **options)
        return result

    monkeypatch.setattr(owner, name, raising)
    return broken


async def test_an_unforeseen_exception_in_a_list_costs_that_list_only_and_is_logged_without_its_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = unforeseen(monkeypatch, V3, "list_tasks", when="sync")
    with capture_logs() as logged:
        cloud = cloud_of(*tasks_of_each_kind())
        async with polling(cloud) as exporter:
            await asyncio.sleep(280)
            cloud.calls.clear()
            broken.append("now")
            page = await Scrape.after(32, exporter)
            assert calls(cloud)["v3 jobs"] == 2
            assert calls(cloud)["v5 jobs"] == 3
            assert page.value("drs_up") == 0
            assert page.value("drs_exporter_collector_success", collector="tasks") == 0
            assert page.by("job_type", "drs_exporter_list_success", api="v3")["sync"] == 0
            assert page.value("drs_task_info", task_name="s") == 1
            broken.clear()
            page = await Scrape.after(30, exporter)
            assert page.value("drs_up") == 1
    [bug] = [event for event in logged if event["log_level"] == "error"]
    assert bug["event"] == "a poll raised an unexpected exception"
    assert (bug["collector"], bug["error"], bug["project"]) == ("tasks", "ZeroDivisionError", "payments")
    assert bug["where"].startswith("test_poller_faults.py:")
    assert "s3cr3t" not in str(logged)


async def test_an_unforeseen_exception_among_the_facts_costs_that_poll_only(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = unforeseen(monkeypatch, Store, "update", when="")
    with capture_logs() as logged:
        cloud = cloud_of(sim_task("one"))
        async with polling(cloud, config_of("v3")) as exporter:
            await asyncio.sleep(2)
            broken.append("now")
            page = await Scrape.after(30, exporter)
            assert page.by("collector", "drs_exporter_collector_success")["progress"] == 0
            assert page.value("drs_up") == 1
            broken.clear()
            page = await Scrape.after(30, exporter)
            assert page.by("collector", "drs_exporter_collector_success")["progress"] == 1
    assert "s3cr3t" not in str(logged)
    assert [event["collector"] for event in logged if event["log_level"] == "error"] == ["progress"]


async def test_a_bug_in_every_list_at_the_first_poll_is_no_empty_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_works(_api: V3, *_arguments: object) -> TaskList:
        raise ZeroDivisionError

    monkeypatch.setattr(V3, "list_tasks", nothing_works)
    async with polling(cloud_of(sim_task("one")), config_of("v3")) as exporter:
        page = await Scrape.after(2, exporter)
        assert exporter.ready
        assert page.value("drs_up") == 0
        assert page.samples("drs_tasks") == []


async def test_an_unknown_status_is_other_and_counted_and_logged_once() -> None:
    with capture_logs() as logged:
        odd, worse = sim_task("odd", status="HIBERNATING"), sim_task("worse", status="HIBERNATING")
        cloud = cloud_of(odd, worse, sim_task("failed", status="HIBERNATION_FAILED"))
        async with polling(cloud) as exporter:
            page = await Scrape.after(100, exporter)
            assert page.value("drs_exporter_unknown_statuses_total") == 1
            assert page.current("phase", "drs_task_phase", task_name="odd") == "other"
            assert page.current("status", "drs_task_status", task_name="odd") == "HIBERNATING"
            assert page.current("phase", "drs_task_phase", task_name="failed") == "failed"
            worse.pin("DREAMING")
            odd.overrides["v3_list"] = {"status": "DELETED"}  # known: the task goes
            page = await Scrape.after(32, exporter)
            assert page.value("drs_exporter_unknown_statuses_total") == 2
            assert page.tasks() == {"worse", "failed"}
    words = [event["status"] for event in logged if event["event"].startswith("status without a known phase")]
    assert words == ["HIBERNATING", "DREAMING"]


async def test_a_failure_is_logged_when_it_begins_changes_and_ends() -> None:
    with capture_logs() as logged:
        cloud = cloud_of(sim_task("one"))
        async with polling(cloud, config_of("v3")):
            await asyncio.sleep(2)
            for made in ([faults.forbidden("batch")], [faults.unauthorized("batch")], []):
                cloud.faults = list[Fault](made)
                await asyncio.sleep(330)
    events = [(event["event"], event["what"], event.get("error")) for event in logged]
    assert events == [
        ("the cloud gave no usable response", "v3_batch_progress", "v3_batch_progress: 403 DRS.M00102"),
        ("the cloud gave no usable response", "v3_batch_progress", "v3_batch_progress: 401 APIGW.0301"),
        ("the cloud responds again", "v3_batch_progress", None),
    ]


async def test_a_source_that_refuses_everything_is_queried_little_and_recovers() -> None:
    """Forty single calls a poll while all is well; no more than those under way where none is answered."""
    cloud = cloud_of(*[sim_task(f"task-{number}") for number in range(40)], published={"v5"})
    async with polling(cloud, config_of(collectors=["tasks", "progress"])) as exporter:
        await asyncio.sleep(2)
        cloud.faults = [faults.forbidden("type=progress")]
        cloud.calls.clear()
        await asyncio.sleep(600)
        assert calls(cloud)["v5 jobs/ID progress"] < 12 * 8
        assert (await Scrape.after(0, exporter)).value("drs_exporter_collector_success", collector="progress") == 0
        cloud.faults = []
        assert (await Scrape.after(330, exporter)).value("drs_exporter_collector_success", collector="progress") == 1
        assert len(Scrape(exporter).by("task_name", "drs_task_full_progress_ratio")) == 40


async def test_tasks_that_fail_first_do_not_block_the_others() -> None:
    """A round that ends after the first failures goes on, in the next, with those that it left out."""
    broken = [sim_task(f"broken-{number}") for number in range(16)]
    cloud = cloud_of(*broken, *[sim_task(f"task-{number}") for number in range(4)], published={"v5"})
    cloud.faults = [faults.broken(f"{task.id}.*type=progress") for task in broken]
    async with polling(cloud, config_of(collectors=["tasks", "progress"])) as exporter:
        assert len((await Scrape.after(300, exporter)).by("task_name", "drs_task_full_progress_ratio")) == 4
