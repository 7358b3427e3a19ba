"""The neutral task: what both API generations are translated into, in base units.

Seconds, bytes, ratios of 1 and Unix timestamps only. None means that the cloud did not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB_TYPES = ("migration", "sync", "cloudDataGuard")
"""The task scenarios that are polled; `job_type` in v5, `db_use_type` in v3."""


class Phase(StrEnum):
    """Where a task stands in its life; the raw status decides, see `phase_of`."""

    PREPARING = "preparing"
    FULL = "full"
    INCREMENTAL = "incremental"
    PAUSED = "paused"
    CHANGING = "changing"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"
    OTHER = "other"


_PHASES: Mapping[str, Phase] = {
    "CREATING": Phase.PREPARING,
    "CONFIGURATION": Phase.PREPARING,
    "WAITING_FOR_START": Phase.PREPARING,
    "STARTJOBING": Phase.PREPARING,
    "FULL_TRANSFER_STARTED": Phase.FULL,
    "FULL_TRANSFER_COMPLETE": Phase.FULL,
    "INCRE_TRANSFER_STARTED": Phase.INCREMENTAL,
    "PAUSING": Phase.PAUSED,  # means paused; one v3 page spells it PAUSEING
    "PAUSEING": Phase.PAUSED,
    "CHANGE_JOB_STARTED": Phase.CHANGING,
    "REBUILD_NODE_STARTED": Phase.CHANGING,
    "NODE_UPGRADE_START": Phase.CHANGING,
    "NODE_UPGRADE_COMPLETE": Phase.CHANGING,
    "CHILD_TRANSFER_STARTING": Phase.CHANGING,
    "CHILD_TRANSFER_STARTED": Phase.CHANGING,
    "CHILD_TRANSFER_COMPLETE": Phase.CHANGING,
    "RELEASE_CHILD_TRANSFER_STARTED": Phase.ENDING,
    "RELEASE_CHILD_TRANSFER_COMPLETE": Phase.ENDED,
    "RELEASE_RESOURCE_STARTED": Phase.ENDING,
    "RELEASE_RESOURCE_COMPLETE": Phase.ENDED,
    "FROZEN": Phase.FAILED,
}

DELETED = "DELETED"
"""The status of a task that is no more; v3 answers it for a moment before it answers an error."""


def phase_of(status: str, *, subtask: bool) -> Phase:
    """The phase of a raw status. An unknown status is `other`, unless it says that something failed.

    RELEASE_CHILD_TRANSFER_* is shown by the subtask that ends and by its parent, which merely changes.
    """
    if status.startswith("RELEASE_CHILD_TRANSFER_") and not subtask and not status.endswith("_FAILED"):
        return Phase.CHANGING
    if status.endswith("_FAILED"):
        return Phase.FAILED
    return _PHASES.get(status, Phase.OTHER)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a task list says of one task or subtask (collector `tasks`)."""

    collector: ClassVar[str] = "tasks"

    id: str
    name: str
    status: str
    job_type: str
    engine_type: str | None = None
    task_type: str | None = None
    direction: str | None = None
    net_type: str | None = None
    enterprise_project_id: str | None = None
    job_mode: str | None = None
    role: str | None = None
    parent_id: str | None = None
    is_parent: bool = False
    """Has subtasks. The cloud calls such tasks virtual: single-task queries refuse their ids."""
    available_actions: frozenset[str] = frozenset()
    unavailable_actions: frozenset[str] = frozenset()
    created_at: float | None = None
    """Unix time; None where the list gives a time without a zone."""

    @property
    def phase(self) -> Phase:
        """The phase that the raw status means."""
        return phase_of(self.status, subtask=self.parent_id is not None)

    @property
    def active(self) -> bool:
        """Whether the task is worth calls of its own: neither ended, nor merely configured, nor virtual."""
        return not (self.phase is Phase.ENDED or self.status == "CONFIGURATION" or self.is_parent)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the load is and how far the target lags (collector `progress`)."""

    collector: ClassVar[str] = "progress"

    full_ratio: float | None = None
    full_remaining_seconds: float | None = None
    stages: tuple[tuple[str, float], ...] = ()
    """Completed ratio by stage of the full load: struct, data, index, ..."""
    delay_seconds: float | None = None
    reported_at: float | None = None
    """When the cloud last computed this progress."""
    apply_rows_per_second: float | None = None
    apply_bytes_per_second: float | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """Load of the node that runs the task (collector `node`)."""

    collector: ClassVar[str] = "node"

    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    receive_bytes_per_second: float | None = None
    transmit_bytes_per_second: float | None = None
    disk_read_bytes_per_second: float | None = None
    disk_write_bytes_per_second: float | None = None
    apply_rows_per_second: float | None = None
    apply_transactions_per_second: float | None = None
    apply_ddls_per_second: float | None = None
    apply_average_execute_seconds: float | None = None
    apply_average_commit_seconds: float | None = None
    apply_state: str | None = None
    reported_at: float | None = None


Part = Progress | Node
"""The facts of one task that one collector gathers; its class names the collector."""


@dataclass(frozen=True, slots=True)
class History:
    """What this process has witnessed of a task since it discovered it."""

    phase_changes: int = 0
    failures: int = 0
    phase_changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The labels that every series of a task carries."""

    account: str
    region: str
    project: str
    task_id: str
    task_name: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """All that is known and fresh of one task at one moment; what has aged out is None."""

    identity: Identity
    tasks: Listed | None = None
    progress: Progress | None = None
    node: Node | None = None
    history: History = History()
    collected: tuple[tuple[str, float], ...] = ()
    """When each collector last succeeded for this task."""

    @property
    def phase(self) -> Phase | None:
        """None once the list that showed the task is too old to be believed."""
        return self.tasks.phase if self.tasks else None


@dataclass(frozen=True, slots=True)
class ListFacts:
    """The newest list of one job type through one API generation."""

    success: bool
    tasks: int | None = None
    """How many tasks the newest successful list had."""


@dataclass(frozen=True, slots=True)
class CollectorFacts:
    """How one collector of a project fares."""

    interval_seconds: float
    success: bool | None = None
    duration_seconds: float | None = None
    last_success_at: float | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """All that is known of one project at one moment, tasks excepted."""

    account: str
    region: str
    project: str
    up: bool | None = None
    counts: Mapping[tuple[str, Phase], int] = field(default_factory=dict)
    """Tasks (subtasks not counted) by job type and phase; a job type is missing while its list is unknown."""
    lists: Mapping[tuple[str, str], ListFacts] = field(default_factory=dict)
    """By API generation and job type."""
    collectors: Mapping[str, CollectorFacts] = field(default_factory=dict)
    sources: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """By collector and source (the operation's name): whether it is published here."""
