"""The server's patience, in virtual time; and a moment of its life in real time."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from exporter.web.auth import AccessControl
from exporter.web.bad_requests import KINDS, BadRequests
from exporter.web.clients import Clients, has_room
from exporter.web.server import HEADER_SECONDS, RESPONSE_SECONDS, Connection, Server
from exporter.web.settings import Settings, WebFile
from tests.lib.virtual_time import simulate

SILENT = BadRequests(dict.fromkeys(KINDS, lambda: None))
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """The other end of a connection, which takes what it gets, and keeps a diary."""

    def __init__(self, certificate: object = None) -> None:
        super().__init__({"peercert": certificate})
        self.near, self._far = socket.socketpair()
        self._extra["socket"] = self.near  # type: ignore[attr-defined]
        self.written = b""
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self._end("closed")

    def abort(self) -> None:
        self._end("aborted")

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def _end(self, how: str) -> None:
        self.ended = self.ended or how
        self.near.close()
        self._far.close()


class Hall:
    """A server, an app that answers when it is told to, and a connection."""

    def __init__(self, web: WebFile | None = None, certificate: object = None) -> None:
        self.go = asyncio.Event()
        self.go.set()
        web = web or WebFile()
        guard: Any = AccessControl(self._app, web, lambda: None)
        self.server = Server(guard, web, SILENT)
        self.server.config.load()
        self.wire = Wire(certificate)
        self.clients = self.server.clients
        self.connection = Connection(self.server.config, self.server.server_state, self.clients, web, self.wire.near)
        self.connection.connection_made(self.wire)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"fine"})

    def send(self, data: bytes) -> None:
        self.connection.data_received(data)

    def end(self) -> None:
        self.connection.connection_lost(None)

    async def is_aborted_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds - 0.1)
        assert self.wire.ended == ""
        await asyncio.sleep(0.2)
        assert self.wire.ended == "aborted"

    async def is_aborted_while_it_sends(self, parts: list[bytes]) -> None:
        """Send a part a second; after the last one the connection is aborted."""
        for part in parts:
            self.send(part)
            assert self.wire.ended == ""
            await asyncio.sleep(1.01)
        assert self.wire.ended == "aborted"


def in_hall(story: Callable[[Hall], Awaitable[None]]) -> Callable[[], None]:
    async def run() -> None:
        hall = Hall()
        await story(hall)
        hall.end()

    return lambda: simulate(run())


@in_hall
async def test_a_client_that_sends_nothing_is_cut_off(hall: Hall) -> None:
    await hall.is_aborted_after(HEADER_SECONDS)


@in_hall
async def test_a_client_that_sends_a_header_byte_by_byte_is_cut_off(hall: Hall) -> None:
    await hall.is_aborted_while_it_sends([GET[index : index + 1] for index in range(int(HEADER_SECONDS))])


@in_hall
async def test_a_client_that_is_slow_with_the_next_request_is_cut_off(hall: Hall) -> None:
    hall.send(GET)
    await asyncio.sleep(3)
    assert hall.wire.written.endswith(b"fine")
    await hall.is_aborted_while_it_sends([GET[index : index + 1] for index in range(int(HEADER_SECONDS))])


@in_hall
async def test_a_client_that_does_not_receive_the_response_is_cut_off(hall: Hall) -> None:
    hall.connection.pause_writing()
    hall.send(GET)
    await hall.is_aborted_after(RESPONSE_SECONDS)
    assert hall.wire.written == b""


@in_hall
async def test_the_next_request_does_not_give_more_time_for_the_response_before(hall: Hall) -> None:
    hall.go.clear()
    hall.send(GET)
    await hall.is_aborted_while_it_sends([GET] * int(RESPONSE_SECONDS))


@in_hall
async def test_a_client_with_many_requests_on_one_connection_is_served(hall: Hall) -> None:
    for count in range(1, 21):
        hall.send(GET[:10])
        await asyncio.sleep(HEADER_SECONDS - 1)
        hall.send(GET[10:])
        await asyncio.sleep(60)
        assert (hall.wire.ended, hall.wire.written.count(b"fine")) == ("", count)
    await asyncio.sleep(59)
    assert hall.wire.ended == ""
    await asyncio.sleep(2)
    assert hall.wire.ended == "closed"  # idle: not aborted


@in_hall
async def test_pipelined_requests_get_their_responses_one_after_another(hall: Hall) -> None:
    hall.send(GET * 3)
    await asyncio.sleep(1)
    assert hall.wire.written.count(b"fine") == 3
    await asyncio.sleep(RESPONSE_SECONDS)
    assert hall.wire.ended == ""


@in_hall
async def test_a_client_that_does_not_receive_the_end_of_a_response_is_cut_off(hall: Hall) -> None:
    while has_room(hall.wire.near):
        hall.wire.near.send(bytes(2**16))
    hall.send(GET)
    await hall.is_aborted_after(RESPONSE_SECONDS)
    assert hall.wire.written.endswith(b"fine")


@in_hall
async def test_a_connection_is_idle_but_while_it_has_a_request(hall: Hall) -> None:
    await hall.clients.enter(hall.wire.near, "10.0.0.1")
    idle = [len(hall.clients._idle)]
    hall.go.clear()
    hall.send(GET + GET)
    for _ in range(2):
        await asyncio.sleep(1)
        idle.append(len(hall.clients._idle))
        hall.go.set()
    assert (idle, hall.wire.written.count(b"fine")) == ([1, 0, 1], 2)
    assert b"connection: close" not in hall.wire.written.lower()


@in_hall
async def test_while_others_wait_a_connection_ends_with_its_response(hall: Hall) -> None:
    hall.send(GET)
    await asyncio.sleep(1)
    assert b"connection: close" not in hall.wire.written.lower()
    hall.server.clients = hall.connection._clients = clients = Clients(1)
    waiting = [asyncio.create_task(clients.enter(hall.wire.near, "10.0.0.1")) for _ in range(2)]
    await asyncio.sleep(0)
    assert clients.crowded
    hall.send(GET)
    await asyncio.sleep(1)
    assert b"\r\nconnection: close\r\n" in hall.wire.written.lower()
    assert (hall.wire.written.endswith(b"fine"), hall.wire.ended) == (True, "closed")
    waiting[1].cancel()


async def test_a_connection_that_has_ended_has_no_deadline() -> None:
    hall = Hall()
    hall.end()
    hall.wire.ended = ""
    await asyncio.sleep(2 * RESPONSE_SECONDS)
    assert hall.wire.ended == ""


@in_hall
async def test_a_header_without_end_is_refused(hall: Hall) -> None:
    hall.send(GET[:-2] + b"X: " + b"x" * 65 * 1024)
    assert (hall.wire.written.startswith(b"HTTP/1.1 400 "), hall.wire.ended) == (True, "closed")


@pytest.mark.parametrize(
    ("certificate", "ended"),
    [
        ({"subjectAltName": (("DNS", "a.example"), ("DNS", "prometheus.example"))}, ""),
        ({"subjectAltName": (("DNS", "a.example"),)}, "aborted"),
        ({}, "aborted"),
        (None, "aborted"),
    ],
)
async def test_the_name_of_a_client_decides(certificate: object, ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
    web = WebFile()
    monkeypatch.setattr(web, "now", lambda: Settings(allowed_sans=frozenset({"prometheus.example"})))
    hall = Hall(web, certificate)
    assert hall.wire.ended == ended
    hall.end()


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (b"\0\r\n\r\n", [b"400"]),
        (GET + b"nonsense\r\n\r\n", [b"200", b"400"]),
        (GET.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"), [b"400"]),
    ],
)
def test_nonsense_is_refused_with_the_headers_of_every_response(
    sent: bytes, answers: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(hall: Hall) -> None:
        await hall.server.on_tick(0)
        hall.send(sent)
        await asyncio.sleep(1)
        assert re.findall(rb"HTTP/1.1 (\d+)", hall.wire.written) == answers
        assert hall.wire.written.lower().count(b"x-content-type-options: nosniff\r\n") == len(answers)
        assert (hall.wire.written.endswith(b"Invalid HTTP request received.\n"), hall.wire.ended) == (True, "closed")

    in_hall(story)()
    assert [record.getMessage() for record in caplog.records] == ["Invalid HTTP request received."]


def test_nonsense_after_the_begin_of_a_response_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    async def story(hall: Hall) -> None:
        hall.send(GET.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"))
        await asyncio.sleep(1)
        assert hall.wire.written.startswith(b"HTTP/1.1 413 ")
        hall.send(b"nonsense\r\n")
        await asyncio.sleep(1)
        assert (hall.wire.written.count(b"HTTP/1.1"), hall.wire.ended) == (1, "closed")

    in_hall(story)()
