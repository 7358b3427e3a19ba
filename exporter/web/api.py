"""/api/v1/tasks: what the status page shows, as JSON, with names as the metrics have them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from exporter.metrics.own import ALLOWANCE, DEMAND
from exporter.runtime.escape import json_text
from exporter.views.summary import BLOCKED, READY, WORST_FIRST, project_json, task_json
from exporter.views.text import project_text
from exporter.web.search import Query, find

if TYPE_CHECKING:
    from starlette.requests import Request

    from exporter.metrics.own import Telemetry
    from exporter.model.task import Project
    from exporter.web.search import Found, Served

_SLICE = 50


async def tasks(exporter: Served, request: Request) -> Response:
    """The answer to a request; 400 where a parameter makes no sense."""
    query, faults = Query.of(request.query_params)
    if faults:
        return _json({"errors": faults}, 400)
    found = await find(exporter.stores, query)
    listed = []
    for number, task in enumerate(found.tasks):
        listed.append(task_json(task))
        if number % _SLICE == 0:
            await asyncio.sleep(0)
    return _json({**_about(exporter, found), "tasks": listed}, 200)


def _json(document: Any, status: int) -> Response:
    return Response(json_text(document), status, {"Cache-Control": "no-store"}, "application/json")


def _about(exporter: Served, found: Found) -> dict[str, Any]:
    return {
        "now_timestamp_seconds": exporter.now(),
        "ready": exporter.ready,
        "total": found.total,
        "matched": found.matched,
        "page": min(found.query.page, found.pages),
        "pages": found.pages,
        "phases": {word: found.phases[word] for word in WORST_FIRST},
        "cutover": {word: found.cutover[word] for word in (READY, BLOCKED)},
        "projects": [_project(store.project(), exporter.telemetry, found) for store in exporter.stores],
    }


def _project(project: Project, telemetry: Telemetry, found: Found) -> dict[str, Any]:
    error, at = project.last_error or (None, None)
    return {
        **project_json(project),
        "tasks": found.projects[project_text(project)],
        "api_rate_limit_calls_per_second": telemetry.value(ALLOWANCE, project.account, project.region),
        "api_demand_ratio": telemetry.value(DEMAND, project.account, project.region),
        "last_error": error,
        "last_error_timestamp_seconds": at,
    }
