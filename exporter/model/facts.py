"""The parts of what is known of a task or a project, one class for what one source tells, in base units.

Seconds, bytes, ratios of 1 and Unix timestamps only. None means that the cloud did not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the load is and how far the target lags (collector `progress`)."""

    name: ClassVar[str] = "progress"
    collector: ClassVar[str] = "progress"

    full_ratio: float | None = None
    full_remaining_seconds: float | None = None
    stages: tuple[tuple[str, float], ...] = ()
    """Completed ratio by stage of the full load: struct, data, index, ..."""
    delay_seconds: float | None = None
    reported_at: float | None = None
    """When the cloud last computed this progress; None where it gives a time without a zone."""
    reported_by: float | None = None
    """The latest Unix time that this can mean, whatever the zone; None where the cloud gives no time."""
    served_at: float | None = None
    """Unix time of the response by the cloud's own clock, from its header Date; None without one."""
    apply_rows_per_second: float | None = None
    apply_bytes_per_second: float | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """Load of the node that runs the task (collector `node`)."""

    name: ClassVar[str] = "node"
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


@dataclass(frozen=True, slots=True)
class Monitor:
    """Sizes of the node, and how it reaches both databases (collector `node`)."""

    name: ClassVar[str] = "monitor"
    collector: ClassVar[str] = "node"

    cpu_ratio: float | None = None
    memory_size_bytes: float | None = None
    memory_used_bytes: float | None = None
    disk_size_bytes: float | None = None
    disk_used_bytes: float | None = None
    source_up: bool | None = None
    target_up: bool | None = None
    source_requests_per_second: float | None = None
    target_requests_per_second: float | None = None
    apply_bytes_per_second: float | None = None
    reported_at: float | None = None

    @property
    def memory_ratio(self) -> float | None:
        """Used part of the memory."""
        used, size = self.memory_used_bytes, self.memory_size_bytes
        # Less than a byte is no size, and what is divided by it may be no number.
        return None if used is None or size is None or size < 1 else used / size


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recovery point and time of a disaster-recovery task (collector `recovery`)."""

    name: ClassVar[str] = "recovery"
    collector: ClassVar[str] = "recovery"

    rpo_seconds: float | None = None
    """How far the DRS node is behind the service database."""
    rto_seconds: float | None = None
    """How far the disaster-recovery database is behind the DRS node."""


@dataclass(frozen=True, slots=True)
class Switchover:
    """Whether a disaster-recovery task is amid a switchover (collector `recovery`)."""

    name: ClassVar[str] = "switchover"
    collector: ClassVar[str] = "recovery"

    switching: bool | None = None


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """Objects of one type: in the source, and how many of them reached the target."""

    type: str
    source: float | None
    target: float | None
    at_end: bool = False
    """Moved only when the task ends (TRANSFER_WHEN_END): missing on the target is normal until then."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects moved, by type (collector `objects`)."""

    name: ClassVar[str] = "objects"
    collector: ClassVar[str] = "objects"

    counts: tuple[ObjectCount, ...] = ()
    full_completed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """What seldom changes: kinds, places, tags, times, thresholds (collector `detail`)."""

    name: ClassVar[str] = "detail"
    collector: ClassVar[str] = "detail"

    node_type: str | None = None
    instance_type: str | None = None
    source_type: str | None = None
    target_type: str | None = None
    target_instance_id: str | None = None
    charging_mode: str | None = None
    kernel_direction: str | None = None
    node_role: str | None = None
    """Of a primary/standby pair: master or slave. Lists tell it through v5 only."""
    multi_write: bool | None = None
    tags: tuple[tuple[str, str], ...] = ()
    created_at: float | None = None
    started_at: float | None = None
    full_completed_at: float | None = None
    updated_at: float | None = None
    scheduled_start_at: float | None = None
    order_expires_at: float | None = None
    auto_stop_after_seconds: float | None = None
    """After so long in a failure the cloud stops the task by itself."""
    delay_threshold_seconds: float | None = None
    rpo_threshold_seconds: float | None = None
    rto_threshold_seconds: float | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Writable:
    """Whether the target database was made writable again (collector `detail`)."""

    name: ClassVar[str] = "writable"
    collector: ClassVar[str] = "detail"

    lifted: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """The newest comparison of one type: objects, lines or contents."""

    type: str
    status: str
    consistent: bool | None = None
    """All equal, or something is not; None while running, failed or impossible."""
    finished_at: float | None = None
    different_rows: float | None = None
    results: tuple[tuple[str, int], ...] = ()
    """How many databases, tables or object types ended how."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Newest comparison of each type, and the object counts that it found (collector `comparison`)."""

    name: ClassVar[str] = "comparison"
    collector: ClassVar[str] = "comparison"

    types: tuple[Compared, ...] = ()
    objects: tuple[ObjectCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Precheck:
    """The newest pre-check of a task that is being configured (collector `precheck`)."""

    name: ClassVar[str] = "precheck"
    collector: ClassVar[str] = "precheck"

    items: tuple[tuple[str, int], ...] = ()
    passed_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Logs:
    """When the newest log entry of each level was written (collector `logs`)."""

    name: ClassVar[str] = "logs"
    collector: ClassVar[str] = "logs"

    newest: tuple[tuple[str, float], ...] = ()


Part = Progress | Node | Monitor | Recovery | Switchover | Objects | Detail | Writable | Comparison | Precheck | Logs
"""The facts of one task that one collector gathers; its class names the collector."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Use of the project's quotas (collector `quota`)."""

    collector: ClassVar[str] = "quota"

    resources: tuple[tuple[str, float | None, float | None], ...] = ()
    """Resource, used, limit."""


@dataclass(frozen=True, slots=True)
class AsyncJobs:
    """Asynchronous batches of the project (collector `async_jobs`)."""

    collector: ClassVar[str] = "async_jobs"

    counts: tuple[tuple[str, int], ...] = ()
    """How many, by status."""
    failed: tuple[tuple[str, float], ...] = ()
    """The newest failed ones: id, and when it was created."""
