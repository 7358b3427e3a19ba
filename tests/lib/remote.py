"""Running exporters, and other servers, for commands with `--url`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from exporter.config import Config
from exporter.simulator import SimulatedCloud
from exporter.web.app import application
from tests.lib.commands import config_for
from tests.lib.daemon import exporter_on
from tests.lib.transport import InProcess

URL = "http://exporter.test:10826/drs/"
"""With the prefix of `WithPrefix`."""
Handler = Callable[[httpx.Request], Any]


class WithPrefix(httpx.AsyncBaseTransport):
    """An exporter behind a reverse proxy that removes the prefix of the path."""

    def __init__(self, app: Any) -> None:
        self._inner = InProcess(app)
        self.requests: list[httpx.URL] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url)
        prefix, path = "/drs", request.url.raw_path.decode()
        if not path.startswith(f"{prefix}/"):
            return httpx.Response(404, text="no such path")
        request.url = request.url.copy_with(raw_path=path.removeprefix(prefix).encode())
        return await self._inner.handle_async_request(request)


class Answering(httpx.AsyncBaseTransport):
    """A server that sends what a function returns; unlike that of httpx.MockTransport, the body has not been read."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = self._handler(request)
        if inspect.isawaitable(response):
            response = await response
        return httpx.Response(response.status_code, headers=response.headers, stream=response.stream)


@asynccontextmanager
async def running(cloud: SimulatedCloud, config: Config | None = None) -> AsyncIterator[WithPrefix]:
    """The transport to an exporter that has polled everything once."""
    async with exporter_on(cloud, config or config_for()) as exporter:
        await exporter.poll_once()
        yield WithPrefix(application(exporter))


def page(*names: str, pages: int = 1, matched: int | None = None, **more: Any) -> dict[str, Any]:
    """A response of the API."""
    row: dict[str, Any] = {
        "account": "a",
        "region": "r",
        "project": "p",
        "parent_id": None,
        "phase": "incremental",
        "full_progress_ratio": 1.0,
        "incremental_delay_seconds": 1,
        "incremental_delay_slope": None,
        "predicted_catch_up_seconds": None,
        "predicted_full_load_end_timestamp_seconds": None,
        "full_remaining_seconds": None,
        "collected_timestamp_seconds": {"progress": 5.0},
        "cutover": "ready",
        "cutover_blockers": [],
        "cutover_not_checked": None,
        "cutover_ready_since_timestamp_seconds": None,
    }
    return {
        "now_timestamp_seconds": 7.0,
        "ready": True,
        "matched": len(names) if matched is None else matched,
        "pages": pages,
        "projects": [],
        "tasks": [{**row, "task_id": name, "task_name": name, **more} for name in names],
    }
