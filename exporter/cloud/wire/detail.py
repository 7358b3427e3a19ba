"""Facts that seldom change about a task: v3 "Querying Task Details in Batches", v5 "Querying Task Details"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import model_validator

from exporter.cloud import operations
from exporter.cloud.source import DecodeErrors, ErrorsByCollector, TaskResults
from exporter.cloud.wire.batch_item import BatchItemWire, read_job
from exporter.cloud.wire.fields import (
    Flag,
    Gigabytes,
    JsonObject,
    Megabytes,
    Nested,
    NestedList,
    Number,
    Positive,
    Switch,
    Text,
    Time,
    UserText,
    Version,
    Wire,
    Word,
    WordList,
    alias,
    facts_of,
)
from exporter.model.details import Detail, SpeedLimit, Writable
from exporter.model.facts import Switchover, TaskFacts

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

_DAY = 86_400
_BEGIN, _END = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]"), re.compile(r"([01][0-9]|2[0-3]):59")
_EIP_BOUND = {"SUCCESS": True, "FAILED": False}


class AlarmWire(Wire):
    """`alarm_notify`: thresholds in seconds in both generations; 0 means that none is set."""

    alarm_enabled: Flag = alias("alarm_to_user")
    delay_threshold_seconds: Positive = alias("delay_time")
    rpo_threshold_seconds: Positive = alias("rpo_delay")
    rto_threshold_seconds: Positive = alias("rto_delay")

    @property
    def in_force(self) -> AlarmWire:
        """The thresholds at which the cloud alarms: none while the alarm is off."""
        return AlarmWire.model_construct(alarm_enabled=False) if self.alarm_enabled is False else self


class OrderWire(Wire):
    """`period_order`; only there for yearly or monthly billing. Status and end are in v3 only."""

    order_status: Word = alias("status")
    order_expires_at: Time = alias("exp_time")
    order_auto_renew: Switch = alias("is_auto_renew")


class SpeedLimitWire(Wire):
    """An item of `speed_limit`: v5 table 16, v3 table 9. The end is in the last minute of an hour."""

    begin: Text = None
    end: Text = None
    speed: Megabytes = None
    is_utc: Flag = None

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if not _BEGIN.fullmatch(self.begin or "00:00") or not _END.fullmatch(self.end or "00:59"):
            raise ValueError
        return self

    @property
    def limit(self) -> SpeedLimit | None:
        """The limit; None if it is not known when it is in force. The cloud ignores the minutes of the begin."""
        if not (self.begin and self.end and self.speed):
            return None
        limit = SpeedLimit(int(self.begin[:2]), (int(self.end[:2]) + 1) % 24, self.speed)
        return None if self.is_utc is False and not limit.all_day else limit


class TagWire(Wire):
    """A tag of the task."""

    key: UserText = None
    value: UserText = None


class DetailWire(Wire):
    """Fields that both generations have under the same names, v5 partly in `base_info` and `policy_config`."""

    created_at: Time = alias("create_time")
    job_direction: Text = None
    kernel_direction: Text = alias("job_kernel_direction")
    master_task_id: Word = alias("master_job_id")
    multi_write: Flag = None
    conflict_policy: Word = None
    filter_ddl_policy: Word = None
    ddl_trans: Flag = None
    index_trans: Flag = None
    sync_type_policy: WordList = None
    topology: Word = alias("data_sync_topology_type")
    task_version: Version = None
    bind_public_ip_state: Word = None
    expired_days: Number = None
    scheduled_start_at: Time = alias("start_time")
    tags: NestedList[TagWire] = ()
    speed_limit: NestedList[SpeedLimitWire] = ()
    alarm_notify: Nested[AlarmWire] = None
    period_order: Nested[OrderWire] = None

    def parts(self, *wires: Wire | None, **values: Any) -> tuple[Detail, Switchover]:
        """Return the facts, with those of other wire models and other values.

        During a switchover the kernel runs against the direction; both are in one response, so of one moment.
        """
        directions = self.job_direction, self.kernel_direction
        detail = facts_of(
            Detail,
            self,
            self.alarm_notify and self.alarm_notify.in_force,
            self.period_order,
            *wires,
            tags=tuple((tag.key, tag.value or "") for tag in self.tags if tag.key),
            speed_limits=tuple(limit for window in self.speed_limit if (limit := window.limit)),
            eip_bound=_EIP_BOUND.get((self.bind_public_ip_state or "").upper()),
            auto_stop_after_seconds=self.expired_days * _DAY if self.expired_days else None,
            **values,
        )
        return detail, Switchover(None if None in directions else directions[0] != directions[1])


class SourceV3Wire(Wire):
    """`source_endpoint` of v3, table 6."""

    source_type: Text = alias("db_type")


class TargetV3Wire(Wire):
    """`target_endpoint` of v3, table 6."""

    target_type: Text = alias("db_type")
    target_instance_id: Text = alias("inst_id")


class InstanceV3Wire(Wire):
    """`inst_info` of v3, table 7; its table calls it instInfo, its example does not."""

    node_type: Text = alias("inst_type")
    node_status: Word = alias("status")
    disk_size_bytes: Gigabytes = alias("volume_size")
    start_time: Time = None


class DetailItemWire(DetailWire, BatchItemWire):
    """An item of v3 batch-detail, table 5."""

    operation: ClassVar = operations.DETAIL_V3
    collector: ClassVar = Detail.collector
    arrays: ClassVar = ("results", "jobs")  # older responses have the second
    source_endpoint: Nested[SourceV3Wire] = None
    target_endpoint: Nested[TargetV3Wire] = None
    inst_info: Nested[InstanceV3Wire] = alias("inst_info", "instInfo")
    started_at: Time = alias("actual_start_time")
    full_completed_at: Time = alias("full_transfer_complete_time")
    updated_at: Time = alias("update_time")
    node_role: Text = None
    target_read_only: Flag = alias("is_target_readonly")
    restart_required: Flag = alias("need_restart")

    def facts(self) -> tuple[TaskFacts, ...]:
        node = self.inst_info or InstanceV3Wire()
        return self.parts(
            self.source_endpoint,
            self.target_endpoint,
            node,
            scheduled_start_at=self.scheduled_start_at or node.start_time,
            charging_mode="period" if self.period_order else None,
        )

    @classmethod
    async def fetch(cls, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        # Without `page_req` the cloud would silently return five tasks.
        body = {"jobs": list(ids), "page_req": {"cur_page": 1, "per_page": len(ids)}}
        return cls.read_results(await client.call(cls.operation, body=body), errors[cls.collector], ids)


class DatabaseV5Wire(Wire):
    """`endpoint` in an endpoint of v5, table 9."""

    target_instance_id: Text = alias("instance_id")


class TargetConfigV5Wire(Wire):
    """`config` in an endpoint of v5, table 12."""

    target_read_only: Flag = alias("is_target_readonly")


class EndpointV5Wire(Wire):
    """An item of `source_endpoint` and `target_endpoint` of v5, table 8."""

    db_type: Text = None
    endpoint: Nested[DatabaseV5Wire] = None
    config: Nested[TargetConfigV5Wire] = None


class SpecV5Wire(Wire):
    """`node_info.spec` of v5, table 27."""

    node_type: Text = None


class NodeBaseV5Wire(Wire):
    """`node_info.base_info` of v5, table 29."""

    instance_type: Text = None
    node_status: Word = alias("status")
    node_role: Text = alias("role")


class NodeV5Wire(Wire):
    """`node_info` of v5, table 26."""

    spec: Nested[SpecV5Wire] = None
    base_info: Nested[NodeBaseV5Wire] = None


class DetailJobWire(DetailWire):
    """The object `job` of v5 with type=detail, table 5, with `base_info` and `policy_config`, tables 6 and 20."""

    base_info: JsonObject = None
    policy_config: JsonObject = None
    charging_mode: Text = None
    source_endpoint: NestedList[EndpointV5Wire] = ()
    target_endpoint: NestedList[EndpointV5Wire] = ()
    node_info: Nested[NodeV5Wire] = None

    @classmethod
    def read(cls, value: Any, errors: DecodeErrors) -> Self | None:
        """Decode the object; the fields of these blocks may be in them or beside them."""
        blocks = (value.get(name) for name in ("base_info", "policy_config")) if isinstance(value, dict) else ()
        inner = {name: field for block in blocks if isinstance(block, dict) for name, field in block.items()}
        return super().read({**value, **inner} if inner else value, errors)

    def facts(self) -> tuple[Detail, Switchover]:
        node = self.node_info or NodeV5Wire()
        source = next(iter(self.source_endpoint), EndpointV5Wire())
        target = next(iter(self.target_endpoint), EndpointV5Wire())
        return self.parts(
            node.spec,
            node.base_info,
            target.endpoint,
            target.config,
            source_type=source.db_type,
            target_type=target.db_type,
        )


async def fetch_v5(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch the details of one task."""
    job = await read_job(client, operations.DETAIL_V5, ids[0], DetailJobWire, errors[Detail.collector])
    return {ids[0]: job.facts()}


class WritableJobWire(Wire):
    """The object `job` of v5 with type=is_writable."""

    is_writable: Text = None


async def fetch_writable_v5(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch whether read-only was lifted on the target of one task; nothing where the user has not requested it."""
    job = await read_job(client, operations.WRITABLE_V5, ids[0], WritableJobWire, errors[Writable.collector])
    known = {"success": True, "pending": False}
    return {ids[0]: (Writable(known[job.is_writable]),) if job.is_writable in known else ()}
