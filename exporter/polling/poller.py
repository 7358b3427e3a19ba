"""Polls one project: a loop for each collector, lists first, then facts about the tasks that they show."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from exporter.cloud.http.caller import call_for
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.cloud.source import fetch_all, sort_answers
from exporter.config.collectors import TASKS
from exporter.model.task import CollectorFacts
from exporter.polling.availability import Published
from exporter.polling.journal import Notes
from exporter.polling.lists import Listing
from exporter.polling.loop import Pace, SlowLane
from exporter.polling.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from exporter.cloud.http.budget import Demand
    from exporter.cloud.source import Api, ProjectSource, Source
    from exporter.cloud.wire.fields import DecodeErrors
    from exporter.metrics.own import ProjectMeter
    from exporter.model.facts import TaskFacts
    from exporter.runtime.clock import Clock
    from exporter.store.store import Store


class Poller:
    """One project.

    Args:
        store: takes what is learnt.
        apis: the API generations to ask, the one that decides first.
        decode_errors: what the adapters could not decode, by collector.
        intervals: seconds, by enabled collector.
        job_types: which lists to ask for.
        demand: of the account in the region.
        meter: our own counters.
        publish: called when a poll has ended.
        clock: of ages.
        offset: by which part of an interval polls after the first come later, so that not all projects poll at once.
    """

    def __init__(
        self,
        store: Store,
        apis: Sequence[Api],
        *,
        decode_errors: Mapping[str, DecodeErrors],
        intervals: Mapping[str, float],
        job_types: Sequence[str],
        demand: Demand,
        meter: ProjectMeter,
        publish: Callable[[], None],
        clock: Clock,
        offset: float = 0.0,
    ) -> None:
        self.store = store
        self._apis = apis
        self._losses = decode_errors
        self._paces = {
            name: Pace(name, interval, demand, partial(meter.overran, name), offset)
            for name, interval in intervals.items()
        }
        self._meter = meter
        self._publish = publish
        self._now = clock.steady
        self._published = Published(apis, intervals, store.facts, store.ages)
        self._plan = Plan(apis, intervals, store, self._published, clock.now)
        self._slow = SlowLane()
        self._notes = Notes(store.facts)
        self._lists = Listing(
            apis,
            job_types,
            pace=self._paces[TASKS],
            published=self._published,
            store=store,
            slow=self._slow,
            meter=meter,
            notes=self._notes,
        )
        self._listed = asyncio.Event()
        self._asked: dict[tuple[str, str], dict[str, float]] = {}
        """When each task was last asked for, by collector and source."""
        self._own: dict[str, bool] = {}
        """How the newest poll of each collector went."""
        self._brought: dict[str, dict[tuple[str, str], bool]] = {}
        """How the calls went that bring facts along for a collector: by the collector and source that make them."""
        for name in intervals:
            self._age(name)

    async def run(self) -> None:
        """Poll for ever; lists come a moment before the others, which so know what the newest ones show."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._paces[TASKS].loop(partial(self.poll, TASKS)))
                await self._listed.wait()
                for name, pace in self._paces.items():
                    if name != TASKS:
                        group.create_task(pace.loop(partial(self.poll, name)))
        finally:
            for pace in self._paces.values():
                pace.forget()

    async def adopt(self, other: Poller) -> None:
        """Go on with what is known of the same project, and with what was witnessed of its tasks."""
        await self.store.adopt(other.store)
        self._published.adopt(other._published)

    def focus(self, tasks: Iterable[str]) -> None:
        """From now on ask for facts of these tasks alone."""
        self._plan.only = frozenset(tasks)

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return sum(pace.caller.calls for pace in self._paces.values())

    @property
    def faults(self) -> Collection[CloudError]:
        """What fails now."""
        return self._notes.faults

    def alive(self) -> bool:
        """Whether every loop shows signs of life."""
        return all(pace.alive() for pace in self._paces.values())

    async def poll_all(self) -> bool:
        """Poll every collector once; whether all succeeded."""
        await self.poll(TASKS)
        for name in self._paces:
            if name != TASKS:
                await self.poll(name)
        return all(facts.success is not False for facts in self.store.project().collectors.values())

    async def poll(self, collector: str) -> None:
        """One poll; whatever happens in it is its own affair."""
        started, began = asyncio.get_running_loop().time(), self._now()
        pace = self._paces[collector]
        call_for(pace.caller)
        pace.caller.beat()
        success = await self._guard(collector, self._lists.poll() if collector == TASKS else self._collect(collector))
        if success:
            pace.ended(started)
        self._age(collector)
        if success is not None:
            self._own[collector] = success
            brought = self._brought.get(collector, {})
            self._record(collector, started, success=success and all(brought.values()))
        if collector == TASKS:
            self._losses[TASKS].count += self.store.inventory.contradictions(began)
        self._meter.decode_errors({name: errors.take() for name, errors in self._losses.items()})
        self.store.facts.ready = True
        pace.caller.beat()
        self._listed.set()
        self._publish()

    def _age(self, collector: str) -> None:
        """Let facts be as old as the interval now is."""
        self.store.ages.set(collector, self._paces[collector].effective)
        if collector == TASKS:
            for api in self._apis:
                self.store.ages.set(api.name, self._lists.interval(api))

    async def _guard(self, collector: str, work: Awaitable[bool | None]) -> bool | None:
        """The outcome of a poll or a part of it; what is unforeseen costs that and nothing else."""
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - the one broad one
            self._notes.bug(collector, error)
            return False

    # Facts about single tasks

    async def _collect(self, collector: str) -> bool | None:
        """Ask for what is due; None where the calls of other collectors bring all of it, and say how that went."""
        started = asyncio.get_running_loop().time()
        work = await self._plan.work(collector)
        if work and not any(one.ids for one in work.values()):
            self._own.pop(collector, None)
            return None
        before, pace = self._paces[collector].caller.calls, self._paces[collector]
        if self._own.get(collector, True):  # who did not answer will hardly be asked for more than the last time
            pace.expects(sum(math.ceil(len(one.ids) / source.batch) for source, one in work.items()))
        self._age(collector)
        outcomes = [await self._ask_project_source(source) for source in self._plan.project_work(collector)]
        for brought in self._brought.values():
            for key in [key for key in brought if key[0] == collector]:
                del brought[key]
        asked: set[Source] = set()
        while any(one.ids for one in work.values()):
            for source, (ids, wanted) in work.items():
                if ids:
                    if (success := await self._guard(collector, self._ask(collector, source, ids, wanted))) is None:
                        continue
                    outcomes.append(success)
                    for also in {part.collector for part in wanted} - {collector}:
                        self._brought.setdefault(also, {})[collector, source.name] = success
                        self._record(also, started, success=success and self._own.get(also, True), brought=True)
            asked |= work.keys()
            # One that turned out not to be published leaves its tasks to the next.
            left = await self._plan.work(collector)
            work = {source: one for source, one in left.items() if source not in asked}
        outcomes = [success for success in outcomes if success is not None]
        pace.made(pace.caller.calls - before)
        return all(outcomes) if outcomes else self._idle(collector)

    def _idle(self, collector: str) -> bool | None:
        """Of a poll that had nothing to ask: fine where that is knowledge, else there is no outcome any more."""
        if self.store.facts.all_listed and self._plan.feeds(collector):
            return True
        self._own.pop(collector, None)
        self.store.facts.polled(collector, CollectorFacts(self._paces[collector].effective))
        return None

    async def _ask_project_source(self, source: ProjectSource) -> bool | None:
        """Facts about the project as a whole; whether that went well, None where it is not published."""
        name, error, gone = source.operation.name, None, False
        try:
            self.store.facts.learnt(await self._slow.ask(name, source.fetch))
            self._published.answered(name)
        except CloudError as failure:
            if isinstance(failure, NotPublishedError):
                gone = self._published.missing_operation(name, source.collector)
            error = None if gone else failure
        self._notes.outcome(name, error)
        return None if gone else error is None

    async def _ask(
        self, collector: str, source: Source, ids: Sequence[str], wanted: Mapping[type[TaskFacts], frozenset[str]]
    ) -> bool | None:
        """Ask for all, and keep what the source is `wanted` for; whether that went well, None: it is not published."""
        if self._slow.standing(source.name) is not None:
            return False
        learnt, refused, failed = 0, list[CloudError](), list[CloudError]()
        asked = self._asked_before((collector, source.name), ids)
        async with aclosing(fetch_all(source, sorted(ids, key=asked.__getitem__))) as batches:
            async for answers in batches:
                asked |= dict.fromkeys(answers, self._now())
                call = sort_answers(answers)
                learnt += len(call.parts) + len(call.gone)
                refused += call.refused
                failed += call.failed
                facts = {
                    task_id: [part for part in parts if task_id in wanted.get(type(part), ())]
                    for task_id, parts in call.parts.items()
                }
                await self.store.learnt(facts, call.gone)
        self._meter.task_errors(collector, len(refused))
        if learnt:
            self._published.answered(source.name)
        gone = any(isinstance(error, NotPublishedError) for error in failed)
        if gone := gone and self._published.missing_operation(source.name, collector):
            failed = [error for error in failed if not isinstance(error, NotPublishedError)]
        self._slow.told(source.name, None if learnt else next(iter(failed), None))
        if not learnt:
            failed += refused  # who refuses every single task does not answer at all
        self._notes.outcome(source.name, next(iter(failed), None))
        return None if gone and not failed else not failed

    def _asked_before(self, who: tuple[str, str], ids: Sequence[str]) -> dict[str, float]:
        """When each task was asked for: a round that has to be cut short leaves out others than the one before."""
        asked = self._asked.get(who, {})
        self._asked[who] = {task_id: asked.get(task_id, 0.0) for task_id in ids}
        return self._asked[who]

    # What is told about it

    def _record(self, collector: str, started: float, *, success: bool, brought: bool = False) -> None:
        """A poll ended; facts that another collector `brought` make the success of who asks himself no younger."""
        duration = asyncio.get_running_loop().time() - started
        succeeded = self._now() if success and not (brought and collector in self._own) else None
        interval = self._paces[collector].effective
        self.store.facts.polled(collector, CollectorFacts(interval, success, duration, succeeded))
