"""The recording rules about waves, on what the shards of an exporter expose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from exporter.config import Config
from exporter.daemon.exporter import Exporter
from exporter.model.shard import Shard
from exporter.simulator import SimulatedCloud
from tests.lib.daemon import Scrape, cloud_of, config_of, sim_task
from tests.lib.recordings import Recording, unit_tests
from tests.lib.rules import run_unit_tests
from tests.lib.tools import needs
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate

if TYPE_CHECKING:
    from pathlib import Path

FAMILIES = (
    *("drs_exporter_list_complete", "drs_exporter_shard_info", "drs_up"),
    *("drs_wave_expected_tasks", "drs_wave_ready", "drs_wave_tasks"),
)
SHARDS = 2
TASKS = 6
READY = [{"exp_labels": {"wave": "night", "severity": "info"}}]


def night(expected: int = TASKS, task_id: str = "") -> Config:
    """A wave that expects this number of tasks, and may list the id of a task."""
    rules = [{"name": "orders-.*"}, *([{"id": task_id}] if task_id else [])]
    wave = {"name": "night", "include": rules, "expected": expected}
    return config_of("v3", ("tasks", "progress"), waves=[wave])


def orders(delay: float = 1) -> SimulatedCloud:
    """Tasks that are ready, but for the last one if its delay is too high."""
    delays = [*([1.0] * (TASKS - 1)), delay]
    return cloud_of(*(sim_task(f"orders-{number}", delay=delay) for number, delay in enumerate(delays)))


async def recorded(cloud: SimulatedCloud, config: Config, shards: range) -> Recording:
    """Ten minutes of scrapes of these shards, after each has polled once."""
    recording, transport = Recording(FAMILIES), InProcess(cloud)
    for shard in shards:
        async with Exporter(config, transport=transport, clock=clock, shard=Shard(shard, SHARDS)) as exporter:
            await exporter.poll_once()
            for minute in range(10):
                recording.scrape(minute, Scrape(exporter), instance=f"shard-{shard}")
    return recording


@needs("promtool")
@pytest.mark.parametrize(
    ("cloud", "config", "shards", "alerts"),
    [
        pytest.param(orders(), night(), range(SHARDS), READY, id="ready"),
        pytest.param(orders(), night(), range(1), [], id="a shard is missing"),
        pytest.param(orders(), night(TASKS + 1), range(SHARDS), [], id="a task is missing"),
        pytest.param(orders(delay=60), night(), range(SHARDS), [], id="a task is blocked"),
        pytest.param(orders(), night(task_id="x"), range(SHARDS), [], id="a listed task does not exist"),
    ],
)
def test_the_rules_find_a_wave_of_shards_ready_only_if_all_of_it_is(
    cloud: SimulatedCloud, config: Config, shards: range, alerts: list[Any], tmp_path: Path
) -> None:
    recording = simulate(recorded(cloud, config, shards))
    case = {"alertname": "DrsWaveReady", "eval_time": "5m", "exp_alerts": alerts}
    tests = unit_tests(recording, [case], ["drs-waves", "drs-waves-ready"])
    run_unit_tests(tmp_path, {"wave": json.dumps(tests)}, annotations=False)
