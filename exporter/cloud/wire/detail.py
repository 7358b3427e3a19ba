"""What seldom changes about a task: v3 "Querying Task Details in Batches", v5 "Querying Task Details"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, Field

from exporter.cloud import operations
from exporter.cloud.wire.answers import BatchItem, item_error, read_batch, read_job
from exporter.cloud.wire.fields import ErrorCode, Fields, Flag, Free, Items, Number, Positive, Text, Time, Wire
from exporter.model.facts import Detail, Switchover, Writable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors

_DAY = 86_400


class Alarm(Wire):
    """`alarm_notify`: thresholds in seconds in both generations; 0 means that none is set."""

    delay_time: Positive = None
    rpo_delay: Positive = None
    rto_delay: Positive = None


class Tag(Wire):
    """A tag of the task."""

    key: Free = None
    value: Free = None


class Common(Wire):
    """What both generations tell under the same names, v5 partly in `base_info`."""

    create_time: Time = None
    job_direction: Text = None
    job_kernel_direction: Text = None
    multi_write: Flag = None
    expired_days: Number = None
    start_time: Time = None
    tags: Items = None
    alarm_notify: Fields = None

    def facts(self, errors: DecodeErrors) -> dict[str, Any]:
        """The fields of `Detail` that come from here."""
        alarm = Alarm.read(self.alarm_notify or {}, errors) or Alarm()
        tags = Tag.read_all(self.tags, errors)
        return {
            "kernel_direction": self.job_kernel_direction,
            "multi_write": self.multi_write,
            "tags": tuple((tag.key, tag.value or "") for tag in tags if tag.key),
            "created_at": self.create_time,
            "scheduled_start_at": self.start_time,
            "auto_stop_after_seconds": self.expired_days * _DAY if self.expired_days else None,
            "delay_threshold_seconds": alarm.delay_time,
            "rpo_threshold_seconds": alarm.rpo_delay,
            "rto_threshold_seconds": alarm.rto_delay,
        }

    def switchover(self) -> Switchover:
        """Amid a switchover the kernel runs against the direction; both in one answer, so of one moment."""
        directions = self.job_direction, self.job_kernel_direction
        return Switchover(None if None in directions else directions[0] != directions[1])


class EndpointV3(Wire):
    """`source_endpoint` and `target_endpoint` of v3, table 6."""

    db_type: Text = None
    inst_id: Text = None


class InstanceV3(Wire):
    """`inst_info` of v3, table 7; its table calls it instInfo, its example does not."""

    inst_type: Text = None
    start_time: Time = None


class OrderV3(Wire):
    """`period_order` of v3; only there for yearly or monthly billing."""

    exp_time: Time = None


class DetailV3(Common, BatchItem):
    """An item of v3 batch-detail, table 5."""

    status: Text = None
    source_endpoint: Fields = None
    target_endpoint: Fields = None
    inst_info: Fields = Field(None, validation_alias=AliasChoices("inst_info", "instInfo"))
    actual_start_time: Time = None
    full_transfer_complete_time: Time = None
    update_time: Time = None
    node_role: Text = None
    period_order: Fields = None
    error_code: ErrorCode = None

    def answer(self, errors: DecodeErrors) -> Answer:
        """The facts, or the error of this task alone."""
        if (error := item_error(operations.DETAIL_V3.name, self.error_code, self.status)) is not None:
            return error
        source = EndpointV3.read(self.source_endpoint or {}, errors) or EndpointV3()
        target = EndpointV3.read(self.target_endpoint or {}, errors) or EndpointV3()
        node = InstanceV3.read(self.inst_info or {}, errors) or InstanceV3()
        order = OrderV3.read(self.period_order or {}, errors) or OrderV3()
        facts = self.facts(errors)
        facts["scheduled_start_at"] = facts["scheduled_start_at"] or node.start_time
        return (
            Detail(
                **facts,
                node_type=node.inst_type,
                source_type=source.db_type,
                target_type=target.db_type,
                target_instance_id=target.inst_id,
                charging_mode="period" if self.period_order else None,
                node_role=self.node_role,
                started_at=self.actual_start_time,
                full_completed_at=self.full_transfer_complete_time,
                updated_at=self.update_time,
                order_expires_at=order.exp_time,
                error_code=self.error_code,
            ),
            self.switchover(),
        )


async def fetch_v3(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """Details of some tasks; without `page_req` the cloud would silently answer five of them."""
    body = {"jobs": list(ids), "page_req": {"cur_page": 1, "per_page": len(ids)}}
    answer = await client.call(operations.DETAIL_V3, body=body)
    # Older answers have the array under `jobs`.
    return read_batch(operations.DETAIL_V3.name, answer, DetailV3, errors, ids=ids, keys=("results", "jobs"))


class DatabaseV5(Wire):
    """`endpoint` in an endpoint of v5, table 9."""

    instance_id: Text = None


class EndpointV5(Wire):
    """An item of `source_endpoint` and `target_endpoint` of v5, table 8."""

    db_type: Text = None
    endpoint: Fields = None


class SpecV5(Wire):
    """`node_info.spec` of v5, table 27."""

    node_type: Text = None


class NodeBaseV5(Wire):
    """`node_info.base_info` of v5, table 29."""

    instance_type: Text = None
    role: Text = None


class NodeV5(Wire):
    """`node_info` of v5, table 26."""

    spec: Fields = None
    base_info: Fields = None


class BaseV5(Common):
    """`base_info` of v5, table 6."""

    charging_mode: Text = None


class DetailV5(Wire):
    """The object `job` of v5 with type=detail, table 5."""

    create_time: Time = None
    job_kernel_direction: Text = None
    base_info: Fields = None
    source_endpoint: Items = None
    target_endpoint: Items = None
    alarm_notify: Fields = None
    node_info: Fields = None

    def parts(self, errors: DecodeErrors) -> tuple[Detail, Switchover]:
        """The neutral parts."""
        outer = {"alarm_notify": self.alarm_notify, "job_kernel_direction": self.job_kernel_direction}
        base = BaseV5.read({**outer, **(self.base_info or {})}, errors) or BaseV5()
        node = NodeV5.read(self.node_info or {}, errors) or NodeV5()
        spec = SpecV5.read(node.spec or {}, errors) or SpecV5()
        node_base = NodeBaseV5.read(node.base_info or {}, errors) or NodeBaseV5()
        source = next(iter(EndpointV5.read_all(self.source_endpoint, errors)), EndpointV5())
        target = next(iter(EndpointV5.read_all(self.target_endpoint, errors)), EndpointV5())
        database = DatabaseV5.read(target.endpoint or {}, errors) or DatabaseV5()
        facts = base.facts(errors)
        facts["created_at"] = self.create_time
        detail = Detail(
            **facts,
            node_type=spec.node_type,
            instance_type=node_base.instance_type,
            node_role=node_base.role,
            source_type=source.db_type,
            target_type=target.db_type,
            target_instance_id=database.instance_id,
            charging_mode=base.charging_mode,
        )
        return detail, base.switchover()


async def fetch_v5(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """Details of one task."""
    job = await read_job(client, operations.DETAIL_V5, ids[0], DetailV5, errors, ("type", "detail"))
    return {ids[0]: job.parts(errors)}


class WritableV5(Wire):
    """The object `job` of v5 with type=is_writable."""

    is_writable: Text = None


async def fetch_writable_v5(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """Whether read-only was lifted on the target of one task; nothing where nobody asked the cloud to lift it."""
    job = await read_job(client, operations.WRITABLE_V5, ids[0], WritableV5, errors, ("type", "is_writable"))
    known = {"success": True, "pending": False}
    return {ids[0]: (Writable(known[job.is_writable]),) if job.is_writable in known else ()}
