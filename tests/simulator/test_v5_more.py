from __future__ import annotations

from typing import Any

import pytest

from exporter.simulator import AsyncJob, SimTask, World, query_id
from tests.simulator.client import UNKNOWN


def test_detail(api: Any, task: SimTask) -> None:
    task.tags, task.alarms, task.scheduled = {"team": "a"}, {"delay_time": 60}, 1_800_000_600.0
    job = api.detail(task, "detail")
    info = job["base_info"]
    assert (info["job_type"], info["engine_type"], info["expired_days"]) == ("sync", "mysql-to-mysql", 14)
    assert (info["tags"], info["start_time"]) == ([{"key": "team", "value": "a"}], "2027-01-15T08:10:00Z")
    assert (job["source_endpoint"][0]["endpoint"]["db_port"], job["alarm_notify"]["delay_time"]) == ("3306", 60)
    assert "rpo_delay" not in job["alarm_notify"]
    assert job["node_info"]["spec"]["node_type"] == "high"
    assert not {"progress_info", "metrics", "logs", "period_order"} & job.keys()


def test_detail_of_pairs_prepaid_and_switching_tasks(api: Any, task: SimTask) -> None:
    task.relation, task.charging, task.switching = "multi_az", "period", True
    task.children = [SimTask(name="m", role="master"), SimTask(name="s", role="slave")]
    job = api.detail(task, "detail")
    assert job["master_job_id"] == task.children[0].id
    assert set(job["period_order"]) == {"period_type", "period_num", "is_auto_renew"}
    assert (job["base_info"]["job_direction"], job["job_kernel_direction"]) == ("up", "down")
    assert api.detail(task.children[1], "detail")["node_info"]["base_info"]["role"] == "slave"


def test_a_deleted_task_still_has_details(api: Any, task: SimTask) -> None:
    task.pin("DELETED")
    assert set(api.detail(task, "progress")) == {"id", "status", "create_time"}
    assert api.v5(f"/jobs/{task.id}/monitor-data").json()["error_code"] == "DRS.10000010"


@pytest.mark.parametrize("kind", ["network", "precheck", "cloud_connection"])
def test_some_types_need_the_query_id_of_the_write(kind: str, api: Any, task: SimTask) -> None:
    for query in ("", "&query_id=", f"&query_id={UNKNOWN}"):
        assert api.v5(f"/jobs/{task.id}?type={kind}{query}").json()["error_code"] == "DRS.10000001"
    assert len(api.detail(task, f"{kind}&query_id={query_id(task, kind)}")) == 4


def test_network_and_precheck(api: Any, task: SimTask) -> None:
    task.target_up = False
    up, down = api.detail(task, f"network&query_id={query_id(task, 'network')}")["network_results"]
    assert (up["success"], up["status"]) == (True, "success")
    assert (down["success"], down["status"], "error_code" in down) == (False, "failed", True)
    result = api.detail(task, f"precheck&query_id={query_id(task, 'precheck')}")["precheck_result"]
    assert "precheck_result" not in result
    assert all("is_skipped" in item for item in result["precheck_results"])


def test_log(api: Any, task: SimTask) -> None:
    task.delay = 500
    job = api.detail(task, "log&offset=0&limit=2")
    assert (len(job["logs"]), job["total_count"], job["logs"][0]["level"]) == (2, 7, "Warn")
    task.pin("INCRE_TRANSFER_FAILED")
    errors = api.detail(task, "log&log_level=Error")["logs"]
    assert "jdbc:mysql" in errors[0]["message"]
    assert len(errors) == 1


def test_small_types(api: Any, task: SimTask) -> None:
    assert api.detail(task, "file")["support_import_file_resp"]["file_size"] == "2"
    assert "is_writable" not in api.detail(task, "is_writable")
    task.writable = "pending"
    assert api.detail(task, "is_writable")["is_writable"] == "pending"
    assert "progress_info" in api.detail(task, "overview")


def compare(api: Any, task: SimTask, kind: str, query: str, **more: str) -> Any:
    extra = "".join(f"&{key}={value}" for key, value in more.items())
    return api.detail(task, f"compare&compare_type={kind}&query_type={query}{extra}")["compare_result"]


@pytest.mark.parametrize(
    "query",
    [
        *("", "&compare_type=data_compare", "&query_type=list", "&compare_type=data_compare&query_type=diff"),
        *("&compare_type=line_compare&query_type=overview", "&compare_type=content_compare&query_type=diff"),
        "&compare_type=object_compare&query_type=detail",
    ],
)
def test_compare_demands_both_types_and_mostly_an_id(query: str, api: Any, world: World) -> None:
    world.task("one").comparison = "equal"
    assert api.v5(f"/jobs/{world.task('one').id}?type=compare{query}").json()["error_code"] == "DRS.10000001"


def test_never_compared(api: Any, task: SimTask) -> None:
    assert compare(api, task, "data_compare", "list") == {"data_compare_task_list": []}
    assert compare(api, task, "object_compare", "overview") == {}


def test_results_of_comparisons(api: Any, task: SimTask) -> None:
    task.comparison, task.comparison_status = "different", "SUCCESSFUL"
    listed = compare(api, task, "data_compare", "list", limit="3", offset="0")["data_compare_task_list"]
    ids = {entry["type"]: entry["id"] for entry in listed}
    assert set(ids) == {"object", "lines", "contents"}
    objects = compare(api, task, "object_compare", "overview")["objects_compare_overview_info"]
    assert {entry["type"]: entry["status"] for entry in objects["compare_results"]}["INDEX"] == "INCONSISTENT"
    assert (objects["status"], objects["report_remain_seconds"]) == ("SUCCESSFUL", -1)
    details = compare(api, task, "object_compare", "detail", object_type="DB")["objects_compare_detail_infos"]
    assert len(details) == 2
    lines = compare(api, task, "line_compare", "overview", compare_task_id=ids["lines"])
    assert [entry["status"] for entry in lines["line_compare_overview_infos"]] == ["INCONSISTENT", "CONSISTENT"]
    lines = compare(api, task, "line_compare", "detail", compare_task_id=ids["lines"], source_db_name="shop")
    assert [entry["difference_row_num"] for entry in lines["line_compare_detail_infos"]] == ["0", "3", "0"]
    of_contents = {"compare_task_id": ids["contents"]}
    contents = compare(api, task, "content_compare", "overview", **of_contents)["content_compare_overview_infos"]
    assert [entry["compare_result"] for entry in contents] == [False, True]
    contents = compare(api, task, "content_compare", "detail", **of_contents)["content_compare_detail_infos"]
    assert (contents[1]["difference_row_num"], contents[1]["content_compare_result"]) == (3, False)
    assert compare(api, task, "content_compare", "diff", **of_contents)["content_diff_detail_info"]["count"] == 3
    task.comparison = "target_missing"
    lines = compare(api, task, "line_compare", "overview", compare_task_id=ids["lines"])
    assert lines["line_compare_overview_infos"][1]["status"] == "TARGET_DB_NOT_EXIST"


def test_monitor_data(api: Any, task: SimTask, world: World) -> None:
    path = f"/jobs/{task.id}/monitor-data"
    data = api.v5(path).json()
    assert data["is_src_normal"] is True
    assert float(data["used_cpu_percent"]) > 0
    assert isinstance(data["node_memory_size"], int)
    assert data["update_time"].endswith("Z")
    task.pin("CONFIGURATION")
    assert api.v5(path).json()["used_cpu_percent"] == ""
    assert "is_src_normal" not in api.v5(path).json()
    task.pin("RELEASE_RESOURCE_COMPLETE")
    assert api.v5(path).status_code == 400
    task.pin(None)
    task.children = [SimTask(name="child", role="child")]
    assert api.v5(path).json()["error_code"] == "DRS.M00307"
    world.tasks.append(SimTask(name="pg", engine="postgresql"))
    assert api.v5(f"/jobs/{world.task('pg').id}/monitor-data").status_code == 200


def test_timelines(api: Any, world: World) -> None:
    body = api.v5(f"/jobs/{world.task('one').id}/timelines?limit=2").json()
    assert body["count"] == 6
    assert [step["name"] for step in body["timelines"]] == ["INCRE_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE"]


def test_async_jobs(api: Any, world: World) -> None:
    world.async_jobs = [
        AsyncJob(status="COMMIT_SUCCESS", created=100.0, tasks=("one", "two")),
        AsyncJob(status="ASYNC_JOB_VALIDATE_FAILED", created=200.0),
    ]
    body = api.v5("/batch-async-jobs?async_job_id=&status=&offset=0&limit=10&sort_key=&sort_dir=").json()
    assert [job["status"] for job in body["jobs"]] == ["ASYNC_JOB_VALIDATE_FAILED", "COMMIT_SUCCESS"]
    assert (body["total_count"], api.v5("/batch-async-jobs?status=COMMIT_SUCCESS").json()["total_count"]) == (2, 1)
    assert api.v5("/batch-async-jobs?sort_dir=asc&limit=1").json()["jobs"][0]["create_time"] == "1970-01-01T00:01:40Z"
    detail = api.v5(f"/batch-async-jobs/{world.async_jobs[0].id}").json()
    assert [job["base_info"]["name"] for job in detail["jobs"]] == ["one", "two"]
    assert api.v5(f"/batch-async-jobs/{UNKNOWN}").status_code == 400
