"""/api/v1/tasks: what the status page shows, as JSON, with names as the metrics have them."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from exporter.metrics.own import ALLOWANCE, DEMAND
from exporter.runtime.escape import json_text
from exporter.web.query import BLOCKED, READY, WORST_FIRST, Query
from exporter.web.search import blockers_of, cutover_of, find, phase_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from exporter.metrics.own import Telemetry
    from exporter.model.task import CollectorFacts, ListFacts, Project, Task
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
    key = (project.account, project.region, project.project)
    error, at = project.last_error or (None, None)
    return {
        "account": project.account,
        "region": project.region,
        "project": project.project,
        "up": project.up,
        "tasks": found.projects["/".join(key)],
        "api_rate_limit_calls_per_second": telemetry.value(ALLOWANCE, *key[:2]),
        "api_demand_ratio": telemetry.value(DEMAND, *key[:2]),
        "last_error": error,
        "last_error_timestamp_seconds": at,
        "lists": [list_json(*key, facts) for key, facts in project.lists.items()],
        "collectors": {name: _collector(facts) for name, facts in project.collectors.items()},
    }


def list_json(api: str, job_type: str, facts: ListFacts) -> dict[str, Any]:
    """The newest list of one job type; what is not known is null."""
    return {
        "api": api,
        "job_type": job_type,
        "success": facts.success,
        "tasks": facts.tasks,
        "complete": None if facts.tasks is None else facts.gap is None,
        "incomplete_because": facts.gap,
        "incomplete_since_timestamp_seconds": facts.incomplete_since,
    }


def _collector(facts: CollectorFacts) -> dict[str, Any]:
    return {
        "success": facts.success,
        "duration_seconds": facts.duration_seconds,
        "last_success_timestamp_seconds": facts.last_success_at,
        "interval_seconds": facts.interval_seconds,
    }


def task_json(task: Task) -> dict[str, Any]:
    """One task; what is not known is null."""
    listed, progress = task.listed, task.progress
    recovery = None if task.switching else task.recovery
    return {
        **{one.name: getattr(task.identity, one.name) for one in fields(task.identity)},
        **_of(listed, dict.fromkeys(("job_type", "engine_type", "task_type", "direction", "status"))),
        "phase": phase_of(task),
        "phase_changed_timestamp_seconds": task.history.phase_changed_at,
        "error_code": task.failure_code,
        **_of(progress, {"full_ratio": "full_progress_ratio", "full_remaining_seconds": None}),
        "incremental_delay_seconds": task.delay_seconds,
        **_of(recovery, {"rpo_seconds": None, "rto_seconds": None}),
        "collected_timestamp_seconds": dict(task.collected),
        "cutover": cutover_of(task),
        "cutover_blockers": blockers_of(task),
    }


def _of(part: object, names: Mapping[str, str | None]) -> dict[str, Any]:
    """Some fields of a part that may be unknown, by the name that they have here where it is another one."""
    return {here or name: getattr(part, name, None) for name, here in names.items()}
