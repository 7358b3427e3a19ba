"""Keeps a proxy from locking its user out: a login that it refuses is not sent again for five minutes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar
from weakref import WeakKeyDictionary

import aiohttp
import httpx

T = TypeVar("T")

_REST = 300.0
"""Seconds without another try after a refusal. Another user or password is tried immediately."""
_PATIENCE = 2.0
"""Seconds that other requests wait for the outcome of the first one: a proxy refuses a login without delay."""


class ProxyLoginError(httpx.ProxyError):
    """The proxy requires a user and password, or refuses the configured ones."""


class ProxyLogin:
    """One login at one proxy. Until the proxy has accepted it, one request is sent before all others."""

    def __init__(self) -> None:
        self._first: asyncio.Event | None = None
        self._accepted = False
        self._refused_until = -math.inf

    async def send(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call that connects through the proxy.

        Raises:
            ProxyLoginError: the proxy refuses the login, or refused it in the last five minutes.
            Exception: what the call raises.
        """
        if self._first is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._first.wait()
            return await self._send(call)
        self._first = first = asyncio.Event()
        try:
            return await self._send(call)
        finally:
            first.set()
            if not self._accepted:
                self._first = None

    async def _send(self, call: Callable[[], Awaitable[T]]) -> T:
        clock = asyncio.get_running_loop().time
        if clock() < self._refused_until:
            raise ProxyLoginError("the proxy refused this login in the last five minutes")
        try:
            result = await call()
        except httpx.HTTPError as error:
            response = next((cause for cause in causes(error) if isinstance(cause, aiohttp.ClientHttpProxyError)), None)
            if response is None or response.status != HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                raise
            self._accepted, self._first, self._refused_until = False, None, clock() + _REST
            raise ProxyLoginError("the proxy refuses this login") from error
        self._accepted = True
        return result


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and the errors that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_logins: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], ProxyLogin]] = WeakKeyDictionary()


def login_at(proxy: httpx.Proxy) -> ProxyLogin:
    """The login at a proxy, which all projects and accounts with this user and password share."""
    logins = _logins.setdefault(asyncio.get_running_loop(), {})
    return logins.setdefault((str(proxy.url), proxy.headers.get("proxy-authorization", "")), ProxyLogin())
