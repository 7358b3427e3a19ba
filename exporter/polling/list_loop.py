"""Polls the task lists of one project: which API generation is due, and what follows from a list that fails."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence

from exporter.cloud.connect import Api
from exporter.cloud.http.client import Client
from exporter.cloud.http.error_codes import of_job_type
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.cloud.http.scheduler import Turn
from exporter.config import TASKS
from exporter.polling.context import PollContext
from exporter.polling.list_reader import WHOLE_LIST_SECONDS, ListReader
from exporter.polling.loop import PollLoop


class ListLoop(PollLoop):
    """Lists each job type of one project from each API generation."""

    def __init__(self, context: PollContext) -> None:
        super().__init__(context, TASKS)
        self._apis = context.connection.apis
        self._store = context.store
        self._health = context.store.state.lists
        self._job_types = context.store.context.filter.job_types
        self._due = dict.fromkeys((api.name for api in self._apis), self._clock())
        self.measured: dict[str, float] = {}
        """Seconds between the last two polls of each API generation."""
        self._began: dict[str, float] = {}
        self._calls = deque[tuple[float, int]]()
        """When polls began, and how many calls they made, within five minutes."""
        self.reader = ListReader(context)
        self._success: bool | None = None
        self._outcomes: dict[str, CloudError | None] = {}
        """The lists of this poll."""
        self._succeeded: set[str] = set()
        """Lists that have succeeded since another began to fail."""

    @property
    def fed(self) -> frozenset[str]:
        return frozenset({TASKS})

    def succeeds(self) -> bool | None:
        return self._success and self._health.up()

    def interval(self, api: Api) -> float:
        """Return the seconds from list to list. Beside v3, where that exists, v5 only finds what v3 does not list."""
        return max(self._context.intervals[TASKS], WHOLE_LIST_SECONDS if self.reader.is_second(api) else 0.0)

    def due(self) -> float:
        return math.inf if self._running else min(self._due.values())

    def demand(self) -> float:
        polls = len(self._calls)
        return sum(calls for _, calls in self._calls) / polls / self._context.intervals[TASKS] if polls else 0.0

    def turn(self) -> Turn:
        return Turn(TASKS, self.due(), self._context.intervals[TASKS])

    async def poll(self, client: Client) -> None:
        now, began = self._clock(), self._store.context.clock.steady()
        self._success = False
        self._outcomes.clear()
        # One after the other: if the first generation turns out to be absent, the second one is due.
        results = [await self._list(api, client, now) for api in self._apis if self._due[api.name] <= now]
        self._calls.append((now, client.context.calls))
        while self._calls[0][0] < now - WHOLE_LIST_SECONDS:
            self._calls.popleft()
        self._log_outcomes()
        self._context.connection.decode_errors[TASKS].count += self._store.state.inventory.contradictions(began)
        self._success = all(results)

    async def _list(self, api: Api, client: Client, now: float) -> bool:
        """List every job type in the poll that began `now`. Return whether that succeeded; so does an absent API."""
        self._due[api.name] = now + self._context.intervals[TASKS]
        roots = {job_type: self.reader.roots(api, job_type, now) for job_type in self._job_types}
        # Beside another generation, a list without tasks of its own may stay as it is.
        job_types = [name for name in self._job_types if roots[name] != () or not self.reader.is_second(api)]
        if not job_types:
            return True
        if api.name in self._began:
            self.measured[api.name] = now - self._began[api.name]
        self._began[api.name] = now
        lists = (self._read(api, client, job_type, roots[job_type], now) for job_type in job_types)
        results = await asyncio.gather(*lists, return_exceptions=True)
        errors = {job_type: error for job_type, error in zip(job_types, results, strict=True) if error is not None}
        if len(errors) == len(job_types) and await self._is_absent(api, list(errors.values()), now):
            del self._began[api.name]  # the next poll is not late, but waits on purpose
            return True
        self._context.availability.mark_present(api.name)
        for job_type in job_types:
            error = errors.get(job_type)
            if isinstance(error, CloudError) and len(errors) < len(job_types):
                error = of_job_type(error, job_type)
            self._record(f"{api.name} list of {job_type}", error)
            if error is not None:
                self._health.failed(api.name, job_type)
        return not errors

    async def _read(self, api: Api, client: Client, job_type: str, roots: tuple[str, ...] | None, now: float) -> None:
        await self.reader.read(api, client, job_type, roots, now)
        if self._clock() - now > self._context.intervals[TASKS]:
            await self._context.listed()

    async def _is_absent(self, api: Api, errors: Sequence[BaseException], now: float) -> bool:
        """Return whether the generation, whose lists all failed, does not exist in this region."""
        reported = all(isinstance(error, NotPublishedError) for error in errors)
        if reported and not self._health.any_fresh(api.name):
            # A generation that has just listed tasks is broken rather than absent, so its lists expire first.
            self._due[api.name] = self._context.availability.mark_absent(api.name)
            # The next generation is the only one from now on: it is due in this poll, unless it is absent as well.
            later = [other.name for other in self._apis[self._apis.index(api) + 1 :]]
            absent = self._context.availability.is_absent
            self._due |= {name: now for name in later if not absent(name)}
            await self._store.forget(api.name)
            return True
        if self._context.availability.was_absent(api.name):
            # Its failure proves nothing: what the other generation lists is as complete as before.
            self._record(f"{api.name}, which was not published", errors[0])
            return True
        return False

    def _record(self, what: str, error: BaseException | None) -> None:
        if error is None or isinstance(error, CloudError):
            self._outcomes[what] = error
        else:
            self._context.failures.unexpected_exception(TASKS, error)

    def _log_outcomes(self) -> None:
        """Log what came of this poll; if all of it failed that is one line, whatever the reasons."""
        failed = {what: error for what, error in self._outcomes.items() if error is not None}
        # A list that is polled more rarely, and succeeded before, does not prove that the project is readable now.
        self._succeeded = (self._succeeded | self._outcomes.keys()) - failed.keys() if failed else set()
        self._context.failures.record_lists(next(iter(failed.values())) if failed and not self._succeeded else None)
        for what, error in self._outcomes.items():
            self._context.failures.record(what, error)
