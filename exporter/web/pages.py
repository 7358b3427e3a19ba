"""The HTML pages: the status page and a page for each task. They work without JavaScript, which only updates them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from exporter.metrics.self_metrics import DEMAND, RATE_LIMIT
from exporter.model.events import Event
from exporter.model.task import ProjectKey, Task
from exporter.model.timeline import HOUR
from exporter.runtime.escape import printable
from exporter.runtime.threads import DaemonPool
from exporter.store.explain import explain, with_subtasks
from exporter.store.store import Store
from exporter.views.access import clock_text, credentials_text, renewal_overdue, stands_still
from exporter.views.cutover import blocked_by, not_checked, reasons, unchecked_of, verdict
from exporter.views.events import sentence
from exporter.views.order import WORST_FIRST
from exporter.views.plots import Plot, history, sparkline
from exporter.views.state import statements
from exporter.views.summary import (
    blockers_of,
    comparison_of,
    cutover_of,
    full_ratio_of,
    phase_of,
    read_at,
)
from exporter.views.task import groups
from exporter.views.task_errors import meaning
from exporter.views.text import (
    age,
    duration,
    listing,
    load_outlook,
    moment,
    number,
    outlook,
    percent,
    plural,
    project_text,
)
from exporter.views.waves import WORST_FIRST as WAVE_STATES
from exporter.views.waves import (
    WaveView,
    deleted_sentence,
    gap_sentence,
    level_of,
    score,
    since_text,
    timing,
    wave_verdict,
)
from exporter.web import runbooks, task_errors
from exporter.web.links import links_of, runbook
from exporter.web.search import Query, SearchResult, search
from exporter.web.waves import all_waves, events_of, find_wave, why_missing

if TYPE_CHECKING:
    from exporter.web.app import Served

_FILES = DaemonPool("runbooks", threads=1, timeout=10)
_NO_TASK = (
    "No task with this ID is known. It may be deleted, have ended long ago, be excluded by the configuration, not be "
    "listed yet, or belong to another shard."
)
_YIELD_AFTER = 0.004
"""Seconds of rendering before a pause for other work."""
_EVENTS = 20
"""The most events on a page. Templates get another one, if there are more; /api/v1/events has them."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """Renders the pages of an exporter."""

    def __init__(self, exporter: Served) -> None:
        self._exporter = exporter
        style, script = _content("style.css"), _content("live.js")
        hashes = {"style": _hash(style), "script": _hash(script)}
        self._headers = {name: value.format(**hashes) for name, value in _HEADERS.items()}
        self._templates = _templates()  # compiled now, in a thread: later it would block all other requests

    async def status(self, request: Request) -> Response:
        """The status page: an overview, one page of tasks, and the projects."""
        query, errors = Query.of(request.query_params)
        result, waves = await search(self._exporter.stores, query), await all_waves(self._exporter)
        return await self._page("status.html", 200, query=query, errors=errors, waves=waves, **self._overview(result))

    def _sparkline(self, task: Task) -> Plot | None:
        """Return the plot of a task's delay in the last hour; None without one."""
        identity = task.identity
        key = ProjectKey(identity.account, identity.region, identity.project)
        store = next((store for store in self._exporter.stores if store.key == key), None)
        timeline = store.timeline(identity.task_id) if store and task.delay_seconds is not None else None
        return sparkline(timeline, self._exporter.now()) if timeline else None

    def _overview(self, result: SearchResult) -> dict[str, Any]:
        exporter = self._exporter
        projects = [store.project() for store in exporter.stores]
        return {
            "result": result,
            "sparkline": self._sparkline,
            "events": exporter.events.find(since=exporter.now() - HOUR)[: _EVENTS + 1],
            "events_since": exporter.events.since(),
            "projects": projects,
            "rate_limit": partial(exporter.telemetry.value, RATE_LIMIT),
            "demand": partial(exporter.telemetry.value, DEMAND),
            "unreadable": [project for project in projects if project.up is False],
            "incomplete": sum(facts.gap is not None for project in projects for facts in project.lists.values()),
            "complete": exporter.ready and all(project.up for project in projects),
            "ready": exporter.ready,
        }

    async def task(self, request: Request) -> Response:
        """The page of a task; 404 if there is none with this ID."""
        task_id = request.path_params["task_id"]
        for store in self._exporter.stores:
            if found := with_subtasks(store, task_id):
                return await self._page("task.html", 200, **self._facts(store, *found))
        return await self._page("missing.html", 404, what="task", why=_NO_TASK)

    async def wave(self, request: Request) -> Response:
        """The page of a wave; 404 with the reason without it."""
        events = self._exporter.events.find()
        wave = find_wave(self._exporter, request.path_params["name"], events)
        if wave is None:
            return await self._page("missing.html", 404, what="wave", why=why_missing(self._exporter))
        return await self._page("wave.html", 200, **self._about(wave, events_of(wave, events)[: _EVENTS + 1]))

    def _about(self, wave: WaveView, events: Sequence[Event]) -> dict[str, Any]:
        projects = {member.key for member in wave.status.members}
        return {
            "wave": wave,
            "many_projects": len(projects) > 1,
            "sparkline": self._sparkline,
            "events": events,
            "events_since": self._exporter.events.since(),
        }

    async def runbook(self, request: Request) -> Response:
        """The runbook of an alert, with the state of the task `task_id`; 404 if there is none of this name."""
        name, task_id = request.path_params["name"], request.query_params.get("task_id")
        if name not in runbooks.names():
            return await self._page("missing.html", 404, what="runbook", why="No alert has this name.")
        rules = await _FILES.share(name, runbooks.rules, name)
        found = ((store, store.state.exposed(task_id)) for store in self._exporter.stores if task_id)
        subject = next((explain(store, task) for store, task in found if task), None)
        return await self._page(
            "runbook.html",
            200,
            name=name,
            content=runbooks.html(name, task_id if subject else None),
            rules=rules,
            task=subject and subject.task,
            statements=statements(subject, self._exporter.now()) if subject else [],
            unknown=_NO_TASK if task_id and not subject else "",
        )

    async def errors(self, _request: Request) -> Response:
        """The error codes and messages of tasks, with cause and remedy."""
        return await self._page("errors.html", 200, content=task_errors.html())

    def _facts(self, store: Store, task: Task, *below: Task) -> dict[str, Any]:
        now, identity, subject = self._exporter.now(), task.identity, explain(store, task)
        timeline = store.timeline(identity.task_id)
        return {
            "task": task,
            "parent": subject.parent,
            "groups": groups(subject, store.project(), store.ages.configured.__contains__, now),
            "statements": statements(subject, now),
            "sparkline": self._sparkline,
            "timeline": timeline,
            "with_storage": self._exporter.storage.enabled,
            "plots": history(timeline, now) if timeline else [],
            "events": self._exporter.events.find(task_id=identity.task_id)[: _EVENTS + 1],
            "events_since": self._exporter.events.since(store.key),
            "verdict": verdict(subject),
            "not_checked": not_checked(subject),
            "reasons": reasons(subject),
            "subtasks": below,
            "waves": store.context.waves.of(identity.task_id),
            "links": links_of(self._exporter.links, identity),
            "names": {found.identity.task_id: found.identity.task_name for found in (task, *below)},
        }

    async def _page(self, template: str, status: int, **context: Any) -> Response:
        """Render a template, with pauses for other work. Text that UTF-8 cannot encode becomes a question mark."""
        parts, since = [], time.perf_counter()
        for part in self._templates[template].generate(now=self._exporter.now(), **context):
            parts.append(part)
            if time.perf_counter() - since > _YIELD_AFTER:
                await asyncio.sleep(0)
                since = time.perf_counter()
        body = "".join(parts).encode(errors="replace")
        return Response(body, status, self._headers, "text/html; charset=utf-8")


def _content(name: str) -> str:
    return (files("exporter.web") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def breakable(text: str) -> Markup:
    """Return a word of the cloud with places where a narrow column may break it."""
    return escape(printable(text)).replace("_", Markup("_<wbr>"))


_FILTERS = (
    *(age, blocked_by, breakable, duration, listing, moment, number, percent, plural, project_text),
    sentence,
)
_FUNCTIONS = (
    *(blockers_of, comparison_of, cutover_of, full_ratio_of, load_outlook, phase_of, read_at),
    *(deleted_sentence, gap_sentence, level_of, runbook, score, since_text, timing, unchecked_of, wave_verdict),
    *(clock_text, credentials_text, meaning, renewal_overdue, stands_still),
)


@cache
def _templates() -> Mapping[str, Template]:
    environment = Environment(
        loader=PackageLoader("exporter.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # an upgrade of the files must not change the pages of the program that runs
        trim_blocks=True,
        lstrip_blocks=True,
        # Control characters could reverse a name. Markup is left as it is.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    environment.filters["segment"] = lambda text: quote(text, safe="", errors="replace")
    environment.globals |= {function.__name__: function for function in _FUNCTIONS}
    environment.globals |= {
        "outlook_words": outlook,
        "phases": WORST_FIRST,
        "wave_states": WAVE_STATES,
        "most_events": _EVENTS,
        "version": version("drs-exporter"),
    }
    environment.globals["style"] = Markup(_content("style.css"))  # noqa: S704 - our own file
    environment.globals["script"] = Markup(_content("live.js"))  # noqa: S704 - our own file
    return {name: environment.get_template(name) for name in environment.list_templates(["html"])}
