from __future__ import annotations

import json
from pathlib import Path

import pytest

from exporter.cloud.operations import OPERATIONS, QUERY_V5
from exporter.commands import query as querying
from exporter.commands.lookup import Place, ambiguous
from exporter.commands.outcome import Outcome
from exporter.commands.query import TYPES, V3_TYPES
from exporter.config import Config
from exporter.simulator import Fault, faults, query_id
from tests.lib.commands import CANARY, OTHER_ID, WHERE, CommandLine, config_file, config_for, queried, two_projects
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task

ORDERS = sim_task("orders").id
UNKNOWN = "c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r"
UNDOCUMENTED = "got a response that the API does not document, decode: please report it, with check --report=FILE"
BY_NAME = "names are looked up in the lists of v5, which lacks some engines: try the id"
LEFT_OUT = "which may hold messages, hosts, users or names"


def test_a_precheck() -> None:
    cloud = cloud_of(sim_task("orders", precheck="failed"))
    outcome = queried(cloud, "precheck", run=query_id(cloud.worlds[0].task("orders"), "precheck"))
    details_shown = json.loads(outcome.text)
    assert (outcome.code, outcome.notes) == (0, (f"8 values left out, {LEFT_OUT}",))
    assert details_shown["status"] == "INCRE_TRANSFER_STARTED"
    result = details_shown["precheck_result"]
    assert {key: result[key] for key in result if key != "precheck_results"} == {
        "result": False,
        "process": "100%",
        "total_passed_rate": "90%",
        "job_direction": "up",
    }
    assert result["precheck_results"][-1] == {
        "item": "srcDbConnection",
        "result": "FAILED",
        "group": "network",
        "is_support_skip": False,
        "is_skipped": False,
        "failed_sub_jobs": [],
    }
    assert len(result["precheck_results"]) == 10


@pytest.mark.parametrize(
    ("kind", "details", "notes"),
    [
        (
            "network",
            {
                "network_results": [
                    {"success": True, "result": "success", "status": "success"},
                    {"success": False, "result": "other", "status": "failed", "error_code": "DRS.M0601"},
                ]
            },
            (f"3 values left out, {LEFT_OUT}",),
        ),
        ("file", {"support_import_file_resp": {"file_size": "2", "previous_select": "manual"}}, ()),
        ("is_writable", {}, ("the cloud returns nothing of this type for the task",)),
    ],
)
def test_details(kind: str, details: dict[str, object], notes: tuple[str, ...]) -> None:
    cloud = cloud_of(sim_task("orders", target_up=False))
    outcome = queried(cloud, kind, run=query_id(cloud.worlds[0].task("orders"), kind))
    shown = {"status": "INCRE_TRANSFER_STARTED", "create_time": "2025-12-30T08:00:00Z", **details}
    assert outcome == Outcome(0, json.dumps(shown, indent=2), notes)


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        *[("detail", "base_info"), ("progress", "progress_info"), ("log", "logs"), ("compare", "compare_result")],
        *[("file", "support_import_file_resp"), ("is_writable", "is_writable"), ("network", "network_results")],
        *[("precheck", "precheck_result"), ("cloud_connection", "network_results")],
    ],
)
def test_every_type_is_served_with_one_call(kind: str, block: str) -> None:
    assert kind in TYPES
    cloud = cloud_of(sim_task("orders", writable="success", comparison="equal"))
    run = query_id(cloud.worlds[0].task("orders"), kind)
    outcome = queried(cloud, kind, ORDERS, run)
    assert outcome.code == 0
    assert json.loads(outcome.text)[block]
    (call,) = cloud.calls
    assert (call.method, call.path) == ("GET", f"/v5/{PROJECT_ID}/jobs/{ORDERS}")
    assert (call.query["type"], call.query["query_id"]) == (kind, run)


def test_the_status_comes_from_v3() -> None:
    """By id, and by name where v5, which is not published, would know none."""
    cloud = cloud_of(sim_task("orders", status="INCRE_TRANSFER_FAILED"), published={"v3"})
    shown = Outcome(0, '{\n  "status": "INCRE_TRANSFER_FAILED"\n}')
    assert (queried(cloud, "status", ORDERS), queried(cloud, "status", "orders")) == (shown, shown)
    call, *_ = cloud.calls
    assert (call.method, call.path) == ("POST", f"/v3/{PROJECT_ID}/jobs/batch-status")
    assert call.body == {"jobs": [ORDERS], "page_req": {"cur_page": 1, "per_page": 1}}
    assert queried(cloud, "status", "oders").notes == ("no task has the id or the name 'oders', did you mean orders?",)


def test_details_of_v3() -> None:
    """Also in a region without v5, and from a cloud that names the array as older ones do."""
    cloud = cloud_of(sim_task("orders", charging="period"), published={"v3"})
    outcome = queried(cloud, "batch_detail", ORDERS)
    shown = json.loads(outcome.text)
    assert (shown["inst_info"]["volume_size"], shown["period_order"]["status"]) == (100, "COMPLETED")
    assert shown["source_endpoint"] == {"db_type": "mysql", "ssl_link": False}
    cloud.worlds[0].detail_key = "jobs"
    assert queried(cloud, "batch_detail", ORDERS) == outcome


def body(match: str, content: object) -> Fault:
    return Fault(match=match, kind="body", body=content)


@pytest.mark.parametrize(
    ("kind", "fault", "secret_key", "note"),
    [
        ("status", body("batch-status", {"results": [{"error_code": "DRS.M05004"}]}), "SK", "v3 has no such task"),
        (
            "status",
            body("batch-status", {"results": [{"error_code": "DRS.M00304"}]}),
            "SK",
            "v3 refuses the query, 200 DRS.M00304: check the task's state",
        ),
        ("status", body("batch-status", {"results": [None]}), "SK", f"v3_batch_status {UNDOCUMENTED}"),
        ("file", body("type=file", {"job": CANARY}), "SK", f"v5_job_query {UNDOCUMENTED}"),
        (
            "file",
            None,
            CANARY,
            "the credentials are refused, 401 APIGW.0301: check them, and whether they have expired",
        ),
    ],
)
def test_no_details(kind: str, fault: Fault | None, secret_key: str, note: str) -> None:
    cloud = cloud_of(sim_task("orders"))
    cloud.faults = [fault] if fault else []
    outcome = queried(cloud, kind, ORDERS, config=config_for(secret_key=secret_key))
    assert outcome == Outcome(1, notes=(f"{WHERE}: {note}",))


@pytest.mark.parametrize("gone", [UNKNOWN, "batch-progress-0000"])
def test_a_status_of_a_task_that_does_not_exist(gone: str) -> None:
    assert queried(cloud_of(sim_task("orders")), "status", gone).code == 1


def test_all_types_are_covered() -> None:
    assert TYPES.keys() - V3_TYPES.keys() == {
        *("detail", "network", "precheck", "progress", "log", "compare", "file", "is_writable", "cloud_connection")
    }
    assert QUERY_V5 in OPERATIONS


def test_a_query_id_that_the_cloud_does_not_know() -> None:
    cloud, config = two_projects()
    outcome = queried(cloud, "network", sim_task("orders", engine="mysql").id, "guessed", config=config)
    assert outcome == Outcome(
        1, notes=(f"{WHERE}: v5 refuses the query, 400 DRS.10000001: check --query-id, and the task's state",)
    )
    assert len(cloud.calls) == 1  # the other project is not queried: this one has the task


def test_a_task_in_the_second_project_by_id_and_by_name() -> None:
    parcels = sim_task("parcels")
    first, second = (f"/v5/{project}/jobs/{parcels.id}" for project in (PROJECT_ID, OTHER_ID))
    for wanted, queries, calls in ((parcels.id, [first, second], 2), ("parcels", [second], 3 + 3 + 1)):
        cloud, config = two_projects(parcels)
        assert queried(cloud, "file", wanted, config=config).code == 0
        assert ([call.path for call in cloud.calls if "type" in call.query], len(cloud.calls)) == (queries, calls)


def test_an_id_and_a_name_that_no_task_has() -> None:
    cloud, config = two_projects()
    notes = tuple(f"acme/cn-north-4/{name}: v5 has no such task" for name in ("payments", "shipping"))
    assert queried(cloud, "file", UNKNOWN, config=config) == Outcome(1, notes=notes)
    missing = "no task has the id or the name 'oders', did you mean orders?"
    assert queried(cloud, "file", "oders", config=config) == Outcome(1, notes=(missing, BY_NAME))


def test_a_name_that_two_tasks_have() -> None:
    first, second = sim_task("orders"), sim_task("orders", seed="others")
    places = [Place("acme", "cn-north-4", "payments", task.id, "orders") for task in (first, second)]
    assert queried(cloud_of(first, second), "file") == Outcome(2, notes=(ambiguous("orders", places),))


def test_a_region_without_v5() -> None:
    cloud = cloud_of(sim_task("orders"), published={"v3"})
    for task in ("orders", ORDERS):
        outcome = queried(cloud, "file", task)
        assert (outcome.code, outcome.notes[-1].endswith(" is not published here, 404 APIGW.0101")) == (1, True)
    unread = queried(cloud, "file", "orders").notes[0]
    assert unread == "no task of the lists that could be read has the id or the name 'orders'"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    async def canned(_config: Config, *words: str, transport: None) -> Outcome:
        return Outcome(1, " ".join(words), ("one\ntwo",))

    monkeypatch.setattr(querying, "query", canned)
    words = ("query", "orders", "--type=network", "--query-id=id", config_file(tmp_path))
    assert command_line(*words) == (1, "orders network id\n", "drs-exporter: one\ndrs-exporter: two\n")


def test_words_of_the_cloud_are_not_repeated() -> None:
    texts = {
        "network_results": [
            {
                "ip": CANARY,
                "result": CANARY,
                "status": CANARY,
                "error_code": f"{CANARY}.example.com",
                "error_msg": CANARY,
            },
            CANARY,
        ],
        "logs": CANARY,
        CANARY: CANARY,
    }
    cloud = cloud_of(sim_task("orders", overrides={"v5_file": texts}))
    cloud.faults = [faults.refused("type=log", 400, f"{CANARY}.x", CANARY)]
    outcome = queried(cloud, "file")
    assert CANARY not in str(outcome)
    assert json.loads(outcome.text)["network_results"] == [{"result": "other", "status": "other"}]
    assert CANARY not in str(queried(cloud, "log", ORDERS))
