"""Opens the connection of a project."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from exporter.cloud.access.credentials import Expiring, SharedCredentials, access
from exporter.cloud.http.client import Client
from exporter.cloud.http.cloud_clock import CloudClock
from exporter.cloud.http.transport import HttpClient, Transport, mounts_of
from exporter.cloud.source import DecodeErrors, ErrorsByCollector
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.config import COLLECTORS, EcsAgency
from exporter.model.facts import Access
from exporter.model.filters import TaskFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from exporter.cloud.http.client import Meter, Observer
    from exporter.cloud.http.scheduler import Scheduler
    from exporter.config import Account, Project

__all__ = ["Api", "Connection", "SharedCredentials", "connect"]

Api: TypeAlias = V3 | V5
"""The adapter of one API generation for one project; the caller passes the client, whose context is its own."""
_GENERATIONS: Mapping[str, tuple[type[Api], ...]] = {"auto": (V3, V5), "v3": (V3,), "v5": (V5,)}
"""By the setting `api`; the generation that decides first."""


class Connection(NamedTuple):
    """One project's connection to the cloud.

    Args:
        http: carries the calls; the user of the connection closes it.
        client: sends the calls; `Client.in_context` returns the one of a poll loop.
        apis: the API generations to query, the deciding one first.
        decode_errors: counts values that cannot be decoded, by collector.
        access: returns the facts about clock and credentials as they are now.
    """

    http: httpx.AsyncClient
    client: Client
    apis: tuple[Api, ...]
    decode_errors: ErrorsByCollector
    access: Callable[[], Access] = Access


def connect(
    account: Account,
    project: Project,
    *,
    transport: httpx.AsyncBaseTransport | None,
    scheduler: Scheduler,
    meter: Meter,
    now: Callable[[], float],
    shared: SharedCredentials | None = None,
    observer: Observer | None = None,
) -> Connection:
    """Open the connection of one project, whose lists contain the tasks that the account's configuration includes.

    Projects that are connected with the same `shared` query the metadata service once for all of them, and none of
    them is polled twice. `observer` receives the responses of DRS, not those of IAM.

    Raises:
        CloudError: another project that is connected with the same `shared` has this id.
        ConfigError: the account can't be used.
    """
    endpoint = account.endpoint_for(project)
    http = _http_client(account, project, transport)
    client_of = partial(Client, http, scheduler=scheduler, meter=meter, timeout=account.poll.timeout)
    auth, project_id = access(account, project, client_of, shared or SharedCredentials(), now)
    # A gateway that is no host of the cloud may have another clock.
    clock = CloudClock(now) if account.is_of_cloud(endpoint) else None
    client = client_of(
        service="drs", endpoint=endpoint, auth=auth, project_id=project_id.get, observer=observer, clock=clock
    )
    query = TaskFilter(account.tasks).query(project.enterprise_project_ids)
    apis = tuple(generation(query) for generation in _GENERATIONS[project.api])
    decode_errors = {name: DecodeErrors() for name in COLLECTORS}
    return Connection(http, client, apis, decode_errors, partial(_access, clock, account.credentials.type, auth, now))


def _http_client(account: Account, project: Project, transport: httpx.AsyncBaseTransport | None) -> HttpClient:
    """Return a client with the proxy and the CAs of an account; `transport` is used in place of the network."""
    mounts = mounts_of(account, (account.endpoint_for(project), account.iam_endpoint_for(project.region)))
    if isinstance(account.credentials, EcsAgency):
        mounts[account.credentials.metadata_endpoint] = None  # without the proxy, which must not see the keys
    return HttpClient(
        transport=transport or Transport(account.ca_file),
        mounts=mounts,
        timeout=None,
        trust_env=False,  # the account's setting `proxy` decides
    )


def _access(clock: CloudClock | None, kind: str, auth: httpx.Auth, now: Callable[[], float]) -> Access:
    skew = None if clock is None else clock.skew()
    left = auth.seconds_left if isinstance(auth, Expiring) else None
    return Access(
        clock_skew_seconds=None if skew is None else round(skew, 1),
        credentials_type=kind,
        credentials_expire_at=None if left is None else float(round(now() + left)),
    )
