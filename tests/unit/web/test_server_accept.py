"""How the server accepts connections, over real TCP."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import ssl
import struct
from asyncio import sslproto
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from exporter.web import server as web_server
from exporter.web.auth import AccessControl
from exporter.web.bad_requests import CROWD, KINDS, NO_DESCRIPTOR, TLS, BadRequests
from exporter.web.server import Server
from exporter.web.settings import WebFile
from tests.lib.certificates import Authority
from tests.lib.tools import needs
from tests.lib.virtual_time import in_real_time

GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
FINE = PlainTextResponse("fine")
SECONDS = 10


class Site:
    """A server, the bad requests that it has counted, and its clients."""

    def __init__(self, web: WebFile, app: Any) -> None:
        self.counts: Counter[str] = Counter()
        counters = {kind: partial(self.counts.update, [kind]) for kind in KINDS}
        self.server = Server(AccessControl(app, web, lambda: None), web, BadRequests(counters))
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.serving: asyncio.Task[None]

    async def connect(self, tls: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls)
        self.writers.append(writer)
        return reader, writer

    async def response(self, data: bytes = GET) -> bytes:
        reader, writer = await self.connect()
        writer.write(data)
        with suppress(ConnectionError):
            return await reader.read()
        return b""

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(web: WebFile | None = None, app: Any = FINE) -> AsyncIterator[Site]:
    site = Site(web or WebFile(), app)
    async with asyncio.timeout(SECONDS):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            site.port = listener.getsockname()[1]
            site.serving = asyncio.create_task(site.server.serve([listener]))
            yield site
            site.server.should_exit = True
            with suppress(LookupError):  # it has been raised already
                await site.serving
                assert (len(site.server.clients), listener.fileno()) == (0, -1)
            for writer in site.writers:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()


def with_tls(folder: Path) -> tuple[WebFile, ssl.SSLContext]:
    """A web configuration with a certificate, and the context of its clients."""
    authority = Authority(folder)
    pair = authority.issue("server")
    (folder / "web.yml").write_text(f"tls_server_config: {{cert_file: {pair.cert}, key_file: {pair.key}}}")
    return WebFile(folder / "web.yml"), ssl.create_default_context(cafile=authority.cert)


@needs("openssl")
@pytest.mark.parametrize("tls", [False, True])
@in_real_time
async def test_it_listens_until_it_is_stopped(tls: bool, tmp_path: Path) -> None:  # noqa: FBT001
    web, client = with_tls(tmp_path) if tls else (WebFile(), None)
    async with serving(web) as site:
        reader, writer = await site.connect(client)
        assert len(site.server.clients) == 1
        writer.write(GET)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")


@in_real_time
async def test_connections_beyond_those_that_may_wait_are_closed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "connections_allowed", lambda: 1)
    monkeypatch.setattr(web_server, "_ACCEPTED_AT_ONCE", 1)
    async with serving() as site:
        (_, first), (waiting, second), (refused, _) = [await site.connect() for _ in range(3)]
        assert await refused.read() == b""
        await site.until(lambda: site.counts[CROWD])
        first.write(GET)
        second.write(GET)
        assert (await waiting.read()).endswith(b"fine")


@in_real_time
async def test_connections_that_wait_are_closed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "connections_allowed", lambda: 1)
    async with serving() as site:
        connections = [await site.connect() for _ in range(2)]
        await site.until(lambda: site.server.clients.crowded)
        site.server.should_exit = True
        await site.serving
        assert [await reader.read() for reader, _ in connections] == [b"", b""]
        assert len(site.server.clients) == 0


@in_real_time
async def test_without_a_file_descriptor_it_accepts_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_RETRY_SECONDS", 0.01)
    loop = asyncio.get_running_loop()
    accept, errors = loop.sock_accept, [errno.EMFILE, errno.ECONNABORTED, errno.ENFILE]

    async def failing(listener: socket.socket) -> Any:
        if errors:
            raise OSError(errors.pop(), "")
        return await accept(listener)

    monkeypatch.setattr(loop, "sock_accept", failing)
    async with serving() as site:
        assert (await site.response()).endswith(b"fine")
        assert site.counts == {NO_DESCRIPTOR: 2}


@needs("openssl")
@in_real_time
async def test_a_failed_handshake_is_counted_but_not_a_closed_connection(tmp_path: Path) -> None:
    async with serving(with_tls(tmp_path)[0]) as site:
        _, gone = await site.connect()
        gone.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        assert await site.response() == b""
        await site.until(lambda: site.counts[TLS])
        assert site.counts == {TLS: 1}
        await site.until(lambda: len(site.server.clients) == 0)


@needs("openssl")
def test_a_failed_handshake_keeps_no_memory_until_a_garbage_collection(tmp_path: Path) -> None:
    web, _ = with_tls(tmp_path)

    def kept() -> int:
        return sum(isinstance(thing, sslproto.SSLProtocol) for thing in gc.get_objects())

    async def main() -> None:
        async with serving(web) as site:
            before = kept()
            for _ in range(10):
                await site.response(b"no TLS" * 100)
            await site.until(lambda: site.counts[TLS] == 10)
            for _ in range(10):
                _, gone = await site.connect()
                gone.close()
            await site.until(lambda: len(site.server.clients) == 0)
            await site.until(lambda: kept() <= before)

    gc.collect()
    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


@in_real_time
async def test_a_slow_client_is_aborted_at_the_end() -> None:
    async def endless(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})
            await asyncio.sleep(0)

    async with serving(app=endless) as site:
        reader, writer = await site.connect()
        writer.write(GET)
        await reader.readexactly(100)
        site.server.should_exit = True
        await site.serving
        assert len(site.server.clients) == 0
        with suppress(ConnectionError):  # the kernel has some of it
            await reader.read()


@in_real_time
async def test_the_server_ends_with_the_failure_of_an_endless_task(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails() -> None:
        raise LookupError

    web = WebFile()
    monkeypatch.setattr(web, "follow", fails)
    async with serving(web) as site:
        with pytest.raises(LookupError):
            await site.serving


@in_real_time
async def test_an_unexpected_error_ends_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    connect, errors = loop.connect_accepted_socket, [ValueError()]

    async def failing(*arguments: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return await connect(*arguments, **options)

    monkeypatch.setattr(loop, "connect_accepted_socket", failing)
    seen: list[Any] = []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    async with serving() as site:
        assert await site.response() == b""
        assert (await site.response()).endswith(b"fine")
        await site.until(lambda: len(site.server.clients) == 0)
    gc.collect()
    assert [type(error) for error in seen] == [ValueError]
