"""The metadata service of a server with an agency: temporary keys without any secret (ECS user guide)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.protocol import Answer, Json, Refusal, Route
from exporter.simulator.world.formats import digest, micros

if TYPE_CHECKING:
    from exporter.simulator.accounts import Accounts
    from exporter.simulator.protocol import Request

TTL_HEADER = "x-metadata-token-ttl-seconds"
TOKEN_HEADER = "x-metadata-token"  # noqa: S105 - the name of a header


def session_token(accounts: Accounts, request: Request) -> Answer:
    """PUT /meta-data/latest/api/token: plain text."""
    service = accounts.metadata
    if service.session == "absent":
        raise Refusal(404, "404", "Not Found")
    ttl = request.headers.get(TTL_HEADER, "")
    if not ttl.isdigit():
        raise Refusal(400, "400", "Bad Request")
    token = digest("session", len(service.sessions), request.now)
    service.sessions[token] = request.now + int(ttl)
    return Answer(200, token.encode(), {"Content-Type": "text/plain"})


def security_key(accounts: Accounts, request: Request) -> Answer:
    """GET /openstack/latest/securitykey: the newest pair; it changes with the clock."""
    service = accounts.metadata
    given = request.headers.get(TOKEN_HEADER)
    needed = service.session == "required" or given is not None
    valid = given is not None and service.sessions.get(given, 0.0) > request.now
    if not service.agency or (needed and not valid):
        raise Refusal(401, "401", "Unauthorized")
    credential = _newest(accounts, request.now)
    return Answer(200, {"credential": credential})


def _newest(accounts: Accounts, now: float) -> Json:
    service = accounts.metadata
    every = service.lifetime - service.overlap
    number = int(now // every)
    expires = number * every + service.lifetime
    access = "HST" + digest("access", number)[:17].upper()
    secret, token = digest("secret", number)[:40], digest("security", number) * 4
    accounts.keys[access] = secret
    accounts.tokens[token] = access
    accounts.expiries[token] = expires
    return {"access": access, "secret": secret, "securitytoken": token, "expires_at": micros(expires)}


ROUTES: tuple[Route[Accounts], ...] = (
    Route("PUT", "/meta-data/latest/api/token", session_token),
    Route("GET", "/openstack/latest/securitykey", security_key),
)
