"""A proxy that opens tunnels to HTTPS servers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections.abc import Iterator

from tests.lib.sockets import served

USER = "svc-drs"


class TunnelProxy:
    """Opens a tunnel for each CONNECT with the right password; counts the tunnels and the refusals.

    Args:
        password: of `USER`; None: the proxy requires none.
        status: of a refusal.
        port: of this machine, to which all tunnels lead instead of to the requested hosts.
    """

    def __init__(
        self, password: str | None, status: str = "407 Proxy Authentication Required", port: int | None = None
    ) -> None:
        self.password = password
        self._status = status
        self._port = port
        self.tunnels = self.refusals = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, place, _ = head[0].split(" ")
        given = next((line.partition(": ")[2] for line in head if line.lower().startswith("proxy-auth")), None)
        if method != "CONNECT" or given != self._wanted():
            self.refusals += 1
            writer.write(f"HTTP/1.1 {self._status}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return
        self.tunnels += 1
        host, _, port = place.rpartition(":")
        address = (host, int(port)) if self._port is None else ("127.0.0.1", self._port)
        there, back = await asyncio.open_connection(*address)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    def _wanted(self) -> str | None:
        if self.password is None:
            return None
        return "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def tunnelling(port: int) -> Iterator[str]:
    """The URL of a proxy in a thread whose tunnels all lead to a port of this machine."""
    loop, ended, started = asyncio.new_event_loop(), asyncio.Event(), list[int]()
    ready = threading.Event()

    async def serve() -> None:
        async with served(TunnelProxy(None, port=port)) as own:
            started.append(own)
            ready.set()
            await ended.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10), "the proxy does not start"
        yield f"http://127.0.0.1:{started[0]}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
