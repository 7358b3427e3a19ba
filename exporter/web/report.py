"""/api/v1/waves/NAME/report: what happened to the tasks of a wave."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from exporter.model.waves import Stage, WaveStatus
from exporter.runtime.threads import DaemonPool
from exporter.store.wave_records import Memory, UnreadableRecordsError, wave_record
from exporter.views.report import not_begun, report_json
from exporter.web.responses import json_list_response, json_response
from exporter.web.waves import why_missing

if TYPE_CHECKING:
    from exporter.web.app import Served

SECONDS = 30.0
"""The longest time for a report, with the wait for those before it."""
_REPORTS = DaemonPool("report", threads=1, timeout=SECONDS)
"""Computes reports: that of a large wave takes a second."""
_LATE = (
    f"There is no report after {SECONDS:.0f} s: the exporter computes other ones, or this one takes longer. "
    "Try again in a minute."
)
_UNREADABLE = "The storage cannot be read now, and without it the report would lack what happened: try again later."


class Reports:
    """Makes the reports of an exporter, one after the other: each reads all that is stored about its tasks.

    Args:
        exporter: contains the waves.
    """

    def __init__(self, exporter: Served) -> None:
        self._exporter = exporter
        self._turn = asyncio.Lock()

    async def report(self, request: Request) -> Response:
        """Respond with the document of a report, or with 404 or 503 and the reason."""
        exporter = self._exporter
        status = None if exporter.waves.sharded else exporter.waves.status(request.path_params["name"])
        if status is None:
            return json_response({"errors": [why_missing(exporter)]}, 404)
        if status.stage is Stage.PLANNED:
            return json_response({"errors": [not_begun(status)]}, 404)
        try:
            async with asyncio.timeout(SECONDS), self._turn:
                document = await self._document(status)
        except (TimeoutError, OSError):
            return json_response({"errors": [_LATE]}, 503)
        except UnreadableRecordsError:
            return json_response({"errors": [_UNREADABLE]}, 503)
        tasks = document.pop("tasks")
        return await json_list_response(document, "tasks", tasks, lambda task: task)

    async def _document(self, status: WaveStatus) -> dict[str, Any]:
        exporter = self._exporter
        record = await wave_record(status, exporter.storage, Memory(exporter.stores, exporter.events), exporter.now())
        return await _REPORTS.run(report_json, record)
