"""Polls one project: a loop for each collector, lists first, then facts about the tasks that they show."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from math import ceil
from typing import TYPE_CHECKING

import structlog

from exporter.cloud.errors import CloudError, NotPublishedError
from exporter.cloud.source import fetch_all, sort_answers
from exporter.logs import where
from exporter.model import CollectorFacts, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exporter.cloud.fields import Losses
    from exporter.cloud.source import Api, Source
    from exporter.model import Listed
    from exporter.store import Store
    from exporter.telemetry import ProjectMeter

LISTS = "tasks"
"""The collector of the task lists; the others begin when its first poll has ended."""
_SECOND_LIST_SECONDS = 300.0
"""Beside v3, which is complete, v5 is listed this often."""
_ASK_AGAIN_SECONDS = 3600.0
"""What is not published in this region is asked for this often."""
_WATCHDOG_INTERVALS = 5
_log = structlog.get_logger()


class Poller:
    """One project.

    Args:
        store: takes what is learnt.
        apis: the API generations to ask, the one that decides first.
        losses: what the adapters could not decode, by collector.
        intervals: seconds, by enabled collector.
        stale_after: seconds; see `Store.max_age`.
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
        stale_after: float,
        job_types: Sequence[str],
        meter: ProjectMeter,
        publish: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self.store = store
        self._apis = apis
        self._losses = losses
        self._intervals = intervals
        self._stale_after = stale_after
        self._job_types = job_types
        self._meter = meter
        self._publish = publish
        self._now = now
        self._list_due = dict.fromkeys((api.name for api in apis), 0.0)
        self._unpublished: dict[str, float] = {}
        """API generations and operations that this region lacks: when to ask for them again."""
        self._failing: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._progressed_at = asyncio.get_running_loop().time()
        self._log = _log.bind(account=store.key.account, region=store.key.region, project=store.key.project)
        store.max_age |= {name: self._max_age(interval) for name, interval in intervals.items()}
        store.max_age |= {api.name: self._max_age(self._list_interval(api)) for api in apis}

    async def run(self) -> None:
        """Poll for ever."""
        await self.poll(LISTS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop(LISTS, first=self._intervals[LISTS]))
            for name in self._intervals:
                if name != LISTS:
                    group.create_task(self._loop(name, first=0))

    def alive(self) -> bool:
        """Whether the list loop has made progress within five intervals."""
        silent = asyncio.get_running_loop().time() - self._progressed_at
        return silent < _WATCHDOG_INTERVALS * self._intervals[LISTS]

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
        try:
            success = await (self._list() if collector == LISTS else self._collect(collector))
        except Exception as error:  # noqa: BLE001 - the one broad one: the unforeseen costs this poll, no other
            success = False
            self._log.error(
                "a poll ended in a bug", collector=collector, error=type(error).__name__, where=where(error)
            )
        self._record(collector, started, success=success)
        self._meter.decode_errors({name: losses.take() for name, losses in self._losses.items()})
        self.store.ready = True
        if collector == LISTS:
            self._progressed_at = asyncio.get_running_loop().time()
        self._publish()

    async def _loop(self, collector: str, first: float) -> None:
        clock = asyncio.get_running_loop().time
        interval = self._intervals[collector]
        due = clock() + first
        while True:
            await asyncio.sleep(due - clock())
            await self.poll(collector)
            due += interval
            missed = max(0, ceil((clock() - due) / interval))  # left out, never made up for
            due += missed * interval
            self._meter.overran(collector, missed)

    def _max_age(self, interval: float) -> float:
        return max(self._stale_after, 3 * interval)

    # The lists

    async def _list(self) -> bool:
        due = [api for api in self._apis if self._list_due[api.name] <= self._now()]
        outcomes = [await self._list_api(api) for api in due]
        self.store.max_age |= {api.name: self._max_age(self._list_interval(api)) for api in self._apis}
        return all(outcomes) and self.store.lists.up()

    async def _list_api(self, api: Api) -> bool:
        """List every job type; whether that went well, which not being published is."""
        answers = await asyncio.gather(*(self._list_job_type(api, job_type) for job_type in self._job_types))
        errors = [error for error in answers if error is not None]
        absent = len(errors) == len(answers) and all(isinstance(error, NotPublishedError) for error in errors)
        if absent and not self.store.lists.believed(api.name):
            # A generation that has just listed tasks is rather broken than gone, so it ages out first.
            self._unpublished[api.name] = self._list_due[api.name] = self._now() + _ASK_AGAIN_SECONDS
            await self.store.unpublished(api.name)
            return True
        self._unpublished.pop(api.name, None)
        # Half a poll less than the interval, so that the poll at its end finds it due; after a failure the next one.
        wait = self._intervals[LISTS] if errors else self._list_interval(api)
        self._list_due[api.name] = self._now() + wait - self._intervals[LISTS] / 2
        for job_type, error in zip(self._job_types, answers, strict=True):
            self._note(f"{api.name} list of {job_type}", error)
            if error is not None:
                self.store.lists.failed(api.name, job_type)
        return not errors

    async def _list_job_type(self, api: Api, job_type: str) -> CloudError | None:
        try:
            answer = await api.list_tasks(job_type)
        except CloudError as error:
            return error
        await self.store.listed(api.name, job_type, answer.tasks, complete=answer.complete)
        self._note_unknown(answer.tasks)
        return None

    def _list_interval(self, api: Api) -> float:
        """v5 beside a published v3 only looks for what v3 does not list."""
        interval = self._intervals[LISTS]
        second = api is not self._apis[0] and self._apis[0].name not in self._unpublished
        return max(interval, _SECOND_LIST_SECONDS) if second else interval

    # Facts about single tasks

    async def _collect(self, collector: str) -> bool:
        work = self._assign(collector)
        started = asyncio.get_running_loop().time()
        outcomes = []
        for source, ids in work.items():
            success = await self._ask(source, ids)
            outcomes.append(success)
            for also in source.collectors:
                if also != collector and also in self._intervals:
                    self._record(also, started, success=success)
        return all(outcomes)

    def _assign(self, collector: str) -> dict[Source, list[str]]:
        """The tasks that each source is asked for: the first published one of a generation that lists the task.

        What another collector's calls to the same source bring along is not asked for twice.
        """
        sources = [(api.name, source) for api in self._apis for source in api.sources if collector in source.collectors]
        for api, source in sources:
            published = not self._lacks(api) and not self._lacks(source.name)
            self.store.source(collector, source.name, published=published)
        work: dict[Source, list[str]] = {}
        for listed in self.store.active():
            for api, source in sources:
                if not self._lacks(source.name) and self.store.inventory.listed_by(listed.id, api):
                    work.setdefault(source, []).append(listed.id)
                    break
        return {source: left for source, ids in work.items() if (left := self._not_brought(collector, source, ids))}

    def _not_brought(self, collector: str, source: Source, ids: list[str]) -> list[str]:
        first = source.collectors[0]
        if first == collector or first not in self._intervals:
            return ids
        brought = set(self._assign(first).get(source, ()))
        return [task_id for task_id in ids if task_id not in brought]

    async def _ask(self, source: Source, ids: Sequence[str]) -> bool:
        """Ask for all the tasks; whether the calls went well."""
        learnt, refused, failed = 0, list[CloudError](), list[CloudError]()
        async with aclosing(fetch_all(source, ids)) as batches:
            async for answers in batches:
                call = sort_answers(answers)
                learnt += len(call.parts) + len(call.gone)
                refused += call.refused
                failed += call.failed
                await self.store.learnt(call.parts, call.gone)
        self._meter.task_errors(source.collectors[0], len(refused))
        if any(isinstance(error, NotPublishedError) for error in failed):
            self._unpublished[source.name] = self._now() + _ASK_AGAIN_SECONDS
        if not learnt:
            failed += refused  # who refuses every single task does not answer at all
        self._note(source.name, next(iter(failed), None))
        return not failed

    def _lacks(self, name: str) -> bool:
        return self._now() < self._unpublished.get(name, 0.0)

    # What is told about it

    def _record(self, collector: str, started: float, *, success: bool) -> None:
        duration = asyncio.get_running_loop().time() - started
        succeeded = self._now() if success else None
        self.store.polled(collector, CollectorFacts(self._intervals[collector], success, duration, succeeded))

    def _note(self, what: str, error: CloudError | None) -> None:
        """Log a failure when it begins or changes, and its end."""
        before = self._failing.pop(what, None)
        if error is not None:
            self._failing[what] = str(error)
            if before != str(error):
                self._log.warning("the cloud gave no usable answer", what=what, error=str(error))
        elif before is not None:
            self._log.info("the cloud answers again", what=what)

    def _note_unknown(self, tasks: Sequence[Listed]) -> None:
        fresh = {listed.status for listed in tasks if listed.phase is Phase.OTHER} - self._unknown
        self._unknown |= fresh
        self._meter.unknown_statuses(len(fresh))
        for status in sorted(fresh):
            self._log.warning("status without a known phase; shown as phase other", status=status)
