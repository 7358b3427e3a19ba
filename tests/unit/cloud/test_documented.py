"""The vendor's example bodies, decoded to literal values."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from exporter.cloud.http.errors import BadRequestError, TaskGoneError
from exporter.cloud.http.response import read_object
from exporter.model.facts import Progress
from exporter.model.task import Listed, Phase
from tests.lib.cloud import Script, connected, document, listed
from tests.lib.facts import fetched


async def test_the_list_of_v3() -> None:
    """Open Telekom Cloud, "Querying Tasks of a Tenant" (drs_03_0138): 5 of 7 tasks, times without a zone."""
    script = Script(document("v3_list_jobs_doc"), {"jobs": [], "total_record": 7})

    async with connected(script) as cloud:
        answer, lost = await cloud.list_tasks("v3", "migration"), cloud.lost
    common = Listed("", "", "", "migration", engine_type="mysql", task_type="FULL_INCR_TRANS", net_type="eip")
    expected = [
        ("24834eb6-be30-464e-a299-f7aa730jb101", "DRS-3999-lws", "INCRE_TRANSFER_FAILED", "up"),
        ("140b5236-88ad-43c8-811c-1268453jb101", "DRS-0042-linxiaolu", "CONFIGURATION", "up"),
        ("7f8e6f74-72d2-4ddd-bb8f-6c41397jb101", "DRS-0796", "RELEASE_RESOURCE_COMPLETE", "non-dbs"),
        ("14d88eeb-ee7e-4d30-a46e-a5ec8eajb101", "masj-mysql_migration_down-1", "INCRE_TRANSFER_STARTED", "down"),
        ("d54691d2-f105-434d-a75d-809b017jb101", "masj-2-mysql_migration_down", "CONFIGURATION", "down"),
    ]
    assert [replace(task, created_at_latest=None) for task in answer.tasks] == [
        replace(common, id=identity, name=name, status=status, direction=direction)
        for identity, name, status, direction in expected
    ]
    # "2020-12-21 10:57:49", in the zone where that comes last
    assert answer.tasks[0].created_at_latest == datetime(2020, 12, 21, 22, 57, 49, tzinfo=UTC).timestamp()
    assert (answer.complete, lost, len(script.requests)) == (False, 0, 2)
    phases = [Phase.FAILED, Phase.PREPARING, Phase.ENDED, Phase.INCREMENTAL, Phase.PREPARING]
    assert [task.phase for task in answer.tasks] == phases


async def test_the_request_of_the_list_of_v3_has_the_documented_keys() -> None:
    script = Script({"jobs": [], "total_record": 0})

    async with connected(script) as cloud:
        await cloud.list_tasks("v3", "migration")
    (body,) = script.bodies
    documented = {"cur_page": 1, "db_use_type": "migration", "engine_type": "", "per_page": 5}
    assert body == {**documented, "per_page": 100}


def test_the_list_of_v5() -> None:
    """Huawei Cloud, "Querying Tasks" (v5)."""
    answer, lost = listed(document("v5_list_jobs_doc"), "v5", "sync")
    (task,) = answer.tasks
    available = frozenset({"FREE_RESOURCE", "PRE_CHECK", "MODIFY_CONFIGURATION", "CHANGE"})
    assert (task.available_actions, len(task.unavailable_actions)) == (available, 28)
    assert {"START", "RETRY", "RESET", "CONTINUE_JOB", "PAY_ORDER"} <= task.unavailable_actions
    assert task == Listed(
        id="c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r",
        name="DRS-1234",
        status="CONFIGURATION",
        job_type="sync",
        engine_type="oracle-to-gaussdbv5",
        task_type="FULL_INCR_TRANS",
        direction="up",
        available_actions=available,
        unavailable_actions=task.unavailable_actions,
        current_action="",
        created_at=1_667_837_718.0,  # 2022-11-07T16:15:18Z
        created_at_latest=1_667_837_718.0,
    )
    assert (answer.complete, lost) == (True, 0)


def test_the_detail_of_v5_has_no_progress() -> None:
    """Huawei Cloud, "Querying Task Details" (v5): only the block that was asked for is filled."""
    identity = "c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r"
    assert fetched("v5_job_progress", document("v5_job_detail_doc"), ids=[identity])[:2] == ({identity: ()}, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "v3_batch_progress_doc1",
            {
                "8d0e8e36-a618-490d-8a46-8c61ac9jb502": Progress(
                    full_ratio=1.0,
                    transfer_status="INCRE_TRANSFER_STARTED",
                    delay_seconds=0.0,
                    reported_at=1_608_274_919.0,
                    reported_at_latest=1_608_274_919.0,
                )
            },
        ),
        (
            "v3_batch_progress_doc2",
            {
                # remaining_time "10" of a load that is complete is no estimate
                "edae91cb-5892-49b6-a529-4921fb26jb21": Progress(
                    full_ratio=1.0,
                    transfer_status="INCRE_TRANSFER_STARTED",
                    delay_seconds=0.0,
                    reported_at=1_594_864_576.0,
                    reported_at_latest=1_594_864_576.0,
                ),
                # the status is ahead of the progress; -1 means not incremental, "0" not reported
                "f95c5d83-d0c9-42bd-b295-38c31cd1jb15": Progress(
                    full_ratio=0.0,
                    stages=(("struct", 0.94), ("data", 1.0), ("index", 1.0)),
                    transfer_status="FULL_TRANSFER_COMPLETE",
                ),
            },
        ),
    ],
)
def test_the_progress_of_v3(name: str, expected: dict[str, Progress]) -> None:
    """Open Telekom Cloud, "Querying Task Progress in Batches"; answered 202."""
    answers, lost, _ = fetched("v3_batch_progress", document(name), ids=list(expected))
    assert (answers, lost) == ({identity: (facts,) for identity, facts in expected.items()}, 0)


REAL = {
    "count": 1,
    "results": [
        {
            "job_id": "7f8e6f74-72d2-4ddd-bb8f-6c41397jb101",
            "progress": "0",
            "incre_trans_delay": "-1",
            "incre_trans_delay_millis": "-1",
            "task_mode": "FULL_INCR_TRANS",
            "transfer_status": "FULL_TRANSFER_STARTED",
            "process_time": "null",
            "remaining_time": "0",
            "apply_rows_rate": -1,
            "apply_bytes_rate": -1,
            "src_offset": "N/A",
            "node_offset": "N/A",
            "dst_offset": "N/A",
        }
    ],
}


def test_the_progress_that_was_really_seen_at_the_start_of_a_load() -> None:
    """The oddities of a real body: everything is unknown but the progress and the status."""
    identity = "7f8e6f74-72d2-4ddd-bb8f-6c41397jb101"
    expected = Progress(full_ratio=0.0, transfer_status="FULL_TRANSFER_STARTED")
    assert fetched("v3_batch_progress", REAL, ids=[identity])[:2] == ({identity: (expected,)}, 0)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error_code": "DRS.10000001", "error_msg": "Failed."}, BadRequestError),
        ({"error_code": "DRS.10000010", "error_msg": "Job does not exist, please check job ID."}, TaskGoneError),
    ],
)
def test_the_errors_of_v5(body: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        read_object("operation", 400, httpx.Headers(), json.dumps(body).encode())
    assert type(caught.value) is kind
