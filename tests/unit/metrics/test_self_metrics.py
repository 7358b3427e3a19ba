"""The exporter's self-metrics: counters start at 0, and another parser reads the text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import version

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from exporter.metrics.meters import ApiMeter, ProjectMeter, StorageMeter
from exporter.metrics.self_metrics import REQUESTS, SELF_METRICS, Telemetry

COUNTERS = ("poll_overruns", "decode_errors", "task_errors")
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass
class Allowed:
    """Calls a second."""

    allowed: float = 3.0
    wanted: float = 1.5


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def series(telemetry: Telemetry, prefix: str = "drs_") -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(b"".join(telemetry.render()).decode())
        for sample in family.samples
        if sample.name.startswith(prefix)
    }


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return series(telemetry).get((name, tuple(sorted(labels.items()))))


def counts(telemetry: Telemetry, prefix: str, **labels: str) -> dict[str, float]:
    """The counters that have these labels, by name and further label values."""
    return {
        " ".join((name.removeprefix(prefix).removesuffix("_total"), *(dict(found)[key] for key in sorted(rest)))): count
        for (name, found), count in series(telemetry, prefix).items()
        if name.endswith("_total") and labels.items() <= dict(found).items()
        for rest in [dict(found).keys() - labels.keys()]
    }


def test_the_page_has_version_and_process_and_no_creation_times(telemetry: Telemetry) -> None:
    assert value(telemetry, "drs_exporter_build_info", version=version("drs-exporter")) == 1
    names = {name for name, _ in series(telemetry, "")}
    assert {"python_info", "process_cpu_seconds_total", "process_resident_memory_bytes"} <= names
    ApiMeter(telemetry, "a", "r", Allowed()).request("v3_list_jobs", "200", 0.2)
    assert not [name for name, _ in series(telemetry, "") if name.endswith("_created")]


def test_calls_are_counted_by_operation_and_code_and_counters_of_failures_start_at_0(telemetry: Telemetry) -> None:
    meter = ApiMeter(telemetry, "a", "r", Allowed())
    for code in ("200", "200", "timeout"):
        meter.request("v3_list_jobs", code, 0.2)
    requests = {"requests 200": 2, "requests timeout": 1, "requests network": 0, "requests decode": 0}
    where = {"account": "a", "region": "r", "operation": "v3_list_jobs"}
    assert counts(telemetry, "drs_exporter_api_", **where) == {**requests, "retries": 0, "throttled": 0}
    meter.retry("v3_list_jobs")
    meter.throttled("v3_list_jobs")
    meter.throttled("v3_list_jobs")
    assert counts(telemetry, "drs_exporter_api_", **where) == {**requests, "retries": 1, "throttled": 2}


def test_durations_are_a_histogram_by_operation(telemetry: Telemetry) -> None:
    meter = ApiMeter(telemetry, "a", "r", Allowed())
    for seconds in (0.01, 0.2, 7, 100):
        meter.request("v3_list_jobs", "200", seconds)
    name, labels = "drs_exporter_api_request_duration_seconds", {"operation": "v3_list_jobs"}
    buckets = {
        dict(found)["le"]: count for (bucket, found), count in series(telemetry).items() if bucket == f"{name}_bucket"
    }
    assert buckets == {
        "0.05": 1, "0.1": 1, "0.25": 2, "0.5": 2, "1.0": 2, "2.5": 2, "5.0": 2, "10.0": 3, "30.0": 3, "+Inf": 4,
    }  # fmt: skip
    assert value(telemetry, f"{name}_count", **labels) == 4
    assert value(telemetry, f"{name}_sum", **labels) == pytest.approx(107.21)


def test_rate_limit_and_demand_are_current(telemetry: Telemetry) -> None:
    allowed = Allowed()
    ApiMeter(telemetry, "a", "r", allowed)
    name, demand = "drs_exporter_api_rate_limit_calls_per_second", "drs_exporter_api_demand_ratio"
    assert value(telemetry, name, account="a", region="r") == 3
    assert value(telemetry, demand, account="a", region="r") == 0.5
    allowed.allowed = 0.75
    assert value(telemetry, name, account="a", region="r") == 0.75
    assert value(telemetry, demand, account="a", region="r") == 2


def test_counters_of_a_project_start_at_0(telemetry: Telemetry) -> None:
    meter = ProjectMeter(telemetry, "a", "r", "p", collectors=("tasks", "node"))
    counters = [f"{name} {collector}" for name in COUNTERS for collector in ("node", "tasks")]
    counters += ["unknown_statuses", "series_dropped"]
    where = {"account": "a", "region": "r", "project": "p"}
    assert counts(telemetry, "drs_exporter_", **where) == dict.fromkeys(counters, 0)
    meter.overran("node", 2)
    meter.decode_errors({"node": 3, "tasks": 0})
    meter.task_errors("node", 4)
    meter.unknown_statuses(5)
    meter.dropped(6)
    expected = dict(zip(counters, (2, 0, 3, 0, 4, 0, 5, 6), strict=True))
    assert counts(telemetry, "drs_exporter_", **where) == expected


def test_each_self_metric_is_on_the_page_with_its_type(telemetry: Telemetry) -> None:
    StorageMeter(telemetry).written(1)
    text = b"".join(telemetry.render()).decode()
    for own in SELF_METRICS:
        assert f"# TYPE {own.name} {own.type}\n" in text
        assert f"# HELP {own.name} {own.help}\n" in text
    assert REQUESTS.type == "counter"


def test_the_page_is_what_prometheus_client_writes(telemetry: Telemetry) -> None:
    for own in SELF_METRICS:
        telemetry.series(own, *(f'ü "{label}" \\' for label in own.labels))
    meter = ApiMeter(telemetry, "a", "r", Allowed(allowed=1e21, wanted=math.inf))
    meter.request("v3_list_jobs", "200", 0.2)

    def steady(text: bytes) -> list[str]:
        return [line for line in text.decode().splitlines() if not line.startswith("process_")]

    assert steady(b"".join(telemetry.render())) == steady(generate_latest(telemetry.registry))


def test_two_registries_share_nothing(telemetry: Telemetry) -> None:
    ApiMeter(Telemetry(), "a", "r", Allowed()).request("v3_list_jobs", "200", 1)
    assert value(telemetry, "drs_exporter_api_requests_total") is None
    assert not [name for name, _ in series(telemetry) if name.startswith("drs_exporter_api")]
