"""What the parts of one project's polling share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.polling.availability import Availability
from exporter.polling.journal import Journal
from exporter.polling.refusals import Backoff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.source import Api
    from exporter.store.store import Store


@dataclass(slots=True, eq=False)
class PollContext:
    """One project under one configuration.

    Args:
        store: takes all data.
        apis: the API generations to poll, the one that decides first; its sources are the cheaper ones.
        intervals: configured seconds between polls, by enabled collector.
    """

    store: Store
    apis: Sequence[Api]
    intervals: Mapping[str, float]
    availability: Availability = field(init=False)
    backoff: Backoff = field(init=False, default_factory=Backoff)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.availability = Availability(self.store.context, self.apis, self.intervals)
        self.journal = Journal(self.store.memory)
