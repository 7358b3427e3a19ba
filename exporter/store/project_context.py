"""Settings and helpers that the store and the poller of one project share, of one configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.model.filters import TaskFilter
from exporter.model.shard import ALL
from exporter.store.ages import Ages

if TYPE_CHECKING:
    from exporter.config import Account
    from exporter.metrics.self_metrics import ProjectMeter
    from exporter.model.shard import Shard
    from exporter.runtime.clock import Clock
    from exporter.store.project_memory import ProjectMemory


@dataclass(slots=True, eq=False)
class ProjectContext:
    """One project under one configuration.

    Args:
        account: the settings of its account.
        memory: all that is remembered of the project; it outlives the configuration.
        meter: counts what happens to the project.
        clock: of all ages.
        shard: the part of all tasks that is polled and shown.
    """

    account: Account
    memory: ProjectMemory
    meter: ProjectMeter
    clock: Clock
    shard: Shard = ALL
    ages: Ages = field(init=False)
    filter: TaskFilter = field(init=False)
    """Selects the tasks that are shown."""

    owned: bool = field(init=False)
    """True if this shard shows the project as a whole, and so counts the tasks of all shards."""

    def __post_init__(self) -> None:
        self.ages = Ages(self.account.poll.stale_after)
        self.filter = TaskFilter(self.account.tasks)
        self.owned = self.shard.contains_name(self.memory.key.text)

    @property
    def all_listed(self) -> bool:
        """True if the list of every job type is complete and has not expired."""
        return self.memory.lists.known(self.filter.job_types) == [*self.filter.job_types]
