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


NO_WORDS: tuple[Any, ...] = (["PAUSE"], {}, True, "a text by hand", "X" * 41)
FIELDS: dict[tuple[str, str], list[tuple[Any, Any, int]]] = {
    ("name", "name"): [
        *[("DRS-0042", "DRS-0042", 0), ("", ID, 0), (None, ID, 0), (["DRS"], ID, 1), ("half a \ud83d pair", ID, 1)],
        *[("NA", "NA", 0), ("null", "null", 0), ("-", "-", 0)],  # as the user typed it
    ],
    ("create_time", "created_at"): [
        *[("2022-11-07T16:15:18Z", 1_667_837_718, 0), ("1608519469412", 1_608_519_469.412, 0)],
        *[("yesterday", None, 1), (True, None, 1)],
        ("2020-12-21 10:57:49", None, 0),  # UTC+8, but nowhere documented
    ],
    ("create_time", "created_at_latest"): [
        *[("2022-11-07T16:15:18Z", 1_667_837_718, 0), ("0", None, 0)],
        ("2020-12-21 10:57:49", 1_608_591_469, 0),  # nowhere is it later than at UTC-12
    ],
    ("db_use_type", "job_type"): [("cloudDataGuard", "cloudDataGuard", 0)],
    ("job_type", "job_type"): [("cloudDataGuard", "cloudDataGuard", 0), (None, "sync", 0), ({}, "sync", 1)],
    ("engine_type", "engine_type"): [("mysql-to-taurus", "mysql-to-taurus", 0), ("null", None, 0)],
    ("task_type", "task_type"): [("FULL_INCR_TRANS", "FULL_INCR_TRANS", 0), (1.5, None, 1)],
    ("job_direction", "direction"): [("non-dbs", "non-dbs", 0), (False, None, 1)],
    ("net_type", "net_type"): [("eip", "eip", 0), ("N/A", None, 0)],
    ("enterprise_project_id", "enterprise_project_id"): [("0", "0", 0), (0, "0", 0), ([], None, 1)],
    ("job_mode", "job_mode"): [("multi_to_single", "multi_to_single", 0)],
    ("job_mode_role", "role"): [("parent", "parent", 0), (7.0, None, 1)],
    ("node_role", "node_role"): [("slave", "slave", 0), ("", None, 0), ("half a role", None, 1), ({}, None, 1)],
    ("is_multi_az", "multi_az"): [(True, True, 0), (False, False, 0), (None, None, 0), ("true", None, 1)],
    ("charging_mode", "charging_mode"): [("on_demand", "on_demand", 0), ("null", None, 0), ([], None, 1)],
    ("job_action", "current_action"): [
        *[({"current_action": word}, word, 0) for word in ("SWITCH_OVER", "STOP_JOB", "NEW_WORD")],
        ({"current_action": "switch_over"}, "SWITCH_OVER", 0),
        *[({"current_action": null}, "", 0) for null in (None, "", "null", "N/A", "-")],
        *[({"current_action": wrong}, None, 1) for wrong in NO_WORDS],
        *[(actions, None, 0) for actions in ({"available_actions": ["START"]}, {}, None)],
        *[(actions, None, 1) for actions in ("SWITCH_OVER", ["SWITCH_OVER"])],
    ],
    ("job_action", "available_actions"): [
        ({"available_actions": ["START"]}, frozenset({"START"}), 0),
        *[(actions, frozenset(), 0) for actions in ({"available_actions": None}, {"current_action": "CREATE"}, None)],
        *[(actions, frozenset(), 1) for actions in ({"available_actions": "START"}, ["START"])],
        ({"available_actions": ["START", 7]}, frozenset({"START"}), 1),
    ],
    ("job_action", "unavailable_actions"): [({"unavailable_actions": ["START"]}, frozenset({"START"}), 0)],
    ("children", "is_parent"): [([], False, 0), (None, False, 0), ([None], True, 1)],  # virtual all the same
    ("children", "unknown_children"): [({"id": CHILD}, 1, 1)],
    ("description", "name"): [("secret\nplan", ID, 0)],
    ("error_msg", "status"): [("user=root", "CONFIGURATION", 0)],
    ("node_newFramework", "status"): [("maybe", "CONFIGURATION", 0)],
}
"""Values, facts and decode errors of a key and the attribute that it sets."""


@pytest.mark.parametrize("api", ["v3", "v5"])
@pytest.mark.parametrize(
    ("fields", "attribute", "value", "errors"),
    [({key: given}, name, *found) for (key, name), rows in FIELDS.items() for given, *found in rows],
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


PATHS = ("..", "a/b", "a?b", "a#b", "a b", "a\n", "é", "%2e%2e")


@pytest.mark.parametrize("item", [*({**LEAST, "id": path} for path in PATHS), None, 7, "text", True, []])
@pytest.mark.parametrize("api", ["v3", "v5"])
def test_an_id_that_would_lead_to_another_path_and_what_is_no_object_make_no_task(api: str, item: Any) -> None:
    answer, lost = listed(body(item, LEAST), api)
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


def test_a_subtask_that_cannot_be_decoded_leaves_the_others_and_is_unknown_to_its_parent() -> None:
    child = {"id": CHILD, "name": "north", "status": "INCRE_TRANSFER_STARTED"}
    answer, lost = listed(body({**LEAST, "children": [child, {"id": "x"}]}))
    assert ([task.id for task in answer.tasks], answer.complete, lost) == ([ID, CHILD], True, 1)
    assert [task.unknown_children for task in answer.tasks] == [1, 0]


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
