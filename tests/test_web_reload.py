"""What /-/reload answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from exporter.config import ConfigError
from exporter.web import application
from tests.virtual import simulate
from tests.world import cloud_of, exporter_on

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def ask_reload(method: str, reload: Callable[[], Awaitable[None]] | None) -> tuple[int, str]:
    async with exporter_on(cloud_of()) as exporter:
        transport = httpx.ASGITransport(app=application(exporter, reload))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            response = await client.request(method, "/-/reload")
            return response.status_code, response.text


async def good() -> None:
    """The configuration has been read."""


async def bad() -> None:
    raise ConfigError("config.yaml:3: unknown key")


@pytest.mark.parametrize(
    ("method", "reload", "status", "text"),
    [
        ("POST", good, 200, ""),
        ("PUT", good, 200, ""),
        ("POST", bad, 500, "failed to reload the configuration: config.yaml:3: unknown key\n"),
        ("GET", good, 405, "Method Not Allowed"),
        ("POST", None, 403, "/-/reload needs --web.enable-lifecycle\n"),
        ("GET", None, 405, "Method Not Allowed"),
    ],
)
def test_a_reload_is_asked_for_by_a_post_where_that_is_allowed(
    method: str, reload: Callable[[], Awaitable[None]] | None, status: int, text: str
) -> None:
    assert simulate(ask_reload(method, reload)) == (status, text)
