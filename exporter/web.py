"""What is served over HTTP; a request reads what lies ready and never asks the cloud."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from jinja2 import Environment, Template, select_autoescape
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from exporter.model import Phase
from exporter.web_negotiation import accepts_gzip, wanted_format

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from starlette.requests import Request

    from exporter.chunks import Page
    from exporter.exposition import Board
    from exporter.model import Task
    from exporter.store import Store

_SLICE = 2**20
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_WORST_FIRST = tuple(
    Phase(name)
    for name in (
        "failed",
        "other",
        "paused",
        "changing",
        "incremental",
        "full",
        "preparing",
        "ending",
        "ended",
    )
)


class Served(Protocol):
    """What the pages show."""

    @property
    def board(self) -> Board:
        """The samples."""

    @property
    def stores(self) -> Sequence[Store]:
        """The projects."""

    @property
    def ready(self) -> bool:
        """Whether the first poll of every project has ended."""

    @property
    def healthy(self) -> bool:
        """Whether the poll loops make progress."""

    def now(self) -> float:
        """Unix time."""


def application(exporter: Served) -> Starlette:
    """The ASGI app of the daemon."""
    page = (files("exporter") / "pages" / "status.html").read_text(encoding="utf-8")
    template, page_headers = _template(page), _page_headers(page)

    async def metrics(request: Request) -> Response:
        return _metrics(exporter.board.page, request)

    async def healthy(_request: Request) -> Response:
        return _state(exporter.healthy, "healthy", "a poll loop makes no progress")

    async def ready(_request: Request) -> Response:
        return _state(exporter.ready, "ready", "the first poll has not ended")

    async def status(_request: Request) -> Response:
        return HTMLResponse(template.render(**_status(exporter)), headers=page_headers)

    return Starlette(
        routes=[
            Route("/", status),
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
        ]
    )


def _metrics(page: Page, request: Request) -> Response:
    names = request.query_params.getlist("name[]")
    form = wanted_format(request.headers.get("accept", ""))
    packed = accepts_gzip(request.headers.get("accept-encoding", ""))
    pieces = (page.gzip if packed else page.plain)(frozenset(names) if names else None, form)
    headers = {"Content-Length": str(sum(map(len, pieces))), "Vary": "Accept, Accept-Encoding"}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return StreamingResponse(_slices(pieces), media_type=form.value, headers=headers)


async def _slices(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """At most 1 MiB each: a write of the whole body would copy it and block the loop, and each write costs."""
    waiting: list[bytes | memoryview] = []
    room = _SLICE
    for piece in pieces:
        rest = memoryview(piece)
        while len(rest) >= room:
            yield b"".join((*waiting, rest[:room]))
            waiting, rest, room = [], rest[room:], _SLICE
        waiting.append(rest)
        room -= len(rest)
    yield b"".join(waiting)


def _state(good: bool, yes: str, no: str) -> Response:  # noqa: FBT001 - the caller's attribute names it
    return PlainTextResponse(f"{yes if good else no}\n", 200 if good else 503)


def _page_headers(page: str) -> dict[str, str]:
    """The style that the page holds may be used, and nothing else: neither a script nor another style."""
    styles = [hashlib.sha256(style.encode()).digest() for style in re.findall("<style>(.*?)</style>", page, re.DOTALL)]
    allowed = " ".join(f"'sha256-{base64.b64encode(style).decode()}'" for style in styles)
    return {name: value.format(style=allowed) for name, value in _PAGE_HEADERS.items()}


def _template(page: str) -> Template:
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    environment.filters |= {"seconds": seconds_text, "percent": percent_text}
    return environment.from_string(page)


def _status(exporter: Served) -> dict[str, object]:
    tasks = [task for store in exporter.stores for task in store.tasks()]
    tasks.sort(key=lambda task: (_rank(task), -(task.progress.delay_seconds or 0) if task.progress else 0))
    return {
        "tasks": tasks,
        "projects": [store.project() for store in exporter.stores],
        "counts": {"unknown": sum(task.phase is None for task in tasks)}
        | {phase.value: sum(task.phase is phase for task in tasks) for phase in _WORST_FIRST},
        "now": exporter.now(),
        "ready": exporter.ready,
    }


def _rank(task: Task) -> int:
    return -1 if task.phase is None else _WORST_FIRST.index(task.phase)


def percent_text(ratio: float) -> str:
    """Whole percent, 100 only where nothing is left; 0.29 * 100, which is a little under 29, is 29."""
    return f"{math.floor(round(ratio * 100, 6))}%"


def seconds_text(seconds: float) -> str:
    """A span of time for people: 850 ms, 12 s, 4 min, 3 h 20 min, 2 d 4 h."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
