"""RPO and RTO of disaster-recovery tasks: v3 batch-rpo-and-rto, the only operation that reports them."""

from __future__ import annotations

from typing import ClassVar

from exporter.cloud import operations
from exporter.cloud.wire.batch_item import BatchItemWire
from exporter.cloud.wire.fields import DelayMillis, Nested, Wire
from exporter.cloud.wire.progress import plausible_delay
from exporter.model.facts import Recovery, TaskFacts


class LagWire(Wire):
    """`rpo_info`, `rto_info`: a delay in milliseconds, unlike the delay of progress; its time has no zone."""

    delay: DelayMillis = None


class RecoveryItemWire(BatchItemWire):
    """An item of "Querying RPO and RTO in Batches" (drs_03_0117)."""

    operation: ClassVar = operations.RECOVERY_V3
    collector: ClassVar = Recovery.collector
    rpo_info: Nested[LagWire] = None
    rto_info: Nested[LagWire] = None

    def facts(self) -> tuple[TaskFacts, ...]:
        rpo, rto = self.rpo_info or LagWire(), self.rto_info or LagWire()
        return (Recovery(plausible_delay(rpo.delay), plausible_delay(rto.delay)),)
