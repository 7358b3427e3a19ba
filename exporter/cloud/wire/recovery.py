"""RPO and RTO of disaster-recovery tasks: v3 batch-rpo-and-rto, the only operation that tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.cloud import operations
from exporter.cloud.wire.answers import BatchItem, item_error, read_batch
from exporter.cloud.wire.fields import ErrorCode, Fields, Milliseconds, Text, Wire
from exporter.model.facts import Recovery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors


class Lag(Wire):
    """`rpo_info`, `rto_info`: a delay in milliseconds, unlike the delay of progress; its time has no zone."""

    delay: Milliseconds = None


class Item(BatchItem):
    """An item of "Querying RPO and RTO in Batches" (drs_03_0117)."""

    status: Text = None
    rpo_info: Fields = None
    rto_info: Fields = None
    error_code: ErrorCode = None

    def answer(self, errors: DecodeErrors) -> Answer:
        """The facts, or the error of this task alone."""
        if (error := item_error(operations.RECOVERY_V3.name, self.error_code, self.status)) is not None:
            return error
        rpo = Lag.read(self.rpo_info or {}, errors) or Lag()
        rto = Lag.read(self.rto_info or {}, errors) or Lag()
        return (Recovery(rpo_seconds=rpo.delay, rto_seconds=rto.delay),)


async def fetch_v3(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """RPO and RTO of some tasks."""
    answer = await client.call(operations.RECOVERY_V3, body={"jobs": list(ids)})
    return read_batch(operations.RECOVERY_V3.name, answer, Item, errors, ids=ids)
