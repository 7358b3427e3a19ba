"""A large project for load tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.simulator.world.delays import bursty, in_sync, steady
from exporter.simulator.world.formats import digest
from exporter.simulator.world.life import INCREMENTAL, WITHOUT_FULL
from exporter.simulator.world.tasks import SimTask
from exporter.simulator.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = (
    ("sync", "mysql", "FULL_INCR_TRANS"),
    ("migration", "mysql", "FULL_INCR_TRANS"),
    ("sync", "postgresql", "INCR_TRANS"),
    ("sync", "mysql-to-taurus", "FULL_INCR_TRANS"),
    ("migration", "mongodb", "FULL_INCR_TRANS"),
    ("cloudDataGuard", "cloudDataGuard-mysql", "FULL_INCR_TRANS"),
)
_SHAPES = (steady, in_sync, bursty)


def fleet_world(
    n: int, now: Callable[[], float], *, project_id: str = "", region: str = "cn-north-4", **options: Any
) -> World:
    """A world of n tasks of mixed types in incremental replication; further options are those of World."""
    oldest = now() - (n + 4) * 3600.0
    tasks = [_task(number, oldest + number * 3600.0) for number in range(n)]
    project_id = project_id or digest("fleet", region)[:32]
    return World(project_id=project_id, region=region, tasks=tasks, now=now, **options)


def _task(number: int, born: float) -> SimTask:
    scenario, engine, mode = _KINDS[number % len(_KINDS)]
    return SimTask(
        name=f"fleet-{number:05d}",
        scenario=scenario,
        engine=engine,
        mode=mode,
        born=born,
        script=WITHOUT_FULL if mode == "INCR_TRANS" else INCREMENTAL,
        delay_shape=_SHAPES[number % len(_SHAPES)],
    )
