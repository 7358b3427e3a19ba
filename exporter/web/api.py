"""/api/v1/tasks and /api/v1/tasks/ID: the content of the pages as JSON, with the names of the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from exporter.metrics.self_metrics import DEMAND, RATE_LIMIT, Telemetry
from exporter.model.explanation import TaskExplanation
from exporter.model.task import Project
from exporter.store.explain import explain_with_subtasks
from exporter.store.store import Store
from exporter.views.cutover import BLOCKED, READY
from exporter.views.explanation import explanation_json
from exporter.views.order import WORST_FIRST
from exporter.views.summary import project_json, task_json
from exporter.views.text import project_text
from exporter.web.responses import json_list_response, json_response
from exporter.web.search import Query, SearchResult, search, unknown_of

if TYPE_CHECKING:
    from exporter.web.app import Served

NO_TASK = "no task has this id"
MAX_LIMIT = 2000
"""Tasks in a response: more than on a page, since each response costs a search of all tasks."""


async def tasks(exporter: Served, request: Request) -> Response:
    """Respond to a query; with 400 if a parameter is invalid."""
    query, errors = Query.of(request.query_params, MAX_LIMIT)
    if errors := (*unknown_of(request.query_params, Query), *errors):
        return json_response({"errors": errors}, 400)
    result = await search(exporter.stores, query)
    return await json_list_response(_overview(exporter, result), "tasks", result.tasks, task_json)


async def task(exporter: Served, request: Request) -> Response:
    """Respond with all about one task; with 404 if there is none with this ID."""
    task_id = request.path_params["task_id"]
    for store in exporter.stores:
        if found := explain_with_subtasks(store, task_id):
            return json_response(_explained(exporter, store, found), 200)
    return json_response({"errors": [NO_TASK], "ready": exporter.ready}, 404)


def _explained(exporter: Served, store: Store, found: Sequence[TaskExplanation]) -> dict[str, Any]:
    subject, *subtasks = found
    task_id, enabled = subject.task.identity.task_id, store.ages.configured.__contains__
    return explanation_json(
        subject,
        subtasks,
        store.project(),
        enabled=enabled,
        now=exporter.now(),
        timeline=store.timeline(task_id),
        log=exporter.events,
    )


def _overview(exporter: Served, result: SearchResult) -> dict[str, Any]:
    return {
        "now_timestamp_seconds": exporter.now(),
        "ready": exporter.ready,
        "total": result.total,
        "matched": result.matched,
        "page": result.page,
        "pages": result.pages,
        "phases": {phase: result.phases[phase] for phase in WORST_FIRST},
        "cutover": {state: result.cutover[state] for state in (READY, BLOCKED)},
        "projects": [_project(store.project(), exporter.telemetry, result) for store in exporter.stores],
    }


def _project(project: Project, telemetry: Telemetry, result: SearchResult) -> dict[str, Any]:
    error, at = project.last_error or (None, None)
    return {
        **project_json(project),
        "tasks": result.projects[project_text(project)] or (0 if project.up else None),
        "api_rate_limit_calls_per_second": telemetry.value(RATE_LIMIT, project.account, project.region),
        "api_demand_ratio": telemetry.value(DEMAND, project.account, project.region),
        "last_error": error,
        "last_error_timestamp_seconds": at,
    }
