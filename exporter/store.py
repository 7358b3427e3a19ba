"""The tasks of one project with their facts and ages; what changes goes to the board at once."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from exporter import cutover
from exporter.catalogue import PROJECT_FAMILIES
from exporter.inventory import Inventory
from exporter.model import Detail, History, Identity, Phase, Project, Task
from exporter.project_facts import Ages, ProjectFacts, ProjectKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from exporter.catalogue import Family
    from exporter.config_schema import Cutover
    from exporter.exposition import Board
    from exporter.filters import TaskFilter
    from exporter.model import Listed, Part

_SLICE = 100
"""Tasks that change at a stretch; then others on the event loop get their turn."""
_ALWAYS = "derived"
"""The families that several collectors feed: they are looked at with every change."""
_FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "tasks": ("tasks",),
    "progress": ("progress",),
    "node": ("node", "monitor"),
    "recovery": ("recovery", "detail"),
    "objects": ("objects",),
    "detail": ("detail", "writable", "tasks", "objects"),
    "comparison": ("comparison",),
    "precheck": ("precheck",),
    "logs": ("logs",),
}
"""The fields of a task that the families of a collector are made of."""


@dataclass(slots=True)
class _State:
    """What is remembered of one task."""

    parts: dict[str, Part] = field(default_factory=dict)
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
    shown: Task | None = None
    """What the board shows; None where it shows nothing."""


class Store:
    """One project.

    Args:
        key: its labels.
        board: where samples go.
        families: of tasks.
        ages: how old facts may be.
        job_types: those that are listed.
        ended_for: seconds for which an ended task is shown; after that it is only counted.
        hide_for: see `Inventory`.
        settings: when a task counts as ready to cut over.
        wanted: which tasks are shown.
        tags: keys of the tags that are kept.
        now: Unix time.
    """

    def __init__(
        self,
        key: ProjectKey,
        board: Board,
        families: Iterable[Family[Task]],
        *,
        ages: Ages,
        job_types: Sequence[str],
        ended_for: float,
        hide_for: float,
        settings: Cutover,
        wanted: TaskFilter,
        tags: Sequence[str],
        now: Callable[[], float],
    ) -> None:
        self.key = key
        self.ages = ages
        self.facts = ProjectFacts(key, job_types, ages, now)
        self.inventory = Inventory(hide_for)
        self._board = board
        self._families: dict[str, list[Family[Task]]] = {}
        for family in families:
            self._families.setdefault(family.collector, []).append(family)
        self._ended_for = ended_for
        self._settings = settings
        self._wanted = wanted
        self._tags = frozenset(tags)
        self._now = now
        self._states: dict[str, _State] = {}
        self._left: dict[str, tuple[float, Phase | None, History]] = {}
        """Tasks that went lately: when, and what was witnessed of them."""
        self._remembered_for = hide_for
        self._subtasks: dict[str, set[str]] = {}
        self._next_expiry = math.inf  # nothing of a task ages before
        self._counted: Counter[tuple[str, Phase]] = Counter()
        self._project: Project | None = None

    # What the poller tells

    async def listed(self, api: str, job_type: str, tasks: Iterable[Listed], *, complete: bool) -> None:
        """A list was answered."""
        tasks = tuple(tasks)
        async with self._board.lock:
            now = self._now()
            self.facts.lists.answered(api, job_type, len(tasks), now)
            tasks = self._wanted.select(tasks)
            await self._refresh(self.inventory.update(api, job_type, tasks, complete=complete, now=now))
            self._show_project()  # counts and tasks on one page are of one list

    async def unpublished(self, api: str) -> None:
        """The API generation does not exist in this region."""
        async with self._board.lock:
            self.facts.lists.forget(api)
            await self._refresh(self.inventory.forget(api))
            self._show_project()

    async def learnt(self, parts: Mapping[str, Iterable[Part]], gone: Iterable[str] = ()) -> None:
        """Facts of some tasks came in one answer, and word that others do not exist."""
        async with self._board.lock:
            now = self._now()
            for task_id, facts in parts.items():
                if task_id in self.inventory:
                    state = self._state(task_id)
                    for part in facts:
                        if isinstance(part, Detail) and self._wanted.uses_tags:
                            state.tags = dict(part.tags)
                        state.parts[part.name] = self._allowed(part)
                        state.learnt[part.name] = state.collected[part.collector] = now
                        self._expires(now + self.ages.punctual(part.collector))
            for task_id in gone:
                self.inventory.gone(task_id, now)
            await self._refresh((*parts, *gone))
            self._show_project()

    def _allowed(self, part: Part) -> Part:
        """A part without the tags that nobody asked for."""
        if isinstance(part, Detail) and part.tags:
            return replace(part, tags=tuple(tag for tag in part.tags if tag[0] in self._tags))
        return part

    # What others ask

    def tasks(self) -> list[Task]:
        """Every task that is shown."""
        return [state.shown for state in self._states.values() if state.shown is not None]

    def listed_tasks(self, *, unwanted: bool = False) -> list[Listed]:
        """Every wanted task that a fresh list shows; with `unwanted` also those whose tags speak against them."""
        return [
            state.listed
            for state in self._states.values()
            if state.listed is not None and (unwanted or state.shown is not None)
        ]

    def project(self) -> Project:
        """The project as it stands."""
        return self.facts.snapshot(self._counted)

    async def sweep(self) -> None:
        """Let go of what has aged out, and bring the project's own families up to date; before each page."""
        async with self._board.lock:
            now = self._now()
            self._left = {key: left for key, left in self._left.items() if now - left[0] < self._remembered_for}
            aged = self._aged(now) if now > self._next_expiry else set()
            if self.facts.lists.age_out(now, self.ages.believed):
                aged = set(self.inventory)
            await self._refresh(aged)
            self._show_project()

    # How it is kept

    def _expires(self, at: float) -> None:
        self._next_expiry = min(self._next_expiry, at)

    def _aged(self, now: float) -> set[str]:
        """The tasks of which something has become late or too old; finds the next such moment as well."""
        self._next_expiry = math.inf
        aged = set()
        for task_id, state in self._states.items():
            ends = [state.learnt[name] + self.ages.believed(part.collector) for name, part in state.parts.items()]
            if not state.late:
                ends.append(self._late_at(task_id, state))
            if state.ended_at is not None and state.shown is not None:
                ends.append(state.ended_at + self._ended_for)
            if any(now > end for end in ends):
                aged.add(task_id)
            self._expires(min((end for end in ends if now <= end), default=math.inf))
        return aged

    def _late_at(self, task_id: str, state: _State) -> float:
        """When the list or the progress of a task will be older than three effective intervals."""
        listed = [at + self.ages.punctual(api) for api, at in self.inventory.sighted(task_id)]
        progress = [state.learnt[name] + self.ages.punctual(name) for name in ("progress",) if name in state.learnt]
        return min([max(listed, default=0.0), *progress])

    async def _refresh(self, ids: Iterable[str]) -> None:
        now = self._now()
        oldest = {api: now - self.ages.believed(api) for api in self.ages.intervals}
        parents: set[str] = set()
        for number, task_id in enumerate(ids, 1):
            if task_id in self.inventory:
                listed = self.inventory.find(task_id, oldest)
                if self._show(task_id, listed) and listed is not None and listed.parent_id:
                    parents.add(listed.parent_id)
            else:
                self._forget(task_id)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        for task_id in parents & self._states.keys():
            self._show(task_id, self.inventory.find(task_id, oldest))

    def _forget(self, task_id: str) -> None:
        self._subtasks.pop(task_id, None)
        if (state := self._states.pop(task_id, None)) is not None:
            self._count(state, None)
            self._board.drop((self.key, task_id))
            self._left[task_id] = (self._now(), state.phase, state.history)

    def _state(self, task_id: str) -> _State:
        """What is remembered of a task; one that comes back, as ended ones do, has its history still."""
        state = self._states.get(task_id)
        if state is None:
            state = self._states[task_id] = _State()
            _, state.phase, state.history = self._left.pop(task_id, (0.0, state.phase, state.history))
        return state

    def _show(self, task_id: str, listed: Listed | None) -> bool:
        """Bring the board up to date with one task; whether its parent has to be looked at again."""
        state = self._state(task_id)
        now = self._now()
        state.listed = listed
        wanted = not self._wanted.uses_tags or listed is None or self._is_wanted(state, listed)
        self._count(state, listed if wanted else None)
        self._witness(state, listed, now)
        if listed is not None and listed.parent_id is not None:
            self._subtasks.setdefault(listed.parent_id, set()).add(task_id)
        state.late = now > self._late_at(task_id, state)
        state.parts = {
            name: part
            for name, part in state.parts.items()
            if now - state.learnt[name] <= self.ages.believed(part.collector)
        }
        before, blocked = state.shown, state.blocked
        if not wanted or (state.ended_at is not None and now - state.ended_at > self._ended_for):
            self._board.drop((self.key, task_id))
            state.shown = state.blocked = None
        else:
            state.shown = self._judged(state, self._snapshot(state, listed))
        if state.shown is not None:
            self._put(before, state.shown)
        return blocked is not state.blocked or (before is None) is not (state.shown is None)

    def _is_wanted(self, state: _State, listed: Listed) -> bool:
        """Whether the tags allow it; a parent, whose tags can't be asked for, is wanted with any of its subtasks."""
        if listed.is_parent:
            subtasks = self._subtasks.get(listed.id, set())
            return any(self._states[key].shown is not None for key in subtasks & self._states.keys())
        return self._wanted.wants(listed, state.tags)

    def _count(self, state: _State, listed: Listed | None) -> None:
        counted = (listed.job_type, listed.phase) if listed is not None and listed.parent_id is None else None
        self._counted.subtract(key for key in (state.counted,) if key)
        self._counted.update(key for key in (counted,) if key)
        state.counted = counted

    def _witness(self, state: _State, listed: Listed | None, now: float) -> None:
        if listed is None or listed.phase is state.phase:
            return
        if state.phase is not None:
            state.history = History(
                phase_changes=state.history.phase_changes + 1,
                failures=state.history.failures + (listed.phase is Phase.FAILED),
                phase_changed_at=now,
            )
        state.phase = listed.phase
        state.ended_at = now if listed.phase is Phase.ENDED else None
        if state.ended_at is not None:
            self._expires(now + self._ended_for)

    def _snapshot(self, state: _State, listed: Listed | None) -> Task | None:
        if listed is not None:
            identity = Identity(*self.key, listed.id, listed.name, listed.parent_id)
        elif state.shown is not None:
            identity = state.shown.identity  # the list has aged out: the name stays the last one known
        else:
            return None
        return Task(
            identity=identity,
            tasks=listed,
            history=state.history,
            collected=tuple(state.collected.items()),
            **state.parts,  # type: ignore[arg-type]  # Task names its fields as the parts are named
        )

    def _judged(self, state: _State, task: Task | None) -> Task | None:
        """The task with what speaks against its cut-over; subtasks show it through their parent."""
        state.blocked = None
        if task is None or not cutover.concerned(task):
            return task
        facts = cutover.Facts(task, state.late, self._subtasks_blocked(task), self._settings)
        blockers = cutover.blockers(facts)
        state.blocked = any(blocks for _, blocks in blockers)
        return task if task.identity.parent_id else replace(task, blockers=blockers)

    def _subtasks_blocked(self, task: Task) -> bool:
        """Whether a subtask that counts is blocked or unknown; ended ones and standbys do not count."""
        states = [self._states.get(task_id) for task_id in self._subtasks.get(task.identity.task_id, ())]
        return any(
            state.blocked is not False
            for state in states
            if state is not None and state.phase is not Phase.ENDED and not cutover.standby(state.shown)
        )

    def _put(self, before: Task | None, task: Task) -> None:
        identity = task.identity
        key = (self.key, identity.task_id)
        labels = zip(identity.__match_args__, _values(identity), strict=True)
        everything = self._board.identify(key, labels) or before is None
        for name, families in self._families.items():
            if everything or name == _ALWAYS or _differs(before, task, name):
                for family in families:
                    self._board.put(key, family.name, family.samples(task))

    def _show_project(self) -> None:
        project = self.project()
        if project == self._project or not self.facts.ready:
            return
        self._project = project
        self._board.identify(self.key, zip(ProjectKey._fields, self.key, strict=True))
        for family in PROJECT_FAMILIES:
            self._board.put(self.key, family.name, family.samples(project))


def _values(identity: Identity) -> tuple[str | None, ...]:
    return tuple(getattr(identity, name) for name in identity.__match_args__)


def _differs(before: Task | None, task: Task, collector: str) -> bool:
    """Whether the families of a collector may have other samples: its facts, the phase or the history changed."""
    return (
        before is None
        or before.phase is not task.phase
        or before.history != task.history
        or any(getattr(before, name) != getattr(task, name) for name in _FIELDS_OF[collector])
    )
