"""Polls one project: a loop for each collector, lists first, then facts about the listed tasks."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from exporter.cloud.batches import fetch_all, split_results
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.config import TASKS
from exporter.model.task import CollectorFacts
from exporter.polling.context import PollContext
from exporter.polling.lists import Lists
from exporter.polling.loop import CollectorLoop
from exporter.polling.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from exporter.cloud.connect import Connection
    from exporter.cloud.http.budget import Demand
    from exporter.cloud.source import ProjectSource, Source
    from exporter.polling.plan import Work
    from exporter.store.store import Store


class Poller:
    """The loops of one project under one configuration.

    Args:
        store: takes all data.
        connection: to the cloud.
        intervals: seconds, by enabled collector.
        demand: of the account in the region.
        publish: called when a poll has ended.
        offset: see `CollectorLoop`.
    """

    def __init__(
        self,
        store: Store,
        connection: Connection,
        intervals: Mapping[str, float],
        *,
        demand: Demand,
        publish: Callable[[], None],
        offset: float = 0.0,
    ) -> None:
        self.store = store
        self._state = store.state
        self._meter = store.context.meter
        self._now = store.context.clock.steady
        self._decode_errors = connection.decode_errors
        self._publish = publish
        self._loops = {
            name: CollectorLoop(name, interval, demand, partial(self._meter.overran, name), offset)
            for name, interval in intervals.items()
        }
        self._context = PollContext(store, connection, self._loops)
        self._plan = Plan(self._context)
        self._lists = Lists(self._context)
        self._polled = asyncio.Event()
        self._queried: dict[tuple[str, str], dict[str, float]] = {}
        """When each task was last queried, by collector and source."""
        self._success: dict[str, bool] = {}
        """Whether the newest poll of each collector succeeded."""
        self._provided: dict[tuple[str, str, str], bool] = {}
        """Whether the calls of other collectors provided facts, by the collector of the facts, the other and source."""
        for name in intervals:
            self._age(name)

    async def run(self) -> None:
        """Poll for ever; the first lists come a moment before the others, which then use them."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._loops[TASKS].run(partial(self.poll, TASKS)))
                await self._polled.wait()
                for name, loop in self._loops.items():
                    if name != TASKS:
                        group.create_task(loop.run(partial(self.poll, name)))
        finally:
            for loop in self._loops.values():
                loop.forget()

    async def resume(self) -> None:
        """Continue from what the poller of another configuration left in the memory."""
        await self.store.restore()
        self._context.availability.show()

    def focus(self, tasks: Iterable[str]) -> None:
        """From now on query facts of these tasks alone."""
        self._plan.only = frozenset(tasks)

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return sum(loop.context.calls for loop in self._loops.values())

    @property
    def faults(self) -> Collection[CloudError]:
        """The errors of everything that fails now."""
        return self._context.journal.faults

    def alive(self) -> bool:
        """Return whether every loop shows signs of life."""
        return all(loop.alive() for loop in self._loops.values())

    async def poll_all(self) -> bool:
        """Poll every collector once. Return whether all succeeded."""
        for name in sorted(self._loops, key=lambda name: name != TASKS):
            await self.poll(name)
        return all(facts.success is not False for facts in self.store.project().collectors.values())

    async def poll(self, collector: str) -> None:
        """Poll once; no error in it ends the loop."""
        started, began = asyncio.get_running_loop().time(), self._now()
        loop = self._loops[collector]
        loop.context.beat()
        success = await self._guard(collector, self._lists.poll() if collector == TASKS else self._collect(collector))
        if success:
            loop.succeeded(started)
        self._age(collector)
        if success is not None:
            self._success[collector] = success
            provided = all(ok for (fed, _, _), ok in self._provided.items() if fed == collector)
            self._record(collector, started, success=success and provided)
        if collector == TASKS:
            self._decode_errors[TASKS].count += self._state.inventory.contradictions(began)
        self._meter.decode_errors({name: errors.take() for name, errors in self._decode_errors.items()})
        self._state.ready = True
        loop.context.beat()
        self._polled.set()
        self._publish()

    def _age(self, collector: str) -> None:
        """Adapt the ages of facts to the effective interval."""
        self.store.ages.set(collector, self._loops[collector].effective)
        if collector == TASKS:
            for api in self._context.connection.apis:
                self.store.ages.set(api.name, self._lists.interval(api))

    async def _guard(self, collector: str, work: Awaitable[bool | None]) -> bool | None:
        """Return the outcome of a poll or a part of it; an unforeseen exception costs that and nothing else."""
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - the one broad one
            self._context.journal.bug(collector, error)
            return False

    # Facts about single tasks

    async def _collect(self, collector: str) -> bool | None:
        """Query what is due. Return whether that succeeded; None: the calls of other collectors provide all of it."""
        started, loop = asyncio.get_running_loop().time(), self._loops[collector]
        work = await self._plan.work(collector)
        if work and not any(item.ids for item in work.values()):
            self._success.pop(collector, None)
            return None
        calls = loop.context.calls
        if self._success.get(collector, True):  # after a failure, a poll hardly makes more calls than the last one
            loop.expect(sum(math.ceil(len(item.ids) / source.batch) for source, item in work.items()))
        self._age(collector)
        outcomes = [await self._query_project(source) for source in self._plan.project_work(collector)]
        self._provided = {key: ok for key, ok in self._provided.items() if key[1] != collector}
        outcomes += await self._query_tasks(collector, work, started)
        loop.set_demand((loop.context.calls - calls) / loop.interval)
        known = [success for success in outcomes if success is not None]
        return all(known) if known else self._idle(collector)

    def _idle(self, collector: str) -> bool | None:
        """Return the outcome of a poll that had nothing to query: success if that is certain, else none."""
        if self.store.context.all_listed and self._plan.has_source(collector):
            return True
        self._success.pop(collector, None)
        self._state.polled(collector, CollectorFacts(self._loops[collector].effective))
        return None

    async def _query_project(self, source: ProjectSource) -> bool | None:
        """Query facts about the project as a whole. Return whether that succeeded; None: it does not exist here."""
        name, availability, journal = source.operation.name, self._context.availability, self._context.journal
        try:
            call = partial(source.fetch, self._context.client(source.collector), self._decode_errors)
            self._state.update(await self._context.backoff.call(name, call))
        except CloudError as error:
            reported = isinstance(error, NotPublishedError)
            absent = reported and availability.mark_operation_absent(name, source.collector)
            journal.polled(name, None if absent else error)
            return None if absent else False
        availability.mark_present(name)
        journal.polled(name, None)
        return True

    async def _query_tasks(self, collector: str, work: Mapping[Source, Work], started: float) -> list[bool | None]:
        """Query all sources, and instead of those that turn out not to exist the next ones. Return the outcomes."""
        outcomes: list[bool | None] = []
        queried: set[Source] = set()
        while any(item.ids for item in work.values()):
            for source, item in work.items():
                if item.ids:
                    success = await self._guard(collector, self._query(collector, source, item))
                    outcomes.append(success)
                    if success is not None:
                        self._record_provided(collector, source, item, started, success=success)
            queried |= work.keys()
            work = {
                source: item for source, item in (await self._plan.work(collector)).items() if source not in queried
            }
        return outcomes

    async def _query(self, collector: str, source: Source, work: Work) -> bool | None:
        """Query tasks and store the wanted facts. Return whether that succeeded; None: the source does not exist."""
        if self._context.backoff.refusal(source.name) is not None:
            return False
        received, refused, failed = 0, list[CloudError](), list[CloudError]()
        queried = self._queried_at((collector, source.name), work.ids)
        ids, client = sorted(work.ids, key=queried.__getitem__), self._context.client(collector)
        async with aclosing(fetch_all(source, client, self._decode_errors, ids)) as responses:
            async for answers in responses:
                queried |= dict.fromkeys(answers, self._now())
                call = split_results(answers)
                received += len(call.facts) + len(call.gone)
                refused += call.refused
                failed += call.failed
                facts = {
                    task_id: [facts for facts in received_facts if task_id in work.wanted.get(type(facts), ())]
                    for task_id, received_facts in call.facts.items()
                }
                await self.store.update(facts, call.gone)
        self._meter.task_errors(collector, len(refused))
        return self._judge(collector, source, refused, failed, received=received > 0)

    def _judge(
        self, collector: str, source: Source, refused: list[CloudError], failed: list[CloudError], *, received: bool
    ) -> bool | None:
        """Return whether a source succeeded, by its errors about tasks and about calls; None: it does not exist."""
        availability = self._context.availability
        if received:
            availability.mark_present(source.name)
        absent = any(isinstance(error, NotPublishedError) for error in failed)
        if absent := absent and availability.mark_operation_absent(source.name, collector):
            failed = [error for error in failed if not isinstance(error, NotPublishedError)]
        self._context.backoff.record(source.name, None if received else next(iter(failed), None))
        if not received:
            failed = [*failed, *refused]  # a source that refuses every single task does not work at all
        self._context.journal.polled(source.name, next(iter(failed), None))
        return None if absent and not failed else not failed

    def _queried_at(self, key: tuple[str, str], ids: Sequence[str]) -> dict[str, float]:
        """When each task was queried: a poll that has to be cut short leaves out other tasks than the one before."""
        before = self._queried.get(key, {})
        self._queried[key] = queried = {task_id: before.get(task_id, 0.0) for task_id in ids}
        return queried

    # Outcomes

    def _record_provided(self, collector: str, source: Source, work: Work, started: float, *, success: bool) -> None:
        """Record the outcome of calls for all other collectors whose facts they provide."""
        for fed in {kind.collector for kind in work.wanted} - {collector}:
            self._provided[fed, collector, source.name] = success
            # The last success of a collector that makes calls itself is that of its own calls.
            polls = fed in self._success
            self._record(fed, started, success=success and self._success.get(fed, True), keep_last_success=polls)

    def _record(self, collector: str, started: float, *, success: bool, keep_last_success: bool = False) -> None:
        duration = asyncio.get_running_loop().time() - started
        succeeded = self._now() if success and not keep_last_success else None
        interval = self._loops[collector].effective
        self._state.polled(collector, CollectorFacts(interval, success, duration, succeeded))
