"""Objects that the poll loops of one project share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from exporter.cloud.connect import Connection
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler
from exporter.metrics.meters import ProjectMeter
from exporter.polling.availability import Availability
from exporter.polling.backoff import Backoff
from exporter.polling.failure_log import FailureLog
from exporter.polling.loop import PollLoop
from exporter.store.store import Store


@dataclass(slots=True, eq=False)
class PollContext:
    """One project under one configuration.

    Args:
        store: takes all data.
        connection: to the cloud.
        scheduler: of the account in the region.
        intervals: seconds, by enabled collector.
        ended: called after each poll with its loop and the seconds that it took.
        listed: called when a list has been read in a poll of the lists that takes longer than its interval.
    """

    store: Store
    connection: Connection
    scheduler: Scheduler
    intervals: Mapping[str, float]
    ended: Callable[[PollLoop, float], Awaitable[None]]
    listed: Callable[[], Awaitable[None]]
    availability: Availability = field(init=False)
    backoff: Backoff = field(init=False, default_factory=Backoff)
    failures: FailureLog = field(init=False)
    _errors: dict[str, dict[PollLoop, CloudError]] = field(init=False, default_factory=dict)
    """By source, and by the loops that query it."""

    def __post_init__(self) -> None:
        self.availability = Availability(self.store.context, self.connection.apis, self.intervals)
        self.failures = FailureLog(self.store.state, self.store.events)

    def record_error(self, source: str, loop: PollLoop, error: CloudError | None) -> None:
        """Record the outcome of a source in one loop: it fails while it fails in any of its loops."""
        errors = self._errors.setdefault(source, {})
        errors.pop(loop, None)
        if error is not None:
            errors[loop] = error
        self.failures.record(source, next(iter(errors.values()), None))

    @property
    def meter(self) -> ProjectMeter:
        return self.store.context.meter
