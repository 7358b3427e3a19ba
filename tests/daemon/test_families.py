"""Every family of the contract in the scrape of a daemon, and what the newest collectors show there."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

from exporter.config import Collectors
from exporter.metrics.self_metrics import SELF_METRICS
from exporter.simulator import AsyncJob, SimTask, World
from tests.lib.daemon import FAMILY_NAMES, HOUR, Scrape, cloud_of, config_of, exporter_on, polling, scraped, sim_task
from tests.lib.virtual_time import EPOCH, now

EVERY = tuple(Collectors.model_fields)
DR_TOO = ("mysql-to-mysql", "cloudDataGuard-mysql")
DR = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
WAITING = (("CREATING", 60.0), ("WAITING_FOR_START", 1e9))
LOADING = (("STARTJOBING", 60.0), ("FULL_TRANSFER_STARTED", 4 * HOUR))


def everything() -> list[SimTask]:
    """A world that has something to show for every family."""
    lost = sim_task("lost", status="INCRE_TRANSFER_FAILED")
    lost.overrides["v3_progress"] = {"error_code": "DRS.M01504"}
    return [
        sim_task("orders", comparison="different", born=EPOCH - 51 * HOUR, writable="success", charging="period"),
        sim_task("public", eip="SUCCESS", speed_limits=[{"begin": "16:00", "end": "15:59", "speed": "10"}]),
        sim_task("core-dr", alarms={"delay_time": 60, "rpo_delay": 30, "rto_delay": 60}, **DR),
        sim_task("loading", born=EPOCH - HOUR, script=LOADING),
        sim_task("scheduled", script=WAITING),
        sim_task("resized", action="NODE_FLAVOR_MODIFY"),
        sim_task("draft", status="CONFIGURATION", born=EPOCH - HOUR),
        sim_task("fails", engine="redis-to-gaussredis", scenario="migration"),
        lost,
    ]


def families(page: Scrape) -> set[str]:
    return set(re.findall(r"^# TYPE (\S+) ", page.text, re.MULTILINE))


@pytest.mark.usefixtures("published_seldom")
async def test_every_family_of_the_catalogue_appears_in_the_life_of_a_world() -> None:
    tasks = everything()
    jobs = [AsyncJob(status="ASYNC_JOB_VALIDATE_FAILED", created=EPOCH - 60)]
    cloud = cloud_of(*tasks, async_jobs=jobs)
    wave = {"name": "weekend", "include": [{"name": "orders"}], "expected": 1}
    config = config_of(collectors=EVERY, audit=True, cutover={"stable_for": "1s"}, waves=[wave])
    async with polling(cloud, config) as exporter:
        before = families(await Scrape.after(10, exporter))
        cloud.worlds[0].task("fails").pin("INCRE_TRANSFER_FAILED")
        page = await Scrape.after(720, exporter)  # v5, which alone lists it, is listed every five minutes
    witnessed = {
        "drs_task_phase_changed_timestamp_seconds",
        "drs_task_auto_stop_timestamp_seconds",
        "drs_task_predicted_full_load_end_timestamp_seconds",
    }
    # The simulated cloud does not date its responses, and its access keys do not expire: see test_access.
    access = {"drs_exporter_clock_skew_seconds", "drs_exporter_credentials_expire_timestamp_seconds"}
    names = FAMILY_NAMES - {metric.name for metric in SELF_METRICS if metric.optional} - access
    assert names - before == witnessed | {"drs_exporter_collector_oldest_seconds"}  # known with the second list
    assert names - families(page) == set()
    changed = page.value("drs_task_phase_changed_timestamp_seconds", task_name="fails")
    assert changed is not None
    assert EPOCH + 10 < changed < EPOCH + 320
    assert page.by("task_name", "drs_task_auto_stop_timestamp_seconds") == {"fails": changed + 14 * 86_400}
    assert page.by("task_name", "drs_task_failures_total", task_name="fails") == {"fails": 1}


def shown(*tasks: SimTask, api: str = "auto", **world: Any) -> Scrape:
    """The page after one successful poll of everything."""
    page = scraped(*tasks, config=config_of(api, EVERY), **world)
    assert page.succeeded()
    return page


def test_every_collector_that_has_facts_about_a_task_shows_when_they_were_collected() -> None:
    page = shown(sim_task("core-dr", **DR))
    collected = page.by("collector", "drs_task_collected_timestamp_seconds").keys()
    assert collected == {"progress", "node", "recovery", "detail", "comparison"}


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_recovery_is_absent_during_a_switchover_and_comes_back_after_it(api: str) -> None:
    """Whether the details are due or not: with the recovery of a DR task comes which way it runs."""
    cloud = cloud_of(
        sim_task("core-dr", rpo=2.0, rto=3.0, **DR), sim_task("orders"), published={api}, v5_engines=DR_TOO
    )
    task = cloud.worlds[0].tasks[0]
    async with polling(cloud, config_of(api, collectors=EVERY)) as exporter:
        seen = []
        for switching in (False, True, False):
            task.switching = switching
            await asyncio.sleep(45)  # an interval of recovery and a page, and far less than one of detail
            page = Scrape(exporter)
            values = [page.value(f"drs_task_{name}") for name in ("switching", "rpo_seconds", "rto_seconds")]
            seen.append((values, page.value("drs_task_cutover_blocker", reason="switching")))
        known = [2, 3] if api == "v3" else [None, None]  # v5 does not tell them
        assert seen == [([0, *known], 0), ([1, None, None], 1), ([0, *known], 0)]
        details = [call for call in cloud.calls if "batch-detail" in call.path or call.query.get("type") == "detail"]
        assert Counter(task.id in str(call.body) + call.path for call in details) == {
            True: 7,
            False: 1,
        }  # at once as well when the action changes


@pytest.mark.parametrize(("writable", "value"), [("success", 1), ("pending", 0), ("", None)])
@pytest.mark.parametrize("api", ["v5", "auto"])
def test_whether_the_target_may_be_written_again(api: str, writable: str, value: float | None) -> None:
    assert shown(sim_task("one", writable=writable), api=api).value("drs_task_target_read_only_lifted") == value


def test_an_inconsistent_comparison() -> None:
    page = shown(sim_task("one", comparison="different", born=EPOCH - 51 * HOUR), api="v3")
    assert page.by("type", "drs_comparison_consistent") == {"object": 0, "line": 0, "content": 0}
    assert page.by("type", "drs_comparison_different_rows") == {"line": 3, "content": 3}
    rows = {side: page.by("type", f"drs_comparison_rows_{side}") for side in ("source", "target")}
    assert rows["source"].keys() == {"line", "content"}
    assert {kind: rows["source"][kind] - rows["target"][kind] for kind in rows["source"]} == {"line": 3, "content": 3}
    assert page.by("result", "drs_comparison_results", type="line") == {"CONSISTENT": 1, "INCONSISTENT": 1}
    source, target = (page.by("object_type", f"drs_comparison_objects_{side}") for side in ("source", "target"))
    assert {name: source[name] - target[name] for name in source} == {"db": 0, "table": 0, "index": 1, "view": 0}
    assert page.current("status", "drs_comparison_status", type="line") == "SUCCESSFUL"
    finished = page.by("type", "drs_comparison_finished_timestamp_seconds")
    assert all(EPOCH - 6 * HOUR < at < EPOCH for at in finished.values())
    assert len(finished) == 3


@pytest.mark.parametrize(("kind", "consistent"), [("equal", 1), ("different", 0), ("target_missing", 0), ("", None)])
@pytest.mark.parametrize("api", ["v3", "v5"])
def test_comparisons_end_alike_in_both_generations(api: str, kind: str, consistent: float | None) -> None:
    page = shown(sim_task("one", comparison=kind, born=EPOCH - 51 * HOUR), api=api)
    types = ("object", "line", "content") if kind else ()
    assert page.by("type", "drs_comparison_consistent") == dict.fromkeys(types, consistent)
    spelled = page.by("result", "drs_comparison_results", type="line")
    assert ("TARGET_DB_NOT_EXIST" in spelled) is (kind == "target_missing")


@pytest.mark.parametrize("kind", ["equal", "different"])
def test_both_generations_report_the_same_numbers_of_rows(kind: str) -> None:
    pages = [shown(sim_task("one", comparison=kind, born=EPOCH - 51 * HOUR), api=api) for api in ("v3", "v5")]
    names = ("different_rows", "missing_rows", "extra_rows", "rows_source", "rows_target")
    v3, v5 = ({name: page.by("type", f"drs_comparison_{name}") for name in names} for page in pages)
    assert v3 == v5
    assert [sorted(v3[name]) for name in names] == [["content", "line"], *[["content"]] * 2, *[["content", "line"]] * 2]


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_a_comparison_that_runs_or_failed_has_no_verdict_and_a_new_status_is_other(api: str) -> None:
    for status in ("RUNNING", "FAILED", "TIMEOUT_INTERRUPT"):
        page = shown(sim_task("one", comparison="equal", comparison_status=status, born=EPOCH - 51 * HOUR), api=api)
        assert page.current("status", "drs_comparison_status", type="line") == status
        assert page.samples("drs_comparison_consistent") == page.samples("drs_comparison_results") == []
        assert len(page.samples("drs_comparison_finished_timestamp_seconds")) == 3
    page = shown(sim_task("one", comparison="equal", comparison_status="QUEUED", born=EPOCH - 51 * HOUR), api=api)
    assert page.current("status", "drs_comparison_status", type="line") == "other"


def test_asynchronous_jobs_by_status_and_the_newest_twenty_failed_ones() -> None:
    failed = [AsyncJob(status="ASYNC_JOB_VALIDATE_FAILED", created=EPOCH - number * HOUR) for number in range(130)]
    fine = [AsyncJob(status="COMMIT_SUCCESS", created=EPOCH - number) for number in range(3)]
    page = shown(async_jobs=[*failed, *fine])
    assert page.by("status", "drs_async_jobs") == {"ASYNC_JOB_VALIDATE_FAILED": 130, "COMMIT_SUCCESS": 3}
    named = page.by("async_job_id", "drs_async_job_failed_timestamp_seconds")
    assert named == {job.id: job.created for job in failed[:20]}
    assert "demo-user" not in page.text


def test_a_quota_that_is_an_array_counts_as_well() -> None:
    assert shown(quota=7).by("resource", "drs_quota_limit") == {"instances": 7}
    resources = [{"type": "instances", "quota": 9, "used": "3"}, {"type": "subscriptions", "quota": -1, "used": 0}]
    page = shown(overrides={"v3_quotas": {"quotas": {"resource": resources}}})
    assert page.by("resource", "drs_quota_used") == {"instances": 3, "subscriptions": 0}
    assert page.by("resource", "drs_quota_limit") == {"instances": 9}


TAGS = {"team": "db", "team-a": "x", "team_a": "y", "owner": "hidden", "größe": "1"}
OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_tags_are_labels_where_they_are_allowed_and_keep_their_names(api: str) -> None:
    """Keys that collide over all accounts are numbered; each account shows its own."""
    tagged = {"tags": TAGS}
    cloud = cloud_of(sim_task("tagged", **tagged), sim_task("some", tags={"team": "x"}), sim_task("none"))
    cloud.worlds.append(World(project_id=OTHER_ID, tasks=[sim_task("elsewhere", **tagged)], now=now))
    config = config_of(api, ("tasks", "detail"), tasks={"tag_labels": ["team", "team-a", "größe", "absent"]})
    (account,) = config.accounts
    (project,) = account.projects
    second = account.model_copy(
        update={
            "name": "second",
            "projects": (project.model_copy(update={"project_id": OTHER_ID}),),
            "tasks": account.tasks.model_copy(update={"tag_labels": ("team_a", "team")}),
        }
    )
    async with exporter_on(cloud, config.model_copy(update={"accounts": (account, second)})) as exporter:
        assert await exporter.poll_once()
    page = Scrape(exporter)

    def tags(name: str) -> dict[str, str]:
        ((labels, _),) = page.samples("drs_task_detail_info", task_name=name)
        return {label: value for label, value in labels.items() if label.startswith("tag_")}

    assert tags("tagged") == {"tag_team": "db", "tag_team_a": "x", "tag_gr__e": "1"}
    assert tags("elsewhere") == {"tag_team": "db", "tag_team_a_2": "y"}
    assert tags("some") == {"tag_team": "x"}
    assert tags("none") == {}
    assert "hidden" not in page.text
