"""Polls one project: a loop for each collector, lists first, then facts about the tasks that they show."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from math import ceil
from typing import TYPE_CHECKING

import structlog

from exporter.cloud.errors import CloudError, NotPublishedError
from exporter.cloud.pulse import Pulse, take
from exporter.cloud.source import fetch_all, sort_answers
from exporter.logs import where
from exporter.model import DELETED, CollectorFacts, Phase
from exporter.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from exporter.cloud.fields import Losses
    from exporter.cloud.source import Api, ProjectSource, Source
    from exporter.model import Listed
    from exporter.parts import Part
    from exporter.store import Store
    from exporter.telemetry import ProjectMeter

LISTS = "tasks"
"""The collector of the task lists; the others begin when its first poll has ended."""
_SECOND_LIST_SECONDS = 300.0
"""Beside v3, which is complete, v5 is listed this often."""
_WATCHDOG_INTERVALS = 5
_WATCHDOG_SECONDS = 300.0
"""A loop is not called stuck sooner: calls that time out one after the other are the cloud's fault."""
_log = structlog.get_logger()


class Poller:
    """One project.

    Args:
        store: takes what is learnt.
        apis: the API generations to ask, the one that decides first.
        losses: what the adapters could not decode, by collector.
        intervals: seconds, by enabled collector.
        job_types: which lists to ask for.
        meter: our own counters.
        publish: called when a poll has ended.
        now: Unix time.
    """

    def __init__(
        self,
        store: Store,
        apis: Sequence[Api],
        *,
        losses: Mapping[str, Losses],
        intervals: Mapping[str, float],
        job_types: Sequence[str],
        meter: ProjectMeter,
        publish: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self.store = store
        self._apis = apis
        self._losses = losses
        self._intervals = intervals
        self._job_types = job_types
        self._meter = meter
        self._publish = publish
        self._now = now
        self._list_due = dict.fromkeys((api.name for api in apis), -math.inf)
        self._plan = Plan(apis, intervals, store, now)
        self._failing: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._own: dict[str, bool] = {}
        """How the newest poll of each collector went."""
        self._brought: dict[str, dict[tuple[str, str], bool]] = {}
        """How the calls went that bring facts along for a collector: by the collector and source that make them."""
        self._pulses = {LISTS: Pulse()}
        self._log = _log.bind(account=store.key.account, region=store.key.region, project=store.key.project)
        store.ages.intervals |= {**intervals, **{api.name: self._list_interval(api) for api in apis}}

    async def run(self) -> None:
        """Poll for ever; lists come a moment before the others, which so know what the newest ones show."""
        clock = asyncio.get_running_loop().time
        started = clock()
        await self.poll(LISTS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop(LISTS, due=started + self._intervals[LISTS]))
            for name in self._intervals:
                if name != LISTS:
                    group.create_task(self._loop(name, due=clock()))

    def alive(self) -> bool:
        """Whether every loop has made progress within five intervals, or five minutes where that is longer."""
        return all(
            pulse.silent_for() < max(_WATCHDOG_INTERVALS * self._intervals[name], _WATCHDOG_SECONDS)
            for name, pulse in self._pulses.items()
        )

    async def poll_all(self) -> bool:
        """Poll every collector once; whether all succeeded."""
        await self.poll(LISTS)
        for name in self._intervals:
            if name != LISTS:
                await self.poll(name)
        return all(facts.success for facts in self.store.project().collectors.values())

    async def poll(self, collector: str) -> None:
        """One poll; whatever happens in it is its own affair."""
        started = asyncio.get_running_loop().time()
        pulse = self._pulses.setdefault(collector, Pulse())
        pulse.beat()
        take(pulse)
        success = await self._guard(collector, self._list() if collector == LISTS else self._collect(collector))
        if success is not None:
            self._own[collector] = success
            brought = self._brought.get(collector, {})
            self._record(collector, started, success=success and all(brought.values()))
        self._meter.decode_errors({name: losses.take() for name, losses in self._losses.items()})
        self.store.facts.ready = True
        pulse.beat()
        self._publish()

    async def _guard(self, collector: str, work: Awaitable[bool | None]) -> bool | None:
        """The outcome of a poll or a part of it; what is unforeseen costs that and nothing else."""
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - the one broad one
            self._note_bug(collector, error)
            return False

    async def _loop(self, collector: str, due: float) -> None:
        clock = asyncio.get_running_loop().time
        interval = self._intervals[collector]
        while True:
            missed = max(0, ceil((clock() - due) / interval))  # left out, never made up for
            due += missed * interval
            self._meter.overran(collector, missed)
            await asyncio.sleep(due - clock())
            async with asyncio.TaskGroup() as group:
                poll = group.create_task(self.poll(collector))
                due += interval
                while not (await asyncio.wait({poll}, timeout=due - clock()))[0]:
                    self._meter.overran(collector, 1)  # told meanwhile: it may never end
                    due += interval

    # The lists

    async def _list(self) -> bool | None:
        now = asyncio.get_running_loop().time()
        # Not all at once: where the first generation turns out to be gone, the second is due.
        outcomes = [await self._list_api(api, now) for api in self._apis if self._list_due[api.name] <= now]
        self.store.ages.intervals |= {api.name: self._list_interval(api) for api in self._apis}
        return all(outcomes) and self.store.facts.lists.up() if outcomes else None

    async def _list_api(self, api: Api, now: float) -> bool:
        """List every job type in the poll that began `now`; whether that went well, which not being published is."""
        lists = (self._list_job_type(api, job_type) for job_type in self._job_types)
        answers = await asyncio.gather(*lists, return_exceptions=True)
        errors = [error for error in answers if error is not None]
        absent = len(errors) == len(answers) and all(isinstance(error, NotPublishedError) for error in errors)
        if absent and not self.store.facts.lists.believed(api.name):
            # A generation that has just listed tasks is rather broken than gone, so it ages out first.
            self._list_due[api.name] = self._plan.missing(api.name)
            # The other generation lists alone from now on: it is due at once, unless it is missing as well.
            self._list_due |= {one.name: -math.inf for one in self._apis if not self._plan.lacks(one.name)}
            await self.store.unpublished(api.name)
            return True
        self._plan.found(api.name)
        # Half a poll less than the interval, so that the poll at its end finds it due; after a failure the next one.
        wait = self._intervals[LISTS] if errors else self._list_interval(api)
        self._list_due[api.name] = now + wait - self._intervals[LISTS] / 2
        for job_type, error in zip(self._job_types, answers, strict=True):
            if error is None or isinstance(error, CloudError):
                self._note(f"{api.name} list of {job_type}", error)
            else:
                self._note_bug(LISTS, error)
            if error is not None:
                self.store.facts.lists.failed(api.name, job_type)
        return not errors

    async def _list_job_type(self, api: Api, job_type: str) -> None:
        answer = await api.list_tasks(job_type)
        await self.store.listed(api.name, job_type, answer.tasks, complete=answer.complete)
        self._note_unknown(answer.tasks)

    def _list_interval(self, api: Api) -> float:
        """v5 beside a published v3 only looks for what v3 does not list."""
        interval = self._intervals[LISTS]
        second = api is not self._apis[0] and not self._plan.lacks(self._apis[0].name)
        return max(interval, _SECOND_LIST_SECONDS) if second else interval

    # Facts about single tasks

    async def _collect(self, collector: str) -> bool | None:
        """Ask for what is due; None where the calls of other collectors bring all of it, and say how that went."""
        started = asyncio.get_running_loop().time()
        work = self._plan.work(collector)
        if work and not any(work.values()):
            return None
        outcomes = [await self._ask_project(collector)]
        for brought in self._brought.values():
            for key in [key for key in brought if key[0] == collector]:
                del brought[key]
        asked: set[Source] = set()
        while any(work.values()):
            for source, ids in work.items():
                if ids:
                    wanted = {part: served for part in source.parts if (served := self._plan.brought(part, source))}
                    success = bool(await self._guard(collector, self._ask(collector, source, ids, wanted)))
                    outcomes.append(success)
                    for also in {part.collector for part in wanted} - {collector}:
                        self._brought.setdefault(also, {})[collector, source.name] = success
                        self._record(also, started, success=success and self._own.get(also, True))
            asked |= work.keys()
            # One that turned out not to be published leaves its tasks to the next.
            work = {source: ids for source, ids in self._plan.work(collector).items() if source not in asked}
        return all(outcomes)

    async def _ask_project(self, collector: str) -> bool:
        """Facts about the project as a whole, from each generation that tells some; whether that went well."""
        return all([await self._ask_project_source(source) for source in self._plan.project_work(collector)])

    async def _ask_project_source(self, source: ProjectSource) -> bool:
        error: CloudError | None = None
        try:
            self.store.facts.learnt(await source.fetch())
            self._plan.answered(source.operation.name)
        except CloudError as failure:
            error = failure
            gone = isinstance(failure, NotPublishedError)
            if gone and self._plan.missing_operation(source.operation.name, source.collector):
                error = None
        self._note(source.operation.name, error)
        return error is None

    async def _ask(
        self, collector: str, source: Source, ids: Sequence[str], wanted: Mapping[type[Part], frozenset[str]]
    ) -> bool:
        """Ask for all the tasks, and keep the parts for which this source is `wanted`; whether the calls went well."""
        learnt, refused, failed = 0, list[CloudError](), list[CloudError]()
        async with aclosing(fetch_all(source, ids)) as batches:
            async for answers in batches:
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
            self._plan.answered(source.name)
        gone = any(isinstance(error, NotPublishedError) for error in failed)
        if gone and self._plan.missing_operation(source.name, collector):
            failed = [error for error in failed if not isinstance(error, NotPublishedError)]
        if not learnt:
            failed += refused  # who refuses every single task does not answer at all
        self._note(source.name, next(iter(failed), None))
        return not failed

    # What is told about it

    def _record(self, collector: str, started: float, *, success: bool) -> None:
        duration = asyncio.get_running_loop().time() - started
        succeeded = self._now() if success else None
        self.store.facts.polled(collector, CollectorFacts(self._intervals[collector], success, duration, succeeded))

    def _note(self, what: str, error: CloudError | None) -> None:
        """Log a failure when it begins or changes, and its end."""
        before = self._failing.pop(what, None)
        if error is not None:
            self._failing[what] = str(error)
            if before != str(error):
                self._log.warning("the cloud gave no usable answer", what=what, error=str(error))
        elif before is not None:
            self._log.info("the cloud answers again", what=what)

    def _note_bug(self, collector: str, error: BaseException) -> None:
        self._log.error("a poll ended in a bug", collector=collector, error=type(error).__name__, where=where(error))

    def _note_unknown(self, tasks: Sequence[Listed]) -> None:
        fresh = {listed.status for listed in tasks if listed.phase is Phase.OTHER} - self._unknown - {DELETED}
        self._unknown |= fresh
        self._meter.unknown_statuses(len(fresh))
        for status in sorted(fresh):
            self._log.warning("status without a known phase; shown as phase other", status=status)
