"""A request is sent again once, and only if the server has closed a kept connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from exporter.cloud.http.sessions import new_session
from tests.lib.sockets import served
from tests.lib.virtual_time import in_real_time

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
methods = pytest.mark.parametrize("method", ["GET", "POST"])


class Server:
    """Responds to the first request of each connection, and closes the connection when the next one arrives.

    Args:
        together: the number of first requests that have to arrive before the first response.
        responses: the number of connections that get a response; later ones are closed at their first request.
    """

    def __init__(self, together: int, responses: int) -> None:
        self.received = 0
        self._responses = responses
        self._together = asyncio.Barrier(together)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.received += 1
        if self.received <= self._responses:
            if self.received <= self._together.parties:
                await self._together.wait()
            writer.write(FINE)
            await reader.readuntil(b"\r\n\r\n")
            self.received += 1


@asynccontextmanager
async def session_with(server: Server) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A session, and the URL of the server."""
    async with served(server.serve) as port, new_session() as session, asyncio.timeout(10):
        yield session, f"http://127.0.0.1:{port}/"


async def send(session: aiohttp.ClientSession, method: str, url: str) -> int:
    async with session.request(method, url) as response:
        return response.status


@methods
@in_real_time
async def test_it_is_sent_again_on_a_new_connection(method: str) -> None:
    server = Server(together=1, responses=10)
    async with session_with(server) as (session, url):
        assert [await send(session, method, url) for _ in range(2)] == [200, 200]
    assert server.received == 3


@methods
@pytest.mark.parametrize(("kept", "sent"), [(6, 2), (0, 1)], ids=["all kept are closed", "a new one is closed"])
@in_real_time
async def test_it_is_sent_twice_at_most_and_once_on_a_new_connection(method: str, kept: int, sent: int) -> None:
    server = Server(together=kept or 1, responses=kept)
    async with session_with(server) as (session, url):
        await asyncio.gather(*(send(session, method, url) for _ in range(kept)))
        with pytest.raises(aiohttp.ClientConnectionError):
            await send(session, method, url)
    assert server.received - kept == sent
