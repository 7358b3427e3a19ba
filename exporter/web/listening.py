"""The addresses that the web server listens on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import NamedTuple

from exporter.config import ConfigError, NotReadyError

DEFAULT_ADDRESS = ":10826"
LISTEN_OPTION = "--web.listen-address"
_BACKLOG = 128
_ANY_IPV4 = "0.0.0.0"  # noqa: S104 - Prometheus scrapes from another machine
_NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


class Address(NamedTuple):
    """A host and a port. The host has no brackets, and is empty for all addresses of the machine."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, option: str = LISTEN_OPTION) -> Address:
        """Parse HOST:PORT, [HOST]:PORT, :PORT or *:PORT, which equals :PORT; raises `ConfigError`."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not (colon and text.isascii() and port.isdecimal() and int(port) <= 65535) or (  # noqa: PLR2004
            ":" in host and not bracketed
        ):
            raise ConfigError(
                f"{option}: {text!r} is not HOST:PORT or :PORT, such as 127.0.0.1:10826, [::1]:10826 or "
                f"{DEFAULT_ADDRESS}"
            )
        return cls(host[1:-1] if bracketed else host.removesuffix("*"), int(port))


def url_of(bound: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a listening socket, as seen from this machine."""
    host, port = bound.getsockname()[:2]
    if host == "::" and not bound.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        host = _ANY_IPV4
    host = {_ANY_IPV4: "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def bind_all(texts: Sequence[str], option: str = LISTEN_OPTION) -> list[socket.socket]:
    """Return a listening socket for each HOST:PORT, [HOST]:PORT or :PORT.

    `:PORT` and `[::]:PORT` serve IPv4 and IPv6; `:PORT` serves IPv4 alone where the machine has no IPv6.

    Args:
        texts: the addresses.
        option: of the command line, for messages.

    Raises:
        ConfigError: a text is no address, an address is given twice, or this process may not listen on the port.
        NotReadyError: an address is in use, or not available yet.
    """
    addresses = [Address.parse(text, option) for text in texts]
    for text, address in zip(texts, addresses, strict=True):
        if address.port and addresses.count(address) > 1:
            raise ConfigError(f"{option}: {text} is given twice: remove one")
    sockets: list[socket.socket] = []
    try:
        for text, address in zip(texts, addresses, strict=True):
            ipv4_apart = Address(_ANY_IPV4, address.port) in addresses
            failure = f"{option}: can't listen on {text}"
            sockets.append(_bind(failure, address, dual=not (address.host == "::" and ipv4_apart)))
    except ConfigError:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def _bind(failure: str, address: Address, *, dual: bool) -> socket.socket:
    try:
        server = _create(address, dual=dual and socket.has_dualstack_ipv6())
        # asyncio sets this only for sockets with a protocol; without it, a small response may take 40 ms longer.
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        reason = (error.strerror or "").partition(" (while")[0]
        if error.errno == errno.EACCES:
            reason += "; ports below 1024 need the capability CAP_NET_BIND_SERVICE"
        kind = ConfigError if error.errno == errno.EACCES else NotReadyError
        raise kind(f"{failure}: {reason}") from error
    return server


def _create(address: Address, *, dual: bool) -> socket.socket:
    host, port = address
    if host in {"", "::"} and dual:
        try:
            return socket.create_server(("::", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
        except OSError as error:
            if host or error.errno not in _NO_IPV6:
                raise
    if not host:
        host = _ANY_IPV4
    # IPv4 first if a name has addresses of both kinds, as in Go.
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, sockaddr = min(infos, key=lambda info: info[0] != socket.AF_INET)
    return socket.create_server((str(sockaddr[0]), port), family=family, backlog=_BACKLOG)
