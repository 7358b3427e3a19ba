"""Tasks and a project as examples for the documentation: what a scrape of them would show is real, they are not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from exporter.metrics.family import split
from exporter.model.facts import (
    TASK_FACTS,
    AsyncJobs,
    Compared,
    Comparison,
    Detail,
    Logs,
    Monitor,
    Node,
    ObjectCount,
    Objects,
    Precheck,
    Progress,
    Quota,
    Recovery,
    Switchover,
    Writable,
)
from exporter.model.task import CollectorFacts, History, Identity, Listed, ListFacts, Phase, Project, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOW = 1_767_225_600.0
_WHERE = ("prod", "eu-de", "shop")
_GIB = float(2**30)

REPLICATING = Task(
    identity=Identity(*_WHERE, "8d0e8e36-a618-490d-8a46-8c61ac9jb502", "orders-dr"),
    listed=Listed(
        id="8d0e8e36-a618-490d-8a46-8c61ac9jb502",
        name="orders-dr",
        status="INCRE_TRANSFER_STARTED",
        job_type="cloudDataGuard",
        engine_type="cloudDataGuard-mysql",
        task_type="FULL_INCR_TRANS",
        direction="up",
        net_type="vpn",
        enterprise_project_id="0",
        job_mode="single",
        available_actions=frozenset({"SWITCH_OVER"}),
        unavailable_actions=frozenset({"RETRY"}),
        created_at=_NOW - 864_000,
    ),
    progress=Progress(
        full_ratio=1.0,
        delay_seconds=1.25,
        reported_at=_NOW - 4,
        apply_rows_per_second=1200.0,
        apply_bytes_per_second=264_000.0,
    ),
    node=Node(
        cpu_ratio=0.23,
        memory_ratio=0.41,
        receive_bytes_per_second=528_000.0,
        transmit_bytes_per_second=512_000.0,
        disk_read_bytes_per_second=52_800.0,
        disk_write_bytes_per_second=211_200.0,
        apply_rows_per_second=1200.0,
        apply_transactions_per_second=150.0,
        apply_ddls_per_second=0.0,
        apply_average_execute_seconds=0.005,
        apply_average_commit_seconds=0.002,
        apply_state="processing",
        reported_at=_NOW - 30,
    ),
    monitor=Monitor(
        cpu_ratio=0.23,
        memory_size_bytes=16 * _GIB,
        memory_used_bytes=6.5 * _GIB,
        disk_size_bytes=100 * _GIB,
        disk_used_bytes=12.5 * _GIB,
        source_up=True,
        target_up=True,
        source_requests_per_second=150.0,
        target_requests_per_second=133.0,
        apply_bytes_per_second=264_000.0,
        reported_at=_NOW - 30,
    ),
    recovery=Recovery(rpo_seconds=0.3, rto_seconds=0.95),
    switchover=Switchover(switching=False),
    objects=Objects((ObjectCount("table", 120.0, 120.0),), full_completed_at=_NOW - 800_000),
    detail=Detail(
        node_type="high",
        instance_type="single",
        source_type="mysql",
        target_type="mysql",
        target_instance_id="3ef57dbcc8db478a9e346d26ef2575bfin01",
        charging_mode="period",
        kernel_direction="up",
        multi_write=False,
        started_at=_NOW - 860_000,
        full_completed_at=_NOW - 800_000,
        updated_at=_NOW - 860_100,
        order_expires_at=_NOW + 1_728_000,
        delay_threshold_seconds=60.0,
        rpo_threshold_seconds=30.0,
        rto_threshold_seconds=60.0,
    ),
    writable=Writable(lifted=True),
    comparison=Comparison(
        (
            Compared(
                "line",
                "SUCCESSFUL",
                consistent=False,
                finished_at=_NOW - 3600,
                different_rows=3.0,
                results=(("CONSISTENT", 11), ("INCONSISTENT", 1)),
            ),
        ),
        (ObjectCount("index", 240.0, 240.0),),
    ),
    logs=Logs((("info", _NOW - 120),)),
    collected=(("progress", _NOW - 3),),
    history=History(phase_changes=2, failures=1, phase_changed_at=_NOW - 7200),
    blockers=(("phase", False), ("delay_high", False)),
)
"""A DR pair in replication, of which everything is known that such a task has."""

FAILED = Task(
    identity=Identity(*_WHERE, "24834eb6-be30-464e-a299-f7aa730jb101", "crm"),
    listed=Listed("24834eb6-be30-464e-a299-f7aa730jb101", "crm", "FULL_TRANSFER_FAILED", "migration"),
    progress=Progress(
        full_ratio=0.63,
        full_remaining_seconds=1800.0,
        stages=(("struct", 1.0), ("data", 0.63)),
        error_code="DRS.M05101",
    ),
    detail=Detail(created_at=_NOW - 7200, auto_stop_after_seconds=1_209_600.0, error_code="DRS.M05101"),
    history=History(phase_changes=3, failures=1, phase_changed_at=_NOW - 600),
)
"""A migration that failed before our eyes, from a list whose times have no zone."""

CONFIGURED = Task(
    identity=Identity(*_WHERE, "140b5236-88ad-43c8-811c-1268453jb101", "draft"),
    listed=Listed("140b5236-88ad-43c8-811c-1268453jb101", "draft", "CONFIGURATION", "migration"),
    detail=Detail(scheduled_start_at=_NOW + 36_000),
    precheck=Precheck((("ALARM", 2), ("PASSED", 37)), passed_ratio=1.0),
)
"""A migration that waits to be started."""

_VALUES = {"float | None": 1.0, "bool | None": True, "str | None": "example"}


def filled(task: Task, paths: Iterable[str]) -> Task:
    """Return the task with a value in each of these fields that no example sets."""
    for name, field in map(split, paths):
        types = {known.name: str(known.type) for known in fields(TASK_FACTS[name])} if name in TASK_FACTS else {}
        if value := _VALUES.get(types.get(field, "")):
            facts: Any = getattr(task, name) or TASK_FACTS[name]()
            more: dict[str, Any] = {name: replace(facts, **{field: value})} if getattr(facts, field) is None else {}
            task = replace(task, **more)
    return task


TASKS = (REPLICATING, FAILED, CONFIGURED)

PROJECT = Project(
    *_WHERE,
    up=True,
    counts={("sync", Phase.INCREMENTAL): 41},
    lists={("v3", "sync"): ListFacts(success=True, tasks=47)},
    collectors={
        "progress": CollectorFacts(30.0, success=True, duration_seconds=0.42, last_success_at=_NOW - 3),
    },
    quota=Quota((("instances", 41.0, 100.0),)),
    async_jobs=AsyncJobs((("COMMIT_SUCCESS", 7),), (("bd4193aa-072d-4ce6-beec-adffc7252341", _NOW - 86_400),)),
    sources={("progress", "v3_batch_progress"): True},
)

OWN_LABELS = {
    "account": "prod",
    "region": "eu-de",
    "project": "shop",
    "collector": "progress",
    "operation": "v3_batch_progress",
    "code": "200",
    "version": "0.1.0",
}
"""Values for the labels of our own families."""
