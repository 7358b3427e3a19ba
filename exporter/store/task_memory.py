"""What is remembered of one task, and how it ages."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from exporter.model import cutover
from exporter.model.facts import Detail
from exporter.model.task import History, Identity, Phase, Task

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from exporter.model.facts import TaskFacts
    from exporter.model.project import ProjectKey
    from exporter.model.task import Listed
    from exporter.runtime.clock import Clock
    from exporter.store.project_memory import Ages

_PARTS = [field.name for field in fields(Task)]


@dataclass(slots=True)
class TaskState:
    """What is remembered of one task; all times are steady ones, see `Clock`."""

    parts: dict[str, TaskFacts] = field(default_factory=dict)
    """By name, those that are believed."""
    learnt: dict[str, float] = field(default_factory=dict)
    """When each part last came, by name; another part of the same collector does not make it younger."""
    collected: dict[str, float] = field(default_factory=dict)
    """When each collector last succeeded; outlives the part."""
    history: History = field(default_factory=History)
    phase: Phase | None = None
    """The last phase known, even where the list has aged out since."""
    ended_at: float | None = None
    counted: tuple[str, Phase] | None = None
    """As what `drs_tasks` counts it: job type and phase."""
    blocked: bool | None = None
    """Whether anything blocks a cut-over; None where that is not known."""
    late: bool = False
    tags: dict[str, str] | None = None
    """All tags, where a rule asks for some; None while they are unknown."""
    listed: Listed | None = None
    """As a fresh list shows it, wanted or not."""
    wanted: bool = False
    """Whether the rules want it shown, be it here or by another shard."""
    shown: Task | None = None
    """What the board shows; None where it shows nothing."""

    @property
    def living(self) -> bool:
        """Return whether the parent of a subtask depends on it: unless it has surely ended, or is a standby."""
        contradicted = self.listed is not None and self.listed.contradicted
        return contradicted or (self.phase is not Phase.ENDED and not cutover.standby(self.shown))

    @property
    def standing(self) -> tuple[object, ...]:
        """What the parent of a subtask looks at."""
        return self.blocked, self.living, self.wanted

    def learn(self, part: TaskFacts, tags: Container[str], now: float, *, all_tags: bool) -> None:
        """A part came; only these tags are kept in it, and all beside it where a rule asks for some."""
        if isinstance(part, Detail):
            self.tags = dict(part.tags) if all_tags else self.tags
            part = replace(part, tags=tuple(tag for tag in part.tags if tag[0] in tags))
        self.parts[part.name] = part
        self.learnt[part.name] = self.collected[part.collector] = now

    def witness(self, listed: Listed | None, now: float) -> None:
        """Take note of a phase that is not the one before."""
        if listed is None or listed.phase is self.phase:
            return
        if self.phase is not None:
            self.history = History(
                phase_changes=self.history.phase_changes + 1,
                failures=self.history.failures + (listed.phase is Phase.FAILED),
                phase_changed_at=now,
            )
        self.phase = listed.phase
        self.ended_at = now if listed.phase is Phase.ENDED else None

    def ends(self, ages: Ages, sighted: Iterable[tuple[str, float]], ended_for: float) -> list[float]:
        """When something changes by itself: a part gets too old, the task late, or its end long ago."""
        ends = [self.learnt[name] + ages.believed(part.collector) for name, part in self.parts.items()]
        if not self.late:
            ends.append(self.late_at(sighted, ages))
        if self.ended_at is not None and self.shown is not None:
            ends.append(self.ended_at + ended_for)
        return ends

    def let_go(self, now: float, ages: Ages) -> None:
        """Forget the parts that are too old."""
        self.parts = {
            name: part for name, part in self.parts.items() if now - self.learnt[name] <= ages.believed(part.collector)
        }

    def keep(self, collectors: Container[str]) -> None:
        """Forget what other collectors have told."""
        self.parts = {name: part for name, part in self.parts.items() if part.collector in collectors}
        self.learnt = {name: at for name, at in self.learnt.items() if name in self.parts or name in collectors}
        self.collected = {name: at for name, at in self.collected.items() if name in collectors}

    def late_at(self, sighted: Iterable[tuple[str, float]], ages: Ages) -> float:
        """When the list, which `sighted` the task by API generation, or the progress will be older than is punctual."""
        listed = [at + ages.punctual(api) for api, at in sighted]
        progress = [self.learnt[name] + ages.punctual(name) for name in ("progress",) if name in self.learnt]
        return min([max(listed, default=0.0), *progress])

    def snapshot(self, key: ProjectKey, listed: Listed | None, ages: Ages, clock: Clock) -> Task | None:
        """The task as it is shown, with its times in Unix time; None where it was never listed."""
        if listed is not None:
            identity = Identity(*key, listed.id, listed.name, listed.parent_id)
        elif self.shown is not None:
            identity = self.shown.identity  # the list has aged out: the name stays the last one known
        else:
            return None
        return Task(
            identity=identity,
            listed=listed,
            history=self._history(clock),
            collected=tuple((name, clock.unix(at)) for name, at in self._collected().items()),
            newest=self._newest(ages),
            **self.parts,  # type: ignore[arg-type]  # Task names its fields as the parts are named
        )

    def _history(self, clock: Clock) -> History:
        at = self.history.phase_changed_at
        return self.history if at is None else replace(self.history, phase_changed_at=clock.unix(at))

    def _collected(self) -> dict[str, float]:
        """By collector, the age of what is shown: no value is older than this says."""
        ages = dict(self.collected)
        for name, part in self.parts.items():
            ages[part.collector] = min(ages[part.collector], self.learnt[name])
        return ages

    def _newest(self, ages: Ages) -> tuple[str, ...]:
        """Parts that missed no poll in a fixed order, so that no value wavers; then the others, youngest first."""
        latest = max((self.learnt[name] for name in self.parts), default=0.0)
        late = {
            name: behind
            for name, part in self.parts.items()
            if (behind := latest - self.learnt[name]) > ages.missed(part.collector)
        }
        return tuple(sorted(sorted(self.parts, key=_PARTS.index), key=lambda name: late.get(name, 0.0)))


def any_blocked(parent: Task, subtasks: Iterable[TaskState | None]) -> bool:
    """Whether a subtask of a parent is blocked or unknown, or none is alive; ended ones and standbys don't count."""
    living = [state for state in subtasks if state is not None and state.living]
    lost = parent.listed is not None and parent.listed.unknown_children > 0
    return lost or not living or any(state.blocked is not False for state in living)
