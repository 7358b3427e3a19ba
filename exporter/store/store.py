"""The tasks of one project; each change of them is on the board at once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.metrics.publisher import Publisher
from exporter.model import cutover
from exporter.runtime.turns import Turns, in_turns
from exporter.store.task_memory import TaskMemory, any_blocked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from exporter.metrics.board import Board
    from exporter.metrics.family import Family
    from exporter.model.facts import TaskFacts
    from exporter.model.task import Gap, Listed, Project, Task
    from exporter.store.project_context import ProjectContext

_SHOWN_PER_TURN, _CHECKED_PER_TURN = 5, 500
_MOST_LEVELS = 1000  # of parents above a task; lists that contradict each other may make a ring of them


class Store:
    """Updates the memory of one project, and shows it on a board.

    Args:
        context: the project.
        board: shows samples.
        families: of tasks.
    """

    def __init__(self, context: ProjectContext, board: Board, families: Iterable[Family[Task]]) -> None:
        self.context = context
        self.memory = context.memory
        self.key = context.memory.key
        self._board = board
        self._publisher = Publisher(board, families, self.key, context.meter.dropped)
        self._clock = context.clock
        self._step = context.clock.step
        self.ages = context.ages
        self._ended_for = context.account.tasks.ended_for
        self._next_change = -math.inf  # of a task by age alone; not known before the first sweep
        self._project: Project | None = None

    async def listed(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, gap: Gap | None = None, pages: int = 1
    ) -> None:
        """A list of n pages succeeded; `gap` is why it may lack tasks."""
        tasks = tuple(tasks)
        async with self._board.lock:
            now = self._clock.steady()
            self.memory.lists.succeeded(api, job_type, len(tasks), now, gap=gap)
            shard, owned = self.context.shard, self.context.owned
            tasks = [listed for listed in self.context.filter.select(tasks) if owned or shard.contains(listed)]
            changed = self.memory.inventory.update(api, job_type, tasks, now=now, gap=gap, pages=pages)
            await self._refresh(changed, relisted=True)
            self._show_project()  # counts and tasks on one page are of one list

    async def forget(self, api: str) -> None:
        """Remove the lists of an API generation that does not exist in this region."""
        async with self._board.lock:
            self.memory.lists.forget(api)
            await self._refresh(self.memory.inventory.forget(api))
            self._show_project()

    async def update(self, facts: Mapping[str, Iterable[TaskFacts]], missing: Iterable[str] = ()) -> None:
        """Store the facts of one response by task id; `missing` are the ids that it reports not to exist."""
        async with self._board.lock:
            now = self._clock.steady()
            kept_tags, all_tags = self.context.account.tasks.tag_labels, self.context.filter.uses_tags
            for task_id, received in facts.items():
                if task_id in self.memory.inventory:
                    task = self._task(task_id)
                    for part in received:
                        task.update(part, kept_tags, now, all_tags=all_tags)
                        self._changes_at(now + self.ages.late_after(part.collector))
            for task_id in missing:
                self.memory.inventory.report_missing(task_id, now)
            await self._refresh((*facts, *missing))
            self._show_project()

    def tasks(self) -> list[Task]:
        """All tasks that are shown."""
        return [task.shown for task in self.memory.tasks.values() if task.shown is not None]

    def listed_tasks(self, *, unwanted: bool = False) -> list[Listed]:
        """The shown tasks whose list has not expired; with `unwanted` also those whose tags may include them."""
        uses_tags, shard = self.context.filter.uses_tags, self.context.shard
        return [
            task.listed
            for task in self.memory.tasks.values()
            if task.listed is not None
            and (task.shown is not None or (unwanted and (uses_tags or shard.contains(task.listed))))
        ]

    def last_seen(self, task_id: str) -> list[tuple[str, float]]:
        """By API generation, the Unix time at which a list last contained the task."""
        return [(api, self._clock.unix(at)) for api, at in self.memory.inventory.last_seen(task_id)]

    def project(self) -> Project:
        """The project as it is shown."""
        return self.memory.snapshot(self.context)

    async def sweep(self) -> None:
        """Remove what has expired and update the families of the project; before each page."""
        async with self._board.lock:
            now, memory = self._clock.steady(), self.memory
            kept_for = self.context.account.poll.stale_after
            memory.removed = {key: removed for key, removed in memory.removed.items() if now - removed[0] < kept_for}
            changed = await self._aged(now) if self.ages.shortened or now > self._next_change else set()
            if memory.lists.expire(now, self.ages.expire_after) or self._step != self._clock.step:
                changed = set(memory.inventory)  # also where the host's clock was set: all timestamps are shown again
                self._step = self._clock.step
            await self._refresh(changed)
            self._show_project()

    async def leave(self) -> None:
        """Remove all series from the board, whose lock the caller holds; nothing may update the store any more."""
        await self._board.drop_all([*((self.key, task_id) for task_id in self.memory.tasks), self.key])

    async def resume(self) -> None:
        """Show what the store of another configuration left in the memory; the caller holds the board's lock."""
        self.memory.restrict(self.context)
        await self._refresh({*self.memory.tasks, *self.memory.inventory})
        self._show_project()

    def _changes_at(self, at: float) -> None:
        self._next_change = min(self._next_change, at)

    async def _aged(self, now: float) -> set[str]:
        """The tasks that have changed by age alone; finds the time of the next such change as well."""
        self._next_change = math.inf
        self.ages.shortened = False
        aged = set()
        async for task_id, task in in_turns(self.memory.tasks.items(), _CHECKED_PER_TURN):
            changes = task.changes(self.ages, self.memory.inventory.last_seen(task_id), self._ended_for)
            if any(now > at for at in changes):
                aged.add(task_id)
            self._changes_at(min((at for at in changes if now <= at), default=math.inf))
        return aged

    async def _refresh(self, ids: Iterable[str], *, relisted: bool = False) -> None:
        now = self._clock.steady()
        oldest = {api: now - self.ages.expire_after(api) for api in self.ages.intervals}
        inventory, parents, turns = self.memory.inventory, set[str](), Turns()
        for task_id in ids:
            listed = inventory.find(task_id, oldest)
            unchanged = relisted and self._unchanged(task_id, listed)
            if task_id not in inventory:
                parents |= self._remove(task_id)
            elif not unchanged:
                parents |= self._show(task_id, listed)
            await turns.after(1 / _CHECKED_PER_TURN if unchanged else 1 / _SHOWN_PER_TURN)
        levels = 0
        while parents and (levels := levels + 1) <= _MOST_LEVELS:
            level, parents = self.memory.tasks.keys() & parents, set()
            for parent in level:
                parents |= self._show(parent, inventory.find(parent, oldest))

    def _unchanged(self, task_id: str, listed: Listed | None) -> bool:
        """Return whether a list repeats what is shown already: then there is mostly nothing to do."""
        task = self.memory.tasks.get(task_id)
        return task is not None and task.shown is not None and not task.late and task.listed == listed is not None

    def _remove(self, task_id: str) -> frozenset[str]:
        """Remove a task. Return the parents that have to be judged again."""
        parents = self.memory.subtasks.place(task_id, frozenset())
        task = self.memory.tasks.pop(task_id, None)
        if task is None:
            return parents
        self._count(task, None)
        self._board.drop((self.key, task_id))
        observed = TaskMemory(history=task.history, phase=task.phase, ended_at=task.ended_at)
        self.memory.removed[task_id] = self._clock.steady(), observed
        return parents

    def _task(self, task_id: str) -> TaskMemory:
        """The memory of a task; one that is listed again, as ended ones are, still has its history."""
        if task_id not in self.memory.tasks:
            _, self.memory.tasks[task_id] = self.memory.removed.pop(task_id, (0.0, TaskMemory()))
        return self.memory.tasks[task_id]

    def _show(self, task_id: str, listed: Listed | None) -> frozenset[str]:
        """Update what the board shows of a task. Return the parents that have to be judged again."""
        task, now = self._task(task_id), self._clock.steady()
        seen_by_parent, before = task.seen_by_parent, task.shown
        task.listed = listed
        included = listed is None or self._is_included(task, listed)
        self._count(task, listed if included else None)
        task.observe_phase(listed, now)
        self._age(task_id, task, now)
        moved = frozenset() if listed is None else self.memory.subtasks.place(task_id, listed.parents)
        task.wanted = included and (task.ended_at is None or now - task.ended_at <= self._ended_for)
        if not task.wanted or (listed is not None and not self.context.shard.contains(listed)):
            self._board.drop((self.key, task_id))
            task.shown = task.blocked = None
        else:
            task.shown = self._judged(task, task.snapshot(self.key, listed, self.ages, self._clock))
        if task.shown is not None:
            self._publisher.put((self.key, task_id), before, task.shown)
        return moved if seen_by_parent == task.seen_by_parent else moved | self.memory.subtasks.parents(task_id)

    def _age(self, task_id: str, task: TaskMemory, now: float) -> None:
        """Expire facts of a task, find out whether it is late, and when that changes."""
        late_at = task.late_at(self.memory.inventory.last_seen(task_id), self.ages)
        task.late = now > late_at
        task.expire(now, self.ages)
        if not task.late:
            self._changes_at(late_at)
        if task.ended_at is not None:
            self._changes_at(task.ended_at + self._ended_for)

    def _is_included(self, task: TaskMemory, listed: Listed) -> bool:
        """Return whether the rules for tags include a task, or any subtask of a parent, which has no tags itself."""
        if not self.context.filter.uses_tags:
            return True
        if listed.is_parent:
            tasks = self.memory.tasks
            return any(tasks[key].wanted for key in tasks.keys() & self.memory.subtasks.of(listed.id))
        return self.context.filter.wants(listed, task.tags)

    def _count(self, task: TaskMemory, listed: Listed | None) -> None:
        if task.counted is not None:
            self.memory.counted[task.counted] -= 1
        task.counted = (listed.job_type, listed.phase) if listed is not None and listed.parent_id is None else None
        if task.counted is not None:
            self.memory.counted[task.counted] += 1

    def _judged(self, task: TaskMemory, shown: Task | None) -> Task | None:
        """The task with the reasons against its cut-over; those of subtasks are shown through their parent."""
        task.blocked = None
        if shown is None or not cutover.can_be_cut_over(shown):
            return shown
        subtasks = [self.memory.tasks.get(key) for key in self.memory.subtasks.of(shown.identity.task_id)]
        case = cutover.CutoverInput(shown, task.late, any_blocked(shown, subtasks), self.context.account.cutover)
        blockers = cutover.blockers(case)
        task.blocked = any(blocks for _, blocks in blockers)
        return shown if shown.identity.parent_id else replace(shown, blockers=blockers)

    def _show_project(self) -> None:
        project = self.project()
        if self.memory.ready and project != self._project:
            self._project = project
            self._publisher.put_project(project)
