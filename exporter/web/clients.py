"""The connections of the HTTP server: how many are open, and which are closed when others wait."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import select
import socket
from collections.abc import Iterable

from exporter.web.slots import FairSlots

MAX_CONNECTIONS = 1000
_UNDER_WAY_SECONDS = 1.0
"""The time in which the next request of an idle client may be under way."""
_OTHER_DESCRIPTORS = 256
"""File descriptors for everything but clients: polls, files, the log. Fewer where the limit is low."""
_FEWEST_OTHERS = 48


def connections_allowed() -> int:
    """Return the most connections for which there are file descriptors. Raises the soft limit if needed."""
    wanted = 2 * MAX_CONNECTIONS + _OTHER_DESCRIPTORS
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (wanted if limit == resource.RLIM_INFINITY else limit for limit in limits)
    if soft < min(wanted, hard):
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, limits[1]))
    spare = soft - min(_OTHER_DESCRIPTORS, max(_FEWEST_OTHERS, soft // 2))
    return max(1, min(MAX_CONNECTIONS, spare // 2))


class Clients:
    """The connections of all clients, TLS handshakes included.

    When all slots are in use, new connections wait. To make room, connections without a request are closed, the
    oldest first, and the others are closed after their response.

    Args:
        limit: the most connections that are served at the same time, and the most that wait.
    """

    def __init__(self, limit: int) -> None:
        # One address leaves a quarter to the others.
        self._slots = FairSlots(limit, per_address=max(1, limit * 3 // 4), queue=limit)
        self._addresses: dict[socket.socket, str] = {}
        self._idle: dict[socket.socket, float] = {}

    def __len__(self) -> int:
        return self._slots.held

    @property
    def crowded(self) -> bool:
        """True if connections wait for a slot."""
        return self._slots.waiting > 0

    async def enter(self, connection: socket.socket, address: str) -> bool:
        """Wait for a slot for a new connection. False: too many wait, and it gets none."""
        if not await self._slots.enter(address):
            return False
        self._addresses[connection] = address
        self.idle(connection)
        return True

    def leave(self, connection: socket.socket) -> None:
        """Return the slot of a connection that has ended; a second call has no effect."""
        self.busy(connection)
        if connection in self._addresses:
            self._slots.leave(self._addresses.pop(connection))

    def idle(self, connection: socket.socket) -> None:
        """Note that a connection has no request."""
        if connection in self._addresses:
            self._idle[connection] = asyncio.get_running_loop().time()

    def busy(self, connection: socket.socket) -> None:
        """Note that a connection has a request."""
        self._idle.pop(connection, None)

    def make_room(self) -> None:
        """Close as many idle connections as others wait, the oldest first; new ones may have a request under way."""
        if not self.crowded:
            return
        latest = asyncio.get_running_loop().time() - _UNDER_WAY_SECONDS
        quiet = _quiet(connection for connection, since in self._idle.items() if since <= latest)
        for connection in quiet[: self._slots.waiting]:
            self.busy(connection)
            with contextlib.suppress(OSError):  # the client has just closed it
                connection.shutdown(socket.SHUT_RDWR)  # the event loop then reads its end, and closes it


def _quiet(connections: Iterable[socket.socket]) -> list[socket.socket]:
    """Return the connections without received data whose clients have received everything.

    A socket that cannot be written to has a full buffer: its client is slow.
    """
    poll = select.poll()
    by_descriptor = {connection.fileno(): connection for connection in connections}
    for descriptor in by_descriptor.keys() - {-1}:
        poll.register(descriptor, select.POLLIN | select.POLLOUT)
    quiet = {descriptor for descriptor, state in poll.poll(0) if state == select.POLLOUT}
    return [connection for descriptor, connection in by_descriptor.items() if descriptor in quiet]


def has_room(connection: socket.socket) -> bool:
    """Return whether a socket can be written to: no data waits for the client."""
    if connection.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    return bool(poll.poll(0))
