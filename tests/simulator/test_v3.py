from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter.simulator import ABSENT, SimTask, World
from exporter.simulator.world.life import PREPARED, WITHOUT_FULL

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "00000000-0000-0000-0000-0000000jb201"


def names(listed: Any) -> list[str]:
    return [job["name"] for job in listed["jobs"]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cur_page": None}, "DRS.M00200"),
        ({"per_page": "10"}, "DRS.M00200"),
        ({"cur_page": -1}, "DRS.M00210"),
        ({"cur_page": 2, "per_page": 0}, "DRS.M00210"),
        ({"per_page": 101}, "DRS.M00211"),
        ({"db_use_type": None}, "DRS.M00202"),
        ({"db_use_type": "replay"}, "DRS.M00202"),
        ({"enterprise_project_id": ""}, "DRS.M00202"),
    ],
)
def test_what_the_list_demands(change: dict[str, Any], code: str, ask: Any) -> None:
    answer = ask.v3("", **{"cur_page": 1, "per_page": 10, "db_use_type": "sync", **change})
    assert (answer.status_code, answer.json()["error_code"]) == (400, code)


def test_a_body_that_is_no_object(ask: Any) -> None:
    for body in (b"", b"[]", b"{"):
        assert ask("POST", "/v3/054ba152d480d55b2f5dc0069e7ddef0/jobs", body).status_code == 400


def test_pages_are_numbers_newest_first(ask: Any) -> None:
    assert names(ask.list_v3(per_page=2)) == ["three", "two"]
    assert names(ask.list_v3(per_page=2, cur_page=2)) == ["one"]
    assert ask.list_v3(per_page=2, cur_page=3) == {"jobs": [], "total_record": 3}
    assert len(names(ask.list_v3(per_page=1, cur_page=0))) == 3
    assert len(names(ask.list_v3(per_page=0))) == 3


def test_an_absent_engine_type_means_mysql_only(ask: Any, world: World) -> None:
    world.tasks.append(SimTask(name="pg", engine="postgresql"))
    assert len(names(ask.list_v3())) == 4
    answer = ask.v3("", cur_page=1, per_page=10, db_use_type="sync")
    assert answer.json()["total_record"] == 3


def test_mongodb_comes_back_under_another_name(ask: Any, world: World) -> None:
    world.tasks.append(SimTask(name="docs", engine="mongodb"))
    listed = ask.list_v3(engine_type="mongodb")
    assert [job["engine_type"] for job in listed["jobs"]] == ["mongodb-to-dds"]
    assert listed["jobs"][0]["id"].endswith("jb201")


def test_v3_does_not_know_redis(ask: Any, world: World) -> None:
    redis = SimTask(name="redis", engine="redis-to-gaussredis")
    world.tasks.append(redis)
    assert ask.list_v3()["total_record"] == 3
    assert ask.v3("/batch-progress", jobs=[redis.id]).json()["results"][0]["error_code"] == "DRS.M05004"


def test_filters(ask: Any, world: World) -> None:
    world.task("two").pin("PAUSING")
    world.task("one").net_type = "eip"
    world.task("one").tags = {"team": "a"}
    world.task("one").enterprise_project = "ep"
    assert names(ask.list_v3(status="PAUSING")) == ["two"]
    assert names(ask.list_v3(net_type="eip")) == ["one"]
    assert names(ask.list_v3(name="thre")) == ["three"]
    assert names(ask.list_v3(name=f"{world.task('one').id},{world.task('two').id}")) == ["two", "one"]
    assert names(ask.list_v3(tags={"team": "a"})) == ["one"]
    assert names(ask.list_v3(tags=[{"key": "team", "value": "a"}])) == ["one"]
    assert names(ask.list_v3(enterprise_project_id="ep")) == ["one"]
    item = ask.list_v3(name="one")["jobs"][0]
    assert names(ask.list_v3(instance_ids=[item["target_inst_id"]])) == ["one"]
    assert names(ask.list_v3(instance_ip=item["target_ip"])) == ["one"]


def test_an_item_has_more_than_is_documented_and_less(ask: Any) -> None:
    item = ask.list_v3(name="one")["jobs"][0]
    assert item["create_time"].endswith("Z")
    assert item["db_use_type"] == "sync"
    assert item["node_newFramework"] is True
    assert {"restart_required", "is_multi_az", "multi_write", "target_ip", "task_version", "pay_mode"} <= item.keys()
    assert set(item["job_action"]) == {"available_actions", "unavailable_actions"}
    assert not {"description", "error_msg", "job_type", "enterprise_project_id", "children"} & item.keys()


def test_the_older_form(ask: Any, world: World, clock: Any) -> None:
    world.naive_times = world.old_bodies = True
    world.tasks = [SimTask(name="old", born=1608519469.0)]
    item = ask.list_v3()["jobs"][0]
    assert item["create_time"] == "2020-12-21 10:57:49"
    assert item["description"] == ""
    assert not {"job_action", "target_ip", "task_version"} & item.keys()
    progress = ask.progress(world.tasks[0])[0]
    assert progress.keys() == {
        *("progress", "job_id", "incre_trans_delay", "task_mode", "transfer_status", "process_time", "remaining_time")
    }
    world.tasks[0].pin("CREATING")
    assert ask.progress(world.tasks[0])[0]["process_time"] == "0"


def test_a_failed_task_tells_its_jdbc_url(ask: Any, world: World) -> None:
    world.task("one").pin("INCRE_TRANSFER_FAILED")
    item = ask.list_v3(name="one")["jobs"][0]
    assert "url=jdbc:mysql://192.168." in item["error_msg"]
    assert "user=root" in item["error_msg"]
    assert "RETRY" in item["job_action"]["available_actions"]


def test_children_appear_inside_their_parent_only(ask: Any, world: World) -> None:
    child = SimTask(name="child", role="child")
    world.tasks.append(SimTask(name="parent", children=[child], relation="multi_to_single", role="parent"))
    listed = ask.list_v3()
    assert sorted(names(listed)) == ["one", "parent", "three", "two"]
    parent = next(job for job in listed["jobs"] if job["name"] == "parent")
    assert [job["id"] for job in parent["children"]] == [child.id]
    refused = ask.v3("/batch-progress", jobs=[world.task("parent").id])
    assert refused.status_code == 400
    assert refused.json()["results"][0]["error_code"] == "DRS.M00307"
    assert ask.progress(child)[0]["job_id"] == child.id


def test_progress_before_the_start(ask: Any, task: SimTask) -> None:
    task.pin("CONFIGURATION")
    item = ask.progress(task)[0]
    assert (item["progress"], item["process_time"], item["remaining_time"]) == ("0", "null", "0")
    assert (item["incre_trans_delay"], item["incre_trans_delay_millis"]) == ("-1", "-1")
    assert (item["apply_rows_rate"], item["apply_bytes_rate"]) == (-1, -1)
    assert "progress_map" not in item


def test_progress_of_the_full_load(ask: Any, world: World, clock: Any) -> None:
    prepared = sum(seconds for _, seconds in PREPARED)
    task = SimTask(name="full", born=clock() - prepared - 1200)
    world.tasks.append(task)
    item = ask.progress(task)[0]
    assert (item["progress"], item["remaining_time"]) == ("50", "1200")
    assert item["progress_map"]["data"] == {"completed": "50%", "remaining_time": None}
    assert item["incre_trans_delay"] == "-1"
    clock.value += 1210
    item = ask.progress(task)[0]
    assert (item["transfer_status"], item["progress"]) == ("FULL_TRANSFER_COMPLETE", "100")
    assert (item["remaining_time"], item["incre_trans_delay"]) == ("0", "-1")
    world.old_bodies = True
    lagging = ask.progress(task)[0]
    assert (lagging["progress"], lagging["progress_map"]["struct"]["completed"]) == ("0", "94%")


def test_progress_of_incremental_replication(ask: Any, task: SimTask) -> None:
    task.delay = 12.3456
    item = ask.progress(task)[0]
    assert (item["incre_trans_delay"], item["incre_trans_delay_millis"]) == ("12", "12345")
    assert item["progress"] == "100"
    assert isinstance(item["apply_rows_rate"], int)
    assert item["apply_rows_rate"] > 0
    assert item["process_time"].isdigit()
    assert len(item["process_time"]) == 13


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "DRS.M00200"),
        (None, "DRS.M00200"),
        (["not an id"], "DRS.M00200"),
        ([""], "DRS.M00200"),
        ([UNKNOWN, UNKNOWN], "DRS.M00301"),
        ([UNKNOWN.replace("0", str(digit), 1) for digit in range(10)] + [UNKNOWN[:-1] + "x"], "DRS.M00300"),
    ],
)
def test_bad_batches(ids: Any, code: str, ask: Any) -> None:
    answer = ask.v3("/batch-progress", jobs=ids)
    assert (answer.status_code, answer.json()["error_code"]) == (400, code)


def test_the_code_of_a_single_bad_id_hides_in_the_results(ask: Any) -> None:
    answer = ask.v3("/batch-progress", jobs=[UNKNOWN])
    assert answer.status_code == 400
    assert "error_code" not in answer.json()
    assert answer.json()["results"][0]["error_code"] == "DRS.M05004"


def test_a_mixed_batch_item_by_item_or_as_a_whole(ask: Any, world: World) -> None:
    ids = [world.task("one").id, UNKNOWN]
    answer = ask.v3("/batch-progress", jobs=ids)
    assert answer.status_code == 202
    good, bad = answer.json()["results"]
    assert good["progress"] == "100"
    assert (bad["job_id"], bad["error_code"]) == (UNKNOWN, "DRS.M05004")
    assert "error_msg" in bad
    world.mixed_batches = "whole"
    answer = ask.v3("/batch-progress", jobs=ids)
    assert answer.status_code == 400
    assert [item["job_id"] for item in answer.json()["results"]] == [UNKNOWN]


def test_worlds_that_allow_one_id_only(ask: Any, world: World) -> None:
    world.single_id_only = True
    answer = ask.v3("/batch-progress", jobs=[task.id for task in world.tasks])
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M00299")
    assert len(ask.progress(world.tasks[0])) == 1


def test_a_released_task_has_no_progress(ask: Any, world: World) -> None:
    world.task("one").pin("RELEASE_RESOURCE_COMPLETE")
    assert names(ask.list_v3(name="one")) == ["one"]
    assert ask.v3("/batch-progress", jobs=[world.task("one").id]).status_code == 400


def test_overrides_put_any_json_anywhere(ask: Any, task: SimTask, world: World, asker: Callable[..., Any]) -> None:
    task.overrides = {
        "v3_progress": {"incre_trans_delay": "abc", "progress": ABSENT, "progress_map": {"data": 5}},
        "v3_list": ["not", "an", "object"],
    }
    world.overrides["v3_list"] = {"total_record": "three"}
    item = ask.progress(task)[0]
    assert item["incre_trans_delay"] == "abc"
    assert "progress" not in item
    assert item["progress_map"] == {"data": 5}
    listed = ask.list_v3()
    assert listed["jobs"][-1] == ["not", "an", "object"]
    assert listed["total_record"] == "three"


def test_a_task_without_a_full_load_reports_100_all_the_same(ask: Any, world: World) -> None:
    task = SimTask(name="feed", mode="INCR_TRANS", script=WITHOUT_FULL)
    world.tasks.append(task)
    item = ask.progress(task)[0]
    assert (item["progress"], item["task_mode"], "progress_map" in item) == ("100", "INCR_TRANS", False)
    assert "full_transfer_complete_time" not in ask.v3("/batch-detail", jobs=[task.id]).json()["results"][0]
