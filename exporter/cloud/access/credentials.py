"""The kinds of credentials as httpx `Auth`, and what an account's configuration makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from typing import Protocol, runtime_checkable

import httpx

from exporter import config
from exporter.cloud.access.agency import agency_keys
from exporter.cloud.access.project_id import ProjectId, ProjectIdClaims, find_project
from exporter.cloud.access.renewal import Refreshed
from exporter.cloud.access.sign_in import Grant, SignInLimiter, sign_in
from exporter.cloud.access.signing import Keys, SigningAuth, check_sendable
from exporter.cloud.access.token import end_of_token
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import DecodeError
from exporter.cloud.operations import SIGN_IN
from exporter.config import Account, Project, Secret
from exporter.model.task import ProjectKey

_TOKEN_AHEAD = 1800.0
_KEYS_AHEAD = 480.0
"""Seconds before their end at which they are renewed; the metadata service has new keys 10 minutes before.

The alert DrsCredentialsExpiring fires when they were not renewed for some minutes.
"""


class SharedCredentials:
    """The state that the projects of one exporter share."""

    def __init__(self) -> None:
        self.claims = ProjectIdClaims()
        self.sign_in_limiters = defaultdict[str, SignInLimiter](SignInLimiter)
        """By account."""
        self.agency_keys = defaultdict[str, Refreshed[Keys]](lambda: Refreshed[Keys](_KEYS_AHEAD))
        """By metadata service: a server has one agency."""


@runtime_checkable
class Expiring(Protocol):
    """Credentials that expire."""

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the credentials in use expire, negative after that; None if it is not known."""


class TokenAuth(httpx.Auth):
    """A configured token, read for each request; `now` returns Unix time."""

    def __init__(self, token: Secret, now: Callable[[], float]) -> None:
        self._token = token
        self._now = now
        self._used = ""
        self._end: float | None = None

    @property
    def seconds_left(self) -> float | None:
        return None if self._end is None else self._end - self._now()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the token as it is now."""
        token = await self._token.current()
        if token != self._used:
            self._used, self._end = token, end_of_token(token)
        check_sendable(token)
        request.headers["X-Auth-Token"] = token
        yield request


class AkSkAuth(SigningAuth):
    """Signs with the access key of the configuration, as it is at the moment of signing."""

    def __init__(
        self, credentials: config.AkSk, *, project_id: Callable[[], str | None], now: Callable[[], float]
    ) -> None:
        super().__init__(lambda: self._newest, project_id=project_id, now=now)
        self._credentials = credentials
        self._newest: Keys

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the date, project, token and signature headers."""
        secrets = self._credentials
        access_key, secret_key = await secrets.access_key.current(), await secrets.secret_key.current()
        token = await secrets.security_token.current() if secrets.security_token else None
        self._newest = Keys(access_key, secret_key, token)
        for signed in self.auth_flow(request):
            yield signed


class PasswordAuth(httpx.Auth):
    """A token that `sign_in` returns, fetched again before it expires."""

    def __init__(self, sign_in: Callable[[], Awaitable[tuple[Grant, float | None]]]) -> None:
        self._sign_in = sign_in
        self._grant = Refreshed[Grant](_TOKEN_AHEAD)

    async def ready(self) -> None:
        """Sign in where it is time to; raises `CloudError`."""
        await self._grant.get(self._sign_in)

    @property
    def seconds_left(self) -> float | None:
        return self._grant.seconds_left

    async def project_id(self) -> str:
        """The project that the token is for; raises `CloudError`."""
        grant = await self._grant.get(self._sign_in)
        if grant.project_id is None:
            raise DecodeError(SIGN_IN.name, "decode", reason="IAM's response lacks the token's project: set project_id")
        return grant.project_id

    def forget(self, refused: httpx.Request) -> bool:
        """Drop the token of a refused request; returns whether there is, or will be, another."""
        return refused.headers["X-Auth-Token"] != self._grant.value.token or self._grant.forget()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token header."""
        request.headers["X-Auth-Token"] = self._grant.value.token
        yield request


class AgencyAuth(SigningAuth):
    """Signs with the temporary keys of the server that it runs on; `fetch` returns the newest and their seconds."""

    def __init__(
        self,
        keys: Refreshed[Keys],
        fetch: Callable[[], Awaitable[tuple[Keys, float]]],
        *,
        project_id: Callable[[], str | None],
        now: Callable[[], float],
    ) -> None:
        super().__init__(lambda: keys.value, project_id=project_id, now=now)
        self._renewed = keys
        self._fetch = fetch

    @property
    def seconds_left(self) -> float | None:
        return self._renewed.seconds_left

    async def ready(self) -> None:
        """Fetch keys where it is time to; raises `CloudError`."""
        await self._renewed.get(self._fetch)

    def forget(self, refused: httpx.Request) -> bool:
        """Drop the keys of a refused request; returns whether there are, or will be, others."""
        return refused.headers["X-Security-Token"] != self._renewed.value.security_token or self._renewed.forget()


def access(
    account: Account,
    project: Project,
    client: Callable[..., Client],
    shared: SharedCredentials,
    now: Callable[[], float],
) -> tuple[httpx.Auth, ProjectId]:
    """Return how the calls of one project are authenticated, and its id.

    `client` makes a `Client` of a service, an endpoint and `auth`.
    """
    iam = partial(client, service="iam", endpoint=account.iam_endpoint_for(project.region))

    def claim(project_id: str) -> None:
        shared.claims.take(ProjectKey(account.name, project.region, project.label), project_id)

    credentials = account.credentials
    if isinstance(credentials, config.Password):
        limiter = shared.sign_in_limiters[account.name]
        password = PasswordAuth(partial(sign_in, iam(), credentials, project.project_id, project.iam_name, limiter))
        return password, ProjectId(project.project_id, password.project_id, claim)

    auth: httpx.Auth
    if isinstance(credentials, config.Token):
        auth = TokenAuth(credentials.token, now)
    elif isinstance(credentials, config.AkSk):
        auth = AkSkAuth(credentials, project_id=lambda: project_id.known, now=now)
    else:
        metadata = client(service="metadata", endpoint=credentials.metadata_endpoint)
        keys = shared.agency_keys[credentials.metadata_endpoint]
        auth = AgencyAuth(keys, partial(agency_keys, metadata, now), project_id=lambda: project_id.known, now=now)
    project_id = ProjectId(
        project.project_id, partial(find_project, iam(auth=auth), project.iam_name, project.region), claim
    )
    return auth, project_id
