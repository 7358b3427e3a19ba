"""The state of one task, and the expiry of its facts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from exporter.model.cutover_results import LivingSubtask
from exporter.model.details import Detail
from exporter.model.facts import Progress
from exporter.model.task import History, Identity, Phase, Task
from exporter.store.cutover_state import CutoverState
from exporter.store.observed import ObservedTask
from exporter.store.task_history import TaskHistory

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from exporter.model.facts import TaskFacts
    from exporter.model.prediction import Predicted
    from exporter.model.task import Listed, ProjectKey
    from exporter.runtime.clock import Clock
    from exporter.store.ages import Ages
    from exporter.store.project_context import ProjectContext

_RANKS = {field.name: rank for rank, field in enumerate(fields(Task))}


class Planned(NamedTuple):
    """When facts are queried again.

    Args:
        seconds: from their last query to the next.
        interval: of their source.
        lasted: seconds that were planned from the query before to the last one.
    """

    seconds: float = 0.0
    interval: float = 0.0
    lasted: float = 0.0


UNPLANNED = Planned()


@dataclass(slots=True)
class TaskState:
    """One task; all times are steady ones, see `Clock`."""

    facts: dict[str, TaskFacts] = field(default_factory=dict)
    """The facts that have not expired, by name."""
    received: dict[str, float] = field(default_factory=dict)
    """When facts were last received, by name; other facts of the same collector do not make them younger."""
    collected: dict[str, float] = field(default_factory=dict)
    """When each collector last succeeded; outlives the facts."""
    gaps: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By collector, seconds between its last two successes, and the time between the last two responses with the same
    facts in intervals of their source."""
    planned: dict[str, Planned] = field(default_factory=dict)
    """When facts are queried again, by name."""
    history: History = field(default_factory=History)
    phase: Phase | None = None
    """The last phase known, also after the list has expired."""
    ended_at: float | None = None
    counted: tuple[str, Phase] | None = None
    """Job type and phase as which `drs_tasks` counts it."""
    blocked: bool | None = None
    """True if anything blocks a cut-over; None if it cannot be cut over at all."""
    caught_up: bool | None = None
    """True if its delays are within their limits now; None if it cannot be cut over at all."""
    cutover: CutoverState = field(default_factory=CutoverState)
    observed: ObservedTask = field(default_factory=ObservedTask)
    recent: TaskHistory = field(default_factory=TaskHistory)
    speed_limit_until: float = math.inf
    """When a window of its speed limits may begin or end."""
    predicted_until: float = math.inf
    """When the prediction of its catch-up expires."""
    tags: dict[str, str] | None = None
    """All tags, if a rule of the configuration needs them; None if they are unknown."""
    listed: Listed | None = None
    """Its entry in a list that has not expired, also if the task has no series."""
    wanted: bool = False
    """True if the rules of the configuration include the task, in whichever shard."""
    exposed: Task | None = None
    """The task as its series expose it; None if it has no series."""
    was_standby: bool = False
    """True if it was a standby when its last details were received."""
    refused: frozenset[str] = frozenset()
    """The names of the facts for which the cloud refuses the task."""
    assumed_virtual: frozenset[str] = frozenset()
    """Those of them whose refusals do not say that the task is virtual."""

    @property
    def counts_for_parent(self) -> bool:
        """True if the verdict of the parent depends on this subtask: it has not surely ended, and is no standby."""
        contradicted = self.listed is not None and self.listed.contradicted
        standby = self.exposed is not None and self.exposed.standby
        return contradicted or (self.phase is not Phase.ENDED and not standby)

    @property
    def unchecked(self) -> tuple[tuple[str, str], ...]:
        """The reasons against its cut-over that were not checked, with their causes."""
        return self.exposed.unchecked if self.exposed is not None else ()

    @property
    def parent_inputs(self) -> tuple[object, ...]:
        """The values on which the verdict of the parent depends."""
        return self.blocked, self.unchecked, self.caught_up, self.counts_for_parent, self.wanted

    def update(self, facts: TaskFacts, tags: Container[str], now: float, *, all_tags: bool) -> None:
        """Store facts, with these tags only; `all_tags` keeps all tags beside them."""
        self.cutover.update(facts, now)
        if isinstance(facts, Detail):
            self.tags = dict(facts.tags) if all_tags else self.tags
            facts = replace(facts, tags=tuple(tag for tag in facts.tags if tag[0] in tags))
        self.facts[facts.name] = facts
        planned = self.planned.get(facts.name, UNPLANNED)
        if (before := self.collected.get(facts.collector, now)) < now and planned.lasted <= planned.interval:
            waited = now - self.received.get(facts.name, now)
            self.gaps[facts.collector] = now - before, waited / planned.interval if planned.interval else 1.0
        self.received[facts.name] = self.collected[facts.collector] = now
        self.refused -= {facts.name}

    def refuse(self, names: frozenset[str], *, assumed: bool) -> None:
        """Store that the cloud refuses the task for these facts; `assumed`: without the code for virtual tasks."""
        self.refused |= names
        self.assumed_virtual = self.assumed_virtual | names if assumed else self.assumed_virtual - names

    def observe_phase(self, listed: Listed | None, now: float) -> None:
        """Record a change of the phase."""
        self.cutover.observe(listed, now)
        self.recent.observe(listed, now)
        if listed is None:
            return
        is_first, self.observed.restored = self.observed.restored, False
        if listed.phase is self.phase:
            return
        if is_first:  # the phase changed at an unknown time
            self.history, self.observed.phase_before_start = History(), self.phase
        elif self.phase is not None:
            self.history = History(
                phase_changes=self.history.phase_changes + 1,
                failures=self.history.failures + (listed.phase is Phase.FAILED),
                phase_changed_at=now,
            )
        self.phase = listed.phase
        self.ended_at = now if listed.phase is Phase.ENDED else None

    def record(self, now: float) -> bool:
        """Record the exposed values in its history if that is due. Return whether it was."""
        return self.recent.record(self.exposed, self.received.get(Progress.name), now)

    def record_and_predict(self, now: float, context: ProjectContext) -> None:
        """Do the same, and predict again from what was recorded: else a delay that has just jumped seems to shrink."""
        if self.record(now) and self.exposed is not None:
            self.exposed = replace(self.exposed, predicted=self._predict(self.exposed.identity.task_id, context))

    def changes(self, ages: Ages, stable_for: float, ended_for: float) -> list[float]:
        """Return when facts expire, the verdict or the speed limit may change, and the series are removed."""
        changes = [self.received[name] + self._expire_after(name, ages) for name in self.facts]
        if self.blocked is not None:
            changes += self.cutover.changes(stable_for)
        if self.exposed is not None:
            changes += self.speed_limit_until, self.predicted_until
            if self.ended_at is not None:
                changes.append(self.ended_at + ended_for)
        return changes

    def expire(self, now: float, ages: Ages) -> None:
        """Remove the facts that are too old."""
        for name in [name for name in self.facts if now - self.received[name] > self._expire_after(name, ages)]:
            del self.facts[name]

    def _expire_after(self, name: str, ages: Ages) -> float:
        planned = self.planned.get(name, UNPLANNED)
        return ages.expire_after(self.facts[name].collector, planned.seconds, planned.interval)

    def restrict(self, collectors: Container[str]) -> None:
        """Remove the facts of other collectors."""
        self.facts = {name: facts for name, facts in self.facts.items() if facts.collector in collectors}
        self.received = {name: at for name, at in self.received.items() if name in self.facts or name in collectors}
        self.collected = {name: at for name, at in self.collected.items() if name in collectors}

    def snapshot(self, listed: Listed | None, context: ProjectContext) -> Task | None:
        """Return the task with its fresh facts, its times in Unix time, and its last verdict; None if never listed."""
        clock = context.clock
        identity, before = self._identity(context.state.key, listed), self.exposed
        if identity is None:
            return None
        changed_at = self.history.phase_changed_at
        refused = self.refused if listed is not None and listed.is_parent else frozenset[str]()
        detail = self.facts.get(Detail.name)
        task = Task(
            identity=identity,
            listed=listed,
            history=self.history
            if changed_at is None
            else replace(self.history, phase_changed_at=clock.unix(changed_at)),
            collected=tuple((name, clock.unix(at)) for name, at in self._collected().items()),
            fresh=self._fresh(context.ages),
            was_standby=self.was_standby,
            primary_listed=isinstance(detail, Detail) and detail.master_task_id in context.state.inventory,
            refused=refused,
            assumed_virtual=self.assumed_virtual & refused,
            speed_limit=self._speed_limit(clock),
            predicted=self._predict(identity.task_id, context),
            waves=context.waves.names(identity.task_id),
            blockers=before.blockers if before else None,
            unchecked=before.unchecked if before else (),
            ready_since=before.ready_since if before else None,
            caught_up=before.caught_up if before else None,
            **self.facts,  # type: ignore[arg-type]  # Task names its fields as the facts are named
        )
        if task.detail is not None:
            self.was_standby = task.standby
        return task

    def _identity(self, key: ProjectKey, listed: Listed | None) -> Identity | None:
        """Return its labels, while they do not change the same object; None if it was never listed."""
        known = self.exposed.identity if self.exposed else None
        if listed is None or (known and known.task_name == listed.name and known.parent_id == listed.parent_id):
            return known  # if the list has expired, the name stays the last one known
        return Identity(*key, listed.id, listed.name, listed.parent_id)

    def _predict(self, task_id: str, context: ProjectContext) -> Predicted:
        """Return predictions. A catch-up expires at its end, but not before `max_age`, as the verdict ready does."""
        clock, settings = context.clock, context.waves.settings(task_id)
        predicted = self.recent.predict(self.listed, self.facts.get(Progress.name), clock, settings.max_delay)
        self.predicted_until = math.inf
        if predicted.catch_up_seconds is not None:
            until = self.received[Progress.name] + max(predicted.catch_up_seconds, settings.max_age)
            if clock.steady() > until:
                return predicted._replace(catch_up_seconds=None)
            self.predicted_until = until
        return predicted

    def _speed_limit(self, clock: Clock) -> float | None:
        """Return the speed limit that is in force now, and store when another one may be."""
        detail = self.facts.get(Detail.name)
        if not isinstance(detail, Detail) or not detail.speed_limits:
            self.speed_limit_until = math.inf
            return None
        now, fixed = clock.now(), all(limit.all_day for limit in detail.speed_limits)
        self.speed_limit_until = math.inf if fixed else clock.steady() + 3600 - now % 3600
        return detail.speed_limit_at(now)

    def _collected(self) -> dict[str, float]:
        """Return by collector when the oldest of its fresh facts were received; without any, its last success."""
        oldest = dict(self.collected)
        for name, facts in self.facts.items():
            oldest[facts.collector] = min(oldest[facts.collector], self.received[name])
        return oldest

    def _fresh(self, ages: Ages) -> tuple[str, ...]:
        """Return the names of facts that missed no poll, in a fixed order for steady values; then the others."""
        latest = max((self.received[name] for name in self.facts), default=0.0)
        late = {
            name: behind
            for name, facts in self.facts.items()
            if (behind := latest - self.received[name]) > ages.missed_after(facts.collector)
        }
        names = _in_order(tuple(self.facts))
        return tuple(sorted(names, key=lambda name: late.get(name, 0.0))) if late else names


@lru_cache(maxsize=1000)
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of facts in the order in which a task has them; tasks with the same facts share them."""
    return tuple(sorted(names, key=_RANKS.__getitem__))


def living_subtasks(subtasks: Mapping[str, TaskState]) -> tuple[LivingSubtask, ...]:
    """Return the subtasks, by id, on which the verdict of their parent depends, in the order of their names."""
    living = [
        LivingSubtask(
            task_id,
            task.listed.name if task.listed is not None else task_id,
            task.blocked,
            task.unchecked,
            task.caught_up,
        )
        for task_id, task in subtasks.items()
        if task.counts_for_parent
    ]
    return tuple(sorted(living, key=lambda subtask: (subtask.name, subtask.id)))
