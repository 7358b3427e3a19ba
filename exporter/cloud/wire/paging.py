"""Task lists through all their pages, and whether the result is complete."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.cloud.http.error_codes import PAST_END, REPORT, documented
from exporter.cloud.http.errors import CloudError, DecodeError, EmptyResultError
from exporter.cloud.http.response import error_code_in, has_error
from exporter.cloud.source import TaskList
from exporter.cloud.wire.tree import TaskTree
from exporter.model.merge import contradict, merge
from exporter.model.task_lists import Gap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from exporter.cloud.source import DecodeErrors
    from exporter.model.filters import ListQuery
    from exporter.model.task import Listed

PAGE = 100
"""Tasks a page: the documented maximum of v3's per_page; v5 documents none."""
_MOST_PAGES, _MOST_TASKS = 1000, 20_000  # against a cloud that never stops
_MOST_ITEMS = 10 * PAGE
"""Of one page. A cloud may serve more than the limit; decoding many more would keep the event loop busy."""


async def list_parts(
    query: ListQuery, most_ids: int, fetch: Callable[[dict[str, str]], Awaitable[TaskList]], errors: DecodeErrors
) -> TaskList:
    """Fetch all lists of a query as a single list; a task with different facts in two lists is counted in `errors`.

    v3 does not repeat the enterprise project of the filter: it is added.
    """
    tasks: dict[str, Listed] = {}
    gap: Gap | None = None
    pages = total = 0
    for project, filters in query.parts(most_ids):
        part = await fetch(filters)
        gap = gap or part.gap
        pages = max(pages, part.pages)
        total += part.total
        for task in part.tasks:
            known = task.enterprise_project_id or project is None
            entries = [task if known else replace(task, enterprise_project_id=project)]
            if task.id in tasks:
                entries.append(tasks[task.id])
                errors.count += contradict(entries)
            tasks[task.id] = merge(entries)
    return TaskList(tuple(tasks.values()), gap, pages, total)


class _Pages:
    """The pages of one list so far."""

    def __init__(self, operation: str, total_key: str, tree: TaskTree, errors: DecodeErrors) -> None:
        self._operation = operation
        self._total_key = total_key
        self._tree = tree
        self._errors = errors
        self.received = 0
        """Items of all pages."""
        self.count = 0
        self._ids: set[str] = set()
        self._totals: set[int] = set()
        self._most = math.inf
        self._gap: Gap | None = None

    async def add(self, body: dict[str, Any] | None) -> bool:
        """Take a page, None for a response that says "empty result"; returns whether it was the last one."""
        items, total = ([], 0) if body is None else self._read(body)
        self.count += 1
        self._totals.add(total)
        self._most = min(self._most, total + PAGE)
        try:
            ids = await self._tree.add(items)
        except ValueError as error:
            raise DecodeError(self._operation, "decode", reason=f"a page has {error}: {REPORT}") from error
        repeated = bool(ids) and ids <= self._ids
        self._ids |= ids
        self.received += len(items)
        if repeated:
            self._gap = Gap.REPEATED
        if self.received > _MOST_TASKS:
            self._gap = Gap.LONG
        return not items or self._gap is not None or self.received >= min(total, self._most)

    def refused(self) -> None:
        """The cloud refuses the next page as beyond the end, though the total promises more."""
        self._gap = Gap.REFUSED

    def result(self) -> TaskList:
        """Raises `DecodeError` where nothing can be read, or nothing came though the total promises tasks."""
        if not self._ids and (self.received or max(self._totals) > 0):
            self._errors.count += not self.received
            raise DecodeError(self._operation, "decode")
        gap = self._gap
        if gap is None and self._tree.unreadable:
            gap = Gap.UNREADABLE
        if gap is None and not (len(self._ids) == self.received and self._totals == {self.received}):
            gap = Gap.TOTAL
        return TaskList(self._tree.tasks(), gap, self.count, max(self._totals))

    def _read(self, body: dict[str, Any]) -> tuple[list[Any], int]:
        items, total = body.get("jobs"), body.get(self._total_key)
        if items is None and total == 0:
            items = []
        if isinstance(items, list) and len(items) > _MOST_ITEMS:
            raise DecodeError(self._operation, "decode", reason=f"a page has more than {_MOST_ITEMS} tasks: {REPORT}")
        # An error is never "no tasks", whatever its status; items with errors of their own are only in batches.
        bad = isinstance(total, bool) or has_error(body) or error_code_in(body) is not None
        if bad or not isinstance(items, list) or not isinstance(total, int) or total < 0:
            self._errors.count += 1
            raise DecodeError(self._operation, "decode", error_code_in(body))
        return items, total


async def list_pages(
    operation: str,
    fetch: Callable[[int, int], Awaitable[dict[str, Any]]],
    total_key: str,
    job_type: str,
    errors: DecodeErrors,
    *,
    first_page: bool = False,
) -> TaskList:
    """Query `fetch(page number from 1, records so far)` until an empty page or the total.

    Never stops at a short page: the cloud may serve fewer tasks than the limit. A page without a new id (repeated, or
    cut) ends the list as incomplete, and so does a page that the cloud refuses as beyond the end, and a total that
    grows from page to page. Tasks created or deleted between two pages show twice or not at all, so tasks are kept by
    id, and the list is complete only where every page has the same total and the ids match it. With `first_page` there
    is one call only, and the result is mostly incomplete.

    Raises:
        CloudError: a page failed, or nothing in any of them can be read: never to be taken for "no tasks".
    """
    pages = _Pages(operation, total_key, TaskTree(job_type, errors), errors)
    for number in range(1, _MOST_PAGES + 1):
        try:
            body: dict[str, Any] | None = await fetch(number, pages.received)
        except EmptyResultError:
            body = None
        except CloudError as error:
            if number == 1 or documented(error.error_code) is not PAST_END:
                raise
            pages.refused()
            break
        if await pages.add(body) or first_page:
            break
    return pages.result()
