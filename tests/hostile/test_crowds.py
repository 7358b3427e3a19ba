"""A scrape with the right password gets its response within the ten seconds of Prometheus, whatever the crowd does."""

from __future__ import annotations

import asyncio
import base64
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.programs import Exporter
from tests.hostile.clouds import HostileCloud
from tests.lib.certificates import hashed

SCRAPE_SECONDS = 10.0
SHUTDOWN_SECONDS = 5.0
CROWD_SECONDS = 1.0
COST = 10
"""Of the password's hash, as the documentation recommends."""
LOGIN = ("prometheus", "apple")


@pytest.fixture
def cloud() -> Iterator[HostileCloud]:
    with HostileCloud([f"task-{number}" for number in range(100)]).serving() as cloud:
        yield cloud


def request(user: str, password: str, encoding: str = "gzip") -> bytes:
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    lines = ("GET /metrics HTTP/1.1", "Host: exporter", f"Accept-Encoding: {encoding}", f"Authorization: Basic {login}")
    return "\r\n".join((*lines, "", "")).encode()


class Crowd:
    """Clients of one exporter, and a scraper beside them."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._port = int(exporter.url.rpartition(":")[2])
        self.served = 0

    async def polite(self, _number: int) -> None:
        """Scrapes over one connection, again and again."""
        async for reader, writer in self._connections():
            while True:
                writer.write(request(*LOGIN))
                await self._receives(b"200", reader)

    async def wrong(self, number: int) -> None:
        """Guesses passwords."""
        guess = 0
        async for reader, writer in self._connections():
            while True:
                guess += 1
                writer.write(request(LOGIN[0], f"{number}-{guess}"))
                await self._receives(b"401", reader)

    async def slow(self, _number: int) -> None:
        """Sends many requests and reads hardly anything."""
        async for reader, writer in self._connections():
            writer.write(request(*LOGIN, "identity") * 50)
            while await reader.read(100):
                self.served += 1
                await asyncio.sleep(0.5)

    async def idle(self, _number: int) -> None:
        """Connects and sends nothing."""
        async for reader, _ in self._connections():
            self.served += 1
            await reader.read()

    async def _receives(self, status: bytes, reader: asyncio.StreamReader) -> None:
        """A whole response."""
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status)
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        self.served += 1

    async def _connections(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
            try:
                yield reader, writer
            finally:
                writer.close()

    async def stay(self, kinds: dict[str, int], then: Callable[[], Awaitable[None]]) -> None:
        """Run clients of each kind until `then` has ended; a client that is disconnected is a failure."""
        async with asyncio.TaskGroup() as group:
            clients = [
                group.create_task(getattr(self, kind)(number))
                for kind, count in kinds.items()
                for number in range(count)
            ]
            await then()
            for client in clients:
                client.cancel()

    async def worst_scrape(self) -> None:
        """Scrape over new connections for a second; the slowest scrape must be quick enough."""
        start, worst = time.monotonic(), 0.0
        while (elapsed := time.monotonic() - start) < CROWD_SECONDS or not self.served:
            assert elapsed < 2 * SCRAPE_SECONDS, "none of the crowd is served"
            started = time.monotonic()
            await asyncio.to_thread(scrape, self._exporter)
            worst = max(worst, time.monotonic() - started)
            assert worst < SCRAPE_SECONDS


def scrape(exporter: Exporter) -> None:
    page = exporter.get(auth=LOGIN)
    assert (page.status_code, page.text.count("\ndrs_task_info{")) == (200, 100)


@pytest.fixture
def exporter(start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path) -> Exporter:
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users: {{{LOGIN[0]}: {hashed(LOGIN[1], COST)}}}")
    config = cloud.config()
    config["poll"]["stale_after"] = "1m"  # the crowd takes most of the processor, and its scrapes count tasks
    exporter = start(f"--web.config.file={web}", "--web.health-without-auth", config=config).ready()
    until_listed(exporter)
    return exporter


def until_listed(exporter: Exporter) -> None:
    def listed() -> bool:
        with suppress(AssertionError):
            scrape(exporter)
            return True
        return False

    exporter.until(listed, "all tasks are shown")


def test_a_scrape_gets_its_response_in_any_crowd_and_a_signal_ends_the_process(exporter: Exporter) -> None:
    async def main() -> None:
        for kind, count in (("polite", 500), ("wrong", 120), ("slow", 100), ("idle", 100)):
            crowd = Crowd(exporter)
            await crowd.stay({kind: count}, crowd.worst_scrape)

        async def end() -> None:
            await asyncio.sleep(1)
            exporter.send_signal(signal.SIGTERM)
            await asyncio.to_thread(exporter.exit_code, SHUTDOWN_SECONDS)

        with suppress(ExceptionGroup):  # all of them are disconnected
            await Crowd(exporter).stay({"polite": 300, "slow": 50, "idle": 50, "wrong": 50}, end)
        assert exporter.exit_code(SHUTDOWN_SECONDS) == 0

    asyncio.run(main())
    assert "Traceback" not in exporter.stderr
