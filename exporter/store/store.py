"""The tasks of one project with their facts and ages; what changes goes to the board at once."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.metrics.publisher import Samples
from exporter.model import cutover
from exporter.model.shard import ALL
from exporter.store.inventory import LIST_LAG_SECONDS, Inventory
from exporter.store.project_memory import Ages, ProjectFacts
from exporter.store.subtasks import Subtasks
from exporter.store.task_memory import TaskState, any_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from exporter.config.schema import Cutover
    from exporter.metrics.board import Board
    from exporter.metrics.family import Family
    from exporter.model.facts import TaskFacts
    from exporter.model.filters import TaskFilter
    from exporter.model.project import ProjectKey
    from exporter.model.shard import Shard
    from exporter.model.task import Gap, Listed, Phase, Project, Task
    from exporter.runtime.clock import Clock

_SLICE, _GLANCES = 5, 500
"""Tasks that are shown anew, or just looked at, at a stretch; then others on the event loop get their turn."""
_MOST_LEVELS = 1000  # of parents above a task; lists that contradict each other may make a ring of them


class Store:
    """One project.

    Args:
        key: its labels.
        board: where samples go.
        families: of tasks.
        ages: how old facts may be.
        job_types: those that are listed.
        ended_for: seconds for which an ended task is shown; after that it is only counted.
        hide_for: see `Inventory`, which bounds it by the time for which lists may lag.
        settings: when a task counts as ready to cut over.
        wanted: which tasks are shown.
        tags: keys of the tags that are kept.
        dropped: see `Samples`.
        shard: whose tasks are shown; one of all counts those of the others as well.
        clock: of all ages.
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
        dropped: Callable[[int], None],
        clock: Clock,
        shard: Shard = ALL,
    ) -> None:
        self.key = key
        self.ages = ages
        self.facts = ProjectFacts(key, job_types, ages, clock)
        self.inventory = Inventory(min(hide_for, LIST_LAG_SECONDS))
        self._board = board
        self._samples = Samples(board, families, key, dropped)
        self.settings = settings
        self._ended_for = ended_for
        self._remembered_for = hide_for
        self._wanted = wanted
        self._tags = frozenset(tags)
        self._clock = clock
        self._step = clock.step
        self._shard = shard
        self._counts = shard.owns(key.text)
        self._states: dict[str, TaskState] = {}
        self._left: dict[str, tuple[float, TaskState]] = {}
        """Tasks that went lately: when, and what was witnessed of them."""
        self._subtasks = Subtasks()
        self._next_expiry = math.inf  # nothing of a task ages before
        self._counted: Counter[tuple[str, Phase]] = Counter()
        self._project: Project | None = None

    async def listed(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, gap: Gap | None = None, pages: int = 1
    ) -> None:
        """A list succeeded, of so many pages; `gap` is why it may lack tasks."""
        tasks = tuple(tasks)
        async with self._board.lock:
            now = self._clock.steady()
            self.facts.lists.answered(api, job_type, len(tasks), now, gap=gap)
            tasks = [one for one in self._wanted.select(tasks) if self._counts or self._shard.has(one)]
            changed = self.inventory.update(api, job_type, tasks, now=now, gap=gap, pages=pages)
            await self._refresh(changed, relisted=True)
            self._show_project()  # counts and tasks on one page are of one list

    async def unpublished(self, api: str) -> None:
        """The API generation does not exist in this region."""
        async with self._board.lock:
            self.facts.lists.forget(api)
            await self._refresh(self.inventory.forget(api))
            self._show_project()

    async def learnt(self, parts: Mapping[str, Iterable[TaskFacts]], gone: Iterable[str] = ()) -> None:
        """Facts of some tasks came in one answer, and word that others do not exist."""
        async with self._board.lock:
            now = self._clock.steady()
            for task_id, facts in parts.items():
                if task_id in self.inventory:
                    state = self._state(task_id)
                    for part in facts:
                        state.learn(part, self._tags, now, all_tags=self._wanted.uses_tags)
                        self._expires(now + self.ages.punctual(part.collector))
            for task_id in gone:
                self.inventory.gone(task_id, now)
            await self._refresh((*parts, *gone))
            self._show_project()

    def tasks(self) -> list[Task]:
        """Every task that is shown."""
        return [state.shown for state in self._states.values() if state.shown is not None]

    def listed_tasks(self, *, unwanted: bool = False) -> list[Listed]:
        """Every wanted task that a fresh list shows; with `unwanted` all those whose tags have to be known."""
        return [
            state.listed
            for state in self._states.values()
            if state.listed is not None
            and (state.shown is not None or (unwanted and (self._wanted.uses_tags or self._shard.has(state.listed))))
        ]

    def sighted(self, task_id: str) -> list[tuple[str, float]]:
        """By API generation, the Unix time at which a list last contained the task."""
        return [(api, self._clock.unix(at)) for api, at in self.inventory.sighted(task_id)]

    def project(self) -> Project:
        """The project as it stands."""
        return self.facts.snapshot(self._counted if self._counts else None)

    async def sweep(self) -> None:
        """Let go of what has aged out, and bring the project's own families up to date; before each page."""
        async with self._board.lock:
            now = self._clock.steady()
            self._left = {key: left for key, left in self._left.items() if now - left[0] < self._remembered_for}
            aged = await self._aged(now) if self.ages.shortened or now > self._next_expiry else set()
            if self.facts.lists.age_out(now, self.ages.believed) or self._step != self._clock.step:
                aged = set(self.inventory)  # also where the host's clock was set: all timestamps are shown again
                self._step = self._clock.step
            await self._refresh(aged)
            self._show_project()

    async def leave(self) -> None:
        """Take all series off the board; to be called with its lock, once nobody tells anything any more."""
        await self._board.drop_all([*((self.key, task_id) for task_id in self._states), self.key])

    async def adopt(self, other: Store) -> None:
        """Go on with the facts and the past of a store of the same project that has left; with the board's lock."""
        self.facts.adopt(other.facts)
        self.inventory.adopt(other.inventory, self.facts.job_types)
        self._states, self._left = other._states, other._left
        self._subtasks, self._counted = other._subtasks, other._counted
        self._next_expiry = -math.inf  # to be found out by other ages
        for state in self._states.values():
            state.keep(self.ages.intervals)
        await self._refresh({*self._states, *self.inventory})
        self._show_project()

    def _expires(self, at: float) -> None:
        self._next_expiry = min(self._next_expiry, at)

    async def _aged(self, now: float) -> set[str]:
        """The tasks of which something has become late or too old; finds the next such moment as well."""
        self._next_expiry = math.inf
        self.ages.shortened = False
        aged = set()
        for number, (task_id, state) in enumerate(self._states.items(), 1):
            if number % _GLANCES == 0:
                await asyncio.sleep(0)
            ends = state.ends(self.ages, self.inventory.sighted(task_id), self._ended_for)
            if any(now > end for end in ends):
                aged.add(task_id)
            self._expires(min((end for end in ends if now <= end), default=math.inf))
        return aged

    async def _refresh(self, ids: Iterable[str], *, relisted: bool = False) -> None:
        now = self._clock.steady()
        oldest = {api: now - self.ages.believed(api) for api in self.ages.intervals}
        parents: set[str] = set()
        work = 0.0
        for task_id in ids:
            listed = self.inventory.find(task_id, oldest)
            known = relisted and self._unchanged(task_id, listed)
            if task_id not in self.inventory:
                parents |= self._forget(task_id)
            elif not known:
                parents |= self._show(task_id, listed)
            work += 1 / _GLANCES if known else 1 / _SLICE
            if work >= 1:
                work = 0.0
                await asyncio.sleep(0)
        levels = 0
        while parents and (levels := levels + 1) <= _MOST_LEVELS:
            level, parents = self._states.keys() & parents, set()
            for parent in level:
                parents |= self._show(parent, self.inventory.find(parent, oldest))

    def _unchanged(self, task_id: str, listed: Listed | None) -> bool:
        """Whether a list says again what is shown already: then there is nothing to do, most of the time."""
        state = self._states.get(task_id)
        return state is not None and state.shown is not None and not state.late and state.listed == listed is not None

    def _forget(self, task_id: str) -> frozenset[str]:
        """Let go of a task; the parents that have to be looked at again."""
        parents = self._subtasks.place(task_id, frozenset())
        state = self._states.pop(task_id, None)
        if state is None:
            return parents
        self._count(state, None)
        self._board.drop((self.key, task_id))
        witnessed = TaskState(history=state.history, phase=state.phase, ended_at=state.ended_at)
        self._left[task_id] = (self._clock.steady(), witnessed)
        return parents

    def _state(self, task_id: str) -> TaskState:
        """What is remembered of a task; one that comes back, as ended ones do, has its history still."""
        if task_id not in self._states:
            _, self._states[task_id] = self._left.pop(task_id, (0.0, TaskState()))
        return self._states[task_id]

    def _show(self, task_id: str, listed: Listed | None) -> frozenset[str]:
        """Bring the board up to date with one task; the parents that have to be looked at again."""
        state = self._state(task_id)
        standing = state.standing
        now = self._clock.steady()
        state.listed = listed
        wanted = not self._wanted.uses_tags or listed is None or self._is_wanted(state, listed)
        self._count(state, listed if wanted else None)
        state.witness(listed, now)
        if state.ended_at is not None:
            self._expires(state.ended_at + self._ended_for)
        moved = frozenset() if listed is None else self._subtasks.place(task_id, listed.parents)
        late_at = state.late_at(self.inventory.sighted(task_id), self.ages)
        state.late = now > late_at
        if not state.late:
            self._expires(late_at)
        state.let_go(now, self.ages)
        before = state.shown
        state.wanted = wanted and (state.ended_at is None or now - state.ended_at <= self._ended_for)
        if not state.wanted or (listed is not None and not self._shard.has(listed)):
            self._board.drop((self.key, task_id))
            state.shown = state.blocked = None
        else:
            state.shown = self._judged(state, state.snapshot(self.key, listed, self.ages, self._clock))
        if state.shown is not None:
            self._samples.put((self.key, task_id), before, state.shown)
        return moved if standing == state.standing else moved | self._subtasks.parents(task_id)

    def _is_wanted(self, state: TaskState, listed: Listed) -> bool:
        """Whether the tags allow it; a parent, whose tags can't be asked for, is wanted with any of its subtasks."""
        if listed.is_parent:
            return any(self._states[key].wanted for key in self._states.keys() & self._subtasks.of(listed.id))
        return self._wanted.wants(listed, state.tags)

    def _count(self, state: TaskState, listed: Listed | None) -> None:
        counted = (listed.job_type, listed.phase) if listed is not None and listed.parent_id is None else None
        self._counted.subtract(key for key in (state.counted,) if key)
        self._counted.update(key for key in (counted,) if key)
        state.counted = counted

    def _judged(self, state: TaskState, task: Task | None) -> Task | None:
        """The task with what speaks against its cut-over; subtasks show it through their parent."""
        state.blocked = None
        if task is None or not cutover.concerned(task):
            return task
        subtasks = [self._states.get(key) for key in self._subtasks.of(task.identity.task_id)]
        facts = cutover.Facts(task, state.late, any_blocked(task, subtasks), self.settings)
        blockers = cutover.blockers(facts)
        state.blocked = any(blocks for _, blocks in blockers)
        return task if task.identity.parent_id else replace(task, blockers=blockers)

    def _show_project(self) -> None:
        project = self.project()
        if self.facts.ready and project != self._project:
            self._project = project
            self._samples.put_project(project)
