"""The aiohttp session of one project: limits, and one retry where a kept connection turns out to be closed."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

LONGEST_HEADER = 64 * 1024
"""Bytes of a response header. IAM sends a token as a header, which has about 9,000 bytes in large accounts."""
_reused: ContextVar[bool] = ContextVar("reused")
"""True if the request of this task was sent on a connection that had served another request before."""


class Connector(aiohttp.TCPConnector):
    """A connector that records for each request whether its connection has served another request before.

    A trace of aiohttp would record the same, but takes 20 us for each call.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._used = WeakSet[Any]()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the interface of aiohttp
    ) -> Connection:
        """Return a kept connection, or a new one."""
        connection = await super().connect(req, traces, timeout)
        _reused.set(connection.protocol in self._used)
        self._used.add(connection.protocol)
        return connection


def new_session(**connector: Any) -> aiohttp.ClientSession:
    """A session that drops the cloud's cookies, with these settings of its connector."""
    return aiohttp.ClientSession(
        connector=Connector(**connector),
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
        middlewares=(_without_retry_of_aiohttp, _send_again),
    )


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
