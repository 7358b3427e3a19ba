"""Settings and helpers that the store and the poller of one project share, of one configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.model.events import EventLog
from exporter.model.facts import Access
from exporter.model.filters import TaskFilter
from exporter.model.shard import ALL
from exporter.storage import Storage
from exporter.store.ages import Ages
from exporter.store.project_waves import ProjectWaves

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.config import Account
    from exporter.metrics.meters import ProjectMeter
    from exporter.model.shard import Shard
    from exporter.model.task import Listed
    from exporter.runtime.clock import Clock
    from exporter.store.project_state import ProjectState
    from exporter.store.task_state import TaskState


@dataclass(slots=True, eq=False)
class ProjectContext:
    """One project under one configuration.

    Args:
        account: the settings of its account.
        state: the data about the project, which outlive the configuration.
        meter: counts errors of the project.
        clock: the clock of all ages.
        shard: the part of all tasks that is polled and exposed.
        events: takes the events of the project.
        storage: keeps what survives a restart.
        access: returns the facts about the access to the cloud as they are now.
    """

    account: Account
    state: ProjectState
    meter: ProjectMeter
    clock: Clock
    shard: Shard = ALL
    events: EventLog = field(kw_only=True)
    storage: Storage = field(default_factory=Storage, kw_only=True)
    access: Callable[[], Access] = field(default=Access, kw_only=True)
    ages: Ages = field(init=False)
    filter: TaskFilter = field(init=False)
    """Selects the tasks that are exposed."""

    waves: ProjectWaves = field(init=False)
    """The waves, and the settings of the cut-over of each task."""

    owned: bool = field(init=False)
    """True if this shard exposes the families of the project, and so counts the tasks of all shards."""

    def __post_init__(self) -> None:
        self.ages = Ages(self.account.poll.stale_after)
        self.filter = TaskFilter(self.account.tasks)
        self.waves = ProjectWaves(self)
        self.owned = self.shard.contains_name("/".join(self.state.key))

    @property
    def uses_tags(self) -> bool:
        """True if a rule for tasks or waves needs all tags."""
        return self.filter.uses_tags or self.waves.uses_tags

    @property
    def all_listed(self) -> bool:
        """True if the list of every job type is complete and has not expired."""
        return self.state.lists.countable(self.filter.job_types) == [*self.filter.job_types]

    def includes(self, task: TaskState, listed: Listed) -> bool:
        """Return whether the rules for tags include a task.

        The tags of a parent are those of its subtasks without tags. A parent without tags is included if a subtask is.
        """
        if not self.filter.uses_tags:
            return True
        tasks = self.state.tasks
        if listed.is_parent and not task.tags:
            return any(tasks[key].wanted for key in tasks.keys() & self.state.subtasks.of(listed.id))
        inherited = (tasks[key].tags for key in tasks.keys() & listed.parents)
        return self.filter.wants(listed, task.tags or next(filter(None, inherited), task.tags))
