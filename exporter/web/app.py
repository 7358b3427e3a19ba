"""The routes of the HTTP server. A request reads stored data, and never causes a call to the cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.config import ConfigError, Links
from exporter.metrics.exposition import Exposition
from exporter.metrics.page import Format
from exporter.metrics.self_metrics import Telemetry
from exporter.model.events import EventLog
from exporter.runtime.threads import DaemonPool
from exporter.storage import Storage
from exporter.store.store import Store
from exporter.store.waves import Waves
from exporter.web import api, waves
from exporter.web.events import events
from exporter.web.prefix import Prefix
from exporter.web.report import Reports
from exporter.web.responses import ChunkedResponse

if TYPE_CHECKING:
    from exporter.web.pages import Pages

Reload = Callable[[], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Response]]

_LOADER = DaemonPool("pages", threads=1, timeout=30)
_RELOAD_SECONDS = 20.0
"""The longest time for the response to a reload; later the server would close the connection without one."""
_VERSIONS: Mapping[Format, tuple[str, str]] = {
    Format.TEXT: ("text/plain", "0.0.4"),
    Format.OPENMETRICS: ("application/openmetrics-text", "1.0.0"),
}
"""Media type and version of each format. The first is for clients that accept both equally, or neither."""


class Served(Protocol):
    """The data of the exporter that the HTTP server shows."""

    @property
    def exposition(self) -> Exposition: ...
    @property
    def stores(self) -> Sequence[Store]:
        """One for each project."""

    @property
    def events(self) -> EventLog:
        """Those of all projects."""

    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def ready(self) -> bool:
        """True if the first poll of every project has ended."""

    @property
    def healthy(self) -> bool:
        """True if all poll loops make progress."""

    @property
    def waves(self) -> Waves:
        """Those of the configuration, over all projects."""

    @property
    def storage(self) -> Storage:
        """What survives a restart."""

    @property
    def links(self) -> Links:
        """The base URLs of links to other programs."""

    def now(self) -> float:
        """Unix time."""


class _PagesOnDemand:
    """Loads the HTML pages when one is first requested: an exporter that only Prometheus reads needs 6 MB less.

    Args:
        exporter: the pages show its data.
    """

    def __init__(self, exporter: Served) -> None:
        self._exporter = exporter
        self._pages: Pages | None = None

    def route(self, path: str, handler: Callable[[Pages], Handler]) -> Route:
        """Return the route of a page; `handler` selects the method that renders it."""

        async def serve(request: Request) -> Response:
            if (pages := self._pages) is None:
                pages = await _LOADER.share(self, self._loaded)
            return await handler(pages)(request)

        return Route(path, serve)

    def _loaded(self) -> Pages:
        """Load the pages unless an earlier request has; in the one thread of the loader, so never twice."""
        if self._pages is None:
            self._pages = _load_pages(self._exporter)
        return self._pages


def _load_pages(exporter: Served) -> Pages:
    """Import the pages and compile their templates; takes 0.1 s."""
    from exporter.web.pages import Pages  # noqa: PLC0415 - only when they are requested

    return Pages(exporter)


def application(exporter: Served, reload: Reload | None = None, prefix: Prefix | None = None) -> Starlette:
    """Return the ASGI app; without `reload`, /-/reload is refused."""
    page = _PagesOnDemand(exporter).route
    return (prefix or Prefix()).application(
        [
            page("/", lambda pages: pages.status),
            page("/tasks/{task_id:path}", lambda pages: pages.task),
            page("/waves/{name}", lambda pages: pages.wave),
            page("/runbooks/{name}", lambda pages: pages.runbook),
            page("/errors", lambda pages: pages.errors),
            Route("/api/v1/tasks", partial(api.tasks, exporter)),
            Route("/api/v1/tasks/{task_id:path}", partial(api.task, exporter)),
            Route("/api/v1/waves", partial(waves.waves, exporter)),
            Route("/api/v1/waves/{name}", partial(waves.wave, exporter)),
            Route("/api/v1/waves/{name}/report", Reports(exporter).report),
            Route("/api/v1/events", partial(events, exporter)),
            Route("/metrics", partial(_metrics, exporter)),
            *_health_routes(exporter),
            Route("/-/reload", partial(_reload, reload), methods=["POST", "PUT"]),
        ]
    )


def health_application(exporter: Served) -> Starlette:
    """Return the ASGI app of the health listener, which serves /-/healthy and /-/ready, always without a prefix."""
    return Prefix().application(_health_routes(exporter))


def _health_routes(exporter: Served) -> list[Route]:
    return [Route("/-/healthy", partial(_healthy, exporter)), Route("/-/ready", partial(_ready, exporter))]


async def _healthy(exporter: Served, _request: Request) -> Response:
    return PlainTextResponse("healthy\n") if exporter.healthy else _unavailable("a poll loop makes no progress")


async def _ready(exporter: Served, _request: Request) -> Response:
    return PlainTextResponse("ready\n") if exporter.ready else _unavailable("the first poll has not ended")


def _unavailable(reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", 503)


async def _reload(reload: Reload | None, request: Request) -> Response:
    if _is_from_browser_page(request):
        return PlainTextResponse("/-/reload is not for pages in a browser\n", 403)
    if reload is None:
        return PlainTextResponse("/-/reload needs --web.enable-lifecycle\n", 403)
    try:
        async with asyncio.timeout(_RELOAD_SECONDS):
            await asyncio.shield(reload())
    except TimeoutError:
        return _unavailable("the reload continues; the log will contain its result")
    except ConfigError as error:
        return PlainTextResponse(f"failed to reload the configuration: {error}\n", 500)
    return Response()


def _is_from_browser_page(request: Request) -> bool:
    """Return whether a page of any origin sent the request: an attacker's DNS name may lead to this address."""
    return "origin" in request.headers or any(site != "none" for site in request.headers.getlist("sec-fetch-site"))


async def _metrics(exporter: Served, request: Request) -> Response:
    names = frozenset(request.query_params.getlist("name[]")) or None
    output = wanted_format(request.headers.get("accept", ""))
    compressed = accepts_gzip(request.headers.get("accept-encoding", ""))
    page = exporter.exposition.page
    headers = {"Vary": "Accept, Accept-Encoding"}
    if not compressed:
        headers["Content-Length"] = str(page.size(names, output))
        return ChunkedResponse(page.plain(names, output), headers, output.value)
    blocks = page.gzip(names, output)
    headers |= {"Content-Length": str(sum(map(len, blocks))), "Content-Encoding": "gzip"}
    return ChunkedResponse(blocks, headers, output.value)


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header allows gzip: by its name, or else by the asterisk."""
    allowed = {coding: quality > 0 for coding, quality, _ in _items(accept_encoding)}
    return allowed.get("gzip", allowed.get("*", False))


def wanted_format(accept: str) -> Format:
    """Return the format with the highest quality in an Accept header; among equals, the one that it names.

    A client that accepts neither gets text, which helps its user more than an empty response with status 406.
    """
    ranges = list(_items(accept))
    return max(_VERSIONS, key=lambda output: _preference(*_VERSIONS[output], ranges))


def _preference(media_type: str, version: str, ranges: list[tuple[str, float, Mapping[str, str]]]) -> tuple[float, int]:
    """Return the quality of a format, and how exactly the most exact range names it."""
    patterns = ("*/*", media_type.partition("/")[0] + "/*", media_type)
    found = [
        (patterns.index(name) + ("version" in parameters), quality)
        for name, quality, parameters in ranges
        if name in patterns and parameters.get("version", version) == version
    ]
    exactness, quality = max(found, default=(0, 0.0))
    return quality, exactness if quality else 0


def _items(header: str) -> Iterator[tuple[str, float, Mapping[str, str]]]:
    """Parse a header into names, qualities and parameters. A quality that is no number counts as 0."""
    for item in header.lower().split(","):
        name, *rest = (part.strip() for part in item.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {key.strip(): value.strip().strip('"') for key, _, value in pairs}
        try:
            quality = max(0.0, min(1.0, float(parameters.pop("q", "1"))))
        except ValueError:
            quality = 0.0
        yield name, quality, parameters
