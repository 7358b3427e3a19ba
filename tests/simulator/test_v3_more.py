from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from exporter.simulator import SimTask, World
from tests.simulator.client import UNKNOWN

EVERY = [
    *("batch-status", "batch-detail", "batch-progress", "batch-rpo-and-rto", "batch-struct-process"),
    *("batch-precheck-result", "disaster-recovery-monitoring-data"),
]


def batch_item(api: Any, operation: str, task: SimTask, status: int = 200) -> Any:
    answer = api.v3(f"/{operation}", jobs=[task.id])
    assert answer.status_code == status, answer.text
    return answer.json()["results"][0]


@pytest.mark.parametrize("operation", EVERY)
def test_every_batch_hides_the_code_of_a_missing_task(operation: str, api: Any) -> None:
    answer = api.v3(f"/{operation}", jobs=[UNKNOWN])
    assert answer.status_code == 400
    item = answer.json()["results"][0]
    assert item["error_code"] == "DRS.M05004"
    message = "error_message" if operation in {"batch-status", "batch-detail", "batch-struct-process"} else "error_msg"
    assert set(item) - {"error_code", "id", "job_id", "precheck_id"} == {message}
    assert api.v3(f"/{operation}", jobs=[]).json()["error_code"] == "DRS.M00200"


@pytest.mark.parametrize("operation", ["batch-status", "batch-detail"])
def test_without_a_page_request_all_but_five_are_lost(operation: str, api: Any, world: World) -> None:
    world.tasks = [SimTask(name=f"t{number}") for number in range(8)]
    ids = [task.id for task in world.tasks]
    answer = api.v3(f"/{operation}", jobs=ids).json()
    assert [item["id"] for item in answer["results"]] == ids[:5]
    rest = api.v3(f"/{operation}", jobs=ids, page_req={"cur_page": 2, "per_page": 5}).json()
    assert [item["id"] for item in rest["results"]] == ids[5:]
    everything = api.v3(f"/{operation}", jobs=ids, page_req={"cur_page": 1, "per_page": 10}).json()
    assert (len(everything["results"]), everything["count"]) == (8, 8)
    assert api.v3(f"/{operation}", jobs=ids, page_req={"cur_page": 1, "per_page": 101}).status_code == 400


def test_a_deleted_task_has_a_status_and_nothing_else(api: Any, task: SimTask) -> None:
    task.pin("DELETED")
    assert batch_item(api, "batch-status", task) == {"id": task.id, "status": "DELETED"}
    for operation in EVERY[1:]:
        assert batch_item(api, operation, task, 400)["error_code"] == "DRS.M05004"


def test_virtual_parents(api: Any, task: SimTask) -> None:
    task.children = [SimTask(name="child", role="child")]
    assert batch_item(api, "batch-status", task)["status"] == "INCRE_TRANSFER_STARTED"
    for operation in ("batch-detail", "batch-struct-process", "batch-rpo-and-rto"):
        assert batch_item(api, operation, task, 400)["error_code"] == "DRS.M00307"
    assert batch_item(api, "batch-detail", task.children[0])["parent_id"] == task.id


def test_detail(api: Any, task: SimTask, clock: Any) -> None:
    task.tags, task.alarms = {"team": "a"}, {"delay_time": 60}
    item = batch_item(api, "batch-detail", task)
    assert item["create_time"] == str(int(task.born * 1000))
    assert item["actual_start_time"] == str(int((task.born + 800) * 1000))
    assert item["full_transfer_complete_time"] == str(int((task.born + 3260) * 1000))
    assert item["source_endpoint"]["db_port"] == 3306
    assert item["target_endpoint"]["ssl_link"] is False
    assert (item["inst_info"]["start_time"], item["tags"]) == ("0", [{"key": "team", "value": "a"}])
    assert (item["alarm_notify"]["delay_time"], item["alarm_notify"]["rpo_delay"], item["description"]) == (60, 0, "")
    assert not {"net_type", "period_order", "error_code", "parent_id", "instInfo"} & item.keys()


def test_detail_of_prepaid_scheduled_and_failed_tasks(api: Any, task: SimTask) -> None:
    task.charging, task.scheduled, task.expires = "period", 1_800_000_600.0, 1_900_000_000.0
    task.pin("INCRE_TRANSFER_FAILED")
    item = batch_item(api, "batch-detail", task)
    assert (item["period_order"]["exp_time"], item["period_order"]["status"]) == ("1900000000000", "COMPLETED")
    assert (item["inst_info"]["start_time"], item["error_code"].startswith("DRS.")) == ("1800000600000", True)
    assert "jdbc:mysql" in item["error_message"]


def test_detail_of_a_primary_standby_pair(api: Any, task: SimTask) -> None:
    task.relation = "multi_az"
    task.children = [SimTask(name="m", role="master"), SimTask(name="s", role="slave")]
    standby = batch_item(api, "batch-detail", task.children[1])
    assert (standby["node_role"], standby["is_multi_az"]) == ("slave", True)
    assert standby["master_job_id"] == task.children[0].id


def test_the_oldest_page_has_another_key(api: Any, world: World) -> None:
    world.detail_key = "jobs"
    world.old_bodies = True
    body = api.v3("/batch-detail", jobs=[world.task("one").id]).json()
    assert set(body) == {"jobs", "count"}
    assert not {"alarm_notify", "tags", "job_kernel_direction"} & body["jobs"][0].keys()


def test_rpo_and_rto_are_milliseconds_at_a_time_without_zone(api: Any, task: SimTask) -> None:
    task.rpo, task.rto = 1.5, 0.25
    item = batch_item(api, "batch-rpo-and-rto", task, 202)
    assert (item["rpo_info"]["delay"], item["rto_info"]["delay"]) == ("1500", "250")
    assert item["rpo_info"]["gtid_set"] == "NA"
    assert item["rpo_info"]["time"] == "2027-01-15 16:00:00"  # 08:00 UTC
    task.pin("FULL_TRANSFER_STARTED")
    assert batch_item(api, "batch-rpo-and-rto", task, 202) == {"job_id": task.id}


def test_dr_monitoring(api: Any, world: World) -> None:
    task = SimTask(name="dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", source_up=False)
    world.tasks.append(task)
    assert task.id.endswith("jb502")
    data = batch_item(api, "disaster-recovery-monitoring-data", task)["data_guard_minitor"]
    assert (data["src_normal"], data["dst_normal"]) == (False, True)
    assert {"sr_offset", "sr_delay", "trans_inMB", "cpuUsed_percent"} <= data.keys()
    assert isinstance(data["node_mem_inMB"], int)
    assert isinstance(data["mem_used_inMB"], str)
    wrong = batch_item(api, "disaster-recovery-monitoring-data", world.task("one"), 400)
    assert wrong["error_code"] == "DRS.M00304"


def test_a_switchover(api: Any, task: SimTask, world: World) -> None:
    path = f"/v3/{world.project_id}/jobs/{task.id}/get-switch-vip-status"
    assert api("GET", path).json() == {"id": task.id, "status": "SWITCH_VIP_COMPLETE"}
    task.switching = True
    assert api("GET", path).json()["status"] == "SWITCH_VIP_START"
    item = batch_item(api, "batch-detail", task)
    assert (item["job_direction"], item["job_kernel_direction"]) == ("up", "down")
    task.scenario = "migration"
    assert api("GET", path).json()["error_code"] == "DRS.M00304"
    assert api("GET", path.replace(task.id, UNKNOWN)).json()["error_code"] == "DRS.M05004"


def test_struct_process(api: Any, world: World) -> None:
    result = batch_item(api, "batch-struct-process", world.task("one"))["struct_process"]["result"]
    assert {entry["status"] for entry in result} == {2}
    assert all(isinstance(entry["src_count"], int) for entry in result)


def test_precheck(api: Any, task: SimTask) -> None:
    assert batch_item(api, "batch-precheck-result", task, 400)["error_code"] == "DRS.M00304"
    task.pin("CONFIGURATION")
    item = batch_item(api, "batch-precheck-result", task)
    results = [entry["result"] for entry in item["precheck_result"]]
    # Alarms count as passed.
    assert (item["result"], item["total_passed_rate"], results.count("ALARM")) == (True, "100%", 3)
    data = item["precheck_result"][0]["data"]
    with pytest.raises(ValueError, match="Expecting property name"):
        json.loads(data)
    assert ast.literal_eval(data)["diskSizeTimes"] == "1.5"
    task.precheck = "failed"
    item = batch_item(api, "batch-precheck-result", task)
    assert item["result"] is False
    assert item["precheck_result"][-1]["result"] == "FAILED"
    task.precheck = "running"
    assert batch_item(api, "batch-precheck-result", task)["process"] == "40%"
    task.precheck = ""
    assert batch_item(api, "batch-precheck-result", task, 400)["error_code"] == "DRS.M05003"


def test_quota_is_an_object(api: Any, world: World) -> None:
    path = f"/v3/{world.project_id}/quotas"
    resource = api("GET", path).json()["quotas"]["resource"]
    assert resource == {"type": "instances", "min": 0, "max": 9999, "quota": 100, "used": 3}
    world.overrides["v3_quotas"] = {"quotas": {"resource": [resource]}}
    assert api("GET", path).json()["quotas"]["resource"] == [resource]


def compare(api: Any, task: SimTask, **ids: str) -> Any:
    answer = api.v3("/query-compare-result", job_id=task.id, current_page=1, per_page=10, **ids)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_comparisons_exist_only_when_the_user_ran_them(api: Any, task: SimTask) -> None:
    listed = compare(api, task)["compare_task_list_results"]
    assert listed == {"compare_task_list_count": 0, "compare_task_list": []}
    assert api.v3("/query-compare-result", job_id=task.id).status_code == 400
    assert api.v3("/query-compare-result", job_id=UNKNOWN, current_page=1, per_page=1).status_code == 400


@pytest.mark.parametrize(
    ("data", "result", "different"), [("equal", "CONSISTENT", 0), ("different", "INCONSISTENT", 3)]
)
def test_results_of_comparisons(data: str, result: str, different: int, api: Any, task: SimTask) -> None:
    task.comparison = data
    listed = compare(api, task)["compare_task_list_results"]["compare_task_list"]
    newest = {entry["compare_type"]: entry["compare_task_id"] for entry in reversed(listed)}
    assert set(newest) == {"object_comparison", "lines", "contents"}
    task.comparison_status = "SUCCESSFUL"
    body = compare(
        api,
        task,
        object_level_compare_id=newest["object_comparison"],
        line_compare_id=newest["lines"],
        content_compare_id=newest["contents"],
    )
    lines = body["line_compare_results"]["line_compare_details"][0]["line_compare_detail"]
    assert (lines[1]["line_compare_result"], sum(line["diff_row_num"] for line in lines)) == (result, different)
    assert body["line_compare_results"]["line_compare_overview"][0]["line_compare_result"] == result
    contents = body["content_compare_results"]["content_compare_details"][0]["content_compare_detail"]
    assert contents[1]["content_compare_result"] == result
    objects = body["object_level_compare_results"]["object_compare_overview"]
    assert {entry["object_compare_result"] for entry in objects} == {"CONSISTENT", result}


def test_a_missing_target_database_and_comparisons_under_way(api: Any, task: SimTask) -> None:
    task.comparison, task.comparison_status = "target_missing", "SUCCESSFUL"
    lines = compare(api, task)["compare_task_list_results"]["compare_task_list"]
    identity = next(entry["compare_task_id"] for entry in lines if entry["compare_type"] == "lines")

    def results() -> list[str]:
        overview = compare(api, task, line_compare_id=identity)["line_compare_results"]["line_compare_overview"]
        return [entry["line_compare_result"] for entry in overview]

    assert results() == ["CONSISTENT", "TARGET_DB_NOT_EXIT"]
    task.comparison_status = "RUNNING"
    assert results() == ["COMPARING", "WAITING_FOR_COMPARISON"]
    task.comparison_status = "FAILED"
    assert results() == ["FAILED_TO_COMPARE", "FAILED_TO_COMPARE"]
    assert compare(api, task, line_compare_id=UNKNOWN)["line_compare_results"]["error_code"] == "DRS.M05003"


def test_comparisons_end_and_new_ones_start(api: Any, task: SimTask, clock: Any) -> None:
    task.comparison = "equal"
    began = task.born + 3320

    def newest(after: float) -> tuple[str, str]:
        clock.value = began + after
        entry = compare(api, task)["compare_task_list_results"]["compare_task_list"][0]
        assert ("end_time" in entry) == (entry["compare_task_status"] != "RUNNING")
        return entry["compare_type"], entry["compare_task_status"]

    assert (newest(30), newest(90)) == (("object_comparison", "RUNNING"), ("object_comparison", "SUCCESSFUL"))
    assert (newest(6 * 60), newest(61 * 60)) == (("lines", "RUNNING"), ("contents", "SUCCESSFUL"))
    assert newest(3 * 6 * 3600 + 16 * 60) == ("lines", "FAILED")
