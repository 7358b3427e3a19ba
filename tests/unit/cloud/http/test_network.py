"""The way through a real network: sockets that end, stall or talk nonsense, certificates, proxies, redirects."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from exporter.cloud.connect import connect
from exporter.cloud.http.errors import CloudError, NotPublishedError, UnavailableError
from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.source import TaskList
from exporter.config import from_mapping
from tests.lib import settings
from tests.lib.cloud import CallLog
from tests.lib.sockets import Serve, answer, saying, served
from tests.lib.virtual_time import in_real_time

pytestmark = pytest.mark.usefixtures("no_pause")
TWO_PAGES = [
    json.dumps({"jobs": [{"id": f"id-{number}", "status": "PAUSING"}], "total_count": 2, "total_record": 2}).encode()
    for number in range(2)
]
EMPTY = json.dumps({"jobs": [], "total_count": 0}).encode()


async def hanging(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(600)


async def listed(
    endpoint: str, meter: CallLog | None = None, seconds: float = 5.0, api: str = "v5", **account: Any
) -> TaskList:
    """The tasks of a project at an endpoint; raises `CloudError`."""
    project = {"region": "cn-north-4", "project_id": "a" * 32, "endpoint": endpoint, "api": api}
    written = settings.account("a", project, **account)
    (configured,) = from_mapping({"accounts": [written], "poll": {"timeout": seconds}}).accounts
    http, client, (generation,), decode_errors, _ = connect(
        configured,
        configured.projects[0],
        transport=None,
        scheduler=Scheduler(1e6, 1000),
        meter=meter or CallLog(),
        now=lambda: 1.8e9,
    )
    async with http:
        return await generation.list_tasks(client, decode_errors, "sync")


async def failure(serve: Serve, seconds: float = 5.0) -> list[str]:
    """The codes under which calls to this server are counted; retries come at once."""
    meter = CallLog()
    async with served(serve) as port:
        with pytest.raises(CloudError):
            await listed(f"http://127.0.0.1:{port}", meter, seconds)
    return meter.codes


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (b"", ["network"] * 3),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ["network"] * 3),
        (answer(b'{"jobs": [', length=1000), ["network"] * 3),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ["network"] * 3),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", ["decode"]),
        (answer(EMPTY, headers="Content-Encoding: gzip\r\n"), ["decode"]),
        (answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"), ["302"]),
        (answer(b"{}", "500 Oops"), ["500"] * 3),
    ],
    ids=["ends", "ends in its head", "ends in its body", "no HTTP", "endless head", "no gzip", "redirects", "fails"],
)
@in_real_time
async def test_malformed_responses(said: bytes, codes: list[str]) -> None:
    assert await failure(saying(said)) == codes


@in_real_time
async def test_a_host_that_refuses_connections_or_never_responds() -> None:
    async with served(saying()) as port:
        pass
    meter = CallLog()
    with pytest.raises(CloudError):
        await listed(f"http://127.0.0.1:{port}", meter)
    assert meter.codes == ["network"] * 3
    assert await failure(hanging, seconds=0.1) == ["timeout"] * 3


@in_real_time
async def test_connections_are_kept() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await saying(*[answer(EMPTY)] * 2)(reader, writer)

    async with served(serve) as port:
        assert (await listed(f"http://127.0.0.1:{port}")).complete
    assert connections == 1


@pytest.mark.parametrize("api", ["v3", "v5"])
@in_real_time
async def test_a_kept_connection_that_turns_out_to_be_closed_costs_no_retry(api: str) -> None:
    """The server closes each connection, without a word, when the second request arrives."""
    served_by: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served_by.append(0)
        while len(served_by) < 10:
            await reader.readuntil(b"\r\n\r\n")
            if served_by[-1]:
                return
            served_by[-1] += 1
            writer.write(answer(TWO_PAGES[len(served_by) - 1]))
            await writer.drain()

    async with served(serve) as port:
        meter = CallLog()
        tasks = await listed(f"http://127.0.0.1:{port}", meter, api=api)
    assert (len(tasks.tasks), meter.codes, meter.retries, served_by) == (2, ["200", "200"], [], [1, 1])


@in_real_time
async def test_a_new_connection_that_is_closed_is_a_failure() -> None:
    requests = 0

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await reader.readuntil(b"\r\n\r\n")
        requests += 1

    meter = CallLog()
    async with served(serve) as port:
        with pytest.raises(UnavailableError):
            await listed(f"http://127.0.0.1:{port}", meter, api="v3")
    assert (meter.codes, requests) == (["network"] * 3, 3)


@in_real_time
async def test_response_headers_up_to_64_kib_are_read_and_a_longer_one_is_named() -> None:
    async with served(saying(answer(EMPTY, headers=f"X-Subject-Token: {'x' * 60_000}\r\n"))) as port:
        assert (await listed(f"http://127.0.0.1:{port}")).complete
    async with served(saying(answer(EMPTY, headers=f"X-Subject-Token: {'x' * 70_000}\r\n"))) as port:
        with pytest.raises(CloudError) as caught:
            await listed(f"http://127.0.0.1:{port}")
    reason = "a response header is longer than 64 KiB: check the endpoint, and proxy"
    assert str(caught.value) == f"v5_list_jobs: decode: {reason}"


@in_real_time
async def test_a_proxy_gets_the_calls() -> None:
    lines = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        await saying(answer(b'{"error_code": "APIGW.0101"}', "404 Not Found"))(reader, writer)

    async with served(serve) as port:
        with pytest.raises(NotPublishedError):
            await listed("http://127.0.0.1:9", proxy=f"http://127.0.0.1:{port}")
    (line,) = lines
    assert line.startswith(b"GET http://127.0.0.1:9/v5/")
