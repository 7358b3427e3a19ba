"""When a task last wrote to its log: v5 "Querying Task Details" with type=log. Messages are never read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from exporter.cloud import operations
from exporter.cloud.source import ErrorsByCollector, TaskResults
from exporter.cloud.wire.batch_item import JobWire, read_job
from exporter.cloud.wire.fields import NestedList, Time, Wire, Word
from exporter.model.facts import Logs

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

_ENTRIES = 100
"""Newest entries that are looked through for each level."""


class LogEntryWire(Wire):
    """An item of `logs`, table 30."""

    level: Word = None
    create_time: Time = None


class LogJobWire(JobWire):
    """The object `job` of v5 with type=log."""

    logs: NestedList[LogEntryWire] = ()


async def fetch_v5(client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
    """Fetch the time of the newest entry of each level of one task."""
    query = (("offset", 0), ("limit", _ENTRIES))
    job = await read_job(client, operations.LOGS_V5, ids[0], LogJobWire, errors[Logs.collector], *query)
    newest: dict[str, float] = {}
    for entry in job.logs:
        if entry.level and entry.create_time is not None:
            level = entry.level.lower()
            newest[level] = max(entry.create_time, newest.get(level, 0.0))
    undated_error = any((entry.level or "").lower() == "error" and entry.create_time is None for entry in job.logs)
    return {ids[0]: (Logs(tuple(sorted(newest.items())), undated_error),)}
