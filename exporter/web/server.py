"""uvicorn with limits for the number of connections, and for the time of a handshake, a request and a response."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import traceback
from collections.abc import Iterator

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from exporter.web.auth import HEADER_BYTES, AccessControl
from exporter.web.bad_requests import CROWD, NO_DESCRIPTOR, TLS, BadRequests
from exporter.web.clients import Clients, connections_allowed, has_room
from exporter.web.settings import WebFile
from exporter.web.slots import address_block
from exporter.web.tls import names_of

HEADER_SECONDS = 10.0
"""The longest time for the TLS handshake, and then for the header of a request."""
RESPONSE_SECONDS = 30.0
"""The longest time from the header of a request until the client has received the response."""
_IDLE_SECONDS = 120
"""The longest pause between two requests. Longer than the usual scrape intervals: Prometheus keeps its connection."""
_TLS_END_SECONDS = 5.0
"""The longest time for the end of TLS."""
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64
_RETRY_SECONDS = 1.0
_SHUTDOWN_SECONDS = 1
_NO_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_CLOSE = (b"connection", b"close")


class Connection(H11Protocol):
    """A connection that is aborted if the client is too slow.

    A deadline is always set: for the first request, for the rest of a request that has begun, or for the client to
    receive a response. Between requests, uvicorn's own limit for idle connections applies.
    """

    def __init__(
        self, config: uvicorn.Config, state: ServerState, clients: Clients, web: WebFile, accepted: socket.socket
    ) -> None:
        super().__init__(config, state, {})
        self._clients = clients
        self._web = web
        self._accepted = accepted
        self._begun: object = None
        self._deadline: asyncio.TimerHandle

    @property
    def _between_requests(self) -> bool:
        """True if the last response is complete and no byte of the next request has arrived."""
        return getattr(self.cycle, "response_complete", False) and self._begun is not self.cycle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Set the first deadline; the TLS handshake, if any, has succeeded."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._expire)
        wanted = self._web.now().allowed_sans
        if wanted is not None and not wanted & names_of(transport.get_extra_info("peercert")):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse what has been received."""
        if self._between_requests:
            self._begun = self.cycle
            self._allow(HEADER_SECONDS)
        super().data_received(data)

    def handle_events(self) -> None:
        """Serve the next request, which has just arrived or has waited for the end of another response."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._clients.busy(self._accepted)
            self._allow(RESPONSE_SECONDS)
            if self._clients.crowded:
                self.headers.append(_CLOSE)  # uvicorn then closes the connection after the response

    def send_400_response(self, msg: str) -> None:
        """Refuse a malformed request, with the headers of every response."""
        if self.cycle is not None:
            self.cycle.disconnected = True  # uvicorn then sends no response that has not begun
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:  # a response that has begun cannot be replaced
            self.transport.close()
            return
        body = f"{msg}\n".encode()
        kind, length = (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))
        headers = [*self.server_state.default_headers, kind, length, _CLOSE]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request; the client may not have received the whole response."""
        self._clients.idle(self._accepted)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up after the end of the connection."""
        self._deadline.cancel()
        self._clients.leave(self._accepted)
        super().connection_lost(exc)

    def _allow(self, seconds: float) -> None:
        self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        """Abort the connection, unless the client has received its response and sent no further request."""
        if not (self._between_requests and has_room(self._accepted)):
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn for one app.

    Args:
        app: serves the requests.
        web: the web configuration.
        bad_requests: counts and logs malformed requests and failed connections.
        connections: the most that are served at the same time; None: as many as there are file descriptors for.
    """

    def __init__(
        self, app: AccessControl, web: WebFile, bad_requests: BadRequests, *, connections: int | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                h11_max_incomplete_event_size=HEADER_BYTES,
                headers=[("X-Content-Type-Options", "nosniff")],
                http=H11Protocol,
                interface="asgi3",
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=2 * _SHUTDOWN_SECONDS,
                timeout_keep_alive=_IDLE_SECONDS,
                ws="none",
            )
        )
        self.clients = Clients(connections or connections_allowed())
        self._web = web
        self._bad_requests = bad_requests
        self._background_tasks: list[asyncio.Task[None]] = []
        self._opening: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the daemon; uvicorn would raise each signal a second time after its end."""
        with self._bad_requests.filtering():
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections. uvicorn itself allows a minute for a TLS handshake, and accepts all clients."""
        self.servers = []
        loop, context = asyncio.get_running_loop(), self._web.context()
        for listener in sockets or ():
            listener.listen(_BACKLOG)
            listener.settimeout(0)
            self._background_tasks.append(loop.create_task(self._accept(listener, context)))
        self._background_tasks.append(loop.create_task(self._web.follow()))
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Make room for clients that wait, ten times a second. Raise the error of a background task that has failed."""
        for task in self._background_tasks:
            if task.done():
                task.result()
        self.clients.make_room()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, wait a second for responses, and abort the connections that are left."""
        tasks = [*self._background_tasks, *self._opening]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.get_running_loop().call_later(_SHUTDOWN_SECONDS, self._abort)
        await super().shutdown(sockets)
        self._abort()
        if self.server_state.tasks:  # uvicorn has cancelled them
            await asyncio.wait(list(self.server_state.tasks), timeout=_SHUTDOWN_SECONDS)

    def _abort(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        """Accept connections for ever."""
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(_ACCEPTED_AT_ONCE):
                try:
                    accepted, address = await loop.sock_accept(listener)
                except OSError as error:  # any other error: the client has closed the connection already
                    if error.errno in _NO_RESOURCES:
                        self._bad_requests.note(NO_DESCRIPTOR)
                        await asyncio.sleep(_RETRY_SECONDS)
                else:
                    task = loop.create_task(self._open(accepted, address_block(address[0]), context))
                    self._opening.add(task)
                    task.add_done_callback(self._opening.discard)
            await asyncio.sleep(0)

    async def _open(self, accepted: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        """Serve one connection as soon as there is a slot for it."""
        try:
            if not await self.clients.enter(accepted, address):
                self._bad_requests.note(CROWD)
                accepted.close()
                return
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self.clients, self._web, accepted),
                accepted,
                ssl=context,
                ssl_handshake_timeout=HEADER_SECONDS if context else None,
                ssl_shutdown_timeout=_TLS_END_SECONDS if context else None,
            )
        except OSError as error:
            # The frames refer to the error, and to 256 KiB of asyncio's TLS that else wait for the garbage collector.
            traceback.clear_frames(error.__traceback__)
            self.clients.leave(accepted)
            if not isinstance(error, ConnectionResetError):  # the client has closed it, as many health checks do
                self._bad_requests.note(TLS)
        except BaseException:
            self.clients.leave(accepted)
            accepted.close()
            raise
