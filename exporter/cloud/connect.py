"""The cloud side: what the rest of the exporter needs of it is `connect`, `Api` and `Source`."""

from __future__ import annotations

from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from exporter.cloud.access.credentials import Shared, access
from exporter.cloud.http.client import Client
from exporter.cloud.http.transport import Transport, mounts_of
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.config.load import EcsAgency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exporter.cloud.http.budget import Budget
    from exporter.cloud.http.client import Meter, Observer
    from exporter.cloud.source import Api
    from exporter.cloud.wire.fields import DecodeErrors
    from exporter.config.load import Account, Project
    from exporter.model.list_query import ListQuery

__all__ = ["Shared", "connect"]

_GENERATIONS: Mapping[str, tuple[type[V3 | V5], ...]] = {"auto": (V3, V5), "v3": (V3,), "v5": (V5,)}
"""By the setting `api`; the one that decides first."""


def connect(
    account: Account,
    project: Project,
    *,
    transport: httpx.AsyncBaseTransport | None,
    budget: Budget,
    meter: Meter,
    decode_errors: Mapping[str, DecodeErrors],
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
    endpoint = account.endpoint_for(project)
    mounts = mounts_of(account, (endpoint, account.iam_endpoint_for(project.region)))
    if isinstance(credentials, EcsAgency):
        mounts[credentials.metadata_endpoint] = None  # without the proxy: the keys are for nobody else
    http = httpx.AsyncClient(
        transport=transport or Transport(account.ca_file),
        mounts=mounts,
        timeout=None,  # noqa: S113 - the client has one, for the call as a whole
        trust_env=False,  # the account's setting `proxy` decides
    )
    http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    client_of = partial(Client, http, budget=budget, meter=meter, timeout=account.poll.timeout)
    auth, project_id = access(account, project, client_of, shared or Shared(), now)
    client = client_of(service="drs", endpoint=endpoint, auth=auth, project_id=project_id.get, observer=observer)
    return http, tuple(generation(client, decode_errors, query) for generation in _GENERATIONS[project.api])
