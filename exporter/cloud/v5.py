"""API v5: Huawei Cloud, some regions and engines; GET, one task a call, record offsets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.errors import DecodeError
from exporter.cloud.source import EVERYTHING, ErrorsByCollector, ProjectSource, Selected, Source, TaskList
from exporter.cloud.wire import detail_v5, monitor, progress, project, task_log
from exporter.cloud.wire.batch_item import about
from exporter.cloud.wire.comparison_source import ComparisonSource
from exporter.cloud.wire.comparison_v5 import ComparisonReaderV5
from exporter.cloud.wire.paging import PAGE, list_pages, list_parts
from exporter.config import TASKS
from exporter.model.details import Detail, Writable
from exporter.model.facts import AsyncJobs, Comparison, Logs, Monitor, Node, Objects, Progress, Switchover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.http.client import Client
    from exporter.model.filters import ListQuery

_NO_PROGRESS = frozenset({"progress.apply_rows_per_second", "progress.apply_bytes_per_second", "progress.error_code"})
_NO_DETAIL = frozenset(
    f"detail.{name}"
    for name in (
        "started_at",
        "full_completed_at",
        "updated_at",
        "disk_size_bytes",
        "restart_required",
        "order_status",
        "order_expires_at",
        "error_code",
    )
)
"""Facts that only v3 has."""


class V5:
    """The v5 adapter of one project; `query` selects the tasks to list."""

    name = "v5"
    most_ids = 10

    def __init__(self, query: ListQuery) -> None:
        self._query = query
        self.sources = (
            Source(
                operations.PROGRESS_V5,
                (Progress, Node, Objects),
                1,
                progress.fetch_v5,
                lacks=_NO_PROGRESS,
                intervals={Node: 120.0},
            ),
            Source(operations.MONITOR_V5, (Monitor,), 1, monitor.fetch_v5, intervals={Monitor: 300.0}),
            Source(operations.DETAIL_V5, (Switchover, Detail), 1, detail_v5.fetch_detail, lacks=_NO_DETAIL),
            Source(operations.WRITABLE_V5, (Writable,), 1, detail_v5.fetch_writable),
            Source(operations.COMPARE_V5, (Comparison,), 1, ComparisonSource(ComparisonReaderV5).fetch),
            Source(operations.LOGS_V5, (Logs,), 1, task_log.fetch_v5),
        )
        self.project_sources = (
            ProjectSource(operations.ASYNC_JOBS_V5, AsyncJobs.collector, project.fetch_async_jobs_v5),
        )

    async def list_tasks(
        self, client: Client, errors: ErrorsByCollector, job_type: str, selected: Selected = EVERYTHING
    ) -> TaskList:
        """Return the tasks of a job type that are selected, and that the query of the project wants."""

        async def fetch(filters: Mapping[str, str]) -> TaskList:
            async def page(_number: int, received: int) -> dict[str, Any]:
                query: list[tuple[str, str | int]] = [("job_type", job_type), *filters.items()]
                # New tasks come last, so that one that is created between two pages moves none to another page.
                query += [("offset", received), ("limit", PAGE), ("sort_key", "create_time"), ("sort_dir", "asc")]
                return await client.call(operations.LIST_V5, query=query)

            return await list_pages(
                operations.LIST_V5.name, page, "total_count", job_type, errors[TASKS], first_page=selected.first_page
            )

        query = replace(self._query, ids=selected.ids) if selected.ids else self._query
        return await list_parts(query, self.most_ids, fetch, errors[TASKS])


async def fetch_details(client: Client, job_id: str, *query: tuple[str, str | int]) -> dict[str, Any]:
    """Return the object `job` of "Querying Task Details", not decoded; raises `CloudError`."""
    response = await client.call(operations.QUERY_V5, job_id=job_id, query=query)
    job = response.get("job")
    if not isinstance(job, dict) or not about(job, job_id):
        raise DecodeError(operations.QUERY_V5.name, "decode")
    return job
