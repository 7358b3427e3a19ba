"""What the tests of explain, check and query share: a configuration, and a cloud whose answers carry a date."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx

from exporter.config import from_mapping
from exporter.simulator import World
from tests.virtual import now
from tests.world import PROJECT_ID, cloud_of, sim

if TYPE_CHECKING:
    from exporter.config import Config
    from exporter.simulator import SimTask, SimulatedCloud

OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"
WHERE = "acme/cn-north-4/payments"
CANARY = "kanari"
"""What the cloud, a user or a secret says and nobody may repeat."""


def project(project_id: str = PROJECT_ID, **keys: Any) -> dict[str, Any]:
    """A project of the configuration."""
    return {"region": "cn-north-4", "name": "payments", "project_id": project_id, **keys}


def config_for(*projects: dict[str, Any], secret_key: object = "SK", **sections: Any) -> Config:  # noqa: S107
    """One account with these projects, all collectors but logs, and calls that need not wait for each other."""
    account = {
        "name": "acme",
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": "AK", "secret_key": secret_key},
        "projects": list(projects or (project(),)),
    }
    return from_mapping(
        {
            "accounts": [account],
            **sections,
            "poll": {"rate_limit": 1000.0, "burst": 1000, **sections.get("poll", {})},
        }
    )


def two_projects(*tasks: SimTask) -> tuple[SimulatedCloud, Config]:
    """A cloud with one more project, which has these tasks beside one of its own; and both as configuration."""
    cloud = cloud_of(sim("orders", engine="mysql"))
    cloud.worlds.append(World(project_id=OTHER_ID, tasks=list(tasks)))
    return cloud, config_for(project(), project(OTHER_ID, name="shipping"))


class Dated(httpx.AsyncBaseTransport):
    """The way to a cloud whose clock is behind ours by some seconds, as the dates of its answers say."""

    def __init__(self, cloud: SimulatedCloud, behind: float = 0.0) -> None:
        self._way = httpx.ASGITransport(app=cloud)
        self._behind = behind
        cloud.now = lambda: now() - behind

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._way.handle_async_request(request)
        response.headers["Date"] = formatdate(now() - self._behind, usegmt=True)
        return response
