"""What seldom changes: v3 batch-detail, v5 detail with type=detail and type=is_writable."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.model.facts import Detail, Switchover, Writable
from tests.lib.cloud import document
from tests.lib.facts import ABSENT, ID, nested, part, told

V3, V5, WRITABLE = "v3_batch_detail", "v5_job_detail", "v5_job_is_writable"
MOMENT = 1_667_837_718.0  # 2022-11-07T16:15:18Z
DAY = 86_400.0
TIMES: list[tuple[Any, float | None, int]] = [
    ("1667837718000", MOMENT, 0),
    (1_667_837_718_000, MOMENT, 0),
    ("2022-11-07T16:15:18Z", MOMENT, 0),
    ("2022-11-08 00:15:18", None, 0),  # naive: UTC+8 by observation only
    ("0", None, 0),
    ("-1", None, 0),
    ("null", None, 0),
    ("", None, 0),
    (ABSENT, None, 0),
    ("soon", None, 1),
    (True, None, 1),
]
WORDS: list[tuple[Any, str | None, int]] = [
    ("high", "high", 0),
    (" high ", "high", 0),
    (7, "7", 0),
    ("N/A", None, 0),
    ("", None, 0),
    (ABSENT, None, 0),
    ({}, None, 1),
    ("x" * 257, None, 1),
]
THRESHOLDS: list[tuple[Any, float | None, int]] = [
    (60, 60, 0),
    ("60", 60, 0),
    (0, None, 0),  # no notification
    ("0", None, 0),
    (-1, None, 0),
    (None, None, 0),
    (ABSENT, None, 0),
    ("off", None, 1),
]
DAYS: list[tuple[Any, float | None, int]] = [
    (14, 14 * DAY, 0),  # a number in the example, a String in the table
    ("14", 14 * DAY, 0),
    ("100", 100 * DAY, 0),
    (0, None, 0),
    ("-1", None, 0),
    (ABSENT, None, 0),
    ("two weeks", None, 1),
]
FLAGS: list[tuple[Any, bool | None, int]] = [(True, True, 0), (False, False, 0), (ABSENT, None, 0), ("true", None, 1)]
TAGS: list[tuple[Any, tuple[Any, ...], int]] = [
    ([{"key": "team", "value": "db"}], (("team", "db"),), 0),
    ([{"key": "team", "value": ""}], (("team", ""),), 0),
    ([{"key": "team"}, {"value": "x"}, {"key": ""}], (("team", ""),), 0),
    ([{"key": "NA", "value": "null"}, {"key": "-", "value": "N/A"}], (("NA", "null"), ("-", "N/A")), 0),  # typed so
    ([{"key": None, "value": "x"}, {"key": "team", "value": None}], (("team", ""),), 0),
    ([None, {"key": ["x"]}, {"key": "a", "value": 1}], (("a", "1"),), 2),
    ([], (), 0),
    (ABSENT, (), 0),
    ({"team": "db"}, (), 1),
]
FIELDS: list[tuple[str, str, str, list[tuple[Any, Any, int]]]] = [
    (V3, "create_time", "created_at", TIMES),
    (V3, "actual_start_time", "started_at", TIMES),
    (V3, "full_transfer_complete_time", "full_completed_at", TIMES),
    (V3, "update_time", "updated_at", TIMES),
    (V3, "inst_info.start_time", "scheduled_start_at", TIMES),
    (V3, "instInfo.start_time", "scheduled_start_at", TIMES),
    (V3, "period_order.exp_time", "order_expires_at", TIMES),
    (V3, "inst_info.inst_type", "node_type", WORDS),
    (V3, "instInfo.inst_type", "node_type", WORDS),
    (V3, "source_endpoint.db_type", "source_type", WORDS),
    (V3, "target_endpoint.db_type", "target_type", WORDS),
    (V3, "target_endpoint.inst_id", "target_instance_id", WORDS),
    (V3, "job_kernel_direction", "kernel_direction", WORDS),
    (V3, "node_role", "node_role", WORDS),
    (V3, "multi_write", "multi_write", FLAGS),
    (V3, "expired_days", "auto_stop_after_seconds", DAYS),
    (V3, "alarm_notify.delay_time", "delay_threshold_seconds", THRESHOLDS),
    (V3, "alarm_notify.rpo_delay", "rpo_threshold_seconds", THRESHOLDS),
    (V3, "alarm_notify.rto_delay", "rto_threshold_seconds", THRESHOLDS),
    (V3, "tags", "tags", TAGS),
    (V3, "source_endpoint.db_port", "source_type", [(3306, None, 0), ("3306", None, 0), ({}, None, 0)]),
    (V5, "create_time", "created_at", TIMES),
    (V5, "base_info.start_time", "scheduled_start_at", TIMES),
    (V5, "node_info.spec.node_type", "node_type", WORDS),
    (V5, "node_info.base_info.instance_type", "instance_type", WORDS),
    (V5, "node_info.base_info.role", "node_role", WORDS),
    (V5, "source_endpoint.0.db_type", "source_type", WORDS),
    (V5, "target_endpoint.0.db_type", "target_type", WORDS),
    (V5, "target_endpoint.0.endpoint.instance_id", "target_instance_id", WORDS),
    (V5, "base_info.charging_mode", "charging_mode", WORDS),
    (V5, "job_kernel_direction", "kernel_direction", WORDS),
    (V5, "base_info.multi_write", "multi_write", FLAGS),
    (V5, "base_info.expired_days", "auto_stop_after_seconds", DAYS),
    (V5, "alarm_notify.delay_time", "delay_threshold_seconds", THRESHOLDS),
    (V5, "alarm_notify.rpo_delay", "rpo_threshold_seconds", THRESHOLDS),
    (V5, "alarm_notify.rto_delay", "rto_threshold_seconds", THRESHOLDS),
    (V5, "base_info.tags", "tags", TAGS),
    (V5, "target_endpoint.0.endpoint.db_port", "target_type", [("3306", None, 0), (3306, None, 0), ({}, None, 0)]),
]


@pytest.mark.parametrize(
    ("direction", "kernel", "switching"),
    [("up", "up", False), ("up", "down", True), ("down", "up", True), ("up", ABSENT, None), ("N/A", "down", None)],
)
@pytest.mark.parametrize("api", [V3, V5])
def test_a_kernel_that_runs_against_the_direction_means_a_switchover(
    api: str, direction: str, kernel: Any, *, switching: bool | None
) -> None:
    given = nested("job_direction" if api == V3 else "base_info.job_direction", direction)
    found = part(api, body(api, {**given, **nested("job_kernel_direction", kernel)}), kind=Switchover)
    assert found == (Switchover(switching), 0)


def body(api: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"results": [{"id": ID, **fields}]} if api == V3 else {"job": {"id": ID, **fields}}


@pytest.mark.parametrize(
    ("api", "path", "attribute", "row"),
    [(api, path, attribute, row) for api, path, attribute, rows in FIELDS for row in rows],
)
def test_one_field(api: str, path: str, attribute: str, row: tuple[Any, Any, int]) -> None:
    given, value, errors = row
    found, lost = part(api, body(api, nested(path, given)), kind=Detail)
    assert (getattr(found, attribute), lost) == (value, errors)


@pytest.mark.parametrize(
    ("api", "block"),
    [
        (V3, "source_endpoint"),
        (V3, "target_endpoint"),
        (V3, "inst_info"),
        (V3, "period_order"),
        (V3, "alarm_notify"),
        (V5, "base_info"),
        (V5, "source_endpoint"),
        (V5, "target_endpoint"),
        (V5, "alarm_notify"),
        (V5, "node_info"),
    ],
)
@pytest.mark.parametrize("given", ["x", 7, True])
def test_a_block_of_the_wrong_shape_is_lost_alone(api: str, block: str, given: Any) -> None:
    found, lost = part(api, body(api, {"create_time": "1667837718000", block: given}), kind=Detail)
    assert (found, lost) == (Detail(created_at=MOMENT), 1)


@pytest.mark.parametrize("given", [None, {}])
def test_an_order_is_what_makes_a_task_prepaid(given: Any) -> None:
    """v3 tells no charging mode; yearly and monthly tasks have an order, the others none."""
    assert part(V3, body(V3, {"period_order": given}), kind=Detail)[0].charging_mode is None
    paid, _ = part(V3, body(V3, {"period_order": {"charging_mode": 1, "exp_time": "0"}}), kind=Detail)
    assert (paid.charging_mode, paid.order_expires_at) == ("period", None)


def test_the_first_endpoint_speaks_where_there_are_several() -> None:
    fields = {"source_endpoint": [{"db_type": "oracle"}, {"db_type": "mysql"}], "target_endpoint": []}
    found, lost = part(V5, body(V5, fields), kind=Detail)
    assert (found.source_type, found.target_type, lost) == ("oracle", None, 0)


def test_the_code_of_a_failed_task_is_a_fact_and_its_message_is_none() -> None:
    item = {"status": "INCRE_TRANSFER_FAILED", "error_code": "DRS.M05101", "error_message": "10.0.0.1 user=root"}
    assert part(V3, body(V3, item), kind=Detail) == (Detail(error_code="DRS.M05101"), 0)
    lost_code = {"status": "INCRE_TRANSFER_FAILED", "error_code": "can't reach 10.0.0.1"}
    assert part(V3, body(V3, lost_code), kind=Detail) == (Detail(), 1)


def test_a_page_of_v3_has_room_for_every_task_that_is_asked_for() -> None:
    """Without page_req the cloud answers five of them and says nothing."""
    ids = [f"{number:08d}-e36a-618a-490d-8a46-8c61ac9jb502" for number in range(10)]
    _, _, asked = told(V3, {"results": []}, ids=ids)
    assert asked.bodies == [{"jobs": ids, "page_req": {"cur_page": 1, "per_page": 10}}]


@pytest.mark.parametrize("key", ["results", "jobs"])
def test_the_array_stands_under_either_key(key: str) -> None:
    answers, lost, _ = told(V3, {"count": 1, key: [{"id": ID, "node_role": "slave"}]})
    assert (answers, lost) == ({ID: (Detail(node_role="slave"), Switchover())}, 0)


@pytest.mark.parametrize(
    ("job", "answer", "errors"),
    [
        ({"is_writable": "success"}, (Writable(lifted=True),), 0),
        ({"is_writable": "pending"}, (Writable(lifted=False),), 0),
        ({"is_writable": ""}, (), 0),
        ({"is_writable": "null"}, (), 0),
        ({"is_writable": "failed"}, (), 0),
        ({"is_writable": True}, (), 1),
        ({}, (), 0),  # nobody asked for it
    ],
)
def test_whether_read_only_was_lifted(job: dict[str, Any], answer: tuple[Any, ...], errors: int) -> None:
    answers, lost, asked = told(WRITABLE, {"job": job})
    assert (answers, lost) == ({ID: answer}, errors)
    assert asked.requests[0].url.query == b"type=is_writable"


COMMON = Detail(
    node_type="high",
    source_type="mysql",
    target_type="mysql",
    created_at=1_608_519_469.412,
    started_at=1_608_520_069.393,
    updated_at=1_608_520_068.979,
    target_instance_id="3ef57dbcc8db478a9e346d26ef2575bfin01",
)
DOCUMENTED = {
    "v3_batch_detail_doc": {
        "24834eb6-be30-464e-a299-f7aa730jb101": COMMON,
        "140b5236-88ad-43c8-811c-1268453jb101": Detail(
            node_type="high",
            source_type="mysql",
            target_type="mysql",
            created_at=1_608_366_204.171,
            started_at=1_608_369_232.412,
            full_completed_at=1_608_369_510.202,
            updated_at=1_608_517_066.434,
            target_instance_id="e05a3679efe241d8b5dee80b17c1a863in01",
        ),
    },
    "v3_batch_detail_2021_doc": {
        "9a470239-2308-4bb5-a6bc-1040402fjb21": Detail(
            node_type="high",
            source_type="mysql",
            target_type="mysql",
            started_at=1_597_977_829.563,
            full_completed_at=1_597_978_229.586,
            updated_at=1_597_978_233.127,
            target_instance_id="bdf5f129b0f546e7b7179d2c61524696in01",
        ),
    },
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_details_of_v3(name: str) -> None:
    expected = DOCUMENTED[name]
    answers, lost, _ = told(V3, document(name), ids=[*expected])
    assert (answers, lost) == ({task_id: (facts, Switchover()) for task_id, facts in expected.items()}, 0)


def test_the_documented_detail_of_v5() -> None:
    document_id = "c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r"
    answers, lost, asked = told(V5, document("v5_job_detail_doc"), ids=[document_id])
    assert asked.requests[0].url.query == b"type=detail"
    assert (answers[document_id], lost) == (
        (
            Detail(
                node_type="medium",
                source_type="oracle",
                target_type="gaussdbv5",
                target_instance_id="c2c7579bc09c490b9d8009db715aeb0ain14",
                charging_mode="on_demand",
                tags=(("test", "test"),),
                created_at=MOMENT,
                auto_stop_after_seconds=14 * DAY,
                delay_threshold_seconds=60,
            ),
            Switchover(),
        ),
        0,
    )
