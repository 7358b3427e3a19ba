"""The metadata service: with and without session tokens, and never through a proxy."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from exporter.cloud.http.errors import CloudError
from exporter.simulator import faults
from tests.lib.accounts import (
    AGENCY,
    BY_ID,
    KEYS,
    LISTS,
    MINUTE,
    REGION,
    SESSION,
    Recorder,
    cloud_of,
    connected,
    requests,
)
from tests.lib.cloud import PROJECT, Script
from tests.lib.sockets import Serve, answer, saying, served
from tests.lib.virtual_time import in_real_time

CREDENTIAL = {"access": "HST", "secret": "S", "securitytoken": "T", "expires_at": "2026-01-01T01:00:00.000000Z"}


def metadata(session: httpx.Response | None = None, **credential: Any) -> Script:
    """A metadata service that answers so, and a DRS without tasks."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return session or httpx.Response(404)
        if request.url.path.startswith("/openstack"):
            return httpx.Response(200, json={"credential": {**CREDENTIAL, **credential}})
        return httpx.Response(200, json=LISTS)

    return Script(answer)


async def times_asked(script: Script, minutes: int = 60) -> int:
    """How often keys were fetched in an hour of lists."""
    async with connected(script, AGENCY, **BY_ID) as project:
        for _ in range(minutes * 2):
            await project.list()
            await asyncio.sleep(30)
    return [request.url.path for request in script.requests].count(KEYS[4:])


@pytest.mark.parametrize("status", [404, 405, 503])
async def test_a_service_without_sessions_is_queried_without_one_immediately(status: int) -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.Fault(match="api/token", status=status))
    recorder = Recorder(cloud)
    async with connected(recorder, AGENCY) as project:
        await project.list()
        assert project.meter.codes[:2] == [str(status), "200"]
    assert not [request for request in recorder.requests if "x-metadata-token" in request.headers]
    assert asyncio.get_running_loop().time() == 0


async def test_a_session_is_requested_and_used() -> None:
    recorder = Recorder(cloud_of())
    async with connected(recorder, AGENCY, **BY_ID) as project:
        await project.list()
    put, get, _ = recorder.requests
    assert (put.method, put.headers["X-Metadata-Token-Ttl-Seconds"]) == ("PUT", "21600")
    assert len(get.headers["X-Metadata-Token"]) > 10


@pytest.mark.parametrize(
    ("session", "error"),
    [
        (httpx.Response(403), "metadata_token: 403"),
        (httpx.Response(400), "metadata_token: 400"),
        (httpx.Response(200), "metadata_token: decode"),
        (httpx.Response(200, content=b"a\nb"), "metadata_token: decode"),
        (httpx.Response(200, content=b"\xff"), "metadata_token: decode"),
        (httpx.Response(201, json={}), "metadata_token: decode"),
    ],
)
async def test_an_invalid_session_token_is_not_sent(session: httpx.Response, error: str) -> None:
    script = metadata(session)
    async with connected(script, AGENCY, **BY_ID) as project:
        with pytest.raises(CloudError) as caught:
            await project.list()
    assert (str(caught.value), {request.method for request in script.requests}) == (error, {"PUT"})


@pytest.mark.parametrize("credential", [{"access": ""}, {"secret": None}, {"securitytoken": 5}])
async def test_keys_that_are_none_are_not_used(credential: dict[str, Any]) -> None:
    async with connected(metadata(None, **credential), AGENCY, **BY_ID) as project:
        with pytest.raises(CloudError) as caught:
            await project.list()
    assert str(caught.value) == "metadata_securitykey: decode"
    assert "HST" not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("expires_at", "times"),
    [
        ("2026-01-01T01:00:00.000000Z", 9),  # no new ones come: each minute of the last eight
        ("2026-01-01T02:00:00.000000Z", 1),
        ("2025-01-01T00:00:00.000000Z", 60),  # one of the clocks is wrong
        (None, 60),
        ("soon", 60),
    ],
)
async def test_keys_are_renewed_eight_minutes_early_and_once_a_minute(expires_at: str | None, times: int) -> None:
    assert (await times_asked(metadata(None, expires_at=expires_at))) == times


async def test_keys_are_used_until_they_expire_while_the_service_is_unavailable() -> None:
    cloud = cloud_of()
    async with connected(cloud, AGENCY) as project:  # its keys last 50 minutes
        await project.list()
        cloud.faults.append(faults.unavailable("securitykey", 500))
        await asyncio.sleep(45 * MINUTE)
        for _ in range(4):
            assert (await project.list()).complete
            await asyncio.sleep(MINUTE)
        await asyncio.sleep(MINUTE)
        with pytest.raises(CloudError, match="metadata_securitykey"):
            await project.list()


# Through real sockets


def noting(seen: list[str], body: dict[str, Any]) -> Serve:
    """A server that notes what is requested, and always returns this body."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readline()).decode().partition(" HTTP/")[0])
        await saying(answer(json.dumps(body).encode(), headers="Connection: close\r\n"))(reader, writer)

    return serve


@in_real_time
async def test_the_metadata_service_is_queried_without_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    direct, proxied = list[str](), list[str]()
    credential = {"credential": CREDENTIAL}
    async with served(noting(direct, credential)) as service, served(noting(proxied, LISTS)) as port:
        proxy = f"http://127.0.0.1:{port}"
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        project = {"region": REGION, "project_id": PROJECT, "endpoint": "http://127.0.0.1:1"}
        agency = {**AGENCY, "metadata_endpoint": f"http://127.0.0.1:{service}"}
        async with connected(None, agency, proxy=proxy, projects=[project]) as opened:
            assert (await opened.list()).complete
    assert (direct, proxied) == ([SESSION, KEYS], [f"POST http://127.0.0.1:1/v3/{PROJECT}/jobs"])


async def test_session_and_keys_are_requested_with_each_renewal() -> None:
    cloud = cloud_of()
    async with connected(cloud, AGENCY) as project:
        for _ in range(3):
            await project.list()
            await asyncio.sleep(55 * MINUTE)
    assert requests(cloud)[SESSION] == requests(cloud)[KEYS] == 3
