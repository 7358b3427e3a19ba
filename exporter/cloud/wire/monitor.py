"""How the node reaches both databases, and its sizes: v5 monitor-data, v3 disaster-recovery-monitoring-data.

The v3 block is spelled `data_guard_minitor`, with `sr_` for source and units in its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AliasChoices, Field

from exporter.cloud import operations
from exporter.cloud.http.errors import DecodeError, has_error
from exporter.cloud.wire.answers import BatchItem, item_error, read_batch, require_about
from exporter.cloud.wire.fields import ErrorCode, Fields, Flag, Gigabytes, Megabytes, Number, Ratio, Text, Time, Wire
from exporter.model.facts import Monitor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors


class MonitorFields(Wire):
    """The figures, under the names of v5 and of v3. Delays are left out: their unit is documented nowhere."""

    source_up: Flag = Field(None, validation_alias=AliasChoices("is_src_normal", "src_normal"))
    target_up: Flag = Field(None, validation_alias=AliasChoices("is_dst_normal", "dst_normal"))
    src_rps: Number = None
    dst_rps: Number = None
    disk_used: Gigabytes = Field(None, validation_alias=AliasChoices("used_volumes", "volume_used_inGB"))
    disk_size: Gigabytes = Field(None, validation_alias=AliasChoices("node_volume_size", "node_volume_inGB"))
    memory_used: Megabytes = Field(None, validation_alias=AliasChoices("used_memory", "mem_used_inMB"))
    memory_size: Megabytes = Field(None, validation_alias=AliasChoices("node_memory_size", "node_mem_inMB"))
    cpu: Ratio = Field(None, validation_alias=AliasChoices("used_cpu_percent", "cpuUsed_percent"))
    apply: Number = Field(None, validation_alias=AliasChoices("apply_rate", "migration_bytes_per_second"))
    update_time: Time = None

    def part(self) -> Monitor:
        """The neutral part."""
        return Monitor(
            cpu_ratio=self.cpu,
            memory_size_bytes=self.memory_size,
            memory_used_bytes=self.memory_used,
            disk_size_bytes=self.disk_size,
            disk_used_bytes=self.disk_used,
            source_up=self.source_up,
            target_up=self.target_up,
            source_requests_per_second=self.src_rps,
            target_requests_per_second=self.dst_rps,
            apply_bytes_per_second=self.apply,
            reported_at=self.update_time,
        )


class ItemV3(BatchItem):
    """An item of v3 disaster-recovery-monitoring-data."""

    status: Text = None
    data_guard_minitor: Fields = None
    error_code: ErrorCode = None

    def answer(self, errors: DecodeErrors) -> Answer:
        """The facts, or the error of this task alone."""
        if (error := item_error(operations.MONITOR_V3.name, self.error_code, self.status)) is not None:
            return error
        figures = MonitorFields.read(self.data_guard_minitor or {}, errors)
        return (figures.part(),) if figures and self.data_guard_minitor else ()


async def fetch_v3(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """Figures of some disaster-recovery tasks; at most ten a call."""
    answer = await client.call(operations.MONITOR_V3, body={"jobs": list(ids)})
    return read_batch(operations.MONITOR_V3.name, answer, ItemV3, errors, ids=ids)


async def fetch_v5(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """Figures of one task of any kind; a flat object."""
    answer = await client.call(operations.MONITOR_V5, job_id=ids[0])
    figures = MonitorFields.read(answer, errors)
    require_about(operations.MONITOR_V5.name, answer, ids[0], errors)
    if figures is None or not figures.model_fields_set or has_error(answer):
        errors.count += 1
        raise DecodeError(operations.MONITOR_V5.name, "decode")
    return {ids[0]: (figures.part(),)}
