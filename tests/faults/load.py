"""A fleet on one account with the usual intervals, and a cloud that takes its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from exporter.config import Config, from_mapping
from exporter.simulator import Fault, SimulatedCloud
from exporter.simulator.world.fleet import fleet_world
from tests.faults.fleet import View, id_of
from tests.faults.transport import FaultyTransport
from tests.lib.settings import account
from tests.lib.virtual_time import now

ACCOUNT, HOST = "acme", "acme.test"
LATENCY = 0.3


@dataclass
class CountingTransport(FaultyTransport):
    """A transport that counts the calls under way."""

    under_way: int = 0
    most: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await super().handle_async_request(request)
        finally:
            self.under_way -= 1


def fleet(tasks: int, *projects: str) -> CountingTransport:
    """Return a transport to a slow cloud with n tasks in each project; to be called on an event loop."""
    worlds = [fleet_world(tasks, now, project_id=id_of(ACCOUNT, project)) for project in projects]
    simulated = SimulatedCloud(worlds=worlds, keys={"AK": "SK"}, now=now)
    simulated.faults = [Fault(match="", kind="slow", seconds=LATENCY)]
    return CountingTransport({HOST: simulated}, now)


def config(*projects: str, **poll: Any) -> Config:
    """The account, with these settings of `poll`."""
    made = [
        {"region": "cn-north-4", "name": project, "project_id": id_of(ACCOUNT, project), "endpoint": f"https://{HOST}"}
        for project in projects
    ]
    return from_mapping({"accounts": [account(ACCOUNT, *made)], "poll": poll})


def collected(page: View, project: str, collector: str = "progress") -> list[float]:
    """When a collector last succeeded for each task."""
    name = "drs_task_collected_timestamp_seconds"
    return list(page.by("task_id", ACCOUNT, project, name, collector=collector).values())


def overruns(page: View, project: str) -> dict[str, float]:
    """Polls left out, by collector."""
    return page.by("collector", ACCOUNT, project, "drs_exporter_poll_overruns_total")
