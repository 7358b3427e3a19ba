"""Access control: passwords, and the ASGI app that checks each request before it is served."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping

import bcrypt
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.runtime.threads import DaemonPool
from exporter.web.schema import RateLimit
from exporter.web.settings import Settings, WebFile
from exporter.web.slots import FairSlots, address_block

HEALTH_PATHS = ("/-/healthy", "/-/ready")
HEADER_BYTES = 64 * 1024
_REMEMBERED = 100
_CHECKS = min(2, os.cpu_count() or 1)
"""The most checks at the same time. Each uses a core for 50 ms or more."""
_QUEUE = 500
"""The most logins that wait for a check."""
_BCRYPT_BYTES = 72
"""The longest password: the library refuses longer ones, other programs ignore the rest."""
_CLOSE = {"Connection": "close"}
_BODY_REFUSED = PlainTextResponse("Requests must not have a body.\n", 413, _CLOSE)
_HEADER_TOO_LONG = PlainTextResponse("The header is too long.\n", 431, _CLOSE)
_TOO_MANY_REQUESTS = PlainTextResponse("Too many requests.\n", 429)
_TOO_MANY_LOGINS = PlainTextResponse("Too many logins wait to be checked.\n", 429, {"Retry-After": "10"})
_UNAUTHORIZED = PlainTextResponse(
    "Authentication required: user and password.\n",
    401,
    {"WWW-Authenticate": 'Basic realm="drs-exporter", charset="UTF-8"'},
)


class TooManyLoginsError(Exception):
    """The login was not checked: too many logins wait, or the check took too long."""


class Passwords:
    """Checks passwords against bcrypt hashes, off the event loop.

    A correct password is remembered, as a hash with a random key. Its next check takes no time and does not wait for
    other logins. All other checks wait in a queue in which client addresses take turns. The check of a user who does
    not exist takes as long as that of a user who does.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(hashlib.blake2b.MAX_KEY_SIZE)
        self._verified: dict[bytes, None] = {}
        self._running: dict[bytes, asyncio.Task[bool | None]] = {}
        self._slots = FairSlots(_CHECKS, per_address=_CHECKS, queue=_QUEUE)
        self._pool = DaemonPool("bcrypt", threads=_CHECKS, timeout=60)

    async def verify(self, users: Mapping[bytes, bytes], name: bytes, password: bytes, address: str = "") -> bool:
        """Return whether the user exists and has this password.

        Raises:
            TooManyLoginsError: the password was not checked.
        """
        existing = users.get(name)
        password = password[:_BCRYPT_BYTES]
        # For a user who does not exist, the hash of an existing one is checked: always the same for this name.
        stored = existing or sorted(users.values())[int.from_bytes(self._digest(name)) % len(users)]
        key = self._digest(name, stored, password)
        if existing and key in self._verified:
            return True
        # Equal logins share one check. It goes on when the client gives up, so that its next login succeeds.
        check = self._running.get(key)
        if check is None:
            check = self._running[key] = asyncio.create_task(self._check(key, password, stored, address))
            check.add_done_callback(lambda _: self._running.pop(key))
        right = await asyncio.shield(check)
        if right is None:
            raise TooManyLoginsError
        return right and existing is not None

    async def _check(self, key: bytes, password: bytes, stored: bytes, address: str) -> bool | None:
        """Return whether the password is right, or None if it was not checked: an error may find no caller any more."""
        if not await self._slots.enter(address):
            return None
        try:
            right = await self._pool.run(bcrypt.checkpw, password, stored)
        except (TimeoutError, OSError):
            return None
        finally:
            self._slots.leave(address)
        if right:
            self._verified[key] = None
            if len(self._verified) > _REMEMBERED:
                del self._verified[next(iter(self._verified))]
        return right

    def _digest(self, *parts: bytes) -> bytes:
        message = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.blake2b(message, key=self._secret, digest_size=32).digest()


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


class AccessControl:
    """ASGI middleware that enforces the web configuration, and passes admitted requests to an app.

    Args:
        app: serves admitted requests.
        web: the web configuration.
        count_failed_login: called for each failed login.
    """

    def __init__(self, app: ASGIApp, web: WebFile, count_failed_login: Callable[[], None]) -> None:
        self._app = app
        self._web = web
        self._count_failed_login = count_failed_login
        self._passwords = Passwords()
        self._bucket: Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        settings = self._web.now()
        app = self._refusal(scope, settings) or await self._admitted(scope, settings.users)
        await app(scope, receive, _with_headers(settings.headers, send))

    def _refusal(self, scope: Scope, settings: Settings) -> ASGIApp | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        length = len(scope["raw_path"]) + len(scope["query_string"])
        if length + sum(len(name) + len(value) + 4 for name, value in headers) > HEADER_BYTES:
            return _HEADER_TOO_LONG
        # Content-Length is all digits here, or h11 would have refused it.
        if any(name == b"transfer-encoding" or (name == b"content-length" and int(value)) for name, value in headers):
            return _BODY_REFUSED
        now = asyncio.get_running_loop().time()
        if self._bucket is None or self._bucket.rate != settings.rate:
            self._bucket = Bucket(settings.rate, now)
        return None if self._bucket.take(now) else _TOO_MANY_REQUESTS

    async def _admitted(self, scope: Scope, users: Mapping[bytes, bytes]) -> ASGIApp:
        """Return the app if the request needs no password or contains a correct one; else a refusal."""
        if not users or scope["path"] in self._web.open_paths:
            return self._app
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        if authorization is None:
            return _UNAUTHORIZED
        login = credentials(authorization)
        host, _ = scope.get("client") or ("", 0)
        try:
            if login and await self._passwords.verify(users, *login, address_block(host)):
                return self._app
        except TooManyLoginsError:
            return _TOO_MANY_LOGINS
        self._count_failed_login()
        return _UNAUTHORIZED


def credentials(authorization: bytes) -> tuple[bytes, bytes] | None:
    """Return the user and password of an Authorization header; None if it contains none."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (name, password) if colon else None


def _with_headers(headers: Iterable[tuple[bytes, bytes]], send: Send) -> Send:
    """Add headers to a response, except those that it already has."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in headers if pair[0] not in own)]
        await send(message)

    return send_with_headers
