"""Facts that seldom change about tasks: v3 "Querying Task Details in Batches"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from exporter.cloud import operations
from exporter.cloud.source import ErrorsByCollector, TaskResults
from exporter.cloud.wire.batch_item import BatchItemWire
from exporter.cloud.wire.detail import DetailWire, NetworkWire
from exporter.cloud.wire.fields import (
    Flag,
    Gigabytes,
    Nested,
    Switch,
    Time,
    Wire,
    Word,
    WordList,
    alias,
)
from exporter.model.details import Detail
from exporter.model.facts import TaskFacts

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client


class SourceV3Wire(Wire):
    """`source_endpoint` of v3, table 6."""

    source_type: Word = alias("db_type")
    source_ssl: Switch = alias("ssl_link")


class TargetV3Wire(Wire):
    """`target_endpoint` of v3, table 6."""

    target_type: Word = alias("db_type")
    target_ssl: Switch = alias("ssl_link")
    target_instance_id: Word = alias("inst_id")


class InstanceV3Wire(Wire):
    """`inst_info` of v3, table 7; its table calls it instInfo, its example does not."""

    node_type: Word = alias("inst_type")
    node_status: Word = alias("status")
    disk_size_bytes: Gigabytes = alias("volume_size")
    start_time: Time = None


class DetailItemWire(DetailWire, NetworkWire, BatchItemWire):
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
    node_role: Word = None
    target_read_only: Flag = alias("is_target_readonly")
    restart_required: Flag = alias("need_restart")
    az: WordList = alias("az_code")

    def facts(self) -> tuple[TaskFacts, ...]:
        node = self.inst_info or InstanceV3Wire()
        return self.parts(
            self.source_endpoint,
            self.target_endpoint,
            node,
            task_status=self.status,
            scheduled_start_at=self.scheduled_start_at or node.start_time,
            charging_mode="period" if self.period_order else None,
        )

    @classmethod
    async def fetch(cls, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        # Without `page_req` the cloud would silently return five tasks.
        body = {"jobs": list(ids), "page_req": {"cur_page": 1, "per_page": len(ids)}}
        return cls.read_results(await client.call(cls.operation, body=body), errors[cls.collector], ids)
