from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from exporter.simulator import SimTask, SimulatedCloud, World
from tests.lib.transport import InProcess

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
START = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.value = START

    def __call__(self) -> float:
        return self.value


class Asker:
    """Asks the cloud as a signed-in user would, in this process."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self.cloud = cloud
        self.token = cloud.issue_token(lifetime=1e12)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {"X-Auth-Token": self.token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.raw(method, path, body, {name: value for name, value in sent.items() if value})

    def raw(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = InProcess(self.cloud)
            async with httpx.AsyncClient(transport=transport, base_url="http://drs.test") as client:
                content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
                return await client.request(method, path, content=content, headers=headers)

        return asyncio.run(go())

    def v3(self, operation: str, **body: Any) -> httpx.Response:
        return self("POST", f"/v3/{PROJECT}/jobs{operation}", body)

    def list_v3(self, **body: Any) -> Any:
        answer = self.v3("", **{"cur_page": 1, "per_page": 100, "db_use_type": "sync", "engine_type": "", **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def v5(self, path: str) -> httpx.Response:
        return self("GET", f"/v5/{PROJECT}{path}")

    def detail(self, task: SimTask, query: str) -> Any:
        answer = self.v5(f"/jobs/{task.id}?type={query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["job"]

    def progress(self, *tasks: SimTask) -> Any:
        answer = self.v3("/batch-progress", jobs=[task.id for task in tasks])
        assert answer.status_code == 202, answer.text
        return answer.json()["results"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> World:
    """Three sync tasks an hour apart, the newest last, all in incremental replication."""
    tasks = [
        SimTask(name=name, born=START - (40 - number) * 3600) for number, name in enumerate(("one", "two", "three"))
    ]
    return World(project_id=PROJECT, tasks=tasks)


@pytest.fixture
def task(world: World) -> SimTask:
    return world.task("one")


@pytest.fixture
def cloud(world: World, clock: Clock) -> SimulatedCloud:
    return SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=clock)


@pytest.fixture
def ask(cloud: SimulatedCloud) -> Asker:
    return Asker(cloud)


@pytest.fixture
def asker() -> Callable[[SimulatedCloud], Asker]:
    return Asker
