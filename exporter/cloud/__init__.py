"""The cloud side: what the rest of the exporter needs of it is `connect`, `Api` and `Source`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from exporter.cloud.auth import AkSk, Keys
from exporter.cloud.client import Client
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.config import AkSk as AkSkCredentials
from exporter.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exporter.cloud.budget import Budget
    from exporter.cloud.client import Meter
    from exporter.cloud.fields import Losses
    from exporter.cloud.source import Api
    from exporter.config import Account, Project

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
    now: Callable[[], float],
) -> tuple[httpx.AsyncClient, tuple[Api, ...]]:
    """The connection of one project, to be closed by the caller, and the API generations to ask through it."""
    http = httpx.AsyncClient(
        auth=authentication(account, project, now=now),
        base_url=account.endpoint_for(project),
        transport=transport,
        proxy=account.proxy,
        timeout=account.poll.timeout,
        trust_env=False,  # a proxy is a setting, not an accident
    )
    client = Client(http, project_id=project.project_id or "", budget=budget, meter=meter, timeout=account.poll.timeout)
    return http, tuple(generation(client, losses) for generation in _GENERATIONS[project.api])


def authentication(account: Account, project: Project, *, now: Callable[[], float]) -> httpx.Auth:
    """The httpx `Auth` that an account's credentials ask for."""
    credentials = account.credentials
    if not isinstance(credentials, AkSkCredentials) or project.project_id is None:
        raise ConfigError(
            f"account {account.name}: this version signs with credentials of type ak_sk only, "
            "and asks for the project_id of every project"
        )

    def keys() -> Keys:
        token = credentials.security_token
        return Keys(credentials.access_key.reveal(), credentials.secret_key.reveal(), token.reveal() if token else None)

    return AkSk(keys, project_id=project.project_id, now=now)
