"""Who is let in: passwords, and the ASGI app that stands before the pages."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from typing import TYPE_CHECKING

import bcrypt
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from exporter.web_config import RateLimit
    from exporter.web_watch import Settings, WebFile

HEALTH_PATHS = ("/-/healthy", "/-/ready")
HEADER_BYTES = 64 * 1024
_REMEMBERED = 100
_BCRYPT_BYTES = 72
"""All that bcrypt looks at; the library refuses more, other programs ignore it."""
_CLOSE = {"Connection": "close"}
_TOO_MUCH = PlainTextResponse("No request here has a body.\n", 413, _CLOSE)
_TOO_LONG = PlainTextResponse("The header is too long.\n", 431, _CLOSE)
_TOO_OFTEN = PlainTextResponse("Too many requests.\n", 429)
_WHO = PlainTextResponse(
    "User and password, please.\n", 401, {"WWW-Authenticate": 'Basic realm="drs-exporter", charset="UTF-8"'}
)


class Passwords:
    """Checks passwords against hashes of bcrypt, off the event loop; one that was right is remembered.

    What is remembered is a hash under a key that nobody knows, never the password. A user who does not exist
    costs as much as one who does.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(hashlib.blake2b.MAX_KEY_SIZE)
        self._right: dict[bytes, None] = {}
        self._running: dict[bytes, asyncio.Task[bool]] = {}
        self._turn = asyncio.Lock()

    async def right(self, users: Mapping[bytes, bytes], name: bytes, password: bytes) -> bool:
        """Whether this is the password of that user."""
        known = users.get(name)
        password = password[:_BCRYPT_BYTES]
        stored = known or self._decoy(sorted(users.values()), name)
        sign = self._sign(name, stored, password)
        if known and sign in self._right:
            return True
        # The same question, asked again before it is answered, waits for the same answer.
        check = self._running.get(sign)
        if check is None:
            check = self._running[sign] = asyncio.create_task(self._check(password, stored))
            check.add_done_callback(lambda _: self._running.pop(sign))
        if not await asyncio.shield(check) or not known:
            return False
        self._right[sign] = None
        if len(self._right) > _REMEMBERED:
            del self._right[next(iter(self._right))]
        return True

    async def _check(self, password: bytes, stored: bytes) -> bool:
        """One at a time: a flood of logins is to keep one core busy, not all."""
        async with self._turn:
            return await asyncio.to_thread(bcrypt.checkpw, password, stored)

    def _decoy(self, hashes: list[bytes], name: bytes) -> bytes:
        """A hash for a user who does not exist: always the same one of those that exist."""
        return hashes[int.from_bytes(self._sign(name)) % len(hashes)]

    def _sign(self, *parts: bytes) -> bytes:
        text = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


class Bucket:
    """Lets so many requests through."""

    def __init__(self, rate: RateLimit, now: float) -> None:
        self.rate = rate
        self._left = float(rate.burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Whether there is room for a request now."""
        if not self.rate.interval:
            return True
        self._left = min(self.rate.burst, self._left + (now - self._at) / self.rate.interval)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Guard:
    """The ASGI app for the server: another one, behind what the web configuration asks for.

    Args:
        app: what is guarded.
        web: the web configuration.
        failed: told of each login that failed.
    """

    def __init__(self, app: ASGIApp, web: WebFile, failed: Callable[[], None]) -> None:
        self._app = app
        self._web = web
        self._failed = failed
        self._passwords = Passwords()
        self._bucket: Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        settings = self._web.now()
        app = self._refusal(scope, settings)
        if app is None:
            app = self._app if await self._may(scope, settings.users) else _WHO
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

    async def _may(self, scope: Scope, users: Mapping[bytes, bytes]) -> bool:
        if not users or scope["path"] in self._web.open_paths:
            return True
        given = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        if given is None:
            return False
        login = credentials(given)
        if login and await self._passwords.right(users, *login):
            return True
        self._failed()
        return False


def credentials(authorization: bytes) -> tuple[bytes, bytes] | None:
    """User and password in an Authorization header; None: it holds none."""
    scheme, _, coded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (name, password) if colon else None


def _adding(headers: Iterable[tuple[bytes, bytes]], send: Send) -> Send:
    """Headers that the response does not have itself are added to it."""

    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in headers if pair[0] not in own)]
        await send(message)

    return adding
