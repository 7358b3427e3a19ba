"""Batches of the simulated cloud."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.cloud.batches import split_results
from exporter.simulator import SimTask, SimulatedCloud, World, faults
from tests.lib import virtual_time as virtual
from tests.lib.cloud import PROJECT, connected, progress
from tests.lib.transport import InProcess


@pytest.mark.parametrize(
    ("gone", "options", "calls"),
    [([7], {"mixed_batches": "item"}, 1), ([7], {"mixed_batches": "whole"}, 7), ([], {"single_id_only": True}, 11)],
)
async def test_a_cloud_without_a_task_or_for_single_ids(gone: list[int], options: dict[str, Any], calls: int) -> None:
    tasks = [SimTask(name=f"task-{index}") for index in range(10)]
    kept = [task for index, task in enumerate(tasks) if index not in gone]
    world = World(project_id=PROJECT, tasks=kept, **options)
    simulation = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)
    async with connected(InProcess(simulation)) as cloud:
        call = split_results(await cloud.fetch_all(progress(cloud.v3), [task.id for task in tasks]))
        assert call.gone == [tasks[index].id for index in gone]
        assert ([*call.refused, *call.failed], len(call.facts), len(simulation.calls)) == ([], len(kept), calls)


async def test_the_simulated_cloud_that_throttles_lets_the_rest_of_the_calls_be() -> None:
    world = World(project_id=PROJECT, tasks=[SimTask(name=f"task-{index}") for index in range(200)])
    simulation = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=virtual.now)
    simulation.faults = [faults.throttled("batch-progress", after=5)]
    async with connected(InProcess(simulation), rate=3, burst=5) as cloud:
        call = split_results(await cloud.fetch_all(progress(cloud.v3), [task.id for task in world.tasks]))
        assert {error.code for error in call.failed} == {"429", "paused"}
        assert (len(call.facts), len(simulation.calls)) == (50, 6)
