"""The pages for eyes: the status page and one for each task. They work without the script, which only updates them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from exporter.metrics.own import ALLOWANCE, DEMAND
from exporter.runtime.escape import printable
from exporter.store.subject import subject_of
from exporter.views import task as explain_facts
from exporter.views.summary import WORST_FIRST, blockers_of, cutover_of, full_ratio_of, phase_of, read_at
from exporter.views.text import age, duration, moment, percent, plural, project_text
from exporter.web.search import Query, find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from exporter.model.task import Task
    from exporter.store.store import Store
    from exporter.web.search import Found, Served

_YIELD_AFTER = 0.004
"""Seconds of rendering at a stretch, about."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """All pages of one exporter."""

    def __init__(self, exporter: Served) -> None:
        self._exporter = exporter
        style, script = _text("style.css"), _text("live.js")
        hashes = {"style": _hash(style), "script": _hash(script)}
        self._headers = {name: value.format(**hashes) for name, value in _HEADERS.items()}
        environment = _environment()
        environment.globals |= {"style": Markup(style), "script": Markup(script)}  # noqa: S704 - our own files
        # Compiled now: who asks first would wait for it, and all others with him.
        self._templates = {name: environment.get_template(name) for name in environment.list_templates(["html"])}

    async def status(self, request: Request) -> Response:
        """The fleet: how it stands, the tasks that are asked for, the projects."""
        query, faults = Query.of(request.query_params)
        found = await find(self._exporter.stores, query)
        return await self._page("status.html", 200, query=query, faults=faults, **self._fleet(found))

    def _fleet(self, found: Found) -> dict[str, Any]:
        exporter = self._exporter
        projects = [store.project() for store in exporter.stores]
        return {
            "found": found,
            "page": min(found.query.page, found.pages),
            "projects": projects,
            "allowances": [exporter.telemetry.value(ALLOWANCE, *store.key[:2]) for store in exporter.stores],
            "demands": [exporter.telemetry.value(DEMAND, *store.key[:2]) for store in exporter.stores],
            "unreadable": [project for project in projects if project.up is False],
            "incomplete": sum(facts.gap is not None for project in projects for facts in project.lists.values()),
            "complete": exporter.ready and all(project.up for project in projects),
            "ready": exporter.ready,
        }

    async def task(self, request: Request) -> Response:
        """All that is known of one task; 404 where none has this id."""
        task_id = request.path_params["task_id"]
        for store in self._exporter.stores:
            known = {task.identity.task_id: task for task in store.tasks()}
            if task_id in known:
                return await self._page("task.html", 200, **self._facts(store, known, known[task_id]))
        return await self._page("missing.html", 404)

    def _facts(self, store: Store, known: Mapping[str, Task], task: Task) -> dict[str, Any]:
        now, identity = self._exporter.now(), task.identity
        parent = known.get(identity.parent_id or "")
        subject = subject_of(store, task, parent, now)
        subtasks = [one for one in known.values() if one.identity.parent_id == identity.task_id]
        return {
            "task": task,
            "parent": parent,
            "groups": explain_facts.groups(subject, store.project(), store.ages.intervals.__contains__, now),
            "verdict": explain_facts.verdict(subject),
            "reasons": explain_facts.reasons(subject),
            "subtasks": sorted(subtasks, key=lambda one: (one.identity.task_name, one.identity.task_id)),
            "names": {identity.task_id: identity.task_name},
        }

    async def _page(self, template: str, status: int, **context: Any) -> Response:
        """Rendered a little at a time; what UTF-8 has no place for becomes a question mark."""
        parts, since = [], time.perf_counter()
        for part in self._templates[template].generate(now=self._exporter.now(), **context):
            parts.append(part)
            if time.perf_counter() - since > _YIELD_AFTER:
                await asyncio.sleep(0)
                since = time.perf_counter()
        body = "".join(parts).encode(errors="replace")
        return Response(body, status, self._headers, "text/html; charset=utf-8")


def _text(name: str) -> str:
    return (files("exporter.web") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("exporter.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    filters = (age, duration, moment, percent, plural, project_text)
    functions = (blockers_of, cutover_of, full_ratio_of, phase_of, read_at)
    environment.filters |= {function.__name__: function for function in filters}
    environment.filters["segment"] = lambda text: quote(text, safe="", errors="replace")
    environment.globals |= {function.__name__: function for function in functions}
    environment.globals["phases"] = WORST_FIRST
    return environment


def _shown(value: object) -> object:
    """Text without control characters, which could turn a name round; markup as it is."""
    return printable(value) if type(value) is str else value
