"""DNS for the connections to the cloud, off the event loop and its default threads."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from exporter.runtime.threads import DaemonPool

DNS = DaemonPool("dns", threads=64, timeout=30.0)
"""A lookup may take 20 s and succeed, where the first of several name servers does not respond."""
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class DnsTimeoutError(OSError):
    """No name server responds."""


class Resolver(AbstractResolver):
    """Looks host names up in daemon threads, one lookup of a name at a time for all connections.

    aiohttp's own resolver uses the threads of asyncio's default executor, which are joined at exit.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises OSError."""
        question = host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        try:
            found = await DNS.share(question, socket.getaddrinfo, *question)
        except TimeoutError as error:
            raise DnsTimeoutError from error
        return [
            ResolveResult(hostname=host, host=_scoped(address), port=port, family=kind, proto=protocol, flags=_NUMERIC)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _scoped(address: tuple[object, ...]) -> str:
    """The address, with the interface of a link-local one."""
    host, scope = str(address[0]), address[3] if len(address) > 3 else 0  # noqa: PLR2004 - (host, port, flow, scope)
    return f"{host}%{scope}" if scope else host
