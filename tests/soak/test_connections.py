"""Real connections that fail in all ways leave no connection, file descriptor or task behind."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from exporter.cloud.http import client
from exporter.config import from_mapping
from exporter.daemon.exporter import Exporter
from exporter.simulator import Fault, SimulatedCloud, World
from tests.lib.daemon import PROJECT_ID, sim_task
from tests.lib.serving import served
from tests.lib.settings import account, settings
from tests.soak.life import Count

if TYPE_CHECKING:
    import pytest

    from exporter.config import Config

ROUNDS = 3
FAULTS = (
    Fault(match="", kind="reset"),
    Fault(match="", kind="slow", seconds=0.3),
    Fault(match="", kind="body", body="<html>"),
    Fault(match="", status=401),
    Fault(match="", status=302, headers={"Location": "/elsewhere"}),
)


def configuration(endpoint: str) -> Config:
    """One project with a short time-out."""
    project = {"region": "cn-north-4", "project_id": PROJECT_ID, "endpoint": endpoint}
    return from_mapping(
        settings(
            account("acme", project),
            collectors={"tasks", "progress"},
            poll={"timeout": 0.2},
            tasks={"job_types": ["sync"]},
        )
    )


async def months(rounds: int) -> list[Count]:
    """Return the descriptors and tasks after each round, in which polls fail in one way after the other."""
    simulated = SimulatedCloud(
        worlds=[World(project_id=PROJECT_ID, tasks=[sim_task("orders"), sim_task("stock")])],
        keys={"AK": "SK"},
        now=time.time,
    )
    counts = []
    with served(simulated) as endpoint:
        for _ in range(rounds):
            async with Exporter(configuration(endpoint)) as exporter:
                for fault in FAULTS:
                    simulated.faults = [fault]
                    assert not await exporter.poll_once()
                simulated.faults = []
            await asyncio.sleep(0.5)  # until the server has closed its side of the connections
            counts.append(Count.now())
    return counts


def test_no_connection_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_RETRIES", 0)  # they wait in real time
    first, *later = asyncio.run(months(ROUNDS))
    for count in later:
        assert (count.files, count.tasks) == (first.files, first.tasks)
