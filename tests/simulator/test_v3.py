from __future__ import annotations

from typing import Any

import pytest

from exporter.simulator import ABSENT, SimTask, World
from exporter.simulator.world.life import PREPARED, WITHOUT_FULL
from tests.simulator.client import PROJECT, UNKNOWN, error, names


@pytest.mark.parametrize(
    ("change", "code"),
    [
        *[({"cur_page": None}, "DRS.M00200"), ({"per_page": "10"}, "DRS.M00200")],
        *[({"cur_page": -1}, "DRS.M00210"), ({"cur_page": 2, "per_page": 0}, "DRS.M00210")],
        *[({"per_page": 101}, "DRS.M00211"), ({"db_use_type": None}, "DRS.M00202")],
        *[({"db_use_type": "replay"}, "DRS.M00202"), ({"enterprise_project_id": ""}, "DRS.M00202")],
    ],
)
def test_invalid_lists(change: dict[str, Any], code: str, api: Any) -> None:
    assert error(api.v3("", **{"cur_page": 1, "per_page": 10, "db_use_type": "sync", **change})) == (400, code)


def test_a_body_that_is_no_object(api: Any) -> None:
    for body in (b"", b"[]", b"{"):
        assert api("POST", f"/v3/{PROJECT}/jobs", body).status_code == 400


def test_pages_are_numbers_newest_first(api: Any) -> None:
    assert (names(api.list_v3(per_page=2)), names(api.list_v3(per_page=2, cur_page=2))) == (["three", "two"], ["one"])
    assert api.list_v3(per_page=2, cur_page=3) == {"jobs": [], "total_record": 3}
    assert (len(names(api.list_v3(per_page=1, cur_page=0))), len(names(api.list_v3(per_page=0)))) == (3, 3)


def test_an_absent_engine_type_means_mysql_only(api: Any, world: World) -> None:
    world.tasks.append(SimTask(name="pg", engine="postgresql"))
    assert len(names(api.list_v3())) == 4
    assert api.v3("", cur_page=1, per_page=10, db_use_type="sync").json()["total_record"] == 3


def test_mongodb_is_listed_under_another_name(api: Any, world: World) -> None:
    world.tasks.append(SimTask(name="docs", engine="mongodb"))
    listed = api.list_v3(engine_type="mongodb")
    assert [job["engine_type"] for job in listed["jobs"]] == ["mongodb-to-dds"]
    assert listed["jobs"][0]["id"].endswith("jb201")


def test_v3_does_not_know_redis(api: Any, world: World) -> None:
    redis = SimTask(name="redis", engine="redis-to-gaussredis")
    world.tasks.append(redis)
    assert api.list_v3()["total_record"] == 3
    assert api.v3("/batch-progress", jobs=[redis.id]).json()["results"][0]["error_code"] == "DRS.M05004"


def test_filters(api: Any, world: World) -> None:
    world.task("two").pin("PAUSING")
    world.task("one").net_type = "eip"
    world.task("one").tags = {"team": "a"}
    world.task("one").enterprise_project = "ep"
    assert (names(api.list_v3(status="PAUSING")), names(api.list_v3(net_type="eip"))) == (["two"], ["one"])
    assert names(api.list_v3(name="thre")) == ["three"]
    assert names(api.list_v3(name=f"{world.task('one').id},{world.task('two').id}")) == ["two", "one"]
    assert names(api.list_v3(tags={"team": "a"})) == ["one"]
    assert names(api.list_v3(tags=[{"key": "team", "value": "a"}])) == ["one"]
    assert names(api.list_v3(enterprise_project_id="ep")) == ["one"]
    item = api.list_v3(name="one")["jobs"][0]
    assert names(api.list_v3(instance_ids=[item["target_inst_id"]])) == ["one"]
    assert names(api.list_v3(instance_ip=item["target_ip"])) == ["one"]


def test_an_item_has_more_than_is_documented_and_less(api: Any) -> None:
    item = api.list_v3(name="one")["jobs"][0]
    assert (item["create_time"].endswith("Z"), item["db_use_type"]) == (True, "sync")
    assert item["node_newFramework"] is True
    assert {"restart_required", "is_multi_az", "multi_write", "target_ip", "task_version", "pay_mode"} <= item.keys()
    assert set(item["job_action"]) == {"available_actions", "unavailable_actions"}
    assert not {"description", "error_msg", "job_type", "enterprise_project_id", "children"} & item.keys()


def test_the_older_form(api: Any, world: World, clock: Any) -> None:
    world.naive_times = world.old_bodies = True
    world.tasks = [SimTask(name="old", born=1608519469.0)]
    item = api.list_v3()["jobs"][0]
    assert (item["create_time"], item["description"]) == ("2020-12-21 10:57:49", "")
    assert not {"job_action", "target_ip", "task_version"} & item.keys()
    progress = api.progress(world.tasks[0])[0]
    assert progress.keys() == {
        *("progress", "job_id", "incre_trans_delay", "task_mode", "transfer_status", "process_time", "remaining_time")
    }
    world.tasks[0].pin("CREATING")
    assert api.progress(world.tasks[0])[0]["process_time"] == "0"


def test_a_failed_task_contains_its_jdbc_url(api: Any, world: World) -> None:
    world.task("one").pin("INCRE_TRANSFER_FAILED")
    item = api.list_v3(name="one")["jobs"][0]
    assert [part for part in ("url=jdbc:mysql://192.168.", "user=root") if part not in item["error_msg"]] == []
    assert "RETRY" in item["job_action"]["available_actions"]


def test_children_appear_inside_their_parent_only(api: Any, world: World) -> None:
    child = SimTask(name="child", role="child")
    world.tasks.append(SimTask(name="parent", children=[child], relation="multi_to_single", role="parent"))
    listed = api.list_v3()
    assert sorted(names(listed)) == ["one", "parent", "three", "two"]
    parent = next(job for job in listed["jobs"] if job["name"] == "parent")
    assert [job["id"] for job in parent["children"]] == [child.id]
    refused = api.v3("/batch-progress", jobs=[world.task("parent").id])
    assert (refused.status_code, refused.json()["results"][0]["error_code"]) == (400, "DRS.M00307")
    assert api.progress(child)[0]["job_id"] == child.id


def test_progress_before_the_start(api: Any, task: SimTask) -> None:
    task.pin("CONFIGURATION")
    item = api.progress(task)[0]
    assert (item["progress"], item["process_time"], item["remaining_time"]) == ("0", "null", "0")
    assert (item["incre_trans_delay"], item["incre_trans_delay_millis"]) == ("-1", "-1")
    assert (item["apply_rows_rate"], item["apply_bytes_rate"]) == (-1, -1)
    assert "progress_map" not in item


def test_progress_of_the_full_load(api: Any, world: World, clock: Any) -> None:
    task = SimTask(name="full", born=clock() - sum(seconds for _, seconds in PREPARED) - 1200)
    world.tasks.append(task)
    item = api.progress(task)[0]
    assert (item["progress"], item["remaining_time"]) == ("50", "1200")
    assert item["progress_map"]["data"] == {"completed": "50%", "remaining_time": "1200"}
    assert item["incre_trans_delay"] == "-1"
    clock.value += 1210
    item = api.progress(task)[0]
    assert (item["transfer_status"], item["progress"]) == ("FULL_TRANSFER_COMPLETE", "100")
    assert (item["remaining_time"], item["incre_trans_delay"]) == ("0", "-1")
    world.old_bodies = True
    lagging = api.progress(task)[0]
    assert (lagging["progress"], lagging["progress_map"]["struct"]["completed"]) == ("0", "94%")


def test_progress_of_incremental_replication(api: Any, task: SimTask) -> None:
    task.delay = 12.3456
    item = api.progress(task)[0]
    assert (item["incre_trans_delay"], item["incre_trans_delay_millis"], item["progress"]) == ("12", "12345", "100")
    assert isinstance(item["apply_rows_rate"], int)
    assert item["apply_rows_rate"] > 0
    assert (item["process_time"].isdigit(), len(item["process_time"])) == (True, 13)


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        *[([], "DRS.M00200"), (None, "DRS.M00200"), (["not an id"], "DRS.M00200"), ([""], "DRS.M00200")],
        ([UNKNOWN, UNKNOWN], "DRS.M00301"),
        ([UNKNOWN.replace("0", str(digit), 1) for digit in range(10)] + [UNKNOWN[:-1] + "x"], "DRS.M00300"),
    ],
)
def test_bad_batches(ids: Any, code: str, api: Any) -> None:
    assert error(api.v3("/batch-progress", jobs=ids)) == (400, code)


def test_the_code_of_a_single_bad_id_hides_in_the_results(api: Any) -> None:
    answer = api.v3("/batch-progress", jobs=[UNKNOWN])
    assert answer.status_code == 400
    assert "error_code" not in answer.json()
    assert answer.json()["results"][0]["error_code"] == "DRS.M05004"


def test_a_mixed_batch_item_by_item_or_as_a_whole(api: Any, world: World) -> None:
    ids = [world.task("one").id, UNKNOWN]
    answer = api.v3("/batch-progress", jobs=ids)
    assert answer.status_code == 202
    good, bad = answer.json()["results"]
    assert (good["progress"], bad["job_id"], bad["error_code"]) == ("100", UNKNOWN, "DRS.M05004")
    assert "error_msg" in bad
    world.mixed_batches = "whole"
    answer = api.v3("/batch-progress", jobs=ids)
    assert (answer.status_code, [item["job_id"] for item in answer.json()["results"]]) == (400, [UNKNOWN])


def test_a_cloud_that_allows_a_single_id(api: Any, world: World) -> None:
    world.single_id_only = True
    assert error(api.v3("/batch-progress", jobs=[task.id for task in world.tasks])) == (400, "DRS.M00299")
    assert len(api.progress(world.tasks[0])) == 1


def test_a_released_task_has_no_progress(api: Any, world: World) -> None:
    world.task("one").pin("RELEASE_RESOURCE_COMPLETE")
    assert names(api.list_v3(name="one")) == ["one"]
    assert api.v3("/batch-progress", jobs=[world.task("one").id]).status_code == 400


def test_overrides_put_any_json_anywhere(api: Any, task: SimTask, world: World) -> None:
    task.overrides = {
        "v3_progress": {"incre_trans_delay": "abc", "progress": ABSENT, "progress_map": {"data": 5}},
        "v3_list": ["not", "an", "object"],
    }
    world.overrides["v3_list"] = {"total_record": "three"}
    item = api.progress(task)[0]
    assert item["incre_trans_delay"] == "abc"
    assert "progress" not in item
    assert item["progress_map"] == {"data": 5}
    listed = api.list_v3()
    assert (listed["jobs"][-1], listed["total_record"]) == (["not", "an", "object"], "three")


def test_a_task_without_a_full_load_reports_100_percent(api: Any, world: World) -> None:
    task = SimTask(name="feed", mode="INCR_TRANS", script=WITHOUT_FULL)
    world.tasks.append(task)
    item = api.progress(task)[0]
    assert (item["progress"], item["task_mode"], "progress_map" in item) == ("100", "INCR_TRANS", False)
    assert "full_transfer_complete_time" not in api.v3("/batch-detail", jobs=[task.id]).json()["results"][0]
