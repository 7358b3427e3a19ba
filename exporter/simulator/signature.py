"""SDK-HMAC-SHA256 as the gateway checks it (Huawei Cloud, "Signing Guide": AK/SK signing).

Written from the algorithm, not shared with the exporter's signer: two independent readings that must agree.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from exporter.simulator.protocol import Request

ALGORITHM = "SDK-HMAC-SHA256"
DATE_HEADER = "x-sdk-date"

_AUTHORIZATION = re.compile(rf"{ALGORITHM} Access=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an Authorization header."""

    access_key: str
    signed_headers: str
    signature: str


def parse(header: str) -> Authorization | None:
    """The parts of the header, None when it is not of this algorithm."""
    found = _AUTHORIZATION.fullmatch(header)
    return Authorization(*found.groups()) if found else None


def canonical_request(request: Request, signed_headers: str) -> str | None:
    """The text that both sides hash; None when a header that claims to be signed was not sent.

    Only the headers of the list count: golangsdk adds X-Project-Id and X-Security-Token after signing.
    """
    names = signed_headers.split(";")
    if any(name not in request.headers for name in names):
        return None
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
    parts = (request.method, _path(request.path), _query(request), headers, signed_headers, _payload(request))
    return "\n".join(parts)


def is_valid(request: Request, authorization: Authorization, secret: str) -> bool:
    """True if the holder of this secret signed this request as it arrived."""
    canonical = canonical_request(request, authorization.signed_headers)
    if canonical is None:
        return False
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{request.headers.get(DATE_HEADER, '')}\n{hashed}"
    expected = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, authorization.signature)


@lru_cache(maxsize=1000)
def _path(path: str) -> str:
    # The canonical path ends in a slash that the path on the wire does not have.
    encoded = "/".join(quote(part, safe="~") for part in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _query(request: Request) -> str:
    # A blank sent as "+" stays a plus here: signers write %20, so a client that lets its HTTP library
    # encode the query signs something else than it sends.
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(request.params))


def _payload(request: Request) -> str:
    unsigned = request.headers.get("x-sdk-content-sha256") == "UNSIGNED-PAYLOAD"
    if unsigned and not request.headers.get("content-type", "").startswith("application/json"):
        return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(request.body).hexdigest()
