"""The host's clock is set back or forward, and nothing becomes older or younger."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.daemon.exporter import Exporter
from exporter.runtime.clock import Clock, since_boot
from exporter.simulator import faults
from tests.lib import virtual_time as virtual
from tests.lib.daemon import DAY, HOUR, PROJECT_ID, Scrape, cloud_of, config_of, get, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, simulate

STEPS = (-365 * DAY, -2 * HOUR, -1.0, 2 * HOUR, 365 * DAY)
LENGTH, EVERY, DOWN = 180, 15, range(45, 135)
"""Seconds: of a story, between two looks, and in which the cloud fails in half of the stories."""

Series = frozenset[tuple[str, frozenset[tuple[str, str]]]]
Step = tuple[float, float]
"""When the host's clock is set, after that many seconds, and to which difference from true time."""


def series(page: Scrape) -> Series:
    """Names and labels of all samples but those about the process itself."""
    return frozenset(
        (name, frozenset(labels.items()))
        for name in page.names()
        if name.startswith("drs_")
        for labels, _ in page.samples(name)
    )


class Story:
    """Three minutes of an exporter whose host's clock is set: what its pages show every 15 seconds.

    Args:
        steps: in the order of their times.
        down: whether the cloud fails for a while.
    """

    def __init__(self, *steps: Step, down: bool) -> None:
        self._steps = steps
        self._down = down
        self.shown: list[tuple[Series, dict[str, float]]] = []
        """Series, and how long ago each timestamp of the exporter was, in whole seconds of the host's clock."""
        random.seed(1)  # the pauses before retries are the same in all stories
        simulate(self._tell())

    def _wall(self) -> float:
        passed = virtual.now() - EPOCH
        return virtual.now() + next((shift for at, shift in reversed(self._steps) if passed >= at), 0.0)

    async def _tell(self) -> None:
        cloud = cloud_of(sim_task("orders"), sim_task("stock"))
        access: dict[str, Any] = {"type": "token", "token": cloud.issue_token(project_id=PROJECT_ID)}
        config = config_of("v3", ("tasks", "progress"), poll={"interval": "10s", "stale_after": "40s"})
        account = config.accounts[0]
        config = config.model_copy(
            update={"accounts": (account.model_validate({**account.model_dump(), "credentials": access}),)}
        )
        transport = InProcess(cloud)
        async with Exporter(config, transport=transport, clock=lambda: virtual.clock(self._wall)) as exporter:
            running = asyncio.create_task(exporter.run())
            for second in range(0, LENGTH, EVERY):
                cloud.faults[:] = [faults.broken("/jobs")] if self._down and second in DOWN else []
                await asyncio.sleep(EVERY - 2)
                await exporter.publish()
                page = Scrape(exporter)
                self.shown.append((series(page), self._ages(page)))
                document = json.loads((await get(exporter, "/api/v1/tasks")).body)
                read = [at for task in document["tasks"] for at in task["collected_timestamp_seconds"].values()]
                assert max(read, default=0.0) <= document["now_timestamp_seconds"]
                await asyncio.sleep(2)
            running.cancel()

    def _ages(self, page: Scrape) -> dict[str, float]:
        names = (
            "drs_task_collected_timestamp_seconds",
            "drs_exporter_collector_last_success_timestamp_seconds",
            "drs_exporter_config_last_reload_success_timestamp_seconds",
        )
        now = self._wall()
        return {f"{name}{labels}": round(now - at) for name in names for labels, at in page.samples(name)}


@pytest.fixture(scope="module")
def without() -> dict[bool, list[tuple[Series, dict[str, float]]]]:
    """The stories without a step of the clock."""
    return {down: Story(down=down).shown for down in (False, True)}


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_changes_neither_series_nor_ages(step: float, without: Any, *, down: bool) -> None:
    assert Story((70.0, step), down=down).shown == without[down]


@settings(max_examples=3)
@given(
    times=st.lists(st.floats(0.5, LENGTH), min_size=1, max_size=4).map(sorted),
    shifts=st.lists(st.sampled_from(STEPS), min_size=4, max_size=4),
    down=st.booleans(),
)
def test_steps_at_any_moment_change_nothing(
    times: list[float], shifts: list[float], without: Any, *, down: bool
) -> None:
    assert Story(*zip(times, shifts, strict=False), down=down).shown == without[down]


def test_values_of_a_failing_cloud_expire_and_return(without: Any) -> None:
    """The stories above compare pages on which something happens."""
    value = "drs_task_incremental_delay_seconds"
    known = [any(name == value for name, _ in shown) for shown, _ in without[True]]
    assert known == [second + EVERY not in range(90, 136) for second in range(0, LENGTH, EVERY)]
    assert all(any(name == value for name, _ in shown) for shown, _ in without[False])


def test_small_differences_are_no_step() -> None:
    wall = [1000.0]
    clock = Clock(lambda: wall[0], lambda: 10.0)
    for now, step in ((1000.4, 0.0), (999.6, 0.0), (1000.6, 0.6), (1000.2, 0.6), (-1000.0, -2000.0)):
        wall[0] = now
        clock.update_step()
        assert clock.step == pytest.approx(step)
    assert (clock.steady(), clock.now(), clock.unix(900.0)) == (1000.0, -1000.0, -1100.0)


def test_the_real_clock_begins_as_the_hosts() -> None:
    clock = Clock()
    assert clock.now() == pytest.approx(time.time(), abs=1)
    assert clock.steady() <= clock.steady()
    assert since_boot() >= time.monotonic() - 1
