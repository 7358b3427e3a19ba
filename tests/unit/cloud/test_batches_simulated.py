"""Batches of the simulated cloud."""

from __future__ import annotations

import pytest

from exporter.cloud.batches import split_results
from exporter.simulator import SimTask, SimulatedCloud, World, faults
from tests.lib import virtual_time as virtual
from tests.lib.cloud import PROJECT, connected, merged, progress
from tests.lib.transport import InProcess


@pytest.mark.parametrize(("mixed", "calls"), [("item", 1), ("whole", 7)])
async def test_the_simulated_cloud_with_a_task_that_is_gone(mixed: str, calls: int) -> None:
    tasks = [SimTask(name=f"task-{index}") for index in range(10)]
    ids = [task.id for task in tasks]
    world = World(project_id=PROJECT, tasks=[*tasks[:7], *tasks[8:]], mixed_batches=mixed)
    simulation = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)
    async with connected(InProcess(simulation)) as cloud:
        call = split_results(await merged(cloud.fetch_all(progress(cloud.v3), ids)))
        assert call.gone == [ids[7]]
        assert ([*call.refused, *call.failed], len(call.facts), len(simulation.calls)) == ([], 9, calls)


async def test_the_simulated_cloud_that_takes_single_ids_only() -> None:
    world = World(project_id=PROJECT, tasks=[SimTask(name=f"task-{i}") for i in range(10)], single_id_only=True)
    simulation = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)
    async with connected(InProcess(simulation)) as cloud:
        call = split_results(await merged(cloud.fetch_all(progress(cloud.v3), [task.id for task in world.tasks])))
        assert (len(call.facts), len(simulation.calls)) == (10, 11)


async def test_the_simulated_cloud_that_throttles_lets_the_rest_of_the_calls_be() -> None:
    world = World(project_id=PROJECT, tasks=[SimTask(name=f"task-{index}") for index in range(200)])
    simulation = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)
    simulation.faults = [faults.throttled("batch-progress", after=5)]
    async with connected(InProcess(simulation), rate=3, burst=5) as cloud:
        call = split_results(await merged(cloud.fetch_all(progress(cloud.v3), [task.id for task in world.tasks])))
        assert {error.code for error in call.failed} == {"429", "paused"}
        assert (len(call.facts), len(simulation.calls)) == (50, 6)
