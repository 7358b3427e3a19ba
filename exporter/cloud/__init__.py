"""The cloud side: what the rest of the exporter needs of it is `connect`, `Api` and `Source`."""

from __future__ import annotations

import ssl
from functools import cache, partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from exporter.cloud.client import Client
from exporter.cloud.credentials import Shared, access
from exporter.cloud.sessions import new_session
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.config import ConfigError, EcsAgency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exporter.cloud.budget import Budget
    from exporter.cloud.client import Meter, Observer
    from exporter.cloud.fields import Losses
    from exporter.cloud.source import Api
    from exporter.config import Account, Project
    from exporter.model import ListQuery

__all__ = ["Shared", "connect"]

_KEPT_SECONDS = 5.0  # shorter than any gateway keeps an idle connection
_GENERATIONS: Mapping[str, tuple[type[V3 | V5], ...]] = {"auto": (V3, V5), "v3": (V3,), "v5": (V5,)}
"""By the setting `api`; the one that decides first."""


def connect(
    account: Account,
    project: Project,
    *,
    transport: httpx.AsyncBaseTransport | None,
    budget: Budget,
    meter: Meter,
    losses: Mapping[str, Losses],
    query: ListQuery,
    now: Callable[[], float],
    shared: Shared | None = None,
    observer: Observer | None = None,
) -> tuple[httpx.AsyncClient, tuple[Api, ...]]:
    """The connection of one project, to be closed by the caller, and the API generations to ask through it.

    Projects that are connected with the same `shared` ask the metadata service once for all of them, and none of
    them is polled twice. `observer` sees what DRS answers, not what IAM does.
    """
    credentials = account.credentials
    trusted = _trusted(account)
    ways: dict[str, httpx.AsyncBaseTransport | None] = {}
    if account.proxy is not None:
        ways["all://"] = _way(trusted, httpx.Proxy(account.proxy))
    if isinstance(credentials, EcsAgency):
        ways[credentials.metadata_endpoint] = None  # its own way, past the proxy: keys are for nobody else
    http = httpx.AsyncClient(
        transport=transport or _way(trusted),
        mounts=ways,
        timeout=None,  # noqa: S113 - the client has one, for the call as a whole
        trust_env=False,  # a proxy is a setting, not an accident
    )
    http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    client_of = partial(Client, http, budget=budget, meter=meter, timeout=account.poll.timeout)
    auth, project_id = access(account, project, client_of, shared or Shared(), now)
    endpoint = account.endpoint_for(project)
    client = client_of(service="drs", endpoint=endpoint, auth=auth, project_id=project_id.get, observer=observer)
    return http, tuple(generation(client, losses, query) for generation in _GENERATIONS[project.api])


def _way(trusted: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> AiohttpTransport:
    """Over aiohttp's connections: those of httpx cost several times as much. The cloud's cookies are dropped."""

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=trusted, keepalive_timeout=_KEPT_SECONDS)
        return new_session(connector)

    return AiohttpTransport(verify=trusted, proxy=proxy, client=session)


@cache
def _usual() -> ssl.SSLContext:
    """The usual CAs: to read them takes long enough to do it once for all projects."""
    return httpx.create_ssl_context(trust_env=False)


def _trusted(account: Account) -> ssl.SSLContext:
    """The CAs of the account's own file, or else the usual ones."""
    if account.ca_file is None:
        return _usual()
    try:
        return ssl.create_default_context(cafile=account.ca_file)
    except OSError as error:
        raise ConfigError(f"account {account.name}: ca_file {account.ca_file} holds no PEM certificates") from error
