"""The aiohttp session of one project: limits, and one retry where a kept connection turns out to be closed."""

from __future__ import annotations

from contextvars import ContextVar
from types import SimpleNamespace

import aiohttp

LONGEST_HEADER = 64 * 1024
"""Bytes of a response header. IAM sends a token as a header, which has about 9,000 bytes in large accounts."""
_reused: ContextVar[bool] = ContextVar("reused")
"""True if the request of this task was sent on a connection that had served another request before."""


def new_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """A session that drops the cloud's cookies."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_note_reuse)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
        middlewares=(_without_retry_of_aiohttp, _send_again),
        trace_configs=[trace],
    )


async def _note_reuse(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceConnectionReuseconnParams
) -> None:
    _reused.set(True)


async def _without_retry_of_aiohttp(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise errors as a type after which aiohttp does not send a GET again, as it does on new connections as well."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:  # aiohttp raises it immediately
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError from error


async def _send_again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request again, immediately, if the server has closed the kept connection.

    No request changes anything in the cloud, so a POST is sent again as well.
    """
    _reused.set(False)
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        if not _reused.get():
            raise
    return await handler(request)
