"""Servers on the test's own event loop that send what a test wants, and the socket of systemd."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def served(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server, which ends a connection when `serve` returns."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1]
    server.close()


def saying(*answers: bytes) -> Serve:
    """A server that says this to each request on a connection, and ends it after the last one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for chunk in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(chunk)
            await writer.drain()

    return serve


@contextmanager
def supervisor(address: str) -> Iterator[socket.socket]:
    """The socket on which systemd receives notifications."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as received:
        received.bind(address)
        received.settimeout(0)
        yield received


def messages(received: socket.socket) -> list[str]:
    """The notifications since the last call."""
    found: list[str] = []
    while True:
        try:
            found.append(received.recv(4096).decode())
        except BlockingIOError:
            return found
