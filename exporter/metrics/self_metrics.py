"""Metrics of the exporter itself, stored by prometheus_client.

The metrics of collectors and lists are families of projects, see `projects`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Generic, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from exporter.runtime import logs
from exporter.runtime.escape import printable

M = TypeVar("M", Counter, Gauge, Histogram)


@dataclass(frozen=True, slots=True)
class SelfMetric(Generic[M]):
    """One family of the exporter itself, and the class of prometheus_client that stores its values."""

    name: str
    help: str
    metric_type: type[M]
    labels: tuple[str, ...] = ()
    optional: bool = False
    """True if it is absent before its first value."""

    @property
    def type(self) -> str:
        """The type in the exposition."""
        return self.metric_type.__name__.lower()


_REGION = ("account", "region")
_PROJECT = ("account", "region", "project")
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

BUILD = SelfMetric("drs_exporter_build_info", "The running version; always 1.", Gauge, ("version",))
LOG_LINES_DROPPED = SelfMetric(
    "drs_exporter_log_lines_dropped_total",
    "Log lines that could not be written: the disk is full, or nothing reads the output.",
    Counter,
)
RELOADED = SelfMetric(
    "drs_exporter_config_last_reload_successful",
    "1 if the last reload of the configuration succeeded, 0 if an older configuration is in use.",
    Gauge,
)
RELOADED_AT = SelfMetric(
    "drs_exporter_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded.",
    Gauge,
)
SHARD = SelfMetric(
    "drs_exporter_shard_info",
    "Which of how many shards this process is, counted from 0; always 1.",
    Gauge,
    ("shard", "shards"),
)
STORAGE_SUCCESS = SelfMetric(
    "drs_exporter_storage_success",
    "1 after a write to the storage that succeeded, 0 after a write or a read that failed. Absent without "
    "storage.path.",
    Gauge,
    optional=True,
)
STORAGE_ERRORS = SelfMetric(
    "drs_exporter_storage_errors_total",
    "Writes to the storage and reads of it that failed. Absent without storage.path.",
    Counter,
    optional=True,
)
STORAGE_DROPPED = SelfMetric(
    "drs_exporter_storage_dropped_total",
    "Events and points of the history that were not stored, because too many waited for the disk. Absent without "
    "storage.path.",
    Counter,
    optional=True,
)
STORAGE_SIZE = SelfMetric(
    "drs_exporter_storage_size_bytes",
    "Size of the storage: its file, and the files of SQLite beside it. Absent before the first write.",
    Gauge,
    optional=True,
)
LOGINS_FAILED = SelfMetric(
    "drs_exporter_web_logins_failed_total",
    "Requests with a wrong user or password; requests without credentials are not counted.",
    Counter,
)
BAD_REQUESTS = SelfMetric(
    "drs_exporter_web_bad_requests_total",
    "Requests and connections that failed, by kind: malformed (not HTTP/1.1), upgrade (another protocol requested), "
    "tls (the handshake failed), crowd (closed because too many clients waited), no_descriptor (not accepted: the "
    "exporter had no free file descriptor).",
    Counter,
    ("kind",),
)
REQUESTS = SelfMetric(
    "drs_exporter_api_requests_total",
    "API calls by operation and HTTP status, or timeout, network, decode (no usable response), credentials (none to "
    "sign with), cancelled (the exporter stopped waiting). Calls that are left out while paused are not counted.",
    Counter,
    (*_REGION, "operation", "code"),
)
REQUEST_SECONDS = SelfMetric(
    "drs_exporter_api_request_duration_seconds",
    "Duration of API calls, from sending to the last byte.",
    Histogram,
    ("operation",),
)
RETRIES = SelfMetric(
    "drs_exporter_api_retries_total", "API calls that were tried again.", Counter, (*_REGION, "operation")
)
THROTTLED = SelfMetric(
    "drs_exporter_api_throttled_total",
    "API calls that the cloud refused because there were too many.",
    Counter,
    (*_REGION, "operation"),
)
RATE_LIMIT = SelfMetric(
    "drs_exporter_api_rate_limit_calls_per_second",
    "API calls a second that are allowed now; below the configured rate for a while after throttling.",
    Gauge,
    _REGION,
)
DEMAND = SelfMetric(
    "drs_exporter_api_demand_ratio",
    "API calls that polls at the configured intervals need, divided by those that are allowed now. Over 1, all facts "
    "become older, delays the least.",
    Gauge,
    _REGION,
)
OVERRUNS = SelfMetric(
    "drs_exporter_poll_overruns_total",
    "Whole intervals that passed without a poll that was due: calls waited for the rate limit, or polls took too long.",
    Counter,
    (*_PROJECT, "collector"),
)
DECODE_ERRORS = SelfMetric(
    "drs_exporter_decode_errors_total",
    "Fields, tasks and responses of the cloud that could not be decoded and were left out.",
    Counter,
    (*_PROJECT, "collector"),
)
TASK_ERRORS = SelfMetric(
    "drs_exporter_task_errors_total",
    "Tasks with an error, or without data, in responses that are good for other tasks.",
    Counter,
    (*_PROJECT, "collector"),
)
UNKNOWN_STATUSES = SelfMetric(
    "drs_exporter_unknown_statuses_total", "New status words without a known phase.", Counter, _PROJECT
)
DROPPED = SelfMetric(
    "drs_exporter_series_dropped_total",
    "Series that were not exposed: over 256 of one task in one family, duplicate labels, or a value that is not "
    "finite. Counted again at each update of the family.",
    Counter,
    _PROJECT,
)

SELF_METRICS = tuple(value for value in tuple(globals().values()) if isinstance(value, SelfMetric))
"""All of them, in the order of the page."""


class Telemetry:
    """The registry of one process."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._metrics: dict[SelfMetric[Any], Any] = {
            metric: _make(metric, self.registry) for metric in SELF_METRICS if not metric.optional
        }
        self.series(BUILD, version("drs-exporter")).set(1)
        self._log_lines_dropped = 0

    def series(self, self_metric: SelfMetric[M], *labels: str) -> M:
        """Return the series with these label values; a new counter is 0."""
        if self_metric not in self._metrics:
            self._metrics[self_metric] = _make(self_metric, self.registry)
        family: M = self._metrics[self_metric]
        return family.labels(*map(printable, labels)) if labels else family

    def forget(self, **labels: str) -> None:
        """Remove all series that have these labels."""
        for self_metric, family in self._metrics.items():
            if labels.keys() <= set(self_metric.labels):
                family.remove_by_labels({name: printable(value) for name, value in labels.items()})

    def value(self, self_metric: SelfMetric[Gauge], *labels: str) -> float:
        """Return the current value of the gauge with these label values."""
        (metric,) = self.series(self_metric, *labels).collect()
        return metric.samples[0].value

    def render(self) -> Iterator[bytes]:
        """Yield all metrics in text format 0.0.4, a family at a time."""
        before, self._log_lines_dropped = self._log_lines_dropped, logs.dropped()
        self.series(LOG_LINES_DROPPED).inc(max(0, self._log_lines_dropped - before))
        for metric in self.registry.collect():
            yield generate_latest(_OneFamily(metric))


class _OneFamily(Collector):
    """A collector of one family."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> list[Metric]:
        return [self._metric]


def _make(self_metric: SelfMetric[Any], registry: CollectorRegistry) -> Any:
    if self_metric.metric_type is Histogram:
        return Histogram(self_metric.name, self_metric.help, self_metric.labels, buckets=_BUCKETS, registry=registry)
    return self_metric.metric_type(self_metric.name, self_metric.help, self_metric.labels, registry=registry)
