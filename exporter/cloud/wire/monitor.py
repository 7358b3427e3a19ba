"""How the node reaches both databases, and its sizes: v5 monitor-data, v3 disaster-recovery-monitoring-data.

The v3 block is spelled `data_guard_minitor`, with `sr_` for source and units in its names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from exporter.cloud import operations
from exporter.cloud.http.errors import DecodeError
from exporter.cloud.http.response import has_error
from exporter.cloud.source import ErrorsByCollector, TaskResults
from exporter.cloud.wire.batch_item import BatchItemWire, require_about
from exporter.cloud.wire.fields import Flag, Gigabytes, Megabytes, Nested, Number, Ratio, Time, Wire, alias, facts_of
from exporter.model.facts import Monitor, TaskFacts

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client


class MonitorWire(Wire):
    """The figures, under the names of v5 and of v3. Delays are left out: their unit is documented nowhere."""

    source_up: Flag = alias("is_src_normal", "src_normal")
    target_up: Flag = alias("is_dst_normal", "dst_normal")
    source_requests_per_second: Number = alias("src_rps")
    target_requests_per_second: Number = alias("dst_rps")
    disk_used_bytes: Gigabytes = alias("used_volumes", "volume_used_inGB")
    disk_size_bytes: Gigabytes = alias("node_volume_size", "node_volume_inGB")
    memory_used_bytes: Megabytes = alias("used_memory", "mem_used_inMB")
    memory_size_bytes: Megabytes = alias("node_memory_size", "node_mem_inMB")
    cpu_ratio: Ratio = alias("used_cpu_percent", "cpuUsed_percent")
    apply_bytes_per_second: Number = alias("apply_rate", "migration_bytes_per_second")
    reported_at: Time = alias("update_time")


class MonitorItemWire(BatchItemWire):
    """An item of v3 disaster-recovery-monitoring-data."""

    operation: ClassVar = operations.MONITOR_V3
    collector: ClassVar = Monitor.collector
    data_guard_minitor: Nested[MonitorWire] = None

    def facts(self) -> tuple[TaskFacts, ...]:
        return (facts_of(Monitor, self.data_guard_minitor),) if self.data_guard_minitor else ()


async def fetch_v5(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch the figures of one task of any kind; a flat object."""
    response = await client.call(operations.MONITOR_V5, job_id=ids[0])
    figures = MonitorWire.read(response, errors[Monitor.collector])
    require_about(operations.MONITOR_V5.name, response, ids[0], errors[Monitor.collector])
    if figures is None or not figures.model_fields_set or has_error(response):
        errors[Monitor.collector].count += 1
        raise DecodeError(operations.MONITOR_V5.name, "decode")
    return {ids[0]: (facts_of(Monitor, figures),)}
