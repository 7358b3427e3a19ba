"""Access control: passwords, and the ASGI app that checks each request before the pages serve it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import secrets
from typing import TYPE_CHECKING

import bcrypt
from starlette.responses import PlainTextResponse

from exporter.runtime.threads import DaemonPool
from exporter.web.slots import FairSlots, address_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from exporter.web.schema import RateLimit
    from exporter.web.settings import Settings, WebFile

HEALTH_PATHS = ("/-/healthy", "/-/ready")
HEADER_BYTES = 64 * 1024
_REMEMBERED = 100
_CHECKS = min(2, os.cpu_count() or 1)
"""The most checks at the same time. Each uses a core for 50 ms or more."""
_QUEUE = 500
"""The most logins that wait for a check."""
_CHECK_SECONDS = 60.0
_POOL = DaemonPool("bcrypt", threads=_CHECKS, timeout=_CHECK_SECONDS)
_BCRYPT_BYTES = 72
"""The longest password: the library refuses longer ones, other programs ignore the rest."""
_CLOSE = {"Connection": "close"}
_TOO_MUCH = PlainTextResponse("No request here has a body.\n", 413, _CLOSE)
_TOO_LONG = PlainTextResponse("The header is too long.\n", 431, _CLOSE)
_TOO_OFTEN = PlainTextResponse("Too many requests.\n", 429)
_TOO_MANY_LOGINS = PlainTextResponse("Too many logins wait to be checked.\n", 429, {"Retry-After": "10"})
_WHO = PlainTextResponse(
    "Authentication required: user and password.\n",
    401,
    {"WWW-Authenticate": 'Basic realm="drs-exporter", charset="UTF-8"'},
)


class TooManyLoginsError(Exception):
    """The login was not checked: too many logins wait, or the check took too long."""


class Passwords:
    """Checks passwords against bcrypt hashes, off the event loop.

    A right password is remembered, as a hash with a random key. Its next check takes no time and does not wait for
    other logins. All other checks wait in a queue in which client addresses take turns. The check of a user who does
    not exist takes as long as that of a user who does.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(hashlib.blake2b.MAX_KEY_SIZE)
        self._right: dict[bytes, None] = {}
        self._running: dict[bytes, asyncio.Task[bool | None]] = {}
        self._slots = FairSlots(_CHECKS, per_address=_CHECKS, queue=_QUEUE)

    async def right(self, users: Mapping[bytes, bytes], name: bytes, password: bytes, address: str = "") -> bool:
        """Return whether the user exists and has this password.

        Raises:
            TooManyLoginsError: the password was not checked.
        """
        known = users.get(name)
        password = password[:_BCRYPT_BYTES]
        stored = known or self._decoy(sorted(users.values()), name)
        sign = self._sign(name, stored, password)
        if known and sign in self._right:
            return True
        # Equal logins share one check. It goes on when the client gives up, so that its next login succeeds.
        check = self._running.get(sign)
        if check is None:
            check = self._running[sign] = asyncio.create_task(self._check(sign, password, stored, address))
            check.add_done_callback(lambda _: self._running.pop(sign))
        right = await asyncio.shield(check)
        if right is None:
            raise TooManyLoginsError
        return right and known is not None

    async def _check(self, sign: bytes, password: bytes, stored: bytes, address: str) -> bool | None:
        """Return whether the password is right, or None if it was not checked: an error may find no caller any more."""
        if not await self._slots.enter(address):
            return None
        try:
            right = await _POOL.run(bcrypt.checkpw, password, stored)
        except (TimeoutError, OSError):
            return None
        finally:
            self._slots.leave(address)
        if right:
            self._right[sign] = None
            if len(self._right) > _REMEMBERED:
                del self._right[next(iter(self._right))]
        return right

    def _decoy(self, hashes: list[bytes], name: bytes) -> bytes:
        """Return a hash to check for a user who does not exist: that of an existing user, always the same."""
        return hashes[int.from_bytes(self._sign(name)) % len(hashes)]

    def _sign(self, *parts: bytes) -> bytes:
        text = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


class Bucket:
    """A token bucket: limits the rate of requests."""

    def __init__(self, rate: RateLimit, now: float) -> None:
        self.rate = rate
        self._left = float(rate.burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Return whether a request is within the limit now, and count it if so."""
        if not self.rate.interval:
            return True
        self._left = min(self.rate.burst, self._left + (now - self._at) / self.rate.interval)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Guard:
    """An ASGI app that refuses requests as the web configuration demands, and passes the others to another app.

    Args:
        app: serves the admitted requests.
        web: the web configuration.
        failed: called for each failed login.
    """

    def __init__(self, app: ASGIApp, web: WebFile, failed: Callable[[], None]) -> None:
        self._app = app
        self._web = web
        self._failed = failed
        self._passwords = Passwords()
        self._bucket: Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        settings = self._web.now()
        app = self._refusal(scope, settings)
        if app is None:
            app = await self._admitted(scope, settings.users)
        await app(scope, receive, _adding(settings.headers, send))

    def _refusal(self, scope: Scope, settings: Settings) -> ASGIApp | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        length = len(scope["raw_path"]) + len(scope["query_string"])
        if length + sum(len(name) + len(value) + 4 for name, value in headers) > HEADER_BYTES:
            return _TOO_LONG
        # Content-Length is all digits here, or h11 would have refused it.
        if any(name == b"transfer-encoding" or (name == b"content-length" and int(value)) for name, value in headers):
            return _TOO_MUCH
        now = asyncio.get_running_loop().time()
        if self._bucket is None or self._bucket.rate != settings.rate:
            self._bucket = Bucket(settings.rate, now)
        return None if self._bucket.take(now) else _TOO_OFTEN

    async def _admitted(self, scope: Scope, users: Mapping[bytes, bytes]) -> ASGIApp:
        """The guarded app, if the request contains a right password or needs none; else a refusal."""
        if not users or scope["path"] in self._web.open_paths:
            return self._app
        given = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        if given is None:
            return _WHO
        login = credentials(given)
        host, _ = scope.get("client") or ("", 0)
        try:
            if login and await self._passwords.right(users, *login, address_block(host)):
                return self._app
        except TooManyLoginsError:
            return _TOO_MANY_LOGINS
        self._failed()
        return _WHO


def credentials(authorization: bytes) -> tuple[bytes, bytes] | None:
    """Return the user and password of an Authorization header; None if it contains none."""
    scheme, _, coded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (name, password) if colon else None


def _adding(headers: Iterable[tuple[bytes, bytes]], send: Send) -> Send:
    """Add headers to a response, except those that it already has."""

    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in headers if pair[0] not in own)]
        await send(message)

    return adding
