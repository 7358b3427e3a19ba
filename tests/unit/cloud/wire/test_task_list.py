from __future__ import annotations

from typing import Any

import httpx
import pytest

from exporter.model.task import Listed
from tests.lib.cloud import Script, connected, listed

ID = "140b5236-88ad-43c8-811c-1268453jb101"
CHILD = "7f8e6f74-72d2-4ddd-bb8f-6c41397jb101"
LEAST = {"id": ID, "status": "CONFIGURATION"}


def body(*items: Any) -> dict[str, Any]:
    return {"jobs": list(items), "total_record": len(items), "total_count": len(items)}


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_the_least_that_makes_a_task(api: str) -> None:
    answer, lost = listed(body(LEAST), api, "migration")
    assert answer.tasks == (Listed(id=ID, name=ID, status="CONFIGURATION", job_type="migration"),)
    assert (answer.complete, lost) == (True, 0)


@pytest.mark.parametrize("api", ["v3", "v5"])
@pytest.mark.parametrize(
    ("fields", "attribute", "value", "errors"),
    [
        ({"name": "DRS-0042"}, "name", "DRS-0042", 0),
        ({"name": ""}, "name", ID, 0),
        ({"name": "NA"}, "name", "NA", 0),  # as the user typed it
        ({"name": "null"}, "name", "null", 0),
        ({"name": "-"}, "name", "-", 0),
        ({"name": None}, "name", ID, 0),
        ({"name": ["DRS"]}, "name", ID, 1),
        ({"name": "half a \ud83d pair"}, "name", ID, 1),
        ({"create_time": "2022-11-07T16:15:18Z"}, "created_at", 1_667_837_718, 0),
        ({"create_time": "2020-12-21 10:57:49"}, "created_at", None, 0),  # UTC+8, but nowhere documented
        (
            {"create_time": "2020-12-21 10:57:49"},
            "created_at_latest",
            1_608_591_469,
            0,
        ),  # nowhere is it later than at UTC-12
        ({"create_time": "2022-11-07T16:15:18Z"}, "created_at_latest", 1_667_837_718, 0),
        ({"create_time": "0"}, "created_at_latest", None, 0),
        ({"create_time": "1608519469412"}, "created_at", 1_608_519_469.412, 0),
        ({"create_time": "yesterday"}, "created_at", None, 1),
        ({"create_time": True}, "created_at", None, 1),
        ({"db_use_type": "cloudDataGuard"}, "job_type", "cloudDataGuard", 0),
        ({"job_type": "cloudDataGuard"}, "job_type", "cloudDataGuard", 0),
        ({"job_type": None}, "job_type", "sync", 0),
        ({"job_type": {}}, "job_type", "sync", 1),
        ({"engine_type": "mysql-to-taurus"}, "engine_type", "mysql-to-taurus", 0),
        ({"engine_type": "null"}, "engine_type", None, 0),
        ({"task_type": "FULL_INCR_TRANS"}, "task_type", "FULL_INCR_TRANS", 0),
        ({"task_type": 1.5}, "task_type", None, 1),
        ({"job_direction": "non-dbs"}, "direction", "non-dbs", 0),
        ({"job_direction": False}, "direction", None, 1),
        ({"net_type": "eip"}, "net_type", "eip", 0),
        ({"net_type": "N/A"}, "net_type", None, 0),
        ({"enterprise_project_id": "0"}, "enterprise_project_id", "0", 0),
        ({"enterprise_project_id": 0}, "enterprise_project_id", "0", 0),
        ({"enterprise_project_id": []}, "enterprise_project_id", None, 1),
        ({"job_mode": "multi_to_single"}, "job_mode", "multi_to_single", 0),
        ({"job_mode_role": "parent"}, "role", "parent", 0),
        ({"job_mode_role": 7.0}, "role", None, 1),
        ({"job_action": {"available_actions": ["START"]}}, "available_actions", frozenset({"START"}), 0),
        ({"job_action": {"unavailable_actions": ["START"]}}, "unavailable_actions", frozenset({"START"}), 0),
        ({"job_action": {"available_actions": None}}, "available_actions", frozenset(), 0),
        ({"job_action": {"available_actions": "START"}}, "available_actions", frozenset(), 1),
        ({"job_action": {"available_actions": ["START", 7]}}, "available_actions", frozenset(), 1),
        ({"job_action": {"current_action": "CREATE"}}, "available_actions", frozenset(), 0),
        ({"job_action": ["START"]}, "available_actions", frozenset(), 1),
        ({"job_action": None}, "available_actions", frozenset(), 0),
        ({"children": []}, "is_parent", False, 0),
        ({"children": None}, "is_parent", False, 0),
        ({"children": {"id": CHILD}}, "unknown_children", 1, 1),
        ({"children": [None]}, "is_parent", True, 1),  # virtual all the same
        ({"description": "secret\nplan"}, "name", ID, 0),
        ({"error_msg": "user=root"}, "status", "CONFIGURATION", 0),
        ({"node_newFramework": "maybe"}, "status", "CONFIGURATION", 0),
    ],
)
def test_one_field(api: str, fields: dict[str, Any], attribute: str, value: Any, errors: int) -> None:
    answer, lost = listed(body({**LEAST, **fields}), api)
    (task,) = answer.tasks
    assert (getattr(task, attribute), lost) == (value, errors)


@pytest.mark.parametrize("key", ["id", "status"])
@pytest.mark.parametrize("bad", [None, "", "x" * 65, 7, True, [], {}, "\ud800", "absent"])
def test_without_id_and_status_there_is_no_task_but_the_others_stay(key: str, bad: Any) -> None:
    broken = {**LEAST, "id": CHILD, key: bad}
    if bad == "absent":
        del broken[key]
    answer, lost = listed(body(broken, LEAST))
    assert ([task.id for task in answer.tasks], answer.complete, lost) == ([ID], False, 1)


@pytest.mark.parametrize("identity", ["..", "a/b", "a?b", "a#b", "a b", "a\n", "é", "%2e%2e"])
def test_an_id_that_would_lead_to_another_path_makes_no_task(identity: str) -> None:
    answer, lost = listed(body({**LEAST, "id": identity}, {**LEAST, "id": CHILD}), "v5")
    assert ([task.id for task in answer.tasks], answer.complete, lost) == ([CHILD], False, 1)


@pytest.mark.parametrize("item", [None, 7, "text", True, []])
def test_what_is_no_object_makes_no_task(item: Any) -> None:
    answer, lost = listed(body(item, LEAST))
    assert ([task.id for task in answer.tasks], answer.complete, lost) == ([ID], False, 1)


def test_an_unknown_status_is_a_fact() -> None:
    answer, lost = listed(body({**LEAST, "status": "TELEPORTING"}))
    assert (answer.tasks[0].status, lost) == ("TELEPORTING", 0)


def test_subtasks_are_listed_beside_their_parent() -> None:
    child = {"id": CHILD, "status": "INCRE_TRANSFER_STARTED", "job_mode_role": "child", "name": "north"}
    answer, lost = listed(body({**LEAST, "children": [child]}))
    parent, subtask = answer.tasks
    assert (parent.id, parent.is_parent, parent.parent_id) == (ID, True, None)
    assert (subtask.id, subtask.parent_id, subtask.is_parent) == (CHILD, ID, False)
    assert (subtask.name, subtask.role, subtask.job_type) == ("north", "child", "sync")
    assert (answer.complete, lost) == (True, 0)


def test_a_subtask_that_cannot_be_decoded_leaves_the_others_and_makes_the_list_incomplete() -> None:
    child = {"id": CHILD, "status": "INCRE_TRANSFER_STARTED"}
    answer, lost = listed(body({**LEAST, "children": [child, {"id": "x"}]}))
    assert ([task.id for task in answer.tasks], answer.complete, lost) == ([ID, CHILD], False, 1)


async def test_children_that_are_nested_without_end_cost_only_themselves() -> None:
    depth = 2000
    nested = '{"id":"deep","status":"CREATING","children":[' * depth + "]}" * depth
    text = f'{{"jobs":[{nested},{{"id":"{CHILD}","status":"CREATING"}}],"total_record":2,"total_count":2}}'

    async with connected(Script(httpx.Response(200, content=text))) as cloud:
        answer, lost = await cloud.list_tasks("v3"), cloud.lost
    tasks = {task.id: task for task in answer.tasks}
    assert tasks.keys() == {"deep", CHILD}
    assert tasks["deep"].unknown_children
    assert lost
