"""API v5: Huawei Cloud, some regions and engines; GET, one task a call, record offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.errors import DecodeError, TaskGoneError
from exporter.cloud.fields import Fields, Losses, Milliseconds, Number, Ratio, Text, Time, Wire
from exporter.cloud.paging import PAGE, list_pages
from exporter.cloud.source import Answer, Source, TaskList
from exporter.cloud.wire import ProgressFields
from exporter.model import DELETED, Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.client import Client
    from exporter.model import Part


class Metrics(Wire):
    """`metrics` of "Querying Task Details", table 39: strings, documented without units.

    The names are those of the vendor's Cloud Eye metrics, whose units are documented: percent, B/s, rows/s, ms.
    """

    time_stamp: Time = None
    cpu_util: Ratio = None
    mem_util: Ratio = None
    network_incoming_bytes_rate: Number = None
    network_outgoing_bytes_rate: Number = None
    disk_read_bytes_rate: Number = None
    disk_write_bytes_rate: Number = None
    apply_rows_rate: Number = None
    apply_transactions_rate: Number = None
    apply_ddl_rate: Number = None
    apply_average_execute_time: Milliseconds = None
    apply_average_commit_time: Milliseconds = None
    apply_current_state: Text = None

    def part(self) -> Node:
        """The neutral part."""
        return Node(
            cpu_ratio=self.cpu_util,
            memory_ratio=self.mem_util,
            receive_bytes_per_second=self.network_incoming_bytes_rate,
            transmit_bytes_per_second=self.network_outgoing_bytes_rate,
            disk_read_bytes_per_second=self.disk_read_bytes_rate,
            disk_write_bytes_per_second=self.disk_write_bytes_rate,
            apply_rows_per_second=self.apply_rows_rate,
            apply_transactions_per_second=self.apply_transactions_rate,
            apply_ddls_per_second=self.apply_ddl_rate,
            apply_average_execute_seconds=self.apply_average_execute_time,
            apply_average_commit_seconds=self.apply_average_commit_time,
            apply_state=self.apply_current_state,
            reported_at=self.time_stamp,
        )


class Detail(Wire):
    """The object `job` of "Querying Task Details"; each `type` fills only its own blocks."""

    status: Text = None
    progress_info: Fields = None
    metrics: Fields = None


class V5:
    """The v5 adapter of one project; `losses` counts by collector."""

    name = "v5"

    def __init__(self, client: Client, losses: Mapping[str, Losses]) -> None:
        self._client = client
        self._losses = losses
        self.sources = (Source(operations.PROGRESS_V5.name, ("progress", "node"), 1, self._progress),)

    async def list_tasks(self, job_type: str) -> TaskList:
        """Every task of a job type; raises `CloudError`."""

        async def page(_number: int, received: int) -> dict[str, Any]:
            query = (("job_type", job_type), ("offset", received), ("limit", PAGE))
            return await self._client.call(operations.LIST_V5, query=query)

        return await list_pages(operations.LIST_V5.name, page, "total_count", job_type, self._losses["tasks"])

    async def _progress(self, ids: Sequence[str]) -> Mapping[str, Answer]:
        job_id = ids[0]
        operation = operations.PROGRESS_V5
        answer = await self._client.call(operation, job_id=job_id, query=(("type", "progress"),))
        job = Detail.read(answer.get("job"), self._losses["progress"])
        if job is None:
            raise DecodeError(operation.name, "decode")
        if job.status == DELETED:
            return {job_id: TaskGoneError(operation.name, "200")}
        parts: list[Part] = []
        if job.progress_info and (info := ProgressFields.read(job.progress_info, self._losses["progress"])):
            parts.append(info.part(self._losses["progress"]))
        if job.metrics and (metrics := Metrics.read(job.metrics, self._losses["node"])):
            parts.append(metrics.part())
        return {job_id: tuple(parts)}
