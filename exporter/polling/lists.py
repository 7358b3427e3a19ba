"""Polls the task lists of one project: which API generation is due, and what follows from a list that fails."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING

from exporter.cloud.http.error_codes import of_job_type
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.config import TASKS
from exporter.model.task import DELETED, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.cloud.connect import Api
    from exporter.model.task import Listed
    from exporter.polling.context import PollContext

SECOND_LIST_SECONDS = 300.0
"""The interval of v5 lists beside v3 ones, which are complete."""


class Lists:
    """Lists each job type of one project from each API generation."""

    def __init__(self, context: PollContext) -> None:
        self._apis = context.connection.apis
        self._client = context.client(TASKS)
        self._decode_errors = context.connection.decode_errors
        self._loop = context.loops[TASKS]
        self._store = context.store
        self._health = context.store.state.lists
        self._job_types = context.store.context.filter.job_types
        self._meter = context.store.context.meter
        self._availability = context.availability
        self._backoff = context.backoff
        self._journal = context.journal
        self._due = dict.fromkeys((api.name for api in self._apis), -math.inf)
        self._calls: dict[str, int] = {}
        self._unknown: set[str] = set()
        self._outcomes: dict[str, CloudError | None] = {}
        """The lists of this poll."""
        self._succeeded: set[str] = set()
        """Lists that have succeeded since another began to fail."""

    def interval(self, api: Api) -> float:
        """Seconds from list to list, as they really are."""
        return max(self._loop.effective, self._shortest_interval(api))

    def _shortest_interval(self, api: Api) -> float:
        """Beside v3, where that exists, v5 only finds what v3 does not list."""
        second = api is not self._apis[0] and not self._availability.is_absent(self._apis[0].name)
        return max(self._loop.interval, SECOND_LIST_SECONDS if second else 0.0)

    async def poll(self) -> bool | None:
        """List what is due. Return whether that succeeded; None: nothing was due."""
        now = asyncio.get_running_loop().time()
        self._outcomes.clear()
        # One after the other: if the first generation turns out to be absent, the second one is due.
        outcomes = [await self._list(api, now) for api in self._apis if self._due[api.name] <= now]
        if self._outcomes:
            self._log_outcomes()
        self._loop.set_demand(sum(self._calls.get(api.name, 0) / self._shortest_interval(api) for api in self._apis))
        return all(outcomes) and self._health.up() if outcomes else None

    async def _list(self, api: Api, now: float) -> bool:
        """List every job type in the poll that began `now`. Return whether that succeeded; so does an absent API."""
        before = self._loop.context.calls
        lists = (self._list_job_type(api, job_type) for job_type in self._job_types)
        results = await asyncio.gather(*lists, return_exceptions=True)
        self._calls[api.name] = self._loop.context.calls - before
        errors = {
            job_type: error for job_type, error in zip(self._job_types, results, strict=True) if error is not None
        }
        if len(errors) == len(self._job_types) and await self._is_absent(api, list(errors.values())):
            return True
        self._availability.mark_present(api.name)
        # Half a poll less than the interval, so that the poll at its end finds it due; after a failure the next one.
        wait = self._loop.due_every if errors else self.interval(api)
        self._due[api.name] = now + wait - self._loop.due_every / 2
        for job_type in self._job_types:
            error = errors.get(job_type)
            if isinstance(error, CloudError) and len(errors) < len(self._job_types):
                error = of_job_type(error, job_type)
            self._record(f"{api.name} list of {job_type}", error)
            if error is not None:
                self._health.failed(api.name, job_type)
        return not errors

    async def _is_absent(self, api: Api, errors: Sequence[BaseException]) -> bool:
        """Return whether the generation, whose lists all failed, does not exist in this region."""
        reported = all(isinstance(error, NotPublishedError) for error in errors)
        if reported and not self._health.any_fresh(api.name):
            # A generation that has just listed tasks is broken rather than absent, so its lists expire first.
            self._due[api.name] = self._availability.mark_absent(api.name)
            # The other generation, unless it is absent as well, is the only one from now on: it is due at once.
            self._due |= {other.name: -math.inf for other in self._apis if not self._availability.is_absent(other.name)}
            self._calls[api.name] = 0
            await self._store.forget(api.name)
            return True
        if self._availability.was_absent(api.name):
            # Its failure proves nothing: what the other generation lists is as complete as before.
            self._record(f"{api.name}, which was not published", errors[0])
            return True
        return False

    def _record(self, what: str, error: BaseException | None) -> None:
        if error is None or isinstance(error, CloudError):
            self._outcomes[what] = error
        else:
            self._journal.bug(TASKS, error)

    def _log_outcomes(self) -> None:
        """Log what came of this poll; if all of it failed that is one line, whatever the reasons."""
        failed = {what: error for what, error in self._outcomes.items() if error is not None}
        # A list that is polled more rarely, and succeeded before, does not prove that the project is readable now.
        self._succeeded = (self._succeeded | self._outcomes.keys()) - failed.keys() if failed else set()
        self._journal.lists_polled(next(iter(failed.values())) if failed and not self._succeeded else None)
        for what, error in self._outcomes.items():
            self._journal.polled(what, error)

    async def _list_job_type(self, api: Api, job_type: str) -> None:
        call = partial(api.list_tasks, self._client, self._decode_errors, job_type)
        tasks = await self._backoff.call(f"{api.name} {job_type}", call)
        await self._store.listed(api.name, job_type, tasks.tasks, gap=tasks.gap, pages=tasks.pages)
        facts = self._store.state.list_facts()[api.name, job_type]
        self._journal.completeness(f"{api.name} list of {job_type}", facts)
        self._log_unknown(tasks.tasks)

    def _log_unknown(self, tasks: Sequence[Listed]) -> None:
        fresh = {listed.status for listed in tasks if listed.phase is Phase.OTHER} - self._unknown - {DELETED}
        self._unknown |= fresh
        self._meter.unknown_statuses(len(fresh))
        for status in sorted(fresh):
            self._journal.unknown_status(status)
