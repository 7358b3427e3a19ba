"""The external URL and the prefix of all paths."""

from __future__ import annotations

import httpx
import pytest

from exporter.config import ConfigError
from exporter.web.app import application
from exporter.web.prefix import Prefix
from tests.lib.daemon import cloud_of, exporter_on, sim_task

PATHS = ("/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/tasks")


@pytest.mark.parametrize(
    ("external_url", "route_prefix", "expected"),
    [
        (None, None, ("", "")),
        (None, "/", ("", "")),
        (None, "drs/", ("/drs", "")),
        (None, "/a/b", ("/a/b", "")),
        ("https://proxy.example", None, ("", "https://proxy.example")),
        ("https://proxy.example/drs/", None, ("/drs", "https://proxy.example/drs")),
        ("http://PROXY.example:81/drs", "/", ("", "http://proxy.example:81/drs")),
        ("https://proxy.example/drs", "/x", ("/x", "https://proxy.example/drs")),
    ],
)
def test_the_prefix_is_the_path_of_the_external_url_unless_it_is_given(
    external_url: str | None, route_prefix: str | None, expected: tuple[str, str]
) -> None:
    prefix = Prefix.of(external_url, route_prefix)
    assert (prefix.internal, prefix.external) == expected


@pytest.mark.parametrize(
    "text", ["", "proxy.example/drs", "ftp://proxy.example", "https://u:p@proxy.example", "https://p.example/?q=1"]
)
def test_an_external_url_that_browsers_cannot_open_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--web\.external-url: expected https://HOST"):
        Prefix.of(text, None)


@pytest.mark.parametrize("text", ["/a//b", "/..", "/a/./b", "/{id}", "/a b", "/a?b", "/\u00e4"])
def test_a_prefix_that_is_no_plain_path_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--web\.route-prefix: expected / or a path"):
        Prefix.of(None, text)


def test_an_external_url_whose_path_cannot_be_a_prefix_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"--web\.external-url: expected a path"):
        Prefix.of("https://proxy.example/{id}", None)


async def responses(prefix: Prefix, *paths: str) -> list[tuple[int, str]]:
    """Status and Location of the responses to these paths."""
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        await exporter.poll_once()
        transport = httpx.ASGITransport(app=application(exporter, prefix=prefix))
        async with httpx.AsyncClient(transport=transport, base_url="http://attacker.example") as client:
            got = [await client.get(path) for path in paths]
            return [(response.status_code, response.headers.get("location", "")) for response in got]


async def test_all_paths_are_below_the_prefix_and_only_there() -> None:
    prefix = Prefix("/drs")
    assert await responses(prefix, *(f"/drs{path}" for path in PATHS)) == [(200, "")] * len(PATHS)
    assert await responses(prefix, *PATHS[1:], "/drsx", "/drs/none") == [(404, "")] * (len(PATHS) + 1)
    assert await responses(prefix, "/drs/tasks/none", "/drs/-/ready/") == [(404, "")] * 2


@pytest.mark.parametrize(
    ("prefix", "location"),
    [
        (Prefix("/drs"), "/drs/"),
        (Prefix("/drs", "https://proxy.example/drs"), "/drs/"),
        (Prefix("/a", "https://p/b"), "/b/"),
    ],
)
async def test_paths_above_the_prefix_lead_to_the_status_page_without_a_host(prefix: Prefix, location: str) -> None:
    assert await responses(prefix, "/", prefix.internal) == [(302, location)] * 2


async def test_a_proxy_that_removes_the_path_needs_no_prefix() -> None:
    prefix = Prefix.of("https://proxy.example/drs", "/")
    assert await responses(prefix, *PATHS) == [(200, "")] * len(PATHS)
