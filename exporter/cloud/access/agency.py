"""The metadata service of a cloud server: temporary keys of the agency that the server has been given.

ECS user guide, "Obtaining Metadata" (securitykey). Old services have no session tokens, others require one.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
from pydantic import Field

from exporter.cloud.access.signing import Keys
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import DecodeError
from exporter.cloud.http.response import read_object
from exporter.cloud.operations import METADATA_KEYS, METADATA_TOKEN
from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.fields import Time, Wire

_SESSION = {"X-Metadata-Token-Ttl-Seconds": "21600"}
_NO_SESSIONS = frozenset({404, 405, 503})
"""The statuses of services without session tokens."""


class AgencyKeysWire(Wire):
    """`credential` of "Obtaining Metadata" (securitykey)."""

    access: str = Field(min_length=1)
    secret: str = Field(min_length=1)
    securitytoken: str = Field(min_length=1)
    expires_at: Time = None


async def agency_keys(client: Client, now: Callable[[], float]) -> tuple[Keys, float]:
    """Return the newest keys, and for how many seconds they are valid. Raises `CloudError`: a 401 means no agency."""
    session = await client.exchange(METADATA_TOKEN, _read_session, headers=_SESSION)
    headers = {"X-Metadata-Token": session} if session else {}
    found = await client.exchange(METADATA_KEYS, _read_credential, headers=headers)
    seconds = 0.0 if found.expires_at is None else found.expires_at - now()
    return Keys(found.access, found.secret, found.securitytoken), seconds


def _read_session(operation: str, status: int, headers: httpx.Headers, content: bytes) -> str | None:
    """The session token, which is plain text; None where the service has none."""
    text = content.decode("ascii", "replace").strip()
    if status == 200 and text and text.isascii() and text.isprintable():  # noqa: PLR2004
        return text
    if status in _NO_SESSIONS:
        return None
    if status != 200:  # noqa: PLR2004 - else the body would have to be JSON
        read_object(operation, status, headers, content)
    raise DecodeError(operation, "decode")


def _read_credential(operation: str, status: int, headers: httpx.Headers, content: bytes) -> AgencyKeysWire:
    found = AgencyKeysWire.read(read_object(operation, status, headers, content).get("credential"), DecodeErrors())
    if found is None:
        raise DecodeError(operation, "decode")
    return found
