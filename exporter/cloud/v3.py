"""API v3: Open Telekom Cloud and Huawei Cloud; POST for reads, batches of ids, page numbers."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from exporter.cloud import operations
from exporter.cloud.http.error_codes import known_code
from exporter.cloud.http.errors import BadRequestError, DecodeError, TaskGoneError, is_gone
from exporter.cloud.source import ProjectSource, Source, TaskList
from exporter.cloud.wire import project
from exporter.cloud.wire.answers import about
from exporter.cloud.wire.comparison import ComparisonSource
from exporter.cloud.wire.comparison_v3 import ComparisonReaderV3
from exporter.cloud.wire.detail import DetailItemWire
from exporter.cloud.wire.monitor import MonitorItemWire
from exporter.cloud.wire.paging import PAGE, list_pages, list_parts
from exporter.cloud.wire.precheck import PrecheckItemWire
from exporter.cloud.wire.progress import ProgressItemWire
from exporter.cloud.wire.recovery import RecoveryItemWire
from exporter.config import TASKS
from exporter.model.facts import Comparison, Detail, Monitor, Precheck, Progress, Quota, Recovery, Switchover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import FetchTasks
    from exporter.cloud.wire.answers import Fetch
    from exporter.cloud.wire.fields import DecodeErrors
    from exporter.model.facts import TaskFacts
    from exporter.model.filters import ListQuery

_BATCH = 10  # documented for details and DR monitoring; for the others nothing is, and neighbours recommend it
_MOST_IDS = 100  # in the filter `name` of the list
_CONFIGURED_SECONDS = 3 * 86_400.0  # then its resources are freed, though the status stays


class V3:
    """The v3 adapter of one project; `errors` counts by collector, `query` says which tasks to list."""

    name = "v3"

    def __init__(self, client: Client, errors: Mapping[str, DecodeErrors], query: ListQuery) -> None:
        self._client = client
        self._query = query
        self._errors = errors

        def bound(fetch: Fetch, kind: type[TaskFacts]) -> FetchTasks:
            return partial(fetch, client, errors[kind.collector])

        compared = errors[Comparison.collector]
        comparison = ComparisonSource(ComparisonReaderV3(client, compared), compared)
        self.sources = (
            Source(operations.PROGRESS_V3, (Progress,), _BATCH, bound(ProgressItemWire.fetch, Progress)),
            Source(operations.RECOVERY_V3, (Recovery,), _BATCH, bound(RecoveryItemWire.fetch, Recovery)),
            Source(
                operations.MONITOR_V3,
                (Monitor,),
                _BATCH,
                bound(MonitorItemWire.fetch, Monitor),
                only=attrgetter("disaster_recovery"),
                lacks=frozenset({"monitor.reported_at"}),
            ),
            Source(
                operations.DETAIL_V3,
                (Switchover, Detail),
                _BATCH,
                bound(DetailItemWire.fetch, Detail),
                lacks=frozenset({"detail.instance_type", "detail.auto_stop_after_seconds"}),
            ),
            Source(operations.COMPARE_V3, (Comparison,), 1, comparison.fetch),
            Source(
                operations.PRECHECK_V3,
                (Precheck,),
                _BATCH,
                bound(PrecheckItemWire.fetch, Precheck),
                max_age=_CONFIGURED_SECONDS,
            ),
        )
        self.project_sources = (
            ProjectSource(
                operations.QUOTA_V3, Quota.collector, partial(project.fetch_quota_v3, client, errors[Quota.collector])
            ),
        )

    async def list_tasks(self, job_type: str) -> TaskList:
        """Return the tasks of a job type that the query wants; raises `CloudError`."""
        return await list_parts(self._query, _MOST_IDS, partial(self._list, job_type), self._errors[TASKS])

    async def _list(self, job_type: str, filters: Mapping[str, str]) -> TaskList:
        # An absent engine_type may mean "mysql only"; the empty one means all.
        body = {"per_page": PAGE, "db_use_type": job_type, "engine_type": "", **filters}

        async def page(number: int, _received: int) -> dict[str, Any]:
            return await self._client.call(operations.LIST_V3, body={"cur_page": number, **body})

        return await list_pages(operations.LIST_V3.name, page, "total_record", job_type, self._errors[TASKS])

    async def status(self, job_id: str) -> dict[str, Any]:
        """Return the item of one task in "Querying Task Statuses in Batches"; raises `CloudError`."""
        body = {"jobs": [job_id], "page_req": {"cur_page": 1, "per_page": 1}}
        answer = await self._client.call(operations.STATUS_V3, body=body)
        items = answer.get("results")
        found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        if len(found) != 1 or not about(found[0], job_id):
            raise DecodeError(operations.STATUS_V3.name, "decode")
        code = found[0].get("error_code")
        if isinstance(code, str) and "status" not in found[0]:
            kind = TaskGoneError if is_gone(code) else BadRequestError
            raise kind(operations.STATUS_V3.name, "200", known_code(code))
        return found[0]
