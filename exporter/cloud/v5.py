"""API v5: Huawei Cloud, some regions and engines; GET, one task a call, record offsets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.errors import DecodeError
from exporter.cloud.source import ProjectSource, Source, TaskList
from exporter.cloud.wire import detail, monitor, progress, project
from exporter.cloud.wire import task_log as logs
from exporter.cloud.wire.answers import about
from exporter.cloud.wire.comparison import ComparisonSource
from exporter.cloud.wire.comparison_v5 import ComparisonReaderV5
from exporter.cloud.wire.paging import PAGE, list_pages, list_parts
from exporter.config import TASKS
from exporter.model.facts import (
    AsyncJobs,
    Comparison,
    Detail,
    Logs,
    Monitor,
    Node,
    Objects,
    Progress,
    Switchover,
    Writable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import FetchTasks
    from exporter.cloud.wire.answers import Fetch
    from exporter.cloud.wire.fields import DecodeErrors
    from exporter.model.facts import TaskFacts
    from exporter.model.filters import ListQuery

_MOST_IDS = 10  # in the filter `name` of the list
_NO_PROGRESS = frozenset({"progress.apply_rows_per_second", "progress.apply_bytes_per_second", "progress.error_code"})
_NO_DETAIL = frozenset(
    f"detail.{name}" for name in ("started_at", "full_completed_at", "updated_at", "order_expires_at", "error_code")
)
"""Facts that only v3 has."""


class V5:
    """The v5 adapter of one project; `errors` counts by collector, `query` says which tasks to list."""

    name = "v5"

    def __init__(self, client: Client, errors: Mapping[str, DecodeErrors], query: ListQuery) -> None:
        self._client = client
        self._query = query
        self._errors = errors

        def bound(fetch: Fetch, kind: type[TaskFacts]) -> FetchTasks:
            return partial(fetch, client, errors[kind.collector])

        compared = errors[Comparison.collector]
        comparison = ComparisonSource(ComparisonReaderV5(client, compared), compared)
        self.sources = (
            Source(
                operations.PROGRESS_V5,
                (Progress, Node, Objects),
                1,
                partial(progress.fetch_v5, client, errors),
                lacks=_NO_PROGRESS,
            ),
            Source(operations.MONITOR_V5, (Monitor,), 1, bound(monitor.fetch_v5, Monitor)),
            Source(operations.DETAIL_V5, (Switchover, Detail), 1, bound(detail.fetch_v5, Detail), lacks=_NO_DETAIL),
            Source(operations.WRITABLE_V5, (Writable,), 1, bound(detail.fetch_writable_v5, Writable)),
            Source(operations.COMPARE_V5, (Comparison,), 1, comparison.fetch),
            Source(operations.LOGS_V5, (Logs,), 1, bound(logs.fetch_v5, Logs)),
        )
        self.project_sources = (
            ProjectSource(
                operations.ASYNC_JOBS_V5,
                AsyncJobs.collector,
                partial(project.fetch_async_jobs_v5, client, errors[AsyncJobs.collector]),
            ),
        )

    async def list_tasks(self, job_type: str) -> TaskList:
        """Return the tasks of a job type that the query wants; raises `CloudError`."""
        return await list_parts(self._query, _MOST_IDS, partial(self._list, job_type), self._errors[TASKS])

    async def _list(self, job_type: str, filters: Mapping[str, str]) -> TaskList:
        async def page(_number: int, received: int) -> dict[str, Any]:
            query: list[tuple[str, str | int]] = [("job_type", job_type), *filters.items()]
            # New tasks come last, so that one that is created between two pages moves none to another page.
            query += [("offset", received), ("limit", PAGE), ("sort_key", "create_time"), ("sort_dir", "asc")]
            return await self._client.call(operations.LIST_V5, query=query)

        return await list_pages(operations.LIST_V5.name, page, "total_count", job_type, self._errors[TASKS])

    async def details(self, job_id: str, *query: tuple[str, str | int]) -> dict[str, Any]:
        """Return the object `job` of "Querying Task Details", not decoded; raises `CloudError`."""
        answer = await self._client.call(operations.QUERY_V5, job_id=job_id, query=query)
        job = answer.get("job")
        if not isinstance(job, dict) or not about(job, job_id):
            raise DecodeError(operations.QUERY_V5.name, "decode")
        return job
