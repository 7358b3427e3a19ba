"""Objects that the parts of one project's polling share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.polling.availability import Availability
from exporter.polling.journal import Journal
from exporter.polling.refusals import Backoff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.connect import Connection
    from exporter.cloud.http.client import Client
    from exporter.polling.loop import CollectorLoop
    from exporter.store.store import Store


@dataclass(slots=True, eq=False)
class PollContext:
    """One project under one configuration.

    Args:
        store: takes all data.
        connection: to the cloud.
        loops: by enabled collector.
    """

    store: Store
    connection: Connection
    loops: Mapping[str, CollectorLoop]
    availability: Availability = field(init=False)
    backoff: Backoff = field(init=False, default_factory=Backoff)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.availability = Availability(self.store.context, self.connection.apis, self.loops)
        self.journal = Journal(self.store.state)

    def client(self, collector: str) -> Client:
        """Return the client of a collector's loop."""
        return self.connection.client.in_context(self.loops[collector].context)
