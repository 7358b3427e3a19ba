"""The tasks of one project with their facts and ages; what changes goes to the board at once."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from exporter.catalogue import PROJECT_FAMILIES, TASK_FAMILIES, Family
from exporter.inventory import Inventory
from exporter.lists import Lists
from exporter.model import CollectorFacts, History, Identity, Phase, Project, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from exporter.exposition import Board
    from exporter.model import Listed, Part

_SLICE = 100
"""Tasks that change at a stretch; then others on the event loop get their turn."""
_FAMILIES_OF: Mapping[str, tuple[Family[Task], ...]] = {
    name: tuple(family for family in TASK_FAMILIES if family.collector == name)
    for name in {family.collector for family in TASK_FAMILIES}
}


class ProjectKey(NamedTuple):
    """The labels of a project."""

    account: str
    region: str
    project: str


@dataclass(slots=True)
class _State:
    """What is remembered of one task."""

    parts: dict[str, Part] = field(default_factory=dict)
    """By collector, those that are believed."""
    collected: dict[str, float] = field(default_factory=dict)
    """When each collector last succeeded; outlives the part."""
    history: History = field(default_factory=History)
    phase: Phase | None = None
    """The last phase known, even where the list has aged out since."""
    ended_at: float | None = None
    counted: tuple[str, Phase] | None = None
    """As what `drs_tasks` counts it: job type and phase."""
    shown: Task | None = None
    """What the board shows; None where it shows nothing."""


class Store:
    """One project.

    Args:
        key: its labels.
        board: where samples go.
        job_types: those that are listed.
        ended_for: seconds for which an ended task is shown; after that it is only counted.
        hide_for: see `Inventory`.
        now: Unix time.
    """

    def __init__(
        self,
        key: ProjectKey,
        board: Board,
        *,
        job_types: Sequence[str],
        ended_for: float,
        hide_for: float,
        now: Callable[[], float],
    ) -> None:
        self.key = key
        self.lists = Lists()
        self.inventory = Inventory(hide_for)
        self.max_age: dict[str, float] = {}
        """Seconds after which facts are not believed any more: by collector, and of lists by API generation."""
        self.ready = False
        """Whether the first poll has ended, well or not; from then on silence means a fault."""
        self._board = board
        self._job_types = job_types
        self._ended_for = ended_for
        self._now = now
        self._states: dict[str, _State] = {}
        self._next_expiry = math.inf  # no fact of a task ages out before
        self._counted: Counter[tuple[str, Phase]] = Counter()
        self._collectors: dict[str, CollectorFacts] = {}
        self._sources: dict[tuple[str, str], bool] = {}
        self._project: Project | None = None

    # What the poller tells

    async def listed(self, api: str, job_type: str, tasks: Iterable[Listed], *, complete: bool) -> None:
        """A list was answered."""
        tasks = tuple(tasks)
        async with self._board.lock:
            now = self._now()
            self.lists.answered(api, job_type, len(tasks), now)
            await self._refresh(self.inventory.update(api, job_type, tasks, complete=complete, now=now))

    async def unpublished(self, api: str) -> None:
        """The API generation does not exist in this region."""
        async with self._board.lock:
            self.lists.forget(api)
            await self._refresh(self.inventory.forget(api))

    async def learnt(self, parts: Mapping[str, Iterable[Part]], gone: Iterable[str] = ()) -> None:
        """Facts of some tasks came in one answer, and word that others do not exist."""
        async with self._board.lock:
            now = self._now()
            for task_id, facts in parts.items():
                if task_id in self.inventory:
                    state = self._states.setdefault(task_id, _State())
                    for part in facts:
                        state.parts[part.collector] = part
                        state.collected[part.collector] = now
                        self._expires(now + self.max_age[part.collector])
            for task_id in gone:
                self.inventory.gone(task_id, now)
            await self._refresh((*parts, *gone))

    def polled(self, collector: str, facts: CollectorFacts) -> None:
        """A poll of a collector has ended; last successes are kept where this one brought none."""
        known = self._collectors.get(collector)
        if facts.last_success_at is None and known is not None:
            facts = replace(facts, last_success_at=known.last_success_at)
        self._collectors[collector] = facts

    def source(self, collector: str, source: str, *, published: bool) -> None:
        """Whether an operation that can feed a collector exists in this region."""
        self._sources[collector, source] = published

    # What others ask

    def tasks(self) -> list[Task]:
        """Every task that is shown."""
        return [state.shown for state in self._states.values() if state.shown is not None]

    def project(self) -> Project:
        """The project as it stands."""
        return Project(
            *self.key,
            up=self.lists.up() if self.ready else None,
            counts={
                (job_type, phase): self._counted[job_type, phase]
                for job_type in self.lists.known(self._job_types)
                for phase in Phase
            },
            lists=self.lists.facts(),
            collectors=dict(self._collectors),
            sources=dict(self._sources),
        )

    def active(self) -> list[Listed]:
        """The tasks worth calls of their own, as their fresh lists show them."""
        return [
            state.shown.tasks
            for state in self._states.values()
            if state.shown is not None and state.shown.tasks is not None and state.shown.tasks.active
        ]

    async def sweep(self) -> None:
        """Let go of what has aged out, and bring the project's own families up to date; before each page."""
        async with self._board.lock:
            now = self._now()
            expired = self._expired(now) if now > self._next_expiry else set()
            if self.lists.age_out(now, self.max_age):
                expired = set(self.inventory)
            await self._refresh(expired)
            self._show_project()

    # How it is kept

    def _expires(self, at: float) -> None:
        self._next_expiry = min(self._next_expiry, at)

    def _expired(self, now: float) -> set[str]:
        """The tasks of which something has aged out; finds the next expiry as well."""
        self._next_expiry = math.inf
        expired = set()
        for task_id, state in self._states.items():
            ends = [state.collected[name] + self.max_age[name] for name in state.parts]
            if state.ended_at is not None and state.shown is not None:
                ends.append(state.ended_at + self._ended_for)
            if any(now > end for end in ends):
                expired.add(task_id)
            self._expires(min((end for end in ends if now <= end), default=math.inf))
        return expired

    async def _refresh(self, ids: Iterable[str]) -> None:
        now = self._now()
        oldest = {api: now - age for api, age in self.max_age.items()}
        for number, task_id in enumerate(ids, 1):
            if task_id in self.inventory:
                self._show(task_id, self.inventory.find(task_id, oldest))
            elif (state := self._states.pop(task_id, None)) is not None:
                self._count(state, None)
                self._board.drop((self.key, task_id))
            if number % _SLICE == 0:
                await asyncio.sleep(0)

    def _show(self, task_id: str, listed: Listed | None) -> None:
        """Bring the board up to date with one task."""
        state = self._states.setdefault(task_id, _State())
        now = self._now()
        self._count(state, listed)
        self._witness(state, listed, now)
        for name in [name for name in state.parts if now - state.collected[name] > self.max_age[name]]:
            del state.parts[name]
        before = state.shown
        if state.ended_at is not None and now - state.ended_at > self._ended_for:
            self._board.drop((self.key, task_id))
            state.shown = None
        else:
            state.shown = self._snapshot(state, listed)
        if state.shown is not None:
            self._put(before, state.shown)

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
            **state.parts,  # type: ignore[arg-type]  # by collector, as Task names its fields
        )

    def _put(self, before: Task | None, task: Task) -> None:
        identity = task.identity
        key = (self.key, identity.task_id)
        labels = zip(identity.__match_args__, _values(identity), strict=True)
        everything = self._board.identify(key, labels) or before is None
        for name, families in _FAMILIES_OF.items():
            if everything or name == "derived" or _differs(before, task, name):
                for family in families:
                    self._board.put(key, family.name, family.samples(task))

    def _show_project(self) -> None:
        project = self.project()
        if project == self._project or not self.ready:
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
        or getattr(before, collector) != getattr(task, collector)
        or before.phase is not task.phase
        or before.history != task.history
    )
