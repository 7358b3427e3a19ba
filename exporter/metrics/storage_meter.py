"""Counts what happens to the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.metrics.self_metrics import STORAGE_DROPPED, STORAGE_ERRORS, STORAGE_SIZE, STORAGE_SUCCESS

if TYPE_CHECKING:
    from exporter.metrics.self_metrics import Telemetry


class StorageMeter:
    """Counts what happens to the storage."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        for self_metric in (STORAGE_ERRORS, STORAGE_DROPPED):
            telemetry.series(self_metric)

    def failed(self) -> None:
        """Count a write or a read that failed."""
        self._telemetry.series(STORAGE_ERRORS).inc()
        self._telemetry.series(STORAGE_SUCCESS).set(0)

    def dropped(self, records: int) -> None:
        """Count records that were dropped because too many waited."""
        self._telemetry.series(STORAGE_DROPPED).inc(records)

    def written(self, size: int) -> None:
        """Observe a write that succeeded, and the bytes of the file after it."""
        self._telemetry.series(STORAGE_SUCCESS).set(1)
        self._telemetry.series(STORAGE_SIZE).set(size)
