"""Updates the tasks of one project, and the samples of each task that changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from exporter.metrics.sample_updater import SampleUpdater
from exporter.runtime.turns import Turns, in_turns
from exporter.store.event_recorder import EventRecorder
from exporter.store.inventory import weight_of
from exporter.store.stored_tasks import StoredTasks
from exporter.store.subtasks import MOST_LEVELS
from exporter.store.task_state import TaskState
from exporter.store.verdicts import Verdicts, excludes_subtasks

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from exporter.metrics.exposition import Exposition
    from exporter.metrics.family import Family
    from exporter.model.facts import TaskFacts
    from exporter.model.task import Listed, Phase, Project, Task
    from exporter.model.task_lists import Gap
    from exporter.model.timeline import Timeline
    from exporter.store.project_context import ProjectContext

_SHOWN_PER_TURN, _CHECKED_PER_TURN = 5, 200
_NONE_REFUSED: Mapping[str, Iterable[type[TaskFacts]]] = {}


class Store:
    """Updates the state of one project, and exposes it.

    Args:
        context: the project.
        exposition: takes the samples.
        families: the families of tasks.
    """

    def __init__(self, context: ProjectContext, exposition: Exposition, families: Iterable[Family[Task]]) -> None:
        self.context = context
        self.state, self.key = context.state, context.state.key
        self._exposition = exposition
        self._samples = SampleUpdater(exposition, families, self.key, context.meter.dropped)
        self._clock, self._clock_step = context.clock, context.clock.step
        self.ages = context.ages
        self.verdicts = Verdicts(context)
        self.events = EventRecorder(context)
        self._stored = StoredTasks(context)
        self._ended_for = context.account.tasks.ended_for
        self._next_change = -math.inf  # when a task changes by age alone; unknown before the first sweep
        self._project: Project | None = None
        self._counted: Mapping[tuple[str, Phase], int] = {}
        """The counts of tasks when the samples of the project were last updated."""

    async def listed(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, gap: Gap | None = None, pages: int = 1
    ) -> None:
        """Store a successful list of n pages; `gap` is the reason why it may lack tasks."""
        tasks = tuple(tasks)
        async with self._exposition.lock:
            now = self._clock.steady()
            self.state.lists.succeeded(api, job_type, len(tasks), now, gap=gap)
            wanted = self._wanted(tasks)
            changed = self.state.inventory.update(api, job_type, wanted, now=now, gap=gap, pages=pages)
            with self.events.list_of(api, job_type, tasks, complete=gap is None):
                await self._refresh(changed, relisted=True)
            self.context.waves.listed(api, job_type, tasks, weight_of(gap, pages))

    async def listed_some(
        self, api: str, job_type: str, tasks: Iterable[Listed], *, roots: Container[str], all_here: bool
    ) -> None:
        """Store the entries of some tasks of a list, see `Inventory.update_some`."""
        async with self._exposition.lock:
            now = self._clock.steady()
            if all_here:
                self.state.lists.confirmed(api, job_type, now)
            tasks, inventory = tuple(tasks), self.state.inventory
            wanted = self._wanted(tasks)
            changed = inventory.update_some(api, job_type, wanted, roots=roots, now=now, all_here=all_here)
            with self.events.list_of(api, job_type, tasks, complete=False):
                await self._refresh(changed, relisted=True)

    def _wanted(self, tasks: tuple[Listed, ...]) -> list[Listed]:
        """Return the tasks that the configuration includes, of this shard; all shards if it counts them."""
        shard, owned = self.context.shard, self.context.owned
        return [listed for listed in self.context.filter.select(tasks) if owned or shard.contains(listed)]

    async def forget(self, api: str) -> None:
        """Remove the lists of an API generation that does not exist in this region."""
        async with self._exposition.lock:
            self.state.lists.forget(api)
            await self._refresh(self.state.inventory.forget(api))
            self._update_project()

    async def update(
        self,
        facts: Mapping[str, Iterable[TaskFacts]],
        missing: Iterable[str] = (),
        refused: Mapping[str, Iterable[type[TaskFacts]]] = _NONE_REFUSED,
        assumed: Container[str] = (),
    ) -> None:
        """Store the facts of one response by task id.

        `missing` are the ids that it reports not to exist, `refused` those that the cloud does not accept for some
        kinds of facts, and `assumed` those of them that are only assumed to be virtual.
        """
        async with self._exposition.lock:
            now = self._clock.steady()
            kept_tags, all_tags = self.context.account.tasks.tag_labels, self.context.uses_tags
            for task_id, received in facts.items():
                if task_id in self.state.inventory:
                    task = self._task(task_id)
                    for part in received:
                        task.update(part, kept_tags, now, all_tags=all_tags)
            for task_id, kinds in refused.items():
                if task_id in self.state.inventory:
                    self._task(task_id).refuse(frozenset(kind.name for kind in kinds), assumed=task_id in assumed)
            for task_id in missing:
                self.state.inventory.report_missing(task_id, now)
            await self._refresh((*facts, *missing, *refused))

    async def set_unpublished(self, unpublished: Mapping[str, frozenset[str]]) -> None:
        """Store by task id the names of the facts that no operation provides."""
        tasks = self.state.tasks
        changed = [
            key for key in unpublished.keys() & tasks.keys() if tasks[key].cutover.unpublished != unpublished[key]
        ]
        if changed:
            async with self._exposition.lock:
                for task_id in tasks.keys() & changed:
                    tasks[task_id].cutover.unpublished = unpublished[task_id]
                await self._refresh(changed)

    def tasks(self) -> list[Task]:
        """Return all tasks that have series."""
        return [task.exposed for task in self.state.tasks.values() if task.exposed is not None]

    def listed_tasks(self, *, unwanted: bool = False) -> list[Listed]:
        """Return the exposed tasks with a fresh list; with `unwanted` also those whose tags may include them."""
        uses_tags, shard = self.context.filter.uses_tags, self.context.shard
        return [
            task.listed
            for task in self.state.tasks.values()
            if task.listed is not None
            and (task.exposed is not None or (unwanted and (uses_tags or shard.contains(task.listed))))
        ]

    def timeline(self, task_id: str) -> Timeline | None:
        """Return the recent history of an active task; None without one."""
        task = self.state.tasks.get(task_id)
        return None if task is None else task.recent.timeline(self._clock.steady(), self._clock.step)

    def project(self) -> Project:
        """Return the fresh facts about the project."""
        return self.state.snapshot(self.context)

    async def sweep(self) -> None:
        """Remove what has expired and update the families of the project; before each page."""
        async with self._exposition.lock:
            now, state = self._clock.steady(), self.state
            kept_for = self.context.account.poll.stale_after
            state.removed = {key: removed for key, removed in state.removed.items() if now - removed[0] < kept_for}
            changed = await self._changed_by_age(now) if self.ages.shortened or now > self._next_change else set()
            changed |= await self.context.waves.tick()
            if state.lists.expire(now, self.ages.expire_after) or self._clock_step != self._clock.step:
                changed = set(state.inventory)  # after a step of the host's clock, all timestamps change
                self._clock_step = self._clock.step
            await self._refresh(changed)
            self._update_project()
            self.events.tick()

    async def remove_series(self) -> None:
        """Remove all series; nothing may update the store afterwards. The caller holds the lock of the exposition."""
        async for key in in_turns([*((self.key, task_id) for task_id in self.state.tasks), self.key], 1):
            self._exposition.drop(key)

    async def restore(self) -> None:
        """Expose the state that another configuration has left. The caller holds the lock of the exposition."""
        self.state.restrict(self.context)
        await self.context.waves.tick()
        await self._refresh({*self.state.tasks, *self.state.inventory}, quiet=True)

    async def _changed_by_age(self, now: float) -> set[str]:
        """Return the tasks that have changed by age alone, and find the time of the next such change."""
        self._next_change = math.inf
        self.ages.shortened = False
        tasks = in_turns(self.state.tasks.items(), _CHECKED_PER_TURN)
        return {task_id async for task_id, task in tasks if self._check_age(task_id, task, now)}

    def _check_age(self, task_id: str, task: TaskState, now: float) -> bool:
        """Find the next change of a task by age alone. Return whether an earlier one is overdue."""
        changes = task.changes(self.ages, self.context.waves.settings(task_id).stable_for, self._ended_for)
        pending = [at for at in changes if now <= at]
        self._next_change = min([self._next_change, *pending])
        return len(pending) < len(changes)

    async def _refresh(self, ids: Iterable[str], *, relisted: bool = False, quiet: bool = False) -> None:
        """Update the state and the samples of tasks, and of their parents; `quiet`: no change is an event."""
        now = self._clock.steady()
        oldest = {api: now - self.ages.expire_after(api) for api in self.ages.configured}
        inventory, parents, turns = self.state.inventory, set[str](), Turns()
        for task_id in ids:
            listed = inventory.find(task_id, oldest)
            unchanged = relisted and self._unchanged(task_id, listed)
            if task_id not in inventory:
                parents |= self._remove(task_id, proved=relisted)
            elif unchanged:
                if self.state.tasks[task_id].record(now):
                    unchanged = False  # it took as long as an update
                    self._stored.observe(task_id)
            else:
                parents |= self._update_samples(task_id, listed)
            await turns.after(1 / _CHECKED_PER_TURN if unchanged else 1 / _SHOWN_PER_TURN)
        levels = 0
        while parents and (levels := levels + 1) <= MOST_LEVELS:
            level, parents = self.state.tasks.keys() & parents, set()
            for parent in level:
                parents |= self._update_samples(parent, inventory.find(parent, oldest))
        await self.events.record(quiet=quiet)
        await self._stored.write()
        if relisted or self._counted != self.state.counted:  # no page shows other counts than tasks
            self._update_project()

    def _update_project(self) -> None:
        """Update the samples of the project. Facts about a task change none but its counts: the rest can wait."""
        self._counted = dict(self.state.counted)
        project = self.project()
        if self.state.ready and project != self._project:
            self._project = project
            self._samples.update_project(project)

    def _unchanged(self, task_id: str, listed: Listed | None) -> bool:
        """Return whether a list repeats the exposed entry of a task, which needs no update then."""
        task = self.state.tasks.get(task_id)
        if task is None or task.exposed is None or listed is None:
            return False
        same = task.listed is listed or task.listed == listed
        return same and task.cutover.old.isdisjoint({"status", "list"}) and not task.cutover.disputed

    def _remove(self, task_id: str, *, proved: bool) -> frozenset[str]:
        """Remove a task; `proved`: lists lack it. Return the parents that have to be judged again."""
        parents = self.state.subtasks.set_parents(task_id, frozenset())
        task = self.state.tasks.pop(task_id, None)
        if task is None:
            return parents
        self.state.count(task, None)
        if self.events.removed(task_id, task, proved=proved):
            self.context.waves.deleted(task_id)
        self._stored.observe(task_id)
        self._exposition.drop((self.key, task_id))
        kept = TaskState(history=task.history, phase=task.phase, ended_at=task.ended_at, observed=task.observed)
        self.state.removed[task_id] = self._clock.steady(), kept
        return parents

    def _task(self, task_id: str) -> TaskState:
        """Return the state of a task. One that was removed lately, and is listed again, still has its history."""
        if task_id not in self.state.tasks:
            _, task = self.state.removed.pop(task_id, (0.0, TaskState()))
            task.observed.new = self.events.appearing
            self._stored.restore(task_id, task)
            self.state.tasks[task_id] = task
        return self.state.tasks[task_id]

    def _update_samples(self, task_id: str, listed: Listed | None) -> frozenset[str]:
        """Update the state and the samples of a task. Return the parents and subtasks that have to be judged again."""
        task, now = self._task(task_id), self._clock.steady()
        before, phase, subtasks = task.exposed, task.phase, self.state.subtasks
        parent_inputs = task.parent_inputs if subtasks.parents(task_id) else None
        task.listed = listed
        included = listed is None or self.context.includes(task, listed)
        self.state.count(task, listed if included else None)
        task.observe_phase(listed, now)
        task.expire(now, self.ages)
        moved = frozenset() if listed is None else subtasks.set_parents(task_id, listed.parents)
        moved |= self.context.waves.observe(task_id, task) or set()
        task.wanted = included and (task.ended_at is None or now - task.ended_at <= self._ended_for)
        if not task.wanted or (listed is not None and not self.context.shard.contains(listed)):
            self._exposition.drop((self.key, task_id))
            task.exposed = task.blocked = task.caught_up = None
            task.cutover.restart()
        else:
            exposed = task.snapshot(listed, self.context)
            task.exposed = exposed and self.verdicts.judge(task, exposed)
        self._check_age(task_id, task, now)
        task.record_and_predict(now, self.context)
        if task.exposed is not None:
            self._samples.update_task((self.key, task_id), before, task.exposed)
        self.events.observe(task_id, task, before, phase)
        self._stored.observe(task_id)
        if subtasks.of(task_id) and excludes_subtasks(before) != excludes_subtasks(task.exposed):
            moved |= subtasks.of(task_id)
        if parent_inputs is not None and parent_inputs != task.parent_inputs:
            moved |= subtasks.parents(task_id)
        return moved
