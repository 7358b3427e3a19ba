from __future__ import annotations

import pytest

from exporter.simulator import SimTask, SimulatedCloud, World
from tests.simulator.client import PROJECT, START, CloudClient


class Clock:
    def __init__(self) -> None:
        self.value = START

    def __call__(self) -> float:
        return self.value


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
def api(cloud: SimulatedCloud) -> CloudClient:
    return CloudClient(cloud)
