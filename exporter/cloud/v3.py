"""API v3: Open Telekom Cloud and Huawei Cloud; POST for reads, batches of ids, page numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from exporter.cloud import operations
from exporter.cloud.errors import GONE_CODES, DecodeError, TaskGoneError, TaskRefusedError
from exporter.cloud.fields import Text
from exporter.cloud.paging import PAGE, list_pages
from exporter.cloud.source import Answer, Source, TaskList
from exporter.cloud.wire import ProgressFields
from exporter.model import DELETED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.client import Client
    from exporter.cloud.fields import Losses

_BATCH = 10  # what the neighbouring batch operations recommend; none is documented for progress


class ProgressItem(ProgressFields):
    """An item of "Querying Task Progress in Batches"."""

    job_id: str = Field(min_length=1, max_length=64)
    status: Text = None

    def answer(self, losses: Losses) -> Answer:
        """The facts, or the error that the cloud answers for this task alone, in an answer that is good."""
        name = operations.PROGRESS_V3.name
        if self.error_code in GONE_CODES or DELETED in (self.transfer_status, self.status):
            return TaskGoneError(name, "200", self.error_code)
        if self.error_code and self.transfer_status is None:
            return TaskRefusedError(name, "200", self.error_code)
        return (self.part(losses),)


class V3:
    """The v3 adapter of one project; `losses` counts by collector."""

    name = "v3"

    def __init__(self, client: Client, losses: Mapping[str, Losses]) -> None:
        self._client = client
        self._losses = losses
        self.sources = (Source(operations.PROGRESS_V3.name, ("progress",), _BATCH, self._progress),)

    async def list_tasks(self, job_type: str) -> TaskList:
        """Every task of a job type; raises `CloudError`."""

        async def page(number: int, _received: int) -> dict[str, Any]:
            # An absent engine_type may mean "mysql only"; the empty one means all.
            body = {"cur_page": number, "per_page": PAGE, "db_use_type": job_type, "engine_type": ""}
            return await self._client.call(operations.LIST_V3, body=body)

        return await list_pages(operations.LIST_V3.name, page, "total_record", job_type, self._losses["tasks"])

    async def _progress(self, ids: Sequence[str]) -> Mapping[str, Answer]:
        answer = await self._client.call(operations.PROGRESS_V3, body={"jobs": list(ids)})
        results = answer.get("results")
        if not isinstance(results, list):
            raise DecodeError(operations.PROGRESS_V3.name, "decode")
        losses = self._losses["progress"]
        return {item.job_id: item.answer(losses) for item in ProgressItem.read_all(results, losses)}
