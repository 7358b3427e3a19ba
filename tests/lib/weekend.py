"""A cut-over weekend: twelve tasks of a wave on the simulated cloud, from Saturday evening until the wave is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

from exporter.config import Config, from_mapping
from exporter.daemon.exporter import Exporter
from exporter.simulator import SimTask, SimulatedCloud
from exporter.simulator.world.delays import DelayShape, steady
from exporter.simulator.world.life import FOR_EVER, HOUR, MINUTE
from tests.lib.daemon import PROJECT_ID, cloud_of, polling
from tests.lib.settings import account, settings
from tests.lib.virtual_time import EPOCH, now

WAVE = "weekend-1"
STARTS = EPOCH + 60 * HOUR
"""Saturday, 2026-01-03T20:00:00+08:00."""
EXPECTED = 12
RULES = [{"name": "orders-.*"}]
ALL_RULES = [*RULES, {"name": "order-archive"}]
"""With the task that the rules of the evening miss."""
FIRST = -10
"""The first minute at which the exporter runs."""
RENAMED = ("orders-returns", "returns-final")
RENAMED_AT = 20
"""Minutes from the start of the wave, as all times below."""
LOADED_AT = 40
FAILED_AT, RETRIED_AT = 50, 75
DIVERGES_AT, CATCHES_UP_AT = 30, 110
RESTARTS_AT, RESTARTED_AT = 100, 103
CORRECTED_AT = 150
CUT_OVER_AT = 180
_BEGUN = -25 * 60


def _task(name: str, *steps: tuple[str, float], **facts: Any) -> SimTask:
    """A task that enters each status at a minute of the weekend."""
    ends = [*(minutes for _, minutes in steps[1:]), None]
    script = tuple(
        (status, FOR_EVER if end is None else (end - start) * MINUTE)
        for (status, start), end in zip(steps, ends, strict=True)
    )
    return SimTask(name=name, script=script, born=STARTS + steps[0][1] * MINUTE, **facts)


def _prepared(minutes: float) -> tuple[tuple[str, float], ...]:
    """Up to the start of the full load."""
    return (
        ("CREATING", minutes - 20),
        ("CONFIGURATION", minutes - 15),
        ("STARTJOBING", minutes - 2),
        ("FULL_TRANSFER_STARTED", minutes),
    )


def _loaded(minutes: float) -> tuple[tuple[str, float], ...]:
    return (("FULL_TRANSFER_COMPLETE", minutes - 1), ("INCRE_TRANSFER_STARTED", minutes))


def _ending(number: int) -> tuple[tuple[str, float], ...]:
    """The end of a task, one after the other."""
    minutes = CUT_OVER_AT + 3.0 * number
    return (("RELEASE_RESOURCE_STARTED", minutes), ("RELEASE_RESOURCE_COMPLETE", minutes + 5))


def _catching_up(behind: float, speed: float) -> DelayShape:
    return lambda age: max(behind - speed * age, 0.0) + steady(age)


def _diverging(age: float) -> float:
    """Loses ground while a batch job runs at the source, and then catches up four times as fast."""
    rises, falls = (age / MINUTE + _BEGUN - minutes for minutes in (DIVERGES_AT, CATCHES_UP_AT))
    return max(12 * (max(rises, 0.0) - max(falls, 0.0)) - 48 * max(falls, 0.0), 0.0) + steady(age)


def _replicating(number: int, name: str, **facts: Any) -> SimTask:
    """A task that has replicated since Friday."""
    return _task(name, *_prepared(_BEGUN - 90), *_loaded(_BEGUN), *_ending(number), **facts)


def _stock(number: int) -> SimTask:
    """A task whose full load ends in the evening."""
    begun = (*_prepared(-200), *_loaded(LOADED_AT))
    return _task("orders-stock", *begun, *_ending(number), comparison="equal", delay_shape=_catching_up(900, 0.9))


def _invoices(number: int) -> SimTask:
    """A task that fails, and is retried by hand."""
    retried = (("INCRE_TRANSFER_FAILED", FAILED_AT), ("STARTJOBING", RETRIED_AT))
    steps = (*_prepared(_BEGUN - 90), *_loaded(_BEGUN), *retried, ("INCRE_TRANSFER_STARTED", RETRIED_AT + 1))
    late = _catching_up((RETRIED_AT - FAILED_AT) * MINUTE, 1.5)
    return _task("orders-invoices", *steps, *_ending(number), comparison="equal", delay_shape=late, error="DRS.M05004")


def _rehearsal() -> SimTask:
    """A task of last week, which belongs to no wave of this week."""
    ended = (("RELEASE_RESOURCE_STARTED", -7000.0), ("RELEASE_RESOURCE_COMPLETE", -6990.0))
    return _task("orders-rehearsal", *_prepared(-9000), *_loaded(-8900), *ended)


def weekend_cloud() -> SimulatedCloud:
    """Twelve tasks that are cut over, one of last week, and one that has nothing to do with them."""
    names = ("africa", "americas", "asia", "europe", "app", "web", "partners")
    usual = [
        _replicating(number, f"orders-{name}", comparison="" if name == "africa" else "equal")
        for number, name in enumerate(names)
    ]
    return cloud_of(
        *usual,
        _stock(7),
        _invoices(8),
        _replicating(9, "orders-prices", comparison="equal", delay_shape=_diverging),
        _replicating(10, RENAMED[0], comparison="equal"),
        _replicating(11, "order-archive", comparison="equal"),
        _rehearsal(),
        _task("billing", *_prepared(-9000), *_loaded(-8900)),
    )


def weekend_config(folder: Path, rules: list[dict[str, str]]) -> Config:
    """The configuration of the weekend, with the storage in this folder."""
    wave = {
        "name": WAVE,
        "include": rules,
        "expected": EXPECTED,
        "from": "2026-01-03T20:00:00+08:00",
        "until": "2026-01-04T00:00:00+08:00",
        "interval": "30s",
        "cutover": {"max_delay": "2s"},
    }
    project = {"region": "cn-north-4", "name": "shop", "project_id": PROJECT_ID}
    seldom = {
        name: {"interval": "30m"} for name in ("node", "objects", "comparison", "detail")
    }  # no state follows from them
    storage, poll, tasks = {"path": str(folder)}, {"interval": "45s"}, {"job_types": ["sync"]}
    given = settings(account("prod", project), waves=[wave], storage=storage, poll=poll, tasks=tasks)
    return from_mapping({**given, "collectors": seldom})


class Step(NamedTuple):
    """A moment of the weekend at which everything that shows the wave is compared.

    Attributes:
        minutes: from the start of the wave.
        what: has just happened.
    """

    minutes: float
    what: str


STEPS = (
    Step(-5, "planned"),
    Step(6, "running, and one task is still loaded"),
    Step(28, "one task was renamed"),
    Step(55, "one task has failed, one is loaded, one diverges"),
    Step(88, "the failed task was retried and catches up"),
    Step(98, "before the restart"),
    Step(112, "after the restart"),
    Step(145, "all tasks that the rules match are ready"),
    Step(165, "the rules are corrected"),
    Step(190, "some tasks have ended"),
    Step(225, "all tasks have ended"),
    Step(245, "over"),
)


async def until(minutes: float) -> None:
    """Sleep until a minute of the weekend."""
    await asyncio.sleep(STARTS + minutes * MINUTE - now())


async def weekend(folder: Path) -> AsyncGenerator[tuple[int, Step | None, Exporter]]:
    """Run the exporter through the weekend, with a renamed task, a restart and corrected rules.

    Args:
        folder: of the storage.

    Yields:
        Minutes since the first start of the exporter, the step if there is one, and the exporter; while it runs.
    """
    cloud = weekend_cloud()
    steps = {step.minutes: step for step in STEPS}
    for start, end in ((FIRST, RESTARTS_AT), (RESTARTED_AT, 246)):
        await until(start)
        async with polling(cloud, weekend_config(folder, RULES)) as exporter:
            for minutes in range(start + 1, end):
                await until(minutes)
                if minutes == RENAMED_AT:
                    cloud.world(PROJECT_ID).task(RENAMED[0]).name = RENAMED[1]
                if minutes == CORRECTED_AT:
                    await exporter.reload(lambda: weekend_config(folder, ALL_RULES))
                yield minutes - FIRST, steps.get(minutes), exporter
