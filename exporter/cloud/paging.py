"""Task lists through all their pages, and whether what came is everything."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.cloud.errors import DecodeError, EmptyResultError, error_code_in
from exporter.cloud.source import TaskList
from exporter.cloud.wire import Job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from exporter.cloud.fields import Losses
    from exporter.model import Listed, ListQuery

PAGE = 100
"""Tasks a page: the documented maximum of v3's per_page; v5 documents none."""
_MOST_PAGES = 1000  # against a cloud that never stops


async def list_parts(
    query: ListQuery, most_ids: int, fetch: Callable[[dict[str, str]], Awaitable[TaskList]]
) -> TaskList:
    """The lists that a query needs, as one; what the filter says of the enterprise project, v3 does not repeat."""
    tasks: dict[str, Listed] = {}
    complete = True
    for project, filters in query.parts(most_ids):
        answer = await fetch(filters)
        complete = complete and answer.complete
        for task in answer.tasks:
            known = task.enterprise_project_id or project is None
            tasks[task.id] = task if known else replace(task, enterprise_project_id=project)
    return TaskList(tuple(tasks.values()), complete)


async def list_pages(
    operation: str,
    fetch: Callable[[int, int], Awaitable[dict[str, Any]]],
    total_key: str,
    job_type: str,
    losses: Losses,
) -> TaskList:
    """Ask `fetch(page number from 1, records so far)` until an empty page or the total.

    Never stops at a short page: the cloud may serve fewer than were asked for. A page that brings no new id
    (repeated, or cut) ends the list as incomplete. Tasks created or deleted between two pages show twice or not
    at all, so tasks are kept by id, and the list counts as complete only where every page names the same total
    and the ids match it. A total that runs away from page to page ends it as well.

    Raises:
        CloudError: a page failed, or nothing in any of them can be read: never to be taken for "no tasks".
    """
    tasks: dict[str, Listed] = {}
    ids: set[str] = set()
    received, most, totals, whole = 0, math.inf, set[int](), True
    for number in range(1, _MOST_PAGES + 1):
        try:
            items, total = _page(operation, await fetch(number, received), total_key, losses)
        except EmptyResultError:
            items, total = [], 0
        totals.add(total)
        most = min(most, max(total, 0) + PAGE)
        jobs = Job.read_all(items, losses)
        fresh = {job.id for job in jobs} - ids
        for job in jobs:
            listed = job.listed(job_type, losses)
            whole = whole and len(listed) == 1 + len(job.children or ())
            # A subtask may stand in its parent's `children` and by itself: the entry that names the parent wins.
            tasks |= {
                task.id: task
                for task in listed
                if task.parent_id or not (task.id in tasks and tasks[task.id].parent_id)
            }
        ids |= fresh
        received += len(items)
        if not items or (jobs and not fresh) or received >= min(total, most):
            break
    if received and not ids:
        raise DecodeError(operation, "decode")
    return TaskList(tuple(tasks.values()), complete=whole and len(ids) == received and totals == {received})


def _page(operation: str, body: dict[str, Any], total_key: str, losses: Losses) -> tuple[list[Any], int]:
    items, total = body.get("jobs"), body.get(total_key)
    if error_code_in(body) is not None:  # an error is never "no tasks", whatever its status
        losses.count += 1
        raise DecodeError(operation, "decode")
    if items is None and total == 0:
        items = []
    if not isinstance(items, list) or not isinstance(total, int) or isinstance(total, bool):
        losses.count += 1
        raise DecodeError(operation, "decode")
    return items, total
