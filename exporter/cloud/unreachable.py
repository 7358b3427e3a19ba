"""Why a call got no answer, by the exception that says so; without its message, which names hosts and addresses."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from exporter.cloud.sessions import LONGEST_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((LineTooLong,), f"a response header is longer than {LONGEST_HEADER >> 10} KiB: check the endpoint, and proxy"),
    ((aiohttp.ClientProxyConnectionError,), "the proxy is not reached: check proxy"),
    (
        (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError),
        "the TLS certificate is not trusted: check the endpoint's host, and ca_file",
    ),
    ((ssl.SSLError, aiohttp.ClientConnectorSSLError), "no TLS there: check the endpoint's port, and proxy"),
    (
        (socket.gaierror, aiohttp.ClientConnectorDNSError),
        "the host name has no address: check the endpoint, region and DNS",
    ),
    ((ConnectionRefusedError,), "the connection is refused: check the endpoint's host and port"),
)


def reason_of(error: BaseException) -> str:
    """What is wrong on the way, and what to check; empty where that is not known."""
    chain = list(_chain(error))
    return next((text for kinds, text in _KINDS if any(isinstance(one, kinds) for one in chain)), "")


def header_too_long(error: BaseException) -> bool:
    """Return whether a header of the response was longer than what is read: it would be the next time as well."""
    return any(isinstance(one, LineTooLong) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
