"""Polls one project: task lists first, then facts about the listed tasks, each source in a poll loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from statistics import median

from exporter.cloud.connect import Connection
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler
from exporter.config import TASKS, Wave
from exporter.model.facts import CollectorFacts
from exporter.model.task import Listed
from exporter.polling.context import PollContext
from exporter.polling.list_loop import ListLoop
from exporter.polling.loop import PollLoop
from exporter.polling.plan import Plan
from exporter.polling.project_loop import ProjectLoop
from exporter.polling.task_loop import TaskLoop
from exporter.polling.wave_lists import WaveListLoop
from exporter.polling.wave_tasks import WaveTasks
from exporter.runtime.turns import in_turns
from exporter.store.store import Store

_TASKS_PER_TURN = 1000


class Poller:
    """The poll loops of one project under one configuration.

    Args:
        store: takes all data.
        connection: to the cloud.
        intervals: seconds, by enabled collector.
        scheduler: of the account in the region.
        publish: called when a loop has polled all that is due.
    """

    def __init__(
        self,
        store: Store,
        connection: Connection,
        intervals: Mapping[str, float],
        *,
        scheduler: Scheduler,
        publish: Callable[[], None],
    ) -> None:
        self.store = store
        self._state = store.state
        self._publish = publish
        self._context = PollContext(store, connection, scheduler, intervals, self._ended, self._listed_slowly)
        self._plan = Plan(self._context)
        self._lists = ListLoop(self._context)
        self._tasks = [*_task_loops(self._context)]
        self._waves = WaveTasks(self._context)
        self._wave_lists = WaveListLoop(self._context, self._lists.reader)
        self._projects = [
            ProjectLoop(self._context, api, source)
            for api in connection.apis
            for source in api.project_sources
            if source.collector in intervals
        ]
        self._loops: list[PollLoop] = [self._lists, self._wave_lists, *self._projects, *self._tasks]
        self._states: dict[str, tuple[str | None, ...]] = {}
        self._listed = asyncio.Event()
        self._assigning = asyncio.Lock()
        self._absences = 0
        self._running_waves: tuple[Wave, ...] = ()
        self._limits: dict[str, CollectorFacts] = {}
        for collector in intervals:
            self._measure(collector, self._state.tasks)  # which another configuration may have left
        self._age_lists()

    async def run(self) -> None:
        """Poll for ever; the first lists come a moment before the others, which then use them."""
        self._state.polls_on = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lists.run())
                await self._listed.wait()
                for loop in self._loops[1:]:
                    group.create_task(loop.run())
        finally:
            for loop in self._loops:
                self._context.scheduler.demand.pop(loop, None)
            self._context.scheduler.waves.pop(self._waves, None)

    async def resume(self) -> None:
        """Continue from what the poller of another configuration left in the state."""
        await self.store.restore()
        self._context.availability.show()

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return sum(loop.calls for loop in self._loops)

    @property
    def faults(self) -> Collection[CloudError]:
        """The errors of everything that fails now."""
        return self._context.failures.faults

    def alive(self) -> bool:
        """Return whether every loop shows signs of life."""
        return all(loop.alive() for loop in self._loops)

    async def poll_once(self) -> bool:
        """Poll everything once. Return whether all of it succeeded."""
        await self.poll_lists()
        await self.poll_facts(self._context.intervals)
        return all(facts.success is not False for facts in self.store.project().collectors.values())

    async def poll_lists(self) -> None:
        """Poll the task lists once."""
        await self._lists.run_once()

    async def poll_facts(self, collectors: Container[str], *, only: Iterable[str] | None = None) -> None:
        """Poll the facts of some collectors once; `only` are the ids of the tasks, of all if it is left out."""
        if only is not None:
            self._plan.only = frozenset(only)
            await self._assign()
        loops = self._loops[1:]
        while loops:
            absences = self._context.availability.absences
            async with asyncio.TaskGroup() as group:
                for loop in loops:
                    if any(collector in collectors for collector in loop.fed):
                        group.create_task(loop.run_once())
            # A source that turned out not to exist has left its tasks to others.
            loops = self._loops[1:] if absences != self._context.availability.absences else []
        for collector in self._context.intervals:
            self._measure(collector)

    async def _ended(self, loop: PollLoop, seconds: float) -> None:
        """A poll has ended: assign tasks again if it changed what can be queried, and record what came of it."""
        changed = loop is self._lists or (loop is self._wave_lists and self._any_changed(self._waves.ids))
        changed = changed or self._running_waves != self.store.context.waves.running
        if changed or self._absences != self._context.availability.absences:
            self._absences = self._context.availability.absences
            await self._assign()
        for collector in {*loop.fed, loop.collector} if loop is not self._wave_lists else ():
            self._record(collector, seconds)
        errors = self._context.connection.decode_errors
        self._context.meter.decode_errors({name: each.take() for name, each in errors.items() if each.count})
        self._state.ready = True
        self._listed.set()
        if loop.due() > asyncio.get_running_loop().time():
            self._publish()

    def _any_changed(self, ids: Iterable[str]) -> bool:
        """Return whether the state of any of these tasks is another one than when tasks were last assigned."""
        known = self._state.tasks
        listed = {task_id: known[task_id].listed for task_id in known.keys() & ids}
        return any(each and self._states.get(task_id) != _state_of(each) for task_id, each in listed.items())

    async def _listed_slowly(self) -> None:
        """Poll the tasks of one list while others are still being read: it might expire before they are complete."""
        await self._assign()
        self._listed.set()

    async def _assign(self) -> None:
        """Assign all tasks to the loops that query them; those whose state has changed are due now."""
        async with self._assigning:  # else an older plan might replace a newer one
            await self._assign_now()
        async for loop in in_turns(self._loops, 1):  # each looks at all of its tasks
            self._context.scheduler.demand[loop] = loop.demand()
        self._age_lists()
        async for collector in in_turns(self._context.intervals, 1):
            self._measure(collector)
            if not any(collector in loop.fed for loop in self._loops):
                self._record(collector, 0.0)

    async def _assign_now(self) -> None:
        tasks = self.store.listed_tasks(unwanted=True)
        assigned = await self._plan.assign(tasks)
        await self.store.set_unpublished(self._plan.unpublished)
        states = {listed.id: _state_of(listed) async for listed in in_turns(tasks, _TASKS_PER_TURN)}
        changed = {key for key, state in states.items() if self._states.get(key, state) != state}
        self._states = states
        self._running_waves = self.store.context.waves.running
        taken = await self._waves.take(tasks, assigned)
        self._wave_lists.assign(self._waves.lists)
        async for loop in in_turns(self._tasks, 1):
            if loop.wave:
                loop.assign(taken.get(loop.source, {}), changed, self._waves.sources.get(loop.source, {}))
            else:
                loop.assign(assigned.get((loop.collector, loop.source), {}), changed)

    def _age_lists(self) -> None:
        for api in self._context.connection.apis:
            self.store.ages.set(api.name, self._lists.interval(api), self._lists.measured.get(api.name))

    def _measure(self, collector: str, ids: Iterable[str] | None = None) -> None:
        """Adapt the ages of facts to the time that their updates take; of the tasks that are polled by default.

        The tasks of running waves, which are updated more often, do not let those of other tasks expire earlier, nor
        their own after the wave.
        """
        interval, ages, known = self._context.intervals[collector], self.store.ages, self._state.tasks
        if ids is None:
            ids = {task_id for loop in self._tasks for task_id in loop.tasks(collector)}
        tasks = [known[task_id] for task_id in ids if task_id in known]
        others = [known[task_id] for task_id in known.keys() & ids if task_id not in self._waves.ids]
        gaps = [task.gaps[collector] for task in others or tasks if collector in task.gaps]
        collected = [task.collected[collector] for task in tasks if task.exposed and collector in task.collected]
        if collector == TASKS:
            ages.set(collector, interval, min(self._lists.measured.values(), default=None))
        else:
            measured = map(median, zip(*gaps, strict=True)) if gaps else ()
            ages.set(collector, interval, *measured, decays=bool(others or not tasks))
        self._limits[collector] = CollectorFacts(
            ages.interval(collector),
            max_age_seconds=ages.expire_after(collector),
            oldest_seconds=self.store.context.clock.steady() - min(collected) if collected else None,
        )
        self._state.measured(collector, self._limits[collector])

    def _record(self, collector: str, seconds: float) -> None:
        """Record the outcome of the newest polls of all loops that feed a collector."""
        facts = self._limits[collector]
        feeding = [loop for loop in self._loops if collector in loop.fed]
        outcomes = [not loop.raised and success for loop in feeding if (success := loop.succeeds()) is not None]
        if outcomes or (not feeding and self.store.context.all_listed and self._plan.has_source(collector)):
            success, now = all(outcomes), self.store.context.clock.steady()
            facts = replace(facts, success=success, duration_seconds=seconds, last_success_at=now if success else None)
        self._state.polled(collector, facts)


def _state_of(listed: Listed) -> tuple[str | None, ...]:
    """Return the fields of a list whose change makes all facts about a task due: of a DR task, a switchover as well."""
    if not listed.disaster_recovery:
        return (listed.status,)
    return listed.status, listed.direction, listed.current_action


def _task_loops(context: PollContext) -> Iterator[TaskLoop]:
    """Yield a loop for each source and each of its collectors, then those for the tasks of running waves."""
    sources = [source for api in context.connection.apis for source in api.sources]
    for source in sources:
        for collector in dict.fromkeys(kind.collector for kind in source.kinds):
            if collector in context.intervals:
                yield TaskLoop(context, collector, source)
    for source in sources:
        if (collector_in_waves := source.collector_in_waves(context.intervals)) is not None:
            yield TaskLoop(context, collector_in_waves, source, wave=True)
