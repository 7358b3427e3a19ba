"""The network transport of one account: CAs, proxy and DNS."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from functools import cache, partial

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from exporter.cloud.http.proxies import environment_proxy, proxy_with_login
from exporter.cloud.http.proxy_login import login_at
from exporter.cloud.http.resolver import Resolver
from exporter.cloud.http.sessions import new_session
from exporter.config import Account, CaFile, ConfigError, Proxy
from exporter.runtime.tls_context import CurrentContext

_KEPT_SECONDS = 5.0  # shorter than any gateway keeps an idle connection


def mounts_of(account: Account, endpoints: Iterable[str]) -> dict[str, httpx.AsyncBaseTransport | None]:
    """The proxied transports of an account as httpx mounts, by URL pattern.

    Args:
        account: whose setting `proxy` is followed.
        endpoints: that the account sends to; the environment may name a proxy for each.

    Raises:
        ConfigError: the environment's proxy can't be used.
    """
    settings = account.proxy
    if settings is None:
        return {}
    if settings.from_environment:
        found = {endpoint: environment_proxy(endpoint) for endpoint in endpoints}
        return {endpoint: Transport(account.ca_file, proxy) for endpoint, proxy in found.items() if proxy}
    return {"all://": Transport(account.ca_file, login=settings)}


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Drop the cookies of a response. A policy that allows none does the same, but takes 50 us for each call."""


_NO_COOKIES = _NoCookies()


class HttpClient(httpx.AsyncClient):
    """The HTTP client of one project, which drops the cloud's cookies."""

    @property  # type: ignore[misc]  # httpx reads them only
    def cookies(self) -> httpx.Cookies:
        """None of them."""
        return _NO_COOKIES


class Transport(AiohttpTransport):
    """httpx over aiohttp's connections: those of httpx cost several times as much. The cloud's cookies are dropped.

    Args:
        ca_file: the CAs to trust; None: the usual ones.
        proxy: the proxy, with its user and password.
        login: else the configured proxy, whose user and password are read for each request.
    """

    def __init__(self, ca_file: CaFile | None, proxy: httpx.Proxy | None = None, *, login: Proxy | None = None) -> None:
        self._ca_file = ca_file
        self._login = login
        self._trusted = _trusted(ca_file)
        super().__init__(verify=self._trusted, proxy=proxy, client=self._session)

    def _session(self) -> aiohttp.ClientSession:
        return new_session(ssl=self._trusted, keepalive_timeout=_KEPT_SECONDS, resolver=Resolver())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            ConfigError: the proxy's user or password can't be read.
            ProxyLoginError: the proxy refuses them.
        """
        if self._ca_file is not None:
            await self._ca_file.refresh()
        if self._login is not None:
            self.proxy = await _with_login(self._login)
        if self.proxy is None:
            return await super().handle_async_request(request)
        return await login_at(self.proxy).send(partial(super().handle_async_request, request))


async def _with_login(settings: Proxy) -> httpx.Proxy:
    if settings.user is None or settings.password is None:
        return httpx.Proxy(str(settings.url))
    user = await settings.user.current()
    if ":" in user:
        raise ConfigError("proxy.user holds a colon, which no user can: correct it")
    return proxy_with_login(str(settings.url), user, await settings.password.current())


def _trusted(ca_file: CaFile | None) -> ssl.SSLContext:
    if ca_file is None:
        return _usual()
    context = CurrentContext(ssl.PROTOCOL_TLS_CLIENT)
    context.current = lambda: ca_file.context
    return context


@cache
def _usual() -> ssl.SSLContext:
    """The usual CAs: reading them takes long enough to do it once for all projects."""
    return httpx.create_ssl_context(trust_env=False)
