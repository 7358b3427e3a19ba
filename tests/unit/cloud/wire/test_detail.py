"""What seldom changes: v3 batch-detail, v5 detail with type=detail and type=is_writable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.model.details import Detail, SpeedLimit, Writable
from exporter.model.facts import Switchover
from tests.lib.cloud import document
from tests.lib.facts import ABSENT, ID, fetched, nested, only_facts

V3, V5, WRITABLE = "v3_batch_detail", "v5_job_detail", "v5_job_is_writable"
MOMENT = 1_667_837_718.0  # 2022-11-07T16:15:18Z
DAY = 86_400.0


@pytest.mark.parametrize(
    ("direction", "kernel", "switching"),
    [("up", "up", False), ("up", "down", True), ("down", "up", True), ("up", ABSENT, None), ("N/A", "down", None)],
)
@pytest.mark.parametrize("api", [V3, V5])
def test_an_opposed_kernel_is_a_switchover(api: str, direction: str, kernel: Any, *, switching: bool | None) -> None:
    given = nested("job_direction" if api == V3 else "base_info.job_direction", direction)
    found = only_facts(api, body(api, {**given, **nested("job_kernel_direction", kernel)}), kind=Switchover)
    assert found == (Switchover(switching), 0)


def body(api: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"results": [{"id": ID, **fields}]} if api == V3 else {"job": {"id": ID, **fields}}


@pytest.mark.parametrize(
    ("api", "block"),
    [
        *[(V3, "source_endpoint"), (V3, "target_endpoint"), (V3, "inst_info"), (V3, "period_order")],
        *[(V3, "alarm_notify"), (V5, "base_info"), (V5, "source_endpoint"), (V5, "target_endpoint")],
        *[(V5, "alarm_notify"), (V5, "node_info"), (V5, "policy_config"), (V5, "period_order")],
    ],
)
@pytest.mark.parametrize("given", ["x", 7, True])
def test_a_block_of_the_wrong_shape_is_dropped_alone(api: str, block: str, given: Any) -> None:
    found, lost = only_facts(api, body(api, {"create_time": "1667837718000", block: given}), kind=Detail)
    assert (found, lost) == (Detail(created_at=MOMENT), 1)


@pytest.mark.parametrize("given", [None, {}])
def test_an_order_is_what_makes_a_task_prepaid(given: Any) -> None:
    """v3 tells no charging mode; yearly and monthly tasks have an order, the others none."""
    assert only_facts(V3, body(V3, {"period_order": given}), kind=Detail)[0].charging_mode is None
    paid, _ = only_facts(V3, body(V3, {"period_order": {"charging_mode": 1, "exp_time": "0"}}), kind=Detail)
    assert (paid.charging_mode, paid.order_expires_at) == ("period", None)


@pytest.mark.parametrize("api", [V3, V5])
@pytest.mark.parametrize("enabled", [True, False, None, ABSENT, "no"])
def test_thresholds_do_not_exist_while_the_alarm_is_off(api: str, enabled: Any) -> None:
    alarm = {**nested("alarm_to_user", enabled), "delay_time": 60, "rpo_delay": "30", "rto_delay": 20}
    found, _ = only_facts(api, body(api, {"alarm_notify": alarm}), kind=Detail)
    seen = found.delay_threshold_seconds, found.rpo_threshold_seconds, found.rto_threshold_seconds
    assert seen == ((None, None, None) if enabled is False else (60, 30, 20))


TEN = 10.0 * 2**20


@pytest.mark.parametrize(
    ("window", "limit", "errors"),
    [
        ({"begin": "16:00", "end": "15:59", "speed": "10"}, SpeedLimit(16, 16, TEN), 0),
        ({"begin": "01:00", "end": "15:59", "speed": 10}, SpeedLimit(1, 16, TEN), 0),
        ({"begin": "22:30", "end": "23:59", "speed": "10", "is_utc": True}, SpeedLimit(22, 0, TEN), 0),
        ({"begin": "22:00", "end": "03:59", "speed": "10", "is_utc": None}, SpeedLimit(22, 4, TEN), 0),
        # In another zone, only a limit of the whole day is in force at a known time.
        ({"begin": "22:00", "end": "03:59", "speed": "10", "is_utc": False}, None, 0),
        ({"begin": "16:00", "end": "15:59", "speed": "10", "is_utc": False}, SpeedLimit(16, 16, TEN), 0),
        *[({"begin": "01:00", "end": "15:59", "speed": null}, None, 0) for null in (None, "", "null", "-1", "0", 0)],
        ({"begin": None, "end": "15:59", "speed": "10"}, None, 0),
        ({"begin": "01:00", "end": "N/A", "speed": "10"}, None, 0),
        ({"begin": "01:00", "end": "15:59", "speed": "fast"}, None, 1),
        ({"begin": "01:00", "end": "15:59", "speed": ["10"]}, None, 1),
        ({"begin": "24:00", "end": "15:59", "speed": "10"}, None, 1),
        ({"begin": "01:00", "end": "16:00", "speed": "10"}, None, 1),  # documented: ends with 59
        ({"begin": "1 am", "end": "15:59", "speed": "10"}, None, 1),
        ({"begin": True, "end": "15:59", "speed": "10"}, None, 1),
        ({"begin": "01:00", "end": "15:59", "speed": "10", "is_utc": "yes"}, SpeedLimit(1, 16, TEN), 1),
        ("16:00", None, 1),
    ],
)
@pytest.mark.parametrize("api", [V3, V5])
def test_a_speed_limit_has_a_window_in_hours(api: str, window: Any, limit: SpeedLimit | None, errors: int) -> None:
    other = {"begin": "05:00", "end": "05:59", "speed": "1"}
    found, lost = only_facts(api, body(api, {"speed_limit": [window, other]}), kind=Detail)
    known = () if limit is None else (limit,)
    assert (found.speed_limits, lost) == ((*known, SpeedLimit(5, 6, TEN / 10)), errors)


@pytest.mark.parametrize(
    ("given", "errors"), [([], 0), (None, 0), ("", 0), (ABSENT, 0), ({"speed": "1"}, 1), ("10", 1)]
)
def test_no_list_of_speed_limits_is_no_limit(given: Any, errors: int) -> None:
    assert only_facts(V3, body(V3, nested("speed_limit", given)), kind=Detail) == (Detail(), errors)


def test_a_field_of_the_base_information_may_be_beside_it() -> None:
    fields = {"multi_write": False, "job_kernel_direction": "down", "base_info": {"multi_write": True}}
    found, lost = only_facts(V5, body(V5, fields), kind=Detail)
    assert (found.multi_write, found.kernel_direction, lost) == (True, "down", 0)


def test_the_first_endpoint_speaks_where_there_are_several() -> None:
    fields = {"source_endpoint": [{"db_type": "oracle"}, {"db_type": "mysql"}], "target_endpoint": []}
    found, lost = only_facts(V5, body(V5, fields), kind=Detail)
    assert (found.source_type, found.target_type, lost) == ("oracle", None, 0)


@pytest.mark.parametrize(
    ("links", "shown"),
    [([True, True], True), ([False, False], False), ([True, False], None), ([True, None], None), ([], None)],
)
def test_ssl_is_known_if_all_connections_of_a_side_agree(links: list[Any], shown: bool | None) -> None:  # noqa: FBT001
    endpoints = [{"db_type": "redis", "ssl": {"ssl_link": link}} for link in links]
    found, lost = only_facts(V5, body(V5, {"source_endpoint": endpoints}), kind=Detail)
    assert (found.source_ssl, lost) == (shown, 0)


def test_the_code_of_a_failed_task_is_a_fact_and_its_message_is_none() -> None:
    item = {"status": "INCRE_TRANSFER_FAILED", "error_code": "DRS.M05101", "error_message": "10.0.0.1 user=root"}
    failed = Detail(task_status="INCRE_TRANSFER_FAILED")
    assert only_facts(V3, body(V3, item), kind=Detail) == (replace(failed, error_code="DRS.M05101"), 0)
    lost_code = {"status": "INCRE_TRANSFER_FAILED", "error_code": "can't reach 10.0.0.1"}
    assert only_facts(V3, body(V3, lost_code), kind=Detail) == (failed, 1)


def test_a_page_of_v3_has_room_for_every_requested_task() -> None:
    """Without page_req the cloud answers five of them and says nothing."""
    ids = [f"{number:08d}-e36a-618a-490d-8a46-8c61ac9jb502" for number in range(10)]
    _, _, script = fetched(V3, {"results": []}, ids=ids)
    assert script.bodies == [{"jobs": ids, "page_req": {"cur_page": 1, "per_page": 10}}]


@pytest.mark.parametrize(
    ("job", "answer", "errors"),
    [
        ({"is_writable": "success"}, (Writable(lifted=True),), 0),
        ({"is_writable": "pending"}, (Writable(lifted=False),), 0),
        *[({"is_writable": ""}, (), 0), ({"is_writable": "null"}, (), 0), ({"is_writable": "failed"}, (), 0)],
        ({"is_writable": True}, (), 1),
        ({}, (), 0),  # nobody asked for it
    ],
)
def test_whether_read_only_was_lifted(job: dict[str, Any], answer: tuple[Any, ...], errors: int) -> None:
    results, lost, script = fetched(WRITABLE, {"job": job})
    assert (results, lost, script.requests[0].url.query) == ({ID: answer}, errors, b"type=is_writable")


VPC, GROUP = "65f0391c-0582-44a6-aa50-248f97ed82e1", "d90c971b-4b9d-402c-9c59-5c239389b8dd"
MYSQL = Detail(
    node_type="high",
    disk_size_bytes=100 * 2**30,
    source_type="mysql",
    target_type="mysql",
    source_ssl=False,
    target_ssl=False,
    az="az2xahz",
)
COMMON = replace(
    MYSQL,
    task_status="STARTJOBING",
    created_at=1_608_519_469.412,
    started_at=1_608_520_069.393,
    updated_at=1_608_520_068.979,
    vpc_id="0ff8df7b-f0e9-4b16-ac16-1db3dacb69e4",
    subnet_id="f857d371-2f03-4622-85f6-2b7d42d0d82c",
    security_group_id=GROUP,
    restart_required=False,
    target_read_only=True,
    target_instance_id="3ef57dbcc8db478a9e346d26ef2575bfin01",
)
DOCUMENTED = {
    "v3_batch_detail_doc": {
        "24834eb6-be30-464e-a299-f7aa730jb101": COMMON,
        "140b5236-88ad-43c8-811c-1268453jb101": replace(
            MYSQL,
            task_status="CONFIGURATION",
            created_at=1_608_366_204.171,
            started_at=1_608_369_232.412,
            full_completed_at=1_608_369_510.202,
            updated_at=1_608_517_066.434,
            vpc_id=VPC,
            subnet_id="352ad828-3467-4f03-987a-c55a5a9dd417",
            security_group_id=GROUP,
            node_status="ACTIVE",
            restart_required=False,
            target_read_only=True,
            target_instance_id="e05a3679efe241d8b5dee80b17c1a863in01",
        ),
    },
    "v3_batch_detail_2021_doc": {
        "9a470239-2308-4bb5-a6bc-1040402fjb21": replace(
            MYSQL,
            task_status="INCRE_TRANSFER_STARTED",
            started_at=1_597_977_829.563,
            full_completed_at=1_597_978_229.586,
            updated_at=1_597_978_233.127,
            vpc_id=VPC,
            subnet_id="3f94e724-e99f-4477-8828-9fef481cbdd6",
            security_group_id="652cbe2d-d487-407e-b666-d01948b33879",
            restart_required=False,
            conflict_policy="ignore",
            filter_ddl_policy="drop_database",
            target_instance_id="bdf5f129b0f546e7b7179d2c61524696in01",
        )
    },
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_details_of_v3(name: str) -> None:
    expected = DOCUMENTED[name]
    results, lost, _ = fetched(V3, document(name), ids=[*expected])
    assert (results, lost) == ({task_id: (facts, Switchover()) for task_id, facts in expected.items()}, 0)


def test_the_documented_detail_of_v5() -> None:
    document_id = "c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r"
    results, lost, script = fetched(V5, document("v5_job_detail_doc"), ids=[document_id])
    assert script.requests[0].url.query == b"type=detail"
    detail = Detail(
        task_status="CONFIGURATION",
        node_type="medium",
        source_type="oracle",
        target_type="gaussdbv5",
        target_instance_id="c2c7579bc09c490b9d8009db715aeb0ain14",
        charging_mode="on_demand",
        source_ssl=False,
        ddl_trans=False,
        tags=(("test", "test"),),
        created_at=MOMENT,
        auto_stop_after_seconds=14 * DAY,
        alarm_enabled=True,
        delay_threshold_seconds=60,
        speed_limits=(SpeedLimit(16, 16, 10 * 2**20),),
    )
    assert (results, lost) == ({document_id: (detail, Switchover())}, 0)
