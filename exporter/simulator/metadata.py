"""The metadata service of a server with an agency: temporary keys without any secret (reference E.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.simulator.protocol import Answer, Json, Refusal, Route
from exporter.simulator.world.formats import digest, micros

if TYPE_CHECKING:
    from exporter.simulator.cloud import SimulatedCloud
    from exporter.simulator.protocol import Request

TTL_HEADER = "x-metadata-token-ttl-seconds"
TOKEN_HEADER = "x-metadata-token"  # noqa: S105 - the name of a header


@dataclass(kw_only=True)
class Metadata:
    """How the metadata service behaves.

    Attributes:
        agency: whether the server has one; without, asking for keys is a 401.
        session: optional, required, or absent (older servers: 404): what the service thinks of session tokens.
        lifetime: of a pair of keys, seconds.
        overlap: so long before a pair ends, the next one is handed out; both are valid.
        sessions: session token -> epoch second at which it ends.
    """

    agency: bool = True
    session: str = "optional"
    lifetime: float = 3600.0
    overlap: float = 600.0
    sessions: dict[str, float] = field(default_factory=dict)


def session_token(cloud: SimulatedCloud, request: Request) -> Answer:
    """PUT /meta-data/latest/api/token: plain text."""
    service = cloud.metadata
    if service.session == "absent":
        raise Refusal(404, "404", "Not Found")
    ttl = request.headers.get(TTL_HEADER, "")
    if not ttl.isdigit():
        raise Refusal(400, "400", "Bad Request")
    token = digest("session", len(service.sessions), request.now)
    service.sessions[token] = request.now + int(ttl)
    return Answer(200, token.encode(), {"Content-Type": "text/plain"})


def security_key(cloud: SimulatedCloud, request: Request) -> Answer:
    """GET /openstack/latest/securitykey: the newest pair; it changes with the clock."""
    service = cloud.metadata
    given = request.headers.get(TOKEN_HEADER)
    needed = service.session == "required" or given is not None
    valid = given is not None and service.sessions.get(given, 0.0) > request.now
    if not service.agency or (needed and not valid):
        raise Refusal(401, "401", "Unauthorized")
    credential = _newest(cloud, request.now)
    return Answer(200, {"credential": credential})


def _newest(cloud: SimulatedCloud, now: float) -> Json:
    service = cloud.metadata
    every = service.lifetime - service.overlap
    number = int(now // every)
    expires = number * every + service.lifetime
    access = "HST" + digest("access", number)[:17].upper()
    secret, token = digest("secret", number)[:40], digest("security", number) * 4
    cloud.keys[access] = secret
    cloud.tokens[token] = access
    cloud.expiries[token] = expires
    return {"access": access, "secret": secret, "securitytoken": token, "expires_at": micros(expires)}


ROUTES: tuple[Route[SimulatedCloud], ...] = (
    Route("PUT", "/meta-data/latest/api/token", session_token),
    Route("GET", "/openstack/latest/securitykey", security_key),
)
