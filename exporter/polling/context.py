"""Objects that the parts of one project's polling share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.polling.availability import Availability
from exporter.polling.journal import Journal
from exporter.polling.refusals import Backoff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.connect import Connection
    from exporter.cloud.source import Api
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
    apis: Mapping[str, Sequence[Api]] = field(init=False)
    """The API generations as each loop polls them, the one that decides first; its sources are the cheaper ones."""
    availability: Availability = field(init=False)
    backoff: Backoff = field(init=False, default_factory=Backoff)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.apis = {name: self.connection.in_context(loop.context) for name, loop in self.loops.items()}
        self.availability = Availability(self.store.context, self.connection.apis, self.loops)
        self.journal = Journal(self.store.state)
