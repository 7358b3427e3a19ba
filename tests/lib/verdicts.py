"""Tasks to be judged, and the verdicts on their cut-over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exporter.config import Cutover
from exporter.model.cutover import judge
from exporter.model.cutover_input import CutoverInput
from exporter.model.cutover_reason import Outcome
from exporter.model.details import Detail
from exporter.model.facts import (
    Compared,
    Comparison,
    Logs,
    Monitor,
    Node,
    ObjectCount,
    Objects,
    Progress,
    Recovery,
    Switchover,
)
from exporter.model.task import Identity, Listed, Task

REQUIRED = Cutover(endpoints="required", objects="required", comparison="required", logs="required", report="required")
DR_REASONS = {"switching", "rpo_unknown", "rpo_high", "rto_unknown", "rto_high"}
PLAIN = Listed(
    "id",
    "name",
    "INCRE_TRANSFER_STARTED",
    "sync",
    engine_type="mysql-to-mysql",
    task_type="FULL_INCR_TRANS",
    direction="up",
    unavailable_actions=frozenset({"RETRY"}),
    current_action="",
)
DR = replace(PLAIN, job_type="cloudDataGuard", engine_type="cloudDataGuard-mysql")
FULL = replace(PLAIN, task_type="FULL_TRANS", status="FULL_TRANSFER_COMPLETE")
EQUAL = Compared("line", "SUCCESSFUL", consistent=True, finished_at=1000.0)


def ready(listed: Listed = PLAIN, **parts: Any) -> Task:
    """A task that nothing speaks against, whatever is required; `parts` differ."""
    known = {
        "progress": Progress(full_ratio=1, delay_seconds=None if listed.task_type == "FULL_TRANS" else 5),
        "node": Node(apply_state="processing"),
        "monitor": Monitor(source_up=True, target_up=True),
        "recovery": Recovery(rpo_seconds=5, rto_seconds=5) if listed.disaster_recovery else None,
        "objects": Objects((ObjectCount("table", 3, 3, status="TRANSFERING"),)),
        "switchover": Switchover(switching=False),
        "detail": Detail(order_status="COMPLETED"),
        "comparison": Comparison((EQUAL,)),
        "logs": Logs((("error", 1.0), ("info", 2.0))),
    }
    return Task(Identity("a", "r", "p", listed.id, listed.name), listed=listed, **{**known, **parts})


def case_of(task: Task, settings: Cutover = REQUIRED, **observed: Any) -> CutoverInput:
    """The input of the verdict on a task that has been ready for long; `observed` differs."""
    return CutoverInput(task, settings, **{"stable": True, **observed})


def outcomes(task: Task, settings: Cutover = REQUIRED, **observed: Any) -> dict[str, Outcome]:
    """What each reason that applies says about a task."""
    return dict(judge(case_of(task, settings, **observed)))


def blocking(task: Task, settings: Cutover = REQUIRED, **observed: Any) -> set[str]:
    """The reasons that block a task."""
    found = outcomes(task, settings, **observed)
    return {name for name, outcome in found.items() if outcome is Outcome.BLOCKS}


def with_delay(seconds: float | None) -> dict[str, Any]:
    return {"progress": Progress(full_ratio=1, delay_seconds=seconds)}


def with_full_ratio(ratio: float | None) -> dict[str, Any]:
    return {"progress": Progress(full_ratio=ratio, delay_seconds=0)}


def with_sides(source: Any, target: Any) -> dict[str, Any]:
    return {"monitor": Monitor(source_up=source, target_up=target)}


def with_objects(*pairs: tuple[float | None, float | None], status: str | None = "TRANSFERING") -> dict[str, Any]:
    return {"objects": Objects(tuple(ObjectCount("table", *pair, status=status) for pair in pairs))}


def compared(status: str = "SUCCESSFUL", consistent: bool | None = None, **facts: Any) -> Compared:  # noqa: FBT001
    return Compared("line", status, consistent, **{"finished_at": 1000.0, **facts})


def with_comparisons(*types: Compared) -> dict[str, Any]:
    return {"comparison": Comparison(types)}


def with_logs(**newest: float) -> dict[str, Any]:
    return {"logs": Logs(tuple(newest.items()))}
