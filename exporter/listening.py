"""Where the web server listens."""

from __future__ import annotations

import socket

from exporter.config_file import ConfigError

DEFAULT_ADDRESS = "0.0.0.0:10826"


def url_of(bound: socket.socket, scheme: str = "http") -> str:
    """Where a listening socket is reached from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def bind(address: str) -> socket.socket:
    """A listening socket for HOST:PORT, [HOST]:PORT or :PORT.

    Raises:
        ConfigError: that is none, or can't be listened on.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and address.isascii() and port.isdecimal() and int(port) <= 65535):  # noqa: PLR2004
        raise ConfigError(
            f"--web.listen-address: {address!r} is not HOST:PORT, such as {DEFAULT_ADDRESS} or [::1]:10826"
        )
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 - as all exporters do
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, int(port)), family=family, backlog=128)
        # asyncio does so for sockets that name their protocol only; without it a small page may wait 40 ms.
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        reason = (error.strerror or "").partition(" (while")[0]
        raise ConfigError(f"--web.listen-address: can't listen on {address}: {reason}") from error
    return server
