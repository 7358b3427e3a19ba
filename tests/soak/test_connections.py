"""The same over real connections: whatever becomes of them, none is left, nor a file descriptor or a task."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from exporter.cloud.http import client
from exporter.config import Collectors
from exporter.daemon.exporter import Exporter
from exporter.simulator import Fault, SimulatedCloud, World
from tests.faults.fleet import config
from tests.lib.daemon import PROJECT_ID, sim_task
from tests.soak.life import Count

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

ROUNDS = 3
FAULTS = (
    Fault(match="", kind="reset"),
    Fault(match="", kind="slow", seconds=0.3),
    Fault(match="", kind="body", body="<html>"),
    Fault(match="", status=401),
    Fault(match="", status=302, headers={"Location": "/elsewhere"}),
)


@contextlib.asynccontextmanager
async def served(simulated: SimulatedCloud) -> AsyncIterator[str]:
    """The cloud at an address of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(simulated, log_level="critical", timeout_graceful_shutdown=1))
        running = asyncio.create_task(server.serve([bound]))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        await running


def account(endpoint: str) -> dict[str, Any]:
    """One whose patience is short."""
    return {
        "name": "acme",
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"},
        "projects": [{"region": "cn-north-4", "project_id": PROJECT_ID, "endpoint": endpoint}],
        "poll": {"rate_limit": 1e3, "burst": 1000, "timeout": 0.2},
        "collectors": {key: {"enabled": key in {"tasks", "progress"}} for key in Collectors.model_fields},
        "tasks": {"job_types": ["sync"]},
    }


async def months(rounds: int) -> list[Count]:
    """Descriptors and tasks after each round, in which all polls fail in one way after the other."""
    simulated = SimulatedCloud(
        worlds=[World(project_id=PROJECT_ID, tasks=[sim_task("orders"), sim_task("stock")])],
        keys={"AK": "SK"},
        now=time.time,
    )
    counts = []
    async with served(simulated) as endpoint:
        for _ in range(rounds):
            async with Exporter(config([account(endpoint)])) as exporter:
                for fault in FAULTS:
                    simulated.faults = [fault]
                    assert not await exporter.poll_once()
                simulated.faults = []
            await asyncio.sleep(0.5)  # the server takes its time to see that a connection has ended
            counts.append(Count.now())
    return counts


def test_no_connection_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_RETRIES", 0)  # they wait in real time
    first, *later = asyncio.run(months(ROUNDS))
    for count in later:
        assert (count.files, count.tasks) == (first.files, first.tasks)
