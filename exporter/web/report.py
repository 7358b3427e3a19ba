"""/api/v1/waves/NAME/report: what happened to the tasks of a wave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from exporter.model.waves import Stage
from exporter.runtime.threads import DaemonPool
from exporter.store.wave_records import Memory, wave_record
from exporter.views.report import not_begun, report_json
from exporter.web.responses import json_response
from exporter.web.waves import why_missing

if TYPE_CHECKING:
    from exporter.web.app import Served

_REPORTS = DaemonPool("report", threads=1, timeout=30.0)
"""Computes reports, one after the other: that of a large wave takes a second."""
_BUSY = "The exporter computes other reports: try again in a minute."


async def report(exporter: Served, request: Request) -> Response:
    """Respond with the document of a report; with 404 and the reason without it, and with 503 if it takes too long."""
    status = None if exporter.waves.sharded else exporter.waves.status(request.path_params["name"])
    if status is None:
        return json_response({"errors": [why_missing(exporter)]}, 404)
    if status.stage is Stage.PLANNED:
        return json_response({"errors": [not_begun(status)]}, 404)
    record = await wave_record(status, exporter.storage, Memory(exporter.stores, exporter.events), exporter.now())
    try:
        return json_response(await _REPORTS.run(report_json, record), 200)
    except (TimeoutError, OSError):
        return json_response({"errors": [_BUSY]}, 503)
