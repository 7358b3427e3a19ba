"""Connections that are closed when others wait, and those that are not."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable

import pytest

from exporter.web.clients import Clients, connections_allowed, has_room
from tests.lib.virtual_time import simulate


class Crowd:
    """Connections from different addresses, and both ends of each."""

    def __init__(self, limit: int) -> None:
        self.clients = Clients(limit)
        self.near: list[socket.socket] = []
        self.far: list[socket.socket] = []
        self.entered: list[asyncio.Task[bool]] = []

    async def come(self, count: int) -> None:
        for _ in range(count):
            near, far = socket.socketpair()
            near.settimeout(0)
            far.settimeout(0)
            self.near.append(near)
            self.far.append(far)
            self.entered.append(asyncio.create_task(self.clients.enter(near, f"10.0.0.{len(self.near)}")))
        await asyncio.sleep(2)

    def inside(self) -> list[int]:
        return [number for number, entering in enumerate(self.entered) if entering.done() and entering.result()]

    def closed(self) -> list[int]:
        return [number for number, far in enumerate(self.far) if _ended(far)]

    async def close(self) -> None:
        for entering in self.entered:
            entering.cancel()
        for end in (*self.near, *self.far):
            self.clients.leave(end)
            end.close()
        assert len(self.clients) == 0


def _ended(far: socket.socket) -> bool:
    try:
        return far.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False


def crowd_of(limit: int) -> Callable[[Callable[[Crowd], Awaitable[None]]], Callable[[], None]]:
    async def run(story: Callable[[Crowd], Awaitable[None]]) -> None:
        crowd = Crowd(limit)
        await story(crowd)
        await crowd.close()

    return lambda story: lambda: simulate(run(story))


@crowd_of(3)
async def test_when_others_wait_the_oldest_idle_connection_is_closed(crowd: Crowd) -> None:
    await crowd.come(3)
    crowd.clients.make_room()
    assert (crowd.inside(), crowd.clients.crowded, crowd.closed()) == ([0, 1, 2], False, [])
    crowd.clients.busy(crowd.near[0])
    await crowd.come(1)
    assert (crowd.inside(), crowd.clients.crowded) == ([0, 1, 2], True)
    crowd.clients.make_room()
    assert crowd.closed() == [1]
    crowd.clients.leave(crowd.near[1])
    crowd.clients.leave(crowd.near[1])
    await asyncio.sleep(0)
    assert (crowd.inside(), len(crowd.clients)) == ([0, 1, 2, 3], 3)


@crowd_of(4)
async def test_a_connection_with_a_request_is_never_closed(crowd: Crowd) -> None:
    await crowd.come(4)
    crowd.clients.busy(crowd.near[0])
    crowd.far[1].send(b"G")  # it has arrived, though nobody has read it
    while has_room(crowd.near[2]):
        crowd.near[2].send(bytes(2**16))  # its client does not read the response
    await crowd.come(1)
    crowd.clients.idle(crowd.near[3])  # its next request may be under way
    await asyncio.sleep(0.9)
    assert crowd.clients.crowded
    crowd.clients.make_room()
    assert crowd.closed() == []
    await asyncio.sleep(0.2)
    crowd.clients.make_room()
    assert crowd.closed() == [3]


@crowd_of(4)
async def test_no_more_connections_are_closed_than_wait_and_none_that_has_ended(crowd: Crowd) -> None:
    await crowd.come(6)
    assert crowd.inside() == [0, 1, 2, 3]
    crowd.near[0].close()
    crowd.near[1].shutdown(socket.SHUT_RDWR)
    crowd.entered.pop().cancel()
    await asyncio.sleep(0)
    crowd.clients.make_room()
    assert crowd.closed() == [0, 1, 2]


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "raised"),
    [
        (1024, 1_048_576, 1000, 2256),
        (1024, resource.RLIM_INFINITY, 1000, 2256),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 1000, None),
        *[(65_536, 65_536, 1000, None), (1024, 1024, 384, None), (256, 512, 128, 512), (64, 64, 8, None)],
        *[(40, 40, 1, None), (2, 2, 1, None)],
    ],
)
def test_the_limit_of_file_descriptors(
    soft: int, hard: int, allowed: int, raised: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert (connections_allowed(), limits[1:]) == (allowed, [(raised, hard)] if raised else [])


def test_a_closed_socket_has_no_room() -> None:
    near, far = socket.socketpair()
    assert has_room(near)
    near.close()
    far.close()
    assert not has_room(near)
