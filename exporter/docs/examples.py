"""Invented tasks, an invented project and an invented wave, for the examples in docs/metrics.md."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from exporter.model.details import Detail, SpeedLimit
from exporter.model.facts import Access, AsyncJobs, CollectorFacts, Compared, ObjectCount, Precheck, Progress, Quota
from exporter.model.known_facts import TASK_FACTS
from exporter.model.prediction import Predicted
from exporter.model.task import History, Identity, Listed, Phase, Project, ProjectKey, Task
from exporter.model.task_lists import ListFacts
from exporter.model.waves import Stage, WaveMember, WaveState, WaveStatus

if TYPE_CHECKING:
    from exporter.model.facts import TaskFacts

_NOW = 1_767_225_600.0
_WHERE = ("prod", "eu-de", "shop")
_VALUES = {
    "_threshold_seconds": 60.0,
    "remaining_seconds": 1800.0,
    "auto_stop_after_seconds": 1_209_600.0,
    "average_execute_seconds": 0.005,
    "average_commit_seconds": 0.002,
    "_seconds": 1.25,
    "_bytes_per_second": 264_000.0,
    "_per_second": 150.0,
    "used_bytes": 6.5 * 2**30,
    "_bytes": 16.0 * 2**30,
    "full_ratio": 1.0,
    "_ratio": 0.23,
    "scheduled_start_at": _NOW + 36_000,
    "expires_at": _NOW + 1_728_000,
    "_at": _NOW - 30,
    "_at_latest": _NOW - 30,
    "apply_state": "processing",
    "node_type": "high",
    "instance_type": "single",
    "source_type": "mysql",
    "target_type": "mysql",
    "target_instance_id": "3ef57dbcc8db478a9e346d26ef2575bfin01",
    "charging_mode": "period",
    "kernel_direction": "up",
    "node_role": None,
    "node_status": "ACTIVE",
    "task_version": "2.0",
    "master_task_id": None,
    "order_status": "COMPLETED",
    "conflict_policy": "overwrite",
    "filter_ddl_policy": "drop_database",
    "sync_type_policy": "tableData,tableStructure",
    "topology": "one2one",
    "restart_required": False,
    "vpc_id": "0ff8df7b-f0e9-4b16-ac16-1db3dacb69e4",
    "subnet_id": "f857d371-2f03-4622-85f6-2b7d42d0d82c",
    "security_group_id": "d90c971b-4b9d-402c-9c59-5c239389b8dd",
    "az": "eu-de-01",
    "speed_limits": (SpeedLimit(16, 4, 10 * 2**20),),
    "multi_write": False,
    "switching": False,
    "counts": (ObjectCount("table", 120.0, 120.0, "COMPLETED"),),
    "types": (
        Compared(
            "content",
            "SUCCESSFUL",
            consistent=False,
            finished_at=_NOW - 3600,
            different_rows=3.0,
            missing_rows=3.0,
            extra_rows=0.0,
            rows_source=7300.0,
            rows_target=7297.0,
            results=(("CONSISTENT", 11), ("INCONSISTENT", 1)),
        ),
    ),
    "objects": (ObjectCount("index", 240.0, 240.0),),
    "newest": (("info", _NOW - 120),),
}
"""Values by the end of the name of their field; the first that fits."""
_VALUES_BY_TYPE = {"float | None": 1.0, "str | None": "example", "bool | None": True, "bool": True}


def _filled(kind: type[TaskFacts]) -> Any:
    """Return facts with a value in each field; tuples are empty unless the table contains them."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        by_name = (value for end, value in _VALUES.items() if field.name.endswith(end))
        values[field.name] = next(by_name, _VALUES_BY_TYPE.get(str(field.type), ()))
    return kind(**values)


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
        multi_az=False,
        current_action="NODE_FLAVOR_MODIFY",
        available_actions=frozenset({"SWITCH_OVER"}),
        unavailable_actions=frozenset({"RETRY"}),
        created_at=_NOW - 864_000,
    ),
    **{name: _filled(kind) for name, kind in TASK_FACTS.items() if name != "precheck"},
    collected=(("progress", _NOW - 3),),
    speed_limit=10.0 * 2**20,
    history=History(phase_changes=2, failures=1, phase_changed_at=_NOW - 7200),
    blockers=(("phase", False), ("delay_high", False)),
    unchecked=(("log_error", "ignored"),),
    ready_since=_NOW - 900,
    waves=("weekend-1",),
    predicted=Predicted(catch_up_seconds=240.0, full_load_end_at=_NOW + 5400, delay_slope=-0.5),
)
"""A DR pair in replication, of which everything is known that such a task has."""

FAILED = Task(
    identity=Identity(*_WHERE, "24834eb6-be30-464e-a299-f7aa730jb101", "crm"),
    listed=Listed("24834eb6-be30-464e-a299-f7aa730jb101", "crm", "FULL_TRANSFER_FAILED", "migration"),
    progress=Progress(
        full_ratio=0.63,
        stages=(("struct", 1.0), ("data", 0.63)),
        error_code="DRS.KE0002",
    ),
    detail=Detail(created_at=_NOW - 7200, auto_stop_after_seconds=1_209_600.0, error_code="DRS.KE0002"),
    history=History(phase_changes=3, failures=1, phase_changed_at=_NOW - 600),
)
"""A migration whose failure was observed, from a list whose times have no zone."""

LOADING = Task(
    identity=Identity(*_WHERE, "6a1b5f7e-52c1-4b1e-9a83-1d2b7a9jb101", "billing"),
    listed=Listed("6a1b5f7e-52c1-4b1e-9a83-1d2b7a9jb101", "billing", "FULL_TRANSFER_STARTED", "migration"),
    progress=Progress(full_ratio=0.63, full_remaining_seconds=1800.0, stages_remaining=(("data", 1200.0),)),
)
"""A migration during its full load."""

CONFIGURED = Task(
    identity=Identity(*_WHERE, "140b5236-88ad-43c8-811c-1268453jb101", "draft"),
    listed=Listed("140b5236-88ad-43c8-811c-1268453jb101", "draft", "CONFIGURATION", "migration"),
    detail=Detail(scheduled_start_at=_NOW + 36_000),
    precheck=Precheck((("ALARM", 2), ("PASSED", 37)), passed_ratio=1.0),
)
"""A migration that waits to be started."""

TASKS = (REPLICATING, FAILED, CONFIGURED, LOADING)

PROJECT = Project(
    *_WHERE,
    up=True,
    counts={("sync", Phase.INCREMENTAL): 41},
    lists={("v3", "sync"): ListFacts(success=True, tasks=47)},
    collectors={
        "progress": CollectorFacts(
            30.0,
            success=True,
            duration_seconds=0.42,
            last_success_at=_NOW - 3,
            max_age_seconds=300.0,
            oldest_seconds=28.0,
        ),
    },
    quota=Quota((("instances", 41.0, 100.0),)),
    async_jobs=AsyncJobs((("COMMIT_SUCCESS", 7),), (("bd4193aa-072d-4ce6-beec-adffc7252341", _NOW - 86_400),)),
    sources={("progress", "v3_batch_progress"): True},
    access=Access(clock_skew_seconds=0.3, credentials_type="token", credentials_expire_at=_NOW + 82_800),
)

SELF_METRIC_LABELS = {
    "account": "prod",
    "region": "eu-de",
    "project": "shop",
    "collector": "progress",
    "operation": "v3_batch_progress",
    "code": "200",
    "version": "0.1.0",
    "shard": "0",
    "shards": "3",
    "kind": "malformed",
}
"""Label values for the families of the exporter itself."""

WAVE = WaveStatus(
    "weekend-1",
    Stage.RUNNING,
    expected=1,
    members=(WaveMember(ProjectKey(*_WHERE), "8d0e8e36-a618-490d-8a46-8c61ac9jb502", "orders-dr", WaveState.READY),),
    ready=True,
)
"""A wave with one member, which is ready."""
