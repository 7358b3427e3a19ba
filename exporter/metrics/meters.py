"""Counts API calls, errors of projects, and what happens to the storage, in the metrics of the exporter itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, partial
from typing import Protocol

from prometheus_client import Counter

from exporter.metrics.self_metrics import (
    DECODE_ERRORS,
    DEMAND,
    DROPPED,
    OVERRUNS,
    RATE_LIMIT,
    REQUEST_SECONDS,
    REQUESTS,
    RETRIES,
    STORAGE_DROPPED,
    STORAGE_ERRORS,
    STORAGE_SIZE,
    STORAGE_SUCCESS,
    TASK_ERRORS,
    THROTTLED,
    UNKNOWN_STATUSES,
    Telemetry,
)

_CODES_WITHOUT_RESPONSE = ("timeout", "network", "decode")
"""Codes of calls without a response that any operation can have."""


class RateLimit(Protocol):
    """The rate limit of one account in one region, in API calls a second."""

    @property
    def allowed(self) -> float:
        """Calls a second that are allowed now."""

    @property
    def wanted(self) -> float:
        """Calls a second that polls at the configured intervals need."""


class _OperationSeries:
    """The series of one operation, which are looked up once: a look-up takes longer than counting a call."""

    def __init__(self, telemetry: Telemetry, account: str, region: str, operation: str) -> None:
        labels = account, region, operation
        self._requests = partial(telemetry.series, REQUESTS, *labels)
        # So that a rate shows the first call without a response.
        self._by_code = {code: self._requests(code) for code in _CODES_WITHOUT_RESPONSE}
        self.seconds = telemetry.series(REQUEST_SECONDS, operation)
        self.retries = telemetry.series(RETRIES, *labels)
        self.throttled = telemetry.series(THROTTLED, *labels)

    def requests(self, code: str) -> Counter:
        """Return the counter of the calls with a code."""
        if code not in self._by_code:
            self._by_code[code] = self._requests(code)
        return self._by_code[code]


class ApiMeter:
    """Counts the API calls of one account in one region."""

    def __init__(self, telemetry: Telemetry, account: str, region: str, budget: RateLimit) -> None:
        self._series = cache(partial(_OperationSeries, telemetry, account, region))
        telemetry.series(RATE_LIMIT, account, region).set_function(lambda: budget.allowed)
        telemetry.series(DEMAND, account, region).set_function(lambda: budget.wanted / budget.allowed)

    def request(self, operation: str, code: str, seconds: float) -> None:
        """Count a call that has ended."""
        series = self._series(operation)
        series.requests(code).inc()
        series.seconds.observe(seconds)

    def retry(self, operation: str) -> None:
        """Count a call that is tried again."""
        self._series(operation).retries.inc()

    def throttled(self, operation: str) -> None:
        """Count a call that the cloud refused because of its rate limit."""
        self._series(operation).throttled.inc()


class ProjectMeter:
    """Counts overruns and errors of one project; its series start at 0."""

    def __init__(
        self, telemetry: Telemetry, account: str, region: str, project: str, collectors: Iterable[str]
    ) -> None:
        where = (account, region, project)
        names = tuple(collectors)
        self._overruns = {name: telemetry.series(OVERRUNS, *where, name) for name in names}
        self._decode_errors = {name: telemetry.series(DECODE_ERRORS, *where, name) for name in names}
        self._task_errors = {name: telemetry.series(TASK_ERRORS, *where, name) for name in names}
        self._unknown_statuses = telemetry.series(UNKNOWN_STATUSES, *where)
        self._dropped = telemetry.series(DROPPED, *where)

    def overran(self, collector: str, polls: int) -> None:
        """Count whole intervals by which a poll began late."""
        self._overruns[collector].inc(polls)

    def decode_errors(self, decode_errors: Mapping[str, int]) -> None:
        """Count what could not be decoded, by collector."""
        for collector, count in decode_errors.items():
            self._decode_errors[collector].inc(count)

    def task_errors(self, collector: str, count: int) -> None:
        """Count tasks that have an error in a response that is good for other tasks."""
        self._task_errors[collector].inc(count)

    def unknown_statuses(self, count: int) -> None:
        """Count new status words without a known phase."""
        self._unknown_statuses.inc(count)

    def dropped(self, series: int) -> None:
        """Count series that were left out."""
        self._dropped.inc(series)


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
