from __future__ import annotations

from typing import Any

import pytest

from exporter.simulator import SimTask, World
from tests.simulator.client import UNKNOWN, error, names


@pytest.mark.parametrize(
    "query",
    [
        *("", "job_type=", "job_type=replay", "job_type=sync&limit=0", "job_type=sync&limit=1001"),
        *("job_type=sync&limit=x", "job_type=sync&offset=-1", "job_type=sync&sort_dir=up"),
        "job_type=sync&sort_key=colour",
        "job_type=sync&name=" + ",".join(["x"] * 11),
    ],
)
def test_invalid_lists(query: str, api: Any) -> None:
    assert error(api.v5(f"/jobs?{query}")) == (400, "DRS.10000001")


def test_the_offset_counts_records_not_pages(api: Any, world: World) -> None:
    assert names(api.list_v5("limit=2")) == ["three", "two"]
    assert names(api.list_v5("limit=2&offset=1")) == ["two", "one"]
    assert api.v5("/jobs?job_type=sync&limit=2&offset=3").json() == {"jobs": [], "total_count": 3}
    world.tasks += [SimTask(name=f"more-{number}") for number in range(12)]
    assert (len(names(api.list_v5())), len(names(api.list_v5("limit=1000")))) == (10, 15)


def test_empty_filters_are_none(api: Any) -> None:
    query = "name=&status=&engine_type=&net_type=&enterprise_project_id=&sort_key=create_time"
    assert len(names(api.list_v5(f"{query}&instance_ip="))) == 3


def test_filters_and_sorting(api: Any, world: World) -> None:
    world.task("two").pin("PAUSING")
    world.task("one").enterprise_project = "ep"
    assert names(api.list_v5("status=PAUSING")) == ["two"]
    assert (names(api.list_v5("enterprise_project_id=ep")), names(api.list_v5("engine_type=mysql"))) == (["one"], [])
    ids = f"{world.task('one').id},{world.task('two').id}"
    assert names(api.list_v5(f"name={ids}")) == ["two", "one"]
    assert names(api.list_v5("sort_dir=asc")) == ["one", "two", "three"]
    assert names(api.list_v5("sort_key=name&sort_dir=asc")) == ["one", "three", "two"]
    instance = api.list_v3(name="one")["jobs"][0]
    assert names(api.list_v5(f"instance_ids={instance['target_inst_id']}&instance_ids=x")) == ["one"]
    assert names(api.list_v5(f"instance_ip={instance['source_ip']}")) == ["one"]


def test_only_some_engines_and_under_other_names(api: Any, world: World) -> None:
    world.tasks += [SimTask(name="pg", engine="postgresql"), SimTask(name="ora", engine="oracle-to-gaussdbv5")]
    jobs = api.list_v5()["jobs"]
    assert {job["name"]: job["engine_type"] for job in jobs} == {
        "one": "mysql-to-mysql",
        "two": "mysql-to-mysql",
        "three": "mysql-to-mysql",
        "ora": "oracle-to-gaussdbv5",
    }
    assert world.task("ora").id.endswith("jb20r")
    assert api.v5(f"/jobs/{world.task('pg').id}?type=progress").json()["error_code"] == "DRS.10000001"


def test_an_item(api: Any, world: World) -> None:
    parent = SimTask(name="parent", relation="multi_to_single", role="parent")
    parent.children = [SimTask(name="child", role="child")]
    world.tasks = [parent, SimTask(name="single", charging="period")]
    by_name = {job["name"]: job for job in api.list_v5()["jobs"]}
    assert (by_name["parent"]["job_mode"], by_name["parent"]["job_mode_role"]) == ("multi_to_single", "parent")
    child = by_name["parent"]["children"][0]
    assert (child["job_mode"], child["job_mode_role"]) == ("sync_child", "child")
    single = by_name["single"]
    assert (single["job_mode"], "job_mode_role" in single) == ("single", False)
    assert (single["charging_mode"], single["billing_tag"]) == ("period", True)
    assert (single["job_action"]["current_action"], single["job_type"]) == (None, "sync")
    assert "db_use_type" not in single


def test_the_roles_of_a_cluster_and_of_an_edited_task(api: Any, world: World) -> None:
    cluster = SimTask(name="cluster", relation="cluster", children=[SimTask(name="shard", role="child")])
    edited = SimTask(name="edited", relation="edit", children=[SimTask(name="edit", role="child")])
    world.tasks = [cluster, edited]
    by_name = {job["name"]: job for job in api.list_v5()["jobs"]}
    roles = {name: (job["job_mode"], job.get("job_mode_role")) for name, job in by_name.items()}
    assert roles == {"cluster": ("single", "parent"), "edited": ("single", None)}
    assert (cluster.is_virtual, edited.is_virtual) == (True, False)
    assert "progress_info" in api.detail(edited, "progress")
    assert api.v5(f"/jobs/{cluster.id}?type=progress").json()["error_code"] == "DRS.M00307"


def test_progress_is_wrapped_and_all_strings(api: Any, task: SimTask) -> None:
    task.delay = 2.5
    job = api.detail(task, "progress")
    assert job["id"] == task.id
    info = job["progress_info"]
    assert (info["incr_trans_delay"], info["incr_trans_delay_millis"]) == ("2", "2500")
    assert all(isinstance(value, str) for value in job["metrics"].values())
    overview = job["migration_object_progress_info"]["migration_object_overview"]
    assert {entry["status"] for entry in overview} == {"COMPLETED", "TRANSFER_WHEN_END"}
    assert all(isinstance(entry["src_count"], str) for entry in overview)
    assert "base_info" not in job


def test_invalid_details(api: Any, task: SimTask) -> None:
    assert error(api.v5(f"/jobs/{UNKNOWN}?type=progress")) == (400, "DRS.10000010")
    for query in ("", "?type=", "?type=colour"):
        assert error(api.v5(f"/jobs/{task.id}{query}")) == (400, "DRS.10000001")
    task.children = [SimTask(name="child", role="child")]
    assert api.v5(f"/jobs/{task.id}?type=progress").json()["error_code"] == "DRS.M00307"
    task.virtual = False
    assert api.v5(f"/jobs/{task.id}?type=progress").status_code == 200


def test_both_api_versions_return_the_same_progress(api: Any, world: World) -> None:
    for status in (None, "FULL_TRANSFER_STARTED", "PAUSING", "CREATING", "INCRE_TRANSFER_FAILED", "NODE_UPGRADE_START"):
        for task in world.tasks:
            task.pin(status)
            old, new = api.progress(task)[0], api.detail(task, "progress")["progress_info"]
            assert old["incre_trans_delay_millis"] == new["incr_trans_delay_millis"]
            assert (old["progress"], old["remaining_time"]) == (new["progress"], new["remaining_time"])
            assert old["transfer_status"] == new["transfer_status"]


def test_overrides_reach_into_blocks(api: Any, task: SimTask) -> None:
    task.overrides["v5_progress"] = {"metrics": {"cpu_util": ""}, "progress_info": None}
    job = api.detail(task, "progress")
    assert job["metrics"]["cpu_util"] == ""
    assert job["metrics"]["mem_util"]
    assert job["progress_info"] is None


def test_no_metrics_before_the_first_start(api: Any, world: World) -> None:
    world.task("one").pin("CONFIGURATION")
    metrics = api.detail(world.task("one"), "progress")["metrics"]
    assert (metrics["cpu_util"], metrics["apply_current_state"], len(metrics)) == ("", "", 15)
