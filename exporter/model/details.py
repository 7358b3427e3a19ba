"""The facts that the details of a task contain: properties that seldom change. See `model/facts.py` for the units."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.model.facts import TaskFacts


@dataclass(frozen=True, slots=True)
class SpeedLimit:
    """The limit of the transfer rate in a window of each day, between two full hours in UTC."""

    begin_hour: int
    end_hour: int
    """The hour at which it ends; the hour at which it begins, if it lasts all day."""
    bytes_per_second: float

    @property
    def all_day(self) -> bool:
        return self.begin_hour == self.end_hour

    def covers(self, hour: int) -> bool:
        """Return whether the limit is in force during an hour of the day; a window may contain midnight."""
        return self.all_day or (hour - self.begin_hour) % 24 < (self.end_hour - self.begin_hour) % 24


@dataclass(frozen=True, slots=True)
class Detail(TaskFacts):
    """Properties that seldom change: types, places, tags, times, thresholds."""

    task_status: str | None = None
    """The status of the task in the same response."""
    node_type: str | None = None
    node_status: str | None = None
    """As the cloud writes it: ACTIVE, DELETED."""
    disk_size_bytes: float | None = None
    instance_type: str | None = None
    source_type: str | None = None
    target_type: str | None = None
    target_instance_id: str | None = None
    charging_mode: str | None = None
    task_version: str | None = None
    kernel_direction: str | None = None
    node_role: str | None = None
    """Of a primary/standby pair: master or slave. Lists contain it in v5 only."""
    master_task_id: str | None = None
    """The primary task of a primary/standby pair; of the primary itself, its own id."""
    multi_write: bool | None = None
    conflict_policy: str | None = None
    """How conflicting rows are treated: ignore, stop or overwrite."""
    filter_ddl_policy: str | None = None
    """DDL that is not replicated; None also where nothing is filtered."""
    ddl_trans: bool | None = None
    """True if DDL is replicated in the incremental phase."""
    index_trans: bool | None = None
    """True if all indexes are replicated, False if only those of keys are."""
    sync_type_policy: str | None = None
    topology: str | None = None
    """one2one, one2many or many2one."""
    target_read_only: bool | None = None
    """As configured; `Writable` is the state of the target."""
    speed_limits: tuple[SpeedLimit, ...] = ()
    restart_required: bool | None = None
    eip_bound: bool | None = None
    tags: tuple[tuple[str, str], ...] = ()
    created_at: float | None = None
    started_at: float | None = None
    full_completed_at: float | None = None
    updated_at: float | None = None
    scheduled_start_at: float | None = None
    order_status: str | None = None
    """Of a yearly or monthly order, such as COMPLETED; FROZEN_CAN_RENEW and others that start with FROZEN: frozen."""
    order_expires_at: float | None = None
    order_auto_renew: bool | None = None
    vpc_id: str | None = None
    """Of the node, as the two below."""
    subnet_id: str | None = None
    security_group_id: str | None = None
    source_ssl: bool | None = None
    target_ssl: bool | None = None
    az: str | None = None
    """The availability zone of the node; of a primary/standby instance, both zones with a comma between them."""
    auto_stop_after_seconds: float | None = None
    """Time in failure after which the cloud stops the task."""
    alarm_enabled: bool | None = None
    delay_threshold_seconds: float | None = None
    """The cloud alarms above it. All thresholds are None while the alarm is off."""
    rpo_threshold_seconds: float | None = None
    rto_threshold_seconds: float | None = None
    error_code: str | None = None

    def is_opposite(self, direction: str | None) -> bool | None:
        """Return whether the kernel runs against the direction of its task; None if one of both is unknown."""
        kernel = self.kernel_direction
        return None if kernel is None or direction is None else kernel.lower() != direction.lower()

    def speed_limit_at(self, unix: float) -> float | None:
        """Return the bytes per second that are allowed at a time; of several limits, the lowest."""
        hour = int(unix // 3600) % 24
        return min((limit.bytes_per_second for limit in self.speed_limits if limit.covers(hour)), default=None)


@dataclass(frozen=True, slots=True)
class Writable(TaskFacts):
    """The state of the target database: made writable again or not."""

    def settled(self, before: TaskFacts | None, *, loading: bool) -> bool:  # noqa: ARG002
        return self == before

    lifted: bool
