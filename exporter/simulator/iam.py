"""IAM, as far as a client of DRS needs it: tokens for passwords, and the projects of an account (IAM API reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.simulator import gateway
from exporter.simulator.accounts import TOKEN_LIFETIME
from exporter.simulator.protocol import Answer, Json, Refusal, RefusalWithBody, Route
from exporter.simulator.world.formats import micros

if TYPE_CHECKING:
    from exporter.simulator.accounts import Accounts
    from exporter.simulator.protocol import Request
    from exporter.simulator.world.world import World

DOMAIN_ID = "d0"


def issue_token(accounts: Accounts, request: Request) -> Answer:
    """POST /v3/auth/tokens, "Obtaining a User Token Through Password Authentication": 201, the token in a header."""
    auth = _object(request.json(), "auth")
    user = _object(auth, "identity", "password", "user")
    name = str(user.get("name"))
    if accounts.users.get(name, ()) != user.get("password") or _object(user, "domain").get("name") != accounts.domain:
        raise _refused(401, "The username or password is wrong.", "Unauthorized")
    world = _scope(accounts, _object(auth, "scope", "project"))
    token = accounts.issue_token(user=name, project_id=world.project_id if world else None)
    body = _token(accounts, request, name, world)
    if "nocatalog" not in request.query:
        body["catalog"] = _catalog(request, world)
    return Answer(201, {"token": body}, {"X-Subject-Token": token})


def list_projects(accounts: Accounts, request: Request) -> Answer:
    """GET /v3/projects, "Querying Project Information"; signed, or with a token."""
    _authenticate(accounts, request)
    name = request.query.get("name")
    base = f"https://{request.headers.get('host', '')}/v3/projects"
    projects = [
        {
            "id": world.project_id,
            "name": world.name,
            "domain_id": DOMAIN_ID,
            "parent_id": DOMAIN_ID,
            "enabled": True,
            "is_domain": False,
            "description": "",
            "links": {"self": f"{base}/{world.project_id}"},
        }
        for world in accounts.worlds
        if name in {None, "", world.name}
    ]
    return Answer(200, {"projects": projects, "links": {"self": base, "previous": None, "next": None}})


def _authenticate(accounts: Accounts, request: Request) -> None:
    try:
        gateway.authenticate(accounts, request)
    except Refusal:
        if "authorization" in request.headers:
            raise
        # IAM has its own form of a refusal, and 401 where DRS says 403.
        message = "The request you have made requires authentication."
        raise _refused(401, message, "Unauthorized") from None


def _refused(status: int, message: str, title: str) -> RefusalWithBody:
    return RefusalWithBody(status, {"error": {"code": status, "message": message, "title": title}})


def _object(body: Json, *path: str) -> Json:
    """Return the object inside; {} if a part of the path is missing."""
    inner: Any = body
    for key in path:
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner if isinstance(inner, dict) else {}


def _scope(accounts: Accounts, project: Json) -> World | None:
    if not project:
        return None
    for world in accounts.worlds:
        if world.project_id == project.get("id") or world.name == project.get("name"):
            return world
    raise _refused(401, "The project does not exist or is not yours.", "Unauthorized")


def _token(accounts: Accounts, request: Request, user: str, world: World | None) -> Json:
    domain = {"id": DOMAIN_ID, "name": accounts.domain}
    body: Json = {
        "issued_at": micros(request.now),
        "expires_at": micros(request.now + TOKEN_LIFETIME),
        "methods": ["password"],
        "roles": [{"id": "r0", "name": "drs_adm"}],
        "user": {"domain": domain, "id": "u0", "name": user, "password_expires_at": ""},
        "catalog": [],
    }
    if world:
        body["project"] = {"domain": domain, "id": world.project_id, "name": world.name}
    return body


def _catalog(request: Request, world: World | None) -> list[Json]:
    if world is None:
        return []
    # The address may hold the version and the project already.
    url = f"https://{request.headers.get('host', '')}/v3/{world.project_id}"
    endpoint = {"id": "e0", "interface": "public", "region": world.region, "region_id": world.region, "url": url}
    return [{"id": "c0", "name": "drs", "type": "drs", "endpoints": [endpoint]}]


ROUTES: tuple[Route[Accounts], ...] = (
    Route("POST", "/v3/auth/tokens", issue_token),
    Route("GET", "/v3/projects", list_projects),
)
