"""The neutral task: what both API generations are translated into, in base units.

Seconds, bytes, ratios of 1 and Unix timestamps only. None means that the value is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, NamedTuple

from exporter.config import TASKS, Scope
from exporter.model.facts import Access, AsyncJobs, CollectorFacts, Quota, Recovery
from exporter.model.known_facts import KnownFacts
from exporter.model.prediction import UNPREDICTED, Predicted
from exporter.model.task_lists import ListFacts


class Phase(StrEnum):
    """The phase of a task, by its status; see `phase_of`."""

    __hash__ = str.__hash__  # that of an Enum is a function in Python

    PREPARING = "preparing"
    FULL = "full"
    INCREMENTAL = "incremental"
    PAUSED = "paused"
    CHANGING = "changing"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"
    OTHER = "other"


LOADED = "FULL_TRANSFER_COMPLETE"
"""The status of a task in phase full whose full load has ended."""
STATUSES: Mapping[str, Phase] = {
    "CREATING": Phase.PREPARING,
    "CONFIGURATION": Phase.PREPARING,
    "WAITING_FOR_START": Phase.PREPARING,
    "STARTJOBING": Phase.PREPARING,
    "FULL_TRANSFER_STARTED": Phase.FULL,
    LOADED: Phase.FULL,
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
"""The documented statuses but those that end in _FAILED. The commands may show a word that is in this table."""

_END_OF_SUBTASK = "RELEASE_CHILD_TRANSFER_"
DELAYED = frozenset({Phase.INCREMENTAL, Phase.CHANGING})
"""The phases in which a delay has a meaning."""

_PRIMARY, _STANDBY = "master", "slave"

DELETED = "DELETED"
"""The status of a deleted task. v3 returns it for a moment, then an error."""


@lru_cache(maxsize=1024)  # called many times for each task, and there are few words
def phase_of(status: str, *, subtask: bool) -> Phase:
    """Return the phase of a status. An unknown status is `other`, unless it ends in _FAILED.

    A subtask that ends and its parent have the same status RELEASE_CHILD_TRANSFER_*; the parent only changes.
    """
    if status.endswith("_FAILED"):
        return Phase.FAILED
    if status in STATUSES and status.startswith(_END_OF_SUBTASK) and not subtask:
        return Phase.CHANGING
    return STATUSES.get(status, Phase.OTHER)


@dataclass(frozen=True, slots=True)
class Listed:
    """The entry of a task or subtask in a task list."""

    collector: ClassVar[str] = TASKS

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
    node_role: str | None = None
    """Of a primary/standby pair: master or slave."""
    multi_az: bool | None = None
    """Whether the task runs on a primary and a standby node."""
    charging_mode: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    """Of a subtask: the outermost parent, which is an item of the list itself."""
    is_parent: bool = False
    """True if it has subtasks. It may run beside them, or be virtual: then the cloud refuses queries for it."""
    unknown_children: int = 0
    """Entries of `children` that could not be decoded, have no name, or contradict other entries."""
    other_parents: frozenset[str] = frozenset()
    """Of a subtask: further tasks that contain it, in lists of other job types."""
    contradicted: bool = False
    """True if lists of one API generation, entries of one list, or a list and a query contradict each other."""
    available_actions: frozenset[str] = frozenset()
    unavailable_actions: frozenset[str] = frozenset()
    current_action: str | None = None
    """The operation in progress on the task; empty if the cloud reports that there is none."""
    created_at: float | None = None
    """Unix time; None if the list contains a time without a zone."""
    created_at_latest: float | None = None
    """The latest Unix time that the time of creation can mean, in any zone; None if the list contains none."""
    multi_write: bool = False
    """Dual-active disaster recovery."""

    @property
    def parents(self) -> frozenset[str]:
        """All tasks that contain this one."""
        return self.other_parents | {self.parent_id} if self.parent_id is not None else self.other_parents

    @property
    def phase(self) -> Phase:
        return phase_of(self.status, subtask=self.parent_id is not None)

    def why_not_polled(self, scope: Scope) -> str | None:
        """Return why collectors of this scope do not poll the task; None if they do."""
        for name, reason in scope.conditions:
            if not getattr(self, name):
                return reason
        return None

    @property
    def active(self) -> bool:
        """True if the task runs: it has not ended, and is not only configured."""
        return not (self.phase is Phase.ENDED or self.configured)

    @property
    def configured(self) -> bool:
        """True if the task was never started. It keeps this status, though its resources are freed after 3 days."""
        return self.status == "CONFIGURATION"

    @property
    def disaster_recovery(self) -> bool:
        """True for a DR task."""
        return self.job_type == "cloudDataGuard"


@dataclass(frozen=True, slots=True)
class History:
    """Changes of a task that this process has observed since it discovered the task."""

    phase_changes: int = 0
    failures: int = 0
    phase_changed_at: float | None = None


class ProjectKey(NamedTuple):
    """The labels of a project."""

    account: str
    region: str
    project: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The labels of every series of a task."""

    account: str
    region: str
    project: str
    task_id: str
    task_name: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Task(KnownFacts):
    """The facts about one task that are fresh at one moment; those that have expired are None."""

    identity: Identity
    listed: Listed | None = None
    history: History = History()
    collected: tuple[tuple[str, float], ...] = ()
    """By collector, when the oldest of its facts that are still fresh were received, else when the last ones were."""
    fresh: tuple[str, ...] = ()
    """The names of the facts that are still fresh; those that missed a poll come last."""
    was_standby: bool = False
    """True if it was a standby when its last details were received, also after these have expired."""
    primary_listed: bool = True
    """False if no list of the project contains the task that its details name as its primary."""
    refused: frozenset[str] = frozenset()
    """The names of the facts for which the cloud refuses this task, since it is a virtual parent."""
    assumed_virtual: frozenset[str] = frozenset()
    """Those of them that it refuses without a code for virtual tasks: the task may be a link itself."""
    speed_limit: float | None = None
    """Bytes per second that its limits allow at this moment; None without a limit."""
    blockers: tuple[tuple[str, bool], ...] | None = None
    """Reasons against a cut-over that were checked, and whether each blocks; None if it cannot be cut over at all."""
    unchecked: tuple[tuple[str, str], ...] = ()
    """Reasons that apply, but were not checked, each with the cause: unknown, unpublished or ignored."""
    ready_since: float | None = None
    """Since when nothing has blocked; None if anything does, and for a subtask: its parent shows it."""
    caught_up: bool | None = None
    """True if the delays of it and its subtasks have been within `max_delay` for `stable_for`; None: no verdict."""
    predicted: Predicted = UNPREDICTED
    waves: tuple[str, ...] = ()
    """The names of the running waves of which it is a member; a subtask is represented by the task above it."""

    @property
    def delay_seconds(self) -> float | None:
        """The delay of the target, in the phases in which it has a meaning."""
        return self.progress.delay_seconds if self.progress and self.phase in DELAYED else None

    @property
    def full_remaining_seconds(self) -> float | None:
        """The time until the end of the full load by the cloud, while it runs: of a load that failed it returns 0."""
        return self.progress.full_remaining_seconds if self.progress and self.phase is Phase.FULL else None

    @property
    def standby(self) -> bool:
        """True for the standby of a primary/standby pair: by a role, or because another listed task is its primary."""
        roles = (self.listed.role, self.listed.node_role) if self.listed else ()
        if self.detail is None:
            return _STANDBY in roles or (self.was_standby and _PRIMARY not in roles)
        return _STANDBY in roles or self.detail.node_role == _STANDBY or self._has_primary

    @property
    def _has_primary(self) -> bool:
        """True if the primary is another task. A subtask may name its parent instead, and a parent its subtask."""
        primary, listed = self.detail.master_task_id if self.detail else None, self.listed
        if primary is None or listed is None or listed.is_parent or not self.primary_listed:
            return False
        return primary not in {listed.id, listed.root_id, *listed.parents}

    @property
    def ready(self) -> bool | None:
        """True if nothing known blocks the cut-over; None if there is no verdict, or if the parent shows it."""
        if self.blockers is None or self.identity.parent_id is not None:
            return None
        return not any(blocks for _, blocks in self.blockers)

    @property
    def failure_code(self) -> str | None:
        """The error code of a failed task, if the cloud reports one."""
        if self.phase is not Phase.FAILED:
            return None
        return next((facts.error_code for facts in (self.progress, self.detail) if facts and facts.error_code), None)

    @property
    def switching(self) -> bool | None:
        """True during a switchover of a DR task; None if that is unknown."""
        return self.switchover.switching if self.switchover and self.listed and self.listed.disaster_recovery else None

    @property
    def recovery_now(self) -> Recovery | None:
        """RPO and RTO; None during a switchover: no document says which sides they are about then."""
        return None if self.switching else self.recovery

    @property
    def phase(self) -> Phase | None:
        """None if the list that contained the task has expired."""
        return self.listed.phase if self.listed else None


@dataclass(frozen=True, slots=True)
class Project:
    """The facts about one project that are fresh at one moment, without its tasks."""

    account: str
    region: str
    project: str
    up: bool | None = None
    counts: Mapping[tuple[str, Phase], int] = field(default_factory=dict)
    """Tasks without subtasks, by job type and phase; a job type is absent while its list is unknown."""
    lists: Mapping[tuple[str, str], ListFacts] = field(default_factory=dict)  # by API generation and job type
    collectors: Mapping[str, CollectorFacts] = field(default_factory=dict)
    quota: Quota | None = None
    async_jobs: AsyncJobs | None = None
    last_error: tuple[str, float] | None = None
    """The kind of the newest failed call, and when it failed; a later success does not remove it."""
    sources: Mapping[tuple[str, str], bool | None] = field(default_factory=dict)
    """By collector and operation: whether the operation is published in the region; None before its first call."""
    access: Access = field(default_factory=Access)
