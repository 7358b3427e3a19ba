"""What is served over HTTP; a request reads what lies ready and never asks the cloud."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.config.load import ConfigError
from exporter.web import api as web_api
from exporter.web.negotiation import accepts_gzip, wanted_format
from exporter.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from exporter.metrics.page import Page
    from exporter.web.search import Served

_SLICE = 2**16
"""Bytes. Each slow client keeps up to three slices in memory; larger ones are not sent faster."""


def application(exporter: Served, reload: Callable[[], Awaitable[None]] | None = None) -> Starlette:
    """The ASGI app of the daemon; `reload` reads the configuration again, and is None where nobody may ask for that."""
    pages = Pages(exporter)

    async def metrics(request: Request) -> Response:
        return _metrics(exporter.board.page, request)

    async def healthy(_request: Request) -> Response:
        return _state(exporter.healthy, "healthy", "a poll loop makes no progress")

    async def ready(_request: Request) -> Response:
        return _state(exporter.ready, "ready", "the first poll has not ended")

    async def tasks(request: Request) -> Response:
        return await web_api.tasks(exporter, request)

    async def reloaded(request: Request) -> Response:
        if _from_a_page(request):
            return PlainTextResponse("/-/reload is not for pages in a browser\n", 403)
        if reload is None:
            return PlainTextResponse("/-/reload needs --web.enable-lifecycle\n", 403)
        try:
            await reload()
        except ConfigError as error:
            return PlainTextResponse(f"failed to reload the configuration: {error}\n", 500)
        return Response()

    app = Starlette(
        routes=[
            Route("/", pages.status),
            Route("/tasks/{task_id:path}", pages.task),
            Route("/api/v1/tasks", tasks),
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", reloaded, methods=["POST", "PUT"]),
        ]
    )
    app.router.redirect_slashes = False  # a redirection would contain the host that the client has named
    return app


def _from_a_page(request: Request) -> bool:
    """Return whether a page in a browser sent this request, of any origin: a DNS name of an attacker may be ours."""
    return "origin" in request.headers or any(site != "none" for site in request.headers.getlist("sec-fetch-site"))


def _metrics(page: Page, request: Request) -> Response:
    names = request.query_params.getlist("name[]")
    form = wanted_format(request.headers.get("accept", ""))
    packed = accepts_gzip(request.headers.get("accept-encoding", ""))
    pieces = (page.gzip if packed else page.plain)(frozenset(names) if names else None, form)
    headers = {"Content-Length": str(sum(map(len, pieces))), "Vary": "Accept, Accept-Encoding"}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return _Pieces(pieces, headers, form.value)


class _Pieces(Response):
    """A body that leaves in slices: a write of the whole would copy it and block the loop, and each write costs.

    Others run between two slices, however fast the client takes them.
    """

    def __init__(self, pieces: Iterable[bytes], headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(headers=headers, media_type=media_type)
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for part in _slices(self._pieces):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


def _slices(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """At most 64 KiB each, and all but the last no less."""
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
