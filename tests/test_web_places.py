"""Who gives way where all places are taken."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from exporter.web_server import Accepted, Listener, Places

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


class Door:
    """A listener with places, and clients that come."""

    def __init__(self, listening: socket.socket, limit: int) -> None:
        self.places = Places(limit)
        self.listener = Listener(listening, self.places)
        self._address = listening.getsockname()
        self.clients: list[socket.socket] = []
        self.inside: list[socket.socket] = []

    def come(self) -> socket.socket:
        self.clients.append(socket.create_connection(self._address, timeout=5))
        accepted, _ = self.listener.accept()
        self.inside.append(accepted)
        return accepted

    def turned_away(self) -> list[int]:
        """Which clients see the end of their connection."""
        for client in self.clients:
            client.settimeout(0)
        return [number for number, client in enumerate(self.clients) if _ended(client)]

    def close(self) -> None:
        for one in (*self.clients, *self.inside, self.listener):
            one.close()


def _ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False


@pytest.fixture
def door(listening: socket.socket) -> Iterator[Door]:
    result = Door(listening, 3)
    yield result
    result.close()
    assert listening.fileno() > 0
    assert len(result.places) == 0


def test_who_has_waited_longest_gives_way(door: Door) -> None:
    for _ in range(3):
        assert isinstance(door.come(), Accepted)
    assert door.turned_away() == []
    door.places.works(door.inside[0].fileno())
    door.come()
    assert door.turned_away() == [1]
    door.inside[1].close()
    door.places.waits(door.inside[0].fileno())
    door.come()
    door.come()
    assert door.turned_away() == [1, 2, 3]
    door.come()
    assert door.turned_away() == [0, 1, 2, 3]


def test_where_all_are_at_work_the_last_one_to_come_gives_way(door: Door) -> None:
    for _ in range(3):
        door.places.works(door.come().fileno())
    numbers = [door.come().fileno()]
    assert door.turned_away() == []
    numbers.append(door.come().fileno())
    assert door.turned_away() == [3]
    door.places.works(numbers[1])
    numbers.append(door.come().fileno())
    assert door.turned_away() == [3]
    assert [door.places.has_place(one.fileno()) for one in door.inside] == [True] * 3 + [False] * 3
    for one in door.inside[3:]:
        one.close()
    assert all(map(door.places.has_place, numbers))
    door.inside[0].close()
    assert door.places.has_place(door.come().fileno())


def test_who_has_gone_by_itself_need_not_be_turned_away(door: Door) -> None:
    for _ in range(3):
        door.come()
    door.inside[0].shutdown(socket.SHUT_RDWR)
    door.clients[0].close()
    door.come()
    door.places.waits(12345)
    assert len(door.places) == 4
