"""IAM: a token for a password (IAM API reference, "Obtaining a User Token Through Password Authentication")."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from exporter.cloud.access.project_id import ProjectWire
from exporter.cloud.access.signing import check_sendable
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import NO_CREDENTIALS, AccessDeniedError, DecodeError
from exporter.cloud.http.response import read_object
from exporter.cloud.operations import SIGN_IN
from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.fields import Nested, Time, Wire
from exporter.config import ConfigError, Password
from exporter.runtime.clock import loop_time

_REFUSALS, _WINDOW = 3, 900.0
"""IAM locks a user out after 5 refused sign-ins within 15 minutes, by default: an account stays below that."""
_FIRST_PAUSE, _LONGEST_PAUSE = 300.0, 3600.0
_REFUSED = (
    "the account, the user, the password or the project is wrong; tried again from time to time, "
    "and at once when the password changes"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of a sign-in."""

    token: str = field(repr=False)
    project_id: str | None
    """The project that the token is for."""


class TokenWire(Wire):
    """`token` of "Obtaining a User Token Through Password Authentication"."""

    issued_at: Time = None
    expires_at: Time = None
    project: Nested[ProjectWire] = None


class SignInLimiter:
    """Limits the refused sign-ins of one account, so that IAM does not lock it; a changed password starts from 0."""

    def __init__(self) -> None:
        self._password = ""
        self._code = ""
        self._recent: deque[float] = deque(maxlen=_REFUSALS)
        self._by_scope: dict[str, tuple[int, float]] = {}
        """The number of refusals in a row, and the time of the last."""
        self._under_way = 0
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def attempt(self, scope: str, password: str) -> AsyncIterator[None]:
        """Surrounds a sign-in. Each sign-in that is under way may be refused, so some wait for others.

        Raises:
            AccessDeniedError: of the sign-in; or immediately, if IAM would refuse it again.
        """
        self._check(scope, password)
        while self._under_way + self._refused_lately() >= _REFUSALS:
            await self._ended.wait()
            self._check(scope, password)
        self._under_way += 1
        try:
            yield
        except AccessDeniedError as error:
            if password == self._password:
                self._code = error.code
                self._recent.append(loop_time())
                self._by_scope[scope] = (self._by_scope.get(scope, (0, 0.0))[0] + 1, loop_time())
            raise AccessDeniedError(SIGN_IN.name, error.code, error.error_code, _REFUSED) from error
        else:
            self._by_scope.pop(scope, None)
        finally:
            self._under_way -= 1
            self._ended.set()
            self._ended = asyncio.Event()

    def _check(self, scope: str, password: str) -> None:
        if password != self._password:
            self._password = password
            self._recent.clear()
            self._by_scope.clear()
        times, last = self._by_scope.get(scope, (0, 0.0))
        pause = min(_FIRST_PAUSE * 2 ** (times - 1), _LONGEST_PAUSE) if times else 0.0
        if loop_time() < last + pause or self._refused_lately() == _REFUSALS:
            raise AccessDeniedError(SIGN_IN.name, self._code, reason=_REFUSED)

    def _refused_lately(self) -> int:
        return sum(loop_time() < moment + _WINDOW for moment in self._recent)


async def sign_in(
    client: Client, credentials: Password, project_id: str | None, name: str, limiter: SignInLimiter
) -> tuple[Grant, float | None]:
    """Sign in for one project; return the grant and its seconds, None if these are not known.

    Args:
        client: sends to IAM, without credentials.
        credentials: user and password.
        project_id: of the project that the token is for.
        name: of that project in IAM, where there is no id.
        limiter: of the account.

    Raises:
        CloudError: of the call; `AccessDeniedError` also without a call, after a recent refusal.
    """
    try:
        password = await credentials.password.current()
    except ConfigError as error:
        raise AccessDeniedError(SIGN_IN.name, NO_CREDENTIALS, reason=str(error)) from error
    user = {"domain": {"name": credentials.domain}, "name": credentials.user, "password": password}
    scope = {"project": {"id": project_id} if project_id else {"name": name}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": scope}}
    async with limiter.attempt(project_id or name, password):
        return await client.exchange(SIGN_IN, _read_grant, query=(("nocatalog", "true"),), body=body)


def _read_grant(operation: str, status: int, headers: httpx.Headers, content: bytes) -> tuple[Grant, float | None]:
    grant = TokenWire.read(read_object(operation, status, headers, content).get("token"), DecodeErrors())
    token = headers.get("x-subject-token")
    if grant is None or not token:
        raise DecodeError(operation, "decode")
    try:
        check_sendable(token)
    except ConfigError as error:
        raise DecodeError(operation, "decode") from error
    seconds = None
    if grant.expires_at is not None and grant.issued_at is not None:
        seconds = grant.expires_at - grant.issued_at  # the cloud's times, both: our own clock may be wrong
    return Grant(token, grant.project.id if grant.project else None), seconds
