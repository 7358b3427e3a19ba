"""The meter of the storage; test_self_metrics.py has those of calls and projects."""

from __future__ import annotations

from exporter.metrics.meters import StorageMeter
from exporter.metrics.self_metrics import Telemetry


def values(telemetry: Telemetry) -> dict[str, float]:
    return {
        sample.name.removeprefix("drs_exporter_storage_"): sample.value
        for metric in telemetry.registry.collect()
        for sample in metric.samples
        if sample.name.startswith("drs_exporter_storage_")
    }


def test_without_a_storage_there_are_no_metrics_of_it() -> None:
    assert values(Telemetry()) == {}


def test_before_the_first_write_only_the_counters_exist() -> None:
    telemetry = Telemetry()
    StorageMeter(telemetry)
    assert values(telemetry) == {"errors_total": 0, "dropped_total": 0}


def test_writes_failures_and_dropped_records_are_counted() -> None:
    telemetry = Telemetry()
    meter = StorageMeter(telemetry)
    meter.written(4096)
    assert values(telemetry) == {"errors_total": 0, "dropped_total": 0, "success": 1, "size_bytes": 4096}
    meter.failed()
    meter.dropped(3)
    assert values(telemetry) == {"errors_total": 1, "dropped_total": 3, "success": 0, "size_bytes": 4096}
