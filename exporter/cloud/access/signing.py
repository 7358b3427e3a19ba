"""Access keys as httpx `Auth`: AK/SK request signing (SDK-HMAC-SHA256). `credentials` has the other kinds.

The algorithm is described in the vendor's "API Request Signing Guide"; `tests/data/signing_vectors.json`
holds requests signed by the vendor's own SDK.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Generator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

import httpx

from exporter.config import ConfigError

_ALGORITHM = "SDK-HMAC-SHA256"
_PLAIN_PATH = re.compile("[A-Za-z0-9_~./-]*")
"""A path that is its own canonical form but for the slash at its end, as almost all are."""
_SIGNED = frozenset({b"content-type", b"host", b"x-language", b"x-project-id", b"x-sdk-date", b"x-security-token"})
"""Headers that are signed if present. Others, such as User-Agent, may be rewritten by a proxy."""


class Keys(NamedTuple):
    """An access key; temporary ones come with a security token."""

    access_key: str
    secret_key: str
    security_token: str | None = None

    def __repr__(self) -> str:
        return "Keys(***)"


class SigningAuth(httpx.Auth):
    """Signs each request when it is sent: a signature is valid for 15 minutes only.

    Args:
        keys: returns the keys at the moment of signing, so that rotated ones are used.
        project_id: returns the IAM project if it is known; sent and signed as X-Project-Id.
        now: Unix time.
    """

    requires_request_body = True

    def __init__(
        self,
        keys: Callable[[], Keys],
        *,
        project_id: Callable[[], str | None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._project_id = project_id
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the date, project, token and signature headers."""
        keys = self._keys()
        check_sendable(*keys)
        headers = request.headers
        headers["X-Sdk-Date"] = _date(int(self._now()))
        if project_id := self._project_id():
            headers["X-Project-Id"] = project_id
        if keys.security_token:
            headers["X-Security-Token"] = keys.security_token
        signed = {  # `headers[name]` would search all for each name
            lower.decode(): value.decode() for name, value in headers.raw if (lower := name.lower()) in _SIGNED
        }
        headers["Authorization"] = authorization(request.method, request.url, signed, request.content, keys)
        yield request


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


def check_sendable(*secrets: str | None) -> None:
    """Raise `ConfigError` if a secret can't be sent in a header: the HTTP library would quote it in its own error."""
    for secret in filter(None, secrets):
        if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
            raise ConfigError("a key or token has blanks at its ends, or characters that none has: correct it")


def authorization(method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, keys: Keys) -> str:
    """Return the Authorization header; the lower-case `headers` are signed, and contain the date."""
    canonical = canonical_request(method, url, headers, body)
    names = ";".join(sorted(headers))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{_ALGORITHM}\n{headers['x-sdk-date']}\n{digest}"
    signature = hmac.new(keys.secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Access={keys.access_key}, SignedHeaders={names}, Signature={signature}"


def canonical_request(method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> str:
    """The text that is hashed and signed; `headers` have lower-case names."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    names = sorted(headers)
    return "\n".join(
        (
            method,
            _canonical_path(path),
            _canonical_query(query),
            *[f"{name}:{headers[name].strip()}" for name in names],
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )


def _canonical_path(path: str) -> str:
    segments = path
    if not _PLAIN_PATH.fullmatch(path):
        segments = "/".join(_encode(segment) for segment in unquote(path).split("/"))
    return segments if segments.endswith("/") else segments + "/"  # only here, not on the wire


@lru_cache(maxsize=128)
def _canonical_query(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    decoded = sorted((unquote(key), unquote(value)) for key, _, value in pairs)
    return "&".join(f"{_encode(key)}={_encode(value)}" for key, value in decoded)


def _encode(text: str) -> str:
    return quote(text, safe="~")
