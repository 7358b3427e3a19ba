"""Reads the task list of a job type: as a whole every five minutes, in between what may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from math import ceil
from typing import NamedTuple

from exporter.cloud.connect import Api
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import AccessDeniedError, BadRequestError, DecodeError
from exporter.cloud.source import EVERYTHING, Selected, TaskList
from exporter.config import TASKS
from exporter.model.task import DELETED, Listed, Phase
from exporter.model.task_lists import Gap
from exporter.polling.context import PollContext

WHOLE_LIST_SECONDS = 300.0
"""The interval of whole lists where reading what may have changed costs fewer calls, and of v5 lists beside v3 ones."""
_TRY_IDS_AGAIN_SECONDS = 3600.0
_LONG_LIST_PAGES = 10
"""A whole list of more pages lets other calls go first, as it would make them late."""


class ListCost(NamedTuple):
    """The calls of one list.

    Args:
        pages: of the whole list.
        ids: calls by id for the tasks that may have changed.
        second: whether the list is read beside that of a generation which lists every task.
    """

    pages: int
    ids: int
    second: bool

    @property
    def some(self) -> int:
        """Calls that read what may have changed: beside another generation, the first page is not needed."""
        return self.ids if self.second else 1 + self.ids

    @property
    def some_is_cheaper(self) -> bool:
        return self.some <= self.pages if self.second else self.some < self.pages

    def per_second(self, interval: float) -> float:
        """Return the calls a second of a list that is polled at this interval."""
        if self.some_is_cheaper:
            return self.some / interval + self.pages / WHOLE_LIST_SECONDS
        return self.pages / interval


class _Whole(NamedTuple):
    """The newest whole list."""

    due: float
    """When the next one is due."""
    pages: int
    total: int


class ListReader:
    """Reads the lists of one project, with as few calls as show the same.

    What may have changed are tasks that have not ended, which are requested by their ids, and new tasks: these are on
    the first page, or change the total. Whatever does not fit leads to the whole list at once.
    """

    def __init__(self, context: PollContext) -> None:
        self._context = context
        self._apis = context.connection.apis
        self._store = context.store
        self._whole: dict[tuple[str, str], _Whole] = {}
        self._no_ids_until: dict[str, float] = {}
        """API generations that do not select tasks by their ids."""
        self._unknown: set[str] = set()

    def is_second(self, api: Api) -> bool:
        """Return whether another generation, which exists here, lists every task: then this one only adds to it."""
        return api is not self._apis[0] and not self._context.availability.is_absent(self._apis[0].name)

    def roots(self, api: Api, job_type: str, now: float) -> tuple[str, ...] | None:
        """Return the ids of the tasks that may have changed; None: the whole list is due."""
        whole = self._whole.get((api.name, job_type))
        return None if whole is None or now >= whole.due else self._roots(api, job_type, whole.pages, now)

    def _roots(self, api: Api, job_type: str, pages: int, now: float) -> tuple[str, ...] | None:
        """Return the same, whether or not the whole list, of so many pages, is due."""
        second = self.is_second(api)
        without = self._apis[0].name if second else None
        roots = self._store.state.inventory.roots(api.name, job_type, without=without)
        if second and not roots:
            return roots
        by_ids = now >= self._no_ids_until.get(api.name, now)
        cost = ListCost(pages, ceil(len(roots) / api.most_ids), second)
        return roots if by_ids and cost.some_is_cheaper else None

    async def read(self, api: Api, client: Client, job_type: str, roots: tuple[str, ...] | None, now: float) -> None:
        """Read what is due, see `roots`, and store it; raises `CloudError`."""
        whole, is_due = self._whole.get((api.name, job_type)), roots is None
        pages = whole.pages if whole is not None else 0
        is_long = pages > _LONG_LIST_PAGES
        if is_due and is_long:
            roots = self._roots(api, job_type, pages, now)  # or statuses would be too old before the list has ended
        missing = set[str]() if roots is None else await self._read_some(api, client, job_type, roots)
        if missing is None and not is_due:
            return
        if is_long:
            client.context.wait_longer(WHOLE_LIST_SECONDS)
        listed = await self._read_whole(api, client, job_type, now)
        if missing and missing & listed:
            self._no_ids_until[api.name] = now + _TRY_IDS_AGAIN_SECONDS

    async def read_tasks(self, api: Api, client: Client, job_type: str, ids: tuple[str, ...]) -> None:
        """Read the entries of some tasks, which prove nothing about other tasks; raises `CloudError`."""
        now = asyncio.get_running_loop().time()
        if now < self._no_ids_until.get(api.name, now):
            return
        some = await self._list(api, client, job_type, Selected(ids=ids))
        if any(listed.root_id is None and listed.id not in ids for listed in some.tasks):
            self._no_ids_until[api.name] = now + _TRY_IDS_AGAIN_SECONDS
        await self._store.listed_some(api.name, job_type, some.tasks, roots=(), all_here=False)

    async def _read_whole(self, api: Api, client: Client, job_type: str, now: float) -> set[str]:
        """Return the ids of the list."""
        self._whole.pop((api.name, job_type), None)
        tasks = await self._list(api, client, job_type)
        await self._store.listed(api.name, job_type, tasks.tasks, gap=tasks.gap, pages=tasks.pages)
        proved = tasks.gap is None and self._store.state.inventory.is_settled(api.name, job_type)
        if proved or self.is_second(api):
            due = now + WHOLE_LIST_SECONDS - self._context.intervals[TASKS] / 2  # the poll at its end finds it due
            self._whole[api.name, job_type] = _Whole(due, tasks.pages, tasks.total)
        facts = self._store.state.list_facts()[api.name, job_type]
        self._context.failures.record_completeness(f"{api.name} list of {job_type}", facts)
        return {listed.id for listed in tasks.tasks}

    async def _read_some(self, api: Api, client: Client, job_type: str, roots: tuple[str, ...]) -> set[str] | None:
        """Read the tasks that may have changed. Return None if the others are as they were, else what is missing."""
        tasks: list[Listed] = []
        same = True
        if not self.is_second(api):
            first = await self._list(api, client, job_type, Selected(first_page=True))
            same = first.total == self._whole[api.name, job_type].total and first.gap is not Gap.UNREADABLE
            tasks += first.tasks
        wanted = {*roots}.difference(listed.id for listed in tasks)
        if wanted:
            try:
                some = await self._list(api, client, job_type, Selected(ids=tuple(wanted)))
            except (BadRequestError, AccessDeniedError, DecodeError):  # the whole list may succeed without this filter
                return wanted
            # An empty list proves nothing about single tasks: the cloud may not select by ids.
            if not some.tasks or any(listed.root_id is None and listed.id not in wanted for listed in some.tasks):
                return wanted
            tasks += some.tasks
        received = {listed.id for listed in tasks if listed.root_id is None}
        same = same and wanted <= received
        here = same and not self.is_second(api)
        await self._store.listed_some(api.name, job_type, tasks, roots=wanted | received, all_here=here)
        return None if same else wanted - received

    async def _list(self, api: Api, client: Client, job_type: str, selected: Selected = EVERYTHING) -> TaskList:
        async def call() -> TaskList:
            return await api.list_tasks(client, self._context.connection.decode_errors, job_type, selected)

        by_ids, began = " by ids" if selected.ids else "", self._store.context.clock.steady()
        tasks = await self._context.backoff.call(f"{api.name} {job_type}{by_ids}", call)
        self._log_unknown(tasks.tasks)
        # While a long list is read, the tasks of waves are queried.
        return replace(tasks, tasks=self._store.state.inventory.newest(api.name, job_type, tasks.tasks, began))

    def _log_unknown(self, tasks: Iterable[Listed]) -> None:
        fresh = {listed.status for listed in tasks if listed.phase is Phase.OTHER} - self._unknown - {DELETED}
        self._unknown |= fresh
        self._context.meter.unknown_statuses(len(fresh))
        for status in sorted(fresh):
            self._context.failures.unknown_status(status)
