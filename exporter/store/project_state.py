"""The state of one project. It outlives a reload, which makes a new store and a new poller for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.model.facts import CollectorFacts
from exporter.model.task import Phase, Project
from exporter.store.inventory import LIST_LAG_SECONDS, Inventory
from exporter.store.list_health import ListHealth
from exporter.store.observed import ObservedProject
from exporter.store.subtasks import Subtasks
from exporter.store.wave_members import WaveMembers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.model.facts import AsyncJobs, Quota
    from exporter.model.task import Listed, ProjectKey, Task
    from exporter.model.task_lists import ListFacts
    from exporter.runtime.clock import Clock
    from exporter.store.project_context import ProjectContext
    from exporter.store.task_state import TaskState


class ProjectState:
    """The tasks, lists, collectors and operations of one project.

    Args:
        key: its labels.
        clock: of all ages.
        stale_after: the least seconds after which facts expire.
    """

    def __init__(self, key: ProjectKey, clock: Clock, stale_after: float) -> None:
        self.key = key
        self.inventory = Inventory(min(stale_after, LIST_LAG_SECONDS))
        self.lists = ListHealth()
        self.tasks: dict[str, TaskState] = {}
        self.removed: dict[str, tuple[float, TaskState]] = {}
        """Tasks that were removed lately: when, and their history."""
        self.subtasks = Subtasks()
        self.observed = ObservedProject()
        self.waves = WaveMembers(key)
        self.counted: Counter[tuple[str, Phase]] = Counter()
        """Tasks, without subtasks, by job type and phase."""
        self.ready = False
        """True if the first poll has ended, successfully or not."""
        self.polls_on = False
        """False in commands that poll once: they cannot observe for how long something has been so."""
        self.absent_until: dict[str, float] = {}
        """When to query an absent API generation or operation again; event loop time."""
        self.responded_at: dict[str, float] = {}
        """When an operation last succeeded; event loop time."""
        self.published: dict[str, bool] = {}
        """False for each API generation or operation that this region lacks."""
        self.sources: Mapping[tuple[str, str], bool | None] = {}
        """The same by collector and operation, for the operations that can feed enabled collectors."""
        self._clock = clock
        self._collectors: dict[str, CollectorFacts] = {}
        self._facts: dict[str, tuple[Quota | AsyncJobs, float]] = {}
        self._last_error: tuple[str, float] | None = None

    def restrict(self, context: ProjectContext) -> None:
        """Remove everything that another configuration does not poll."""
        enabled = context.ages.configured
        self.inventory.hide_for = min(context.account.poll.stale_after, LIST_LAG_SECONDS)
        self.inventory.restrict(context.filter.job_types)
        self.lists.restrict(context.filter.job_types)
        self._collectors = {name: facts for name, facts in self._collectors.items() if name in enabled}
        self._facts = {name: facts for name, facts in self._facts.items() if name in enabled}
        for task in self.tasks.values():
            task.restrict(enabled)

    def exposed(self, task_id: str | None) -> Task | None:
        """Return a task as its series expose it; None if it has none."""
        task = self.tasks.get(task_id or "")
        return None if task is None else task.exposed

    def count(self, task: TaskState, listed: Listed | None) -> None:
        """Count a task as `listed`, in place of what it was counted as before; None: not at all."""
        if task.counted is not None:
            self.counted[task.counted] -= 1
        task.counted = (listed.job_type, listed.phase) if listed is not None and listed.parent_id is None else None
        if task.counted is not None:
            self.counted[task.counted] += 1

    def polled(self, collector: str, facts: CollectorFacts) -> None:
        """Store the outcome of a poll, in steady time. The last success stays if there is no new one."""
        known = self._collectors.get(collector)
        if facts.last_success_at is None and known is not None:
            facts = replace(facts, last_success_at=known.last_success_at)
        self._collectors[collector] = facts

    def measured(self, collector: str, facts: CollectorFacts) -> None:
        """Update the interval and the ages of a collector that has been polled; its outcome stays."""
        if (known := self._collectors.get(collector)) is not None:
            self._collectors[collector] = replace(
                facts,
                success=known.success,
                duration_seconds=known.duration_seconds,
                last_success_at=known.last_success_at,
            )

    def failed(self, kind: str) -> None:
        """Store the kind of a failed call."""
        self._last_error = kind, self._clock.steady()

    def update(self, facts: Quota | AsyncJobs) -> None:
        """Store facts about the project as a whole."""
        self._facts[facts.collector] = (facts, self._clock.steady())

    def snapshot(self, context: ProjectContext) -> Project:
        """Return the fresh facts about the project; without counts of tasks if another shard counts them."""
        now = self._clock.steady()
        fresh = {
            name: facts for name, (facts, at) in self._facts.items() if now - at <= context.ages.expire_after(name)
        }
        job_types = self.lists.countable(context.filter.job_types) if context.owned else ()
        return Project(
            *self.key,
            up=self.lists.up() if self.ready else None,
            counts={
                (job_type, phase): self.counted.get((job_type, phase), 0) for job_type in job_types for phase in Phase
            },
            lists=self.list_facts(),
            collectors={
                name: replace(facts, last_success_at=self._unix(facts.last_success_at))
                for name, facts in self._collectors.items()
            },
            sources=self.sources,
            access=context.access(),
            last_error=self._last_error and (self._last_error[0], self._clock.unix(self._last_error[1])),
            **fresh,  # type: ignore[arg-type]  # Project names its fields as the collectors are named
        )

    def list_facts(self) -> dict[tuple[str, str], ListFacts]:
        """Return the facts about the lists by API generation and job type, with Unix times."""
        return {
            key: replace(facts, incomplete_since=self._unix(facts.incomplete_since))
            for key, facts in self.lists.facts().items()
        }

    def _unix(self, steady: float | None) -> float | None:
        return None if steady is None else self._clock.unix(steady)
