"""Keys, users and tokens of the simulated cloud, which IAM and the metadata service issue and the gateway checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.simulator.world.formats import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from exporter.simulator.world.world import World

TOKEN_LIFETIME = 24 * 3600.0
DEMO_USER = "demo-user"
DEMO_PASSWORD = "demo-password"  # noqa: S105 - opens nothing but the simulator
DEMO_DOMAIN = "demo-domain"


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token.

    Attributes:
        user: who signed in.
        project_id: its scope, None for a whole account.
        expires: epoch second.
    """

    user: str
    project_id: str | None
    expires: float


@dataclass(kw_only=True)
class Metadata:
    """The behaviour of the metadata service.

    Attributes:
        agency: whether the server has one; without, a request for keys is a 401.
        session: optional, required, or absent (older servers: 404): how the service treats session tokens.
        lifetime: of a pair of keys, seconds.
        overlap: seconds before a pair expires at which the next one is issued; both are valid.
        sessions: session token -> epoch second at which it expires.
    """

    agency: bool = True
    session: str = "optional"
    lifetime: float = 3600.0
    overlap: float = 600.0
    sessions: dict[str, float] = field(default_factory=dict)


class Accounts:
    """Everything that opens the gateway, and the projects behind it.

    Attributes:
        worlds: the projects.
        keys: access key -> secret key.
        tokens: security token -> temporary access key; requests of that key must carry the token.
        expiries: security token -> epoch second, for those that expire.
        auth_tokens: X-Auth-Token -> its user and scope.
        users: IAM user -> password, all of the account ``domain``.
        metadata: how the metadata service behaves.
    """

    def __init__(self, worlds: Iterable[World], keys: Mapping[str, str], now: Callable[[], float]) -> None:
        self.worlds = list(worlds)
        self.keys = dict(keys)
        self.tokens: dict[str, str] = {}
        self.expiries: dict[str, float] = {}
        self.auth_tokens: dict[str, Token] = {}
        self.users = {DEMO_USER: DEMO_PASSWORD}
        self.domain = DEMO_DOMAIN
        self.metadata = Metadata()
        self.now = now

    def issue_token(
        self, *, user: str = DEMO_USER, project_id: str | None = None, lifetime: float = TOKEN_LIFETIME
    ) -> str:
        """Make a new X-Auth-Token, valid for one project or for all."""
        value = "MII" + digest("token", user, project_id, len(self.auth_tokens)) * 4
        self.auth_tokens[value] = Token(user, project_id, self.now() + lifetime)
        return value
