"""The task lists of one project: which generation is listed when, and what comes of a list that fails."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from exporter.cloud.http.caller import current
from exporter.cloud.http.errors import CloudError, NotPublishedError, of_job_type
from exporter.config.collectors import TASKS
from exporter.model.task import DELETED, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.cloud.source import Api
    from exporter.metrics.own import ProjectMeter
    from exporter.model.task import Listed
    from exporter.polling.availability import Published
    from exporter.polling.journal import Notes
    from exporter.polling.loop import Pace, SlowLane
    from exporter.store.store import Store

_SECOND_LIST_SECONDS = 300.0
"""Beside v3, which is complete, v5 is listed this often."""


class Listing:
    """Lists each job type from each API generation.

    Args:
        apis: the generations, the one that decides first.
        job_types: which lists to ask for.
        pace: of the lists.
        published: learns which generations exist.
        store: takes what is learnt.
        slow: keeps what was refused from being asked at full pace.
        meter: our own counters.
        notes: tells of failures.
    """

    def __init__(
        self,
        apis: Sequence[Api],
        job_types: Sequence[str],
        *,
        pace: Pace,
        published: Published,
        store: Store,
        slow: SlowLane,
        meter: ProjectMeter,
        notes: Notes,
    ) -> None:
        self._apis = apis
        self._job_types = job_types
        self._pace = pace
        self._published = published
        self._store = store
        self._slow = slow
        self._meter = meter
        self._notes = notes
        self._due = dict.fromkeys((api.name for api in apis), -math.inf)
        self._calls: dict[str, int] = {}
        self._unknown: set[str] = set()
        self._outcomes: dict[str, CloudError | None] = {}
        """Of the lists of this poll."""
        self._answering: set[str] = set()
        """Lists that have succeeded since another began to fail."""

    def interval(self, api: Api) -> float:
        """Seconds from list to list, as they really are."""
        return max(self._pace.effective, self._least(api))

    def _least(self, api: Api) -> float:
        """v5 beside a published v3 only looks for what v3 does not list."""
        second = api is not self._apis[0] and not self._published.lacks(self._apis[0].name)
        return max(self._pace.interval, _SECOND_LIST_SECONDS if second else 0.0)

    async def poll(self) -> bool | None:
        """List what is due; whether that went well, None where nothing was due."""
        now = asyncio.get_running_loop().time()
        # Not all at once: where the first generation turns out to be gone, the second is due.
        self._outcomes.clear()
        outcomes = [await self._list(api, now) for api in self._apis if self._due[api.name] <= now]
        self._tell()
        self._pace.wants(sum(self._calls.get(api.name, 0) / self._least(api) for api in self._apis))
        return all(outcomes) and self._store.facts.lists.up() if outcomes else None

    async def _list(self, api: Api, now: float) -> bool:
        """List every job type in the poll that began `now`; whether that went well, which not being published is."""
        before = current().calls
        lists = (self._list_job_type(api, job_type) for job_type in self._job_types)
        answers = await asyncio.gather(*lists, return_exceptions=True)
        self._calls[api.name] = current().calls - before
        errors = [error for error in answers if error is not None]
        absent = len(errors) == len(answers) and all(isinstance(error, NotPublishedError) for error in errors)
        if absent and not self._store.facts.lists.believed(api.name):
            # A generation that has just listed tasks is rather broken than gone, so it ages out first.
            self._due[api.name] = self._published.missing(api.name)
            # The other generation lists alone from now on: it is due at once, unless it is missing as well.
            self._due |= {one.name: -math.inf for one in self._apis if not self._published.lacks(one.name)}
            self._calls[api.name] = 0
            await self._store.unpublished(api.name)
            return True
        if len(errors) == len(answers) and self._published.known_missing(api.name):
            # Of what was not there, no answer says nothing: what the other generation lists is as complete as before.
            self._note(f"{api.name}, which was not published", errors[0])
            return True
        self._published.found(api.name)
        # Half a poll less than the interval, so that the poll at its end finds it due; after a failure the next one.
        wait = self._pace.due_every if errors else self.interval(api)
        self._due[api.name] = now + wait - self._pace.due_every / 2
        for job_type, error in zip(self._job_types, answers, strict=True):
            if isinstance(error, CloudError) and len(errors) < len(answers):
                error = of_job_type(error, job_type)  # noqa: PLW2901 - the same error, with its reason
            self._note(f"{api.name} list of {job_type}", error)
            if error is not None:
                self._store.facts.lists.failed(api.name, job_type)
        return not errors

    def _note(self, what: str, error: BaseException | None) -> None:
        if error is None or isinstance(error, CloudError):
            self._outcomes[what] = error
        else:
            self._notes.bug(TASKS, error)

    def _tell(self) -> None:
        """What came of this poll; that nothing did at all is one line, whatever the reasons."""
        failed = {what: error for what, error in self._outcomes.items() if error is not None}
        if self._outcomes:
            # A list that is asked for more rarely, and was fine before, is no proof that anything is seen now.
            self._answering = (self._answering | self._outcomes.keys()) - failed.keys() if failed else set()
            self._notes.sight(next(iter(failed.values())) if failed and not self._answering else None)
        for what, error in self._outcomes.items():
            self._notes.outcome(what, error)

    async def _list_job_type(self, api: Api, job_type: str) -> None:
        answer = await self._slow.ask(f"{api.name} {job_type}", lambda: api.list_tasks(job_type))
        await self._store.listed(api.name, job_type, answer.tasks, gap=answer.gap, pages=answer.pages)
        self._notes.completeness(f"{api.name} list of {job_type}", self._store.facts.list_facts()[api.name, job_type])
        self._note_unknown(answer.tasks)

    def _note_unknown(self, tasks: Sequence[Listed]) -> None:
        fresh = {listed.status for listed in tasks if listed.phase is Phase.OTHER} - self._unknown - {DELETED}
        self._unknown |= fresh
        self._meter.unknown_statuses(len(fresh))
        for status in sorted(fresh):
            self._notes.unknown_status(status)
