"""uvicorn, with an end to its patience: so many connections, so long for a header, so long to take a response."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from exporter.web_auth import HEADER_BYTES
from exporter.web_tls import names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uvicorn.server import ServerState

    from exporter.web_auth import Guard
    from exporter.web_watch import WebFile

MAX_CONNECTIONS = 100
HEADER_SECONDS = 10.0
"""For the TLS handshake, and then for the header of a request."""
RESPONSE_SECONDS = 30.0
"""From the header of a request until the response has been taken."""
_IDLE_SECONDS = 5
"""Between two requests."""
_GOODBYE_SECONDS = 5.0
"""For the end of TLS."""
_BACKLOG = 128
_SHUTDOWN_SECONDS = 1
_NO_PLACE = PlainTextResponse("Too many connections.\n", 503, {"Connection": "close"})


class Places:
    """The connections that are open, TLS handshakes included.

    Where all places are taken, the connection that has waited longest for a request gives way to the new one;
    where all are at work, the new one has none.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[int, socket.socket] = {}
        self._waiting: dict[int, socket.socket] = {}
        self._over: set[int] = set()

    def __len__(self) -> int:
        return len(self._open)

    def has_place(self, number: int) -> bool:
        """Whether the connection with this file number has one."""
        return number not in self._over

    def enter(self, connection: socket.socket) -> None:
        """A connection has been accepted."""
        number = connection.fileno()
        if len(self._open) >= self._limit and not self._gives_way_with_its_place():
            self._over.add(number)
        self._open[number] = self._waiting[number] = connection

    def _gives_way_with_its_place(self) -> bool:
        """Whether somebody does; who has none can give none."""
        if not self._waiting:
            return False
        number = next(iter(self._waiting))
        with contextlib.suppress(OSError):  # it has gone by itself
            self._waiting.pop(number).shutdown(socket.SHUT_RDWR)  # the event loop then sees its end, and closes it
        return self.has_place(number)

    def works(self, number: int) -> None:
        """A request has come over the connection with this file number."""
        self._waiting.pop(number, None)

    def waits(self, number: int) -> None:
        """Its response is complete."""
        if number in self._open:
            self._waiting[number] = self._open[number]

    def leave(self, number: int) -> None:
        """It is being closed."""
        self._open.pop(number, None)
        self._waiting.pop(number, None)
        self._over.discard(number)


class Accepted(socket.socket):
    """A connection that has a place, until it is closed."""

    def __init__(self, connection: socket.socket, places: Places) -> None:
        super().__init__(connection.family, connection.type, connection.proto, fileno=connection.detach())
        self._places = places
        places.enter(self)

    def close(self) -> None:
        """Close it."""
        self._places.leave(self.fileno())
        super().close()


class Listener(socket.socket):
    """A listening socket whose connections have places; the one that it is made of stays as it is."""

    def __init__(self, listener: socket.socket, places: Places) -> None:
        super().__init__(listener.family, listener.type, listener.proto, fileno=listener.dup().detach())
        self._places = places

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection, and where it comes from."""
        connection, address = super().accept()
        return Accepted(connection, self._places), address


class Connection(H11Protocol):
    """A connection that is cut off where its other end is too slow.

    One deadline is always set: for the first request, for the rest of a request that has begun, for its
    response to be taken. Between requests, uvicorn closes it by itself.
    """

    def __init__(self, config: uvicorn.Config, state: ServerState, places: Places, web: WebFile) -> None:
        super().__init__(config, state, {})
        self._places = places
        self._web = web
        self._number = -1
        self._begun: object = None
        self._deadline: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """The TLS handshake, if any, is over."""
        super().connection_made(transport)
        self._number = transport.get_extra_info("socket").fileno()
        if not self._places.has_place(self._number):
            self.app = _NO_PLACE
        self._deadline = self.loop.call_later(HEADER_SECONDS, transport.abort)
        wanted = self._web.now().allowed_sans
        if wanted is not None and not wanted & names_of(transport.get_extra_info("peercert")):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if getattr(self.cycle, "response_complete", False) and self._begun is not self.cycle:
            self._begun = self.cycle
            self._allow(HEADER_SECONDS)
        super().data_received(data)

    def handle_events(self) -> None:
        """Look at what has come, or has been waiting behind another request."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._places.works(self._number)
            self._allow(RESPONSE_SECONDS)

    def on_response_complete(self) -> None:
        """The response has been written, though it may not have been taken."""
        self._places.waits(self._number)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has been closed."""
        self._deadline.cancel()
        super().connection_lost(exc)

    def _allow(self, seconds: float) -> None:
        self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)


class Server(uvicorn.Server):
    """uvicorn for one app.

    Without its own signal handling, which would raise each signal a second time after it ends.
    """

    def __init__(self, app: Guard, web: WebFile) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                h11_max_incomplete_event_size=HEADER_BYTES,
                http=H11Protocol,
                interface="asgi3",
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
                timeout_keep_alive=_IDLE_SECONDS,
                ws="none",
            )
        )
        self.places = Places(MAX_CONNECTIONS)
        self._web = web

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the daemon."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. uvicorn itself would give TLS handshakes a minute, and count no connection before its end."""
        context = self._web.context()
        self.servers = [
            await asyncio.get_running_loop().create_server(
                lambda: Connection(self.config, self.server_state, self.places, self._web),
                sock=Listener(one, self.places),
                backlog=_BACKLOG,
                ssl=context,
                ssl_handshake_timeout=HEADER_SECONDS if context else None,
                ssl_shutdown_timeout=_GOODBYE_SECONDS if context else None,
            )
            for one in sockets or ()
        ]
        self.started = True
