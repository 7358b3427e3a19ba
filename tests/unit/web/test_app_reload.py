"""What /-/reload answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from exporter.config import ConfigError
from exporter.web.app import application
from tests.lib.daemon import cloud_of, exporter_on
from tests.lib.virtual_time import simulate

Headers = dict[str, str] | list[tuple[str, str]]


async def ask_reload(
    method: str, reload: Callable[[], Awaitable[None]] | None, headers: Headers | None = None
) -> tuple[int, str]:
    async with exporter_on(cloud_of()) as exporter:
        transport = httpx.ASGITransport(app=application(exporter, reload))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            response = await client.request(method, "/-/reload", headers=headers)
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
def test_a_post_reloads_where_the_lifecycle_is_enabled(
    method: str, reload: Callable[[], Awaitable[None]] | None, status: int, text: str
) -> None:
    assert simulate(ask_reload(method, reload)) == (status, text)


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://exporter.test"}, 403),  # the name may be an attacker's, which leads to this address
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
        ([("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")], 403),
        ({"Host": "other.example"}, 200),
    ],
)
def test_no_page_in_a_browser_may_reload(method: str, headers: Headers, status: int) -> None:
    reloads = 0

    async def count() -> None:
        nonlocal reloads
        reloads += 1

    assert (simulate(ask_reload(method, count, headers))[0], reloads) == (status, (status == 200))


def test_a_reload_that_lasts_longer_than_a_response_may_goes_on_after_a_503() -> None:
    async def ask() -> None:
        ended = asyncio.Event()

        async def slow() -> None:
            await asyncio.sleep(60)
            ended.set()
            raise ConfigError("has been logged")

        text = "the reload continues; the log will contain its result\n"
        assert await ask_reload("POST", slow) == (503, text)
        assert not ended.is_set()
        await ended.wait()

    simulate(ask())
