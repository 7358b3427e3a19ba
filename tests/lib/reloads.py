"""A daemon whose configuration is reloaded while it polls two projects of the simulated cloud."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from exporter.config import Config, from_mapping
from exporter.daemon.exporter import Exporter
from exporter.simulator import SimulatedCloud, World
from tests.lib.daemon import PROJECT_ID, Scrape, cloud_of, exporter_on, sim_task
from tests.lib.settings import account, settings
from tests.lib.virtual_time import now

OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"
PAYMENTS = {"region": "cn-north-4", "name": "payments", "project_id": PROJECT_ID}
STOCK = {"region": "cn-north-4", "name": "stock", "project_id": OTHER_ID}
SUCCESS = "drs_exporter_config_last_reload_successful"
READ_AT = "drs_exporter_config_last_reload_success_timestamp_seconds"
ALLOWED = "drs_exporter_api_rate_limit_calls_per_second"


def config(*accounts: dict[str, Any], **sections: Any) -> Config:
    """With collectors of lists, progress, node and details, unless `collectors` are given."""
    accounts = accounts or (account("acme", PAYMENTS), account("ink", STOCK))
    given = settings(*accounts, collectors={"tasks", "progress", "node", "detail"}, cutover={"stable_for": "1s"})
    return from_mapping(given | settings(*accounts, **sections))


def clouds() -> SimulatedCloud:
    """A project with the tasks `one` and `dr`, another with the task `two`."""
    cloud = cloud_of(sim_task("one", tags={"team": "db", "owner": "me"}), sim_task("dr", scenario="cloudDataGuard"))
    cloud.worlds.append(World(project_id=OTHER_ID, tasks=[sim_task("two")], now=now))
    return cloud


class Running:
    """A daemon that polls, and each of its pages."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter
        self.pages: list[Scrape] = []

    async def watch(self) -> None:
        """Scrape every page."""
        last = None
        while True:
            if self.exporter.exposition.page is not last:
                last = self.exporter.exposition.page
                self.pages.append(Scrape(self.exporter))
            await asyncio.sleep(0.1)

    async def reload(self, wanted: Config) -> None:
        await self.exporter.reload(lambda: wanted)

    async def scrape(self, seconds: float = 0.0) -> Scrape:
        await asyncio.sleep(seconds)
        await self.exporter.publish()
        return Scrape(self.exporter)


@asynccontextmanager
async def running(cloud: SimulatedCloud, wanted: Config | None = None) -> AsyncIterator[Running]:
    """After two polls; a crash is raised at the end."""
    async with exporter_on(cloud, wanted or config()) as exporter, asyncio.TaskGroup() as group:
        polling = group.create_task(exporter.run())
        await asyncio.sleep(40)
        yield Running(exporter)
        polling.cancel()


def clients() -> int:
    """Connections that are open."""
    gc.collect()
    return sum(isinstance(client, httpx.AsyncClient) and not client.is_closed for client in gc.get_objects())
