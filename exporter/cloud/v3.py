"""API v3: Open Telekom Cloud and Huawei Cloud; POST for reads, batches of ids, page numbers."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.error_codes import GONE, documented, known_code
from exporter.cloud.http.errors import BadRequestError, DecodeError, TaskGoneError
from exporter.cloud.source import EVERYTHING, ErrorsByCollector, ProjectSource, Selected, Source, TaskList
from exporter.cloud.wire import project
from exporter.cloud.wire.batch_item import about
from exporter.cloud.wire.comparison_source import ComparisonSource
from exporter.cloud.wire.comparison_v3 import ComparisonReaderV3
from exporter.cloud.wire.detail_v3 import DetailItemWire
from exporter.cloud.wire.monitor import MonitorItemWire
from exporter.cloud.wire.paging import PAGE, list_pages, list_parts
from exporter.cloud.wire.precheck import PrecheckItemWire
from exporter.cloud.wire.progress import ProgressItemWire
from exporter.cloud.wire.recovery import RecoveryItemWire
from exporter.config import TASKS
from exporter.model.details import Detail
from exporter.model.facts import Comparison, Monitor, Precheck, Progress, Quota, Recovery, Switchover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.http.client import Client
    from exporter.cloud.operations import Operation
    from exporter.model.filters import ListQuery

_BATCH = 10  # documented for details and DR monitoring; for the others nothing is, and neighbours recommend it
_NO_DETAIL = frozenset(
    f"detail.{name}"
    for name in (
        "instance_type",
        "task_version",
        "ddl_trans",
        "sync_type_policy",
        "topology",
        "auto_stop_after_seconds",
    )
)
"""Facts that only v5 has."""
_CONFIGURED_SECONDS = 3 * 86_400.0  # then its resources are freed, though the status stays


class V3:
    """The v3 adapter of one project; `query` selects the tasks to list."""

    name = "v3"
    most_ids = 100

    def __init__(self, query: ListQuery) -> None:
        self._query = query
        self.sources = (
            Source(
                operations.PROGRESS_V3,
                (Progress,),
                _BATCH,
                ProgressItemWire.fetch,
                lacks=frozenset({"progress.task_status"}),
            ),
            Source(operations.RECOVERY_V3, (Recovery,), _BATCH, RecoveryItemWire.fetch),
            Source(
                operations.MONITOR_V3,
                (Monitor,),
                _BATCH,
                MonitorItemWire.fetch,
                only=attrgetter("disaster_recovery"),
                lacks=frozenset({"monitor.reported_at"}),
            ),
            Source(
                operations.DETAIL_V3,
                (Switchover, Detail),
                _BATCH,
                DetailItemWire.fetch,
                lacks=_NO_DETAIL,
            ),
            Source(operations.COMPARE_V3, (Comparison,), 1, ComparisonSource(ComparisonReaderV3).fetch),
            Source(operations.PRECHECK_V3, (Precheck,), _BATCH, PrecheckItemWire.fetch, max_age=_CONFIGURED_SECONDS),
        )
        self.project_sources = (ProjectSource(operations.QUOTA_V3, Quota.collector, project.fetch_quota_v3),)

    async def list_tasks(
        self, client: Client, errors: ErrorsByCollector, job_type: str, selected: Selected = EVERYTHING
    ) -> TaskList:
        """Return the tasks of a job type that are selected, and that the query of the project wants."""

        async def fetch(filters: Mapping[str, str]) -> TaskList:
            # An absent engine_type may mean "mysql only"; the empty one means all.
            body = {"per_page": PAGE, "db_use_type": job_type, "engine_type": "", **filters}

            async def page(number: int, _received: int) -> dict[str, Any]:
                return await client.call(operations.LIST_V3, body={"cur_page": number, **body})

            return await list_pages(
                operations.LIST_V3.name, page, "total_record", job_type, errors[TASKS], first_page=selected.first_page
            )

        query = replace(self._query, ids=selected.ids) if selected.ids else self._query
        return await list_parts(query, self.most_ids, fetch, errors[TASKS])


async def fetch_item(client: Client, operation: Operation, job_id: str) -> dict[str, Any]:
    """Return the item of one task in a batch of statuses or details, not decoded; raises `CloudError`."""
    body = {"jobs": [job_id], "page_req": {"cur_page": 1, "per_page": 1}}
    response = await client.call(operation, body=body)
    items = response.get("results", response.get("jobs"))  # older details have the second
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if len(found) != 1 or not about(found[0], job_id):
        raise DecodeError(operation.name, "decode")
    code = found[0].get("error_code")
    if isinstance(code, str) and "status" not in found[0]:
        kind = TaskGoneError if documented(code) is GONE else BadRequestError
        raise kind(operation.name, "200", known_code(code))
    return found[0]
