"""A month in a minute: tasks are created and deleted, everything fails at times, and nothing is left behind.

SOAK_DAYS=365 makes it a year.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from exporter.simulator.world.life import DAY
from tests.faults.fleet import config, polling, until
from tests.faults.kinds import KINDS, UNPUBLISHED
from tests.faults.transport import FaultyTransport
from tests.lib.daemon import get
from tests.lib.rendering import publish_every
from tests.lib.virtual_time import now, simulate
from tests.soak.life import (
    CREDENTIALS,
    INTERVAL,
    Count,
    accounts,
    cloud,
    everything_fails,
    fill_string_cache,
    living,
    page,
    shown_tasks,
    something_fails,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.daemon.exporter import Exporter

DAYS = int(os.environ.get("SOAK_DAYS", "30"))
WARM_UP = 6
"""Days, in which everything has failed in every way."""
TROUBLED = 18
"""Hours of a day in which something may fail."""
FAULTS = 200 * (DAYS - WARM_UP) // 24
EVERY = (*KINDS, UNPUBLISHED)
GROWTH = 1.05
BLOCKS = 1.1
"""Of the blocks that the exporter and the cloud have allocated: there may still be new codes of calls."""


@pytest.fixture(autouse=True)
def _few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each poll."""
    publish_every(INTERVAL, monkeypatch)


def trouble(transport: FaultyTransport, chance: Random) -> Iterator[None]:
    """Set the faults of each hour: first everything in every way, then many at once, then one by one."""
    later = [hour for hour in range(WARM_UP * 24, DAYS * 24) if hour % 24 < TROUBLED]
    chosen = set(chance.sample(later, FAULTS))
    kinds = list(EVERY)
    for hour in range(DAYS * 24):
        if hour % 2 == 0 or hour % 24 >= TROUBLED:
            transport.failures = {}
        elif kinds:
            everything_fails(transport, kinds.pop())
        elif hour < WARM_UP * 24:
            for _ in range(10):
                something_fails(transport, EVERY, chance)
        if hour in chosen:
            something_fails(transport, EVERY, chance)
        yield


def look(daemon: Exporter, transport: FaultyTransport) -> Count:
    """Count at the end of a day, when nothing fails: the page must contain the existing tasks and no others."""
    text = page(daemon)
    for name in CREDENTIALS:
        there, coming_or_going = living(transport.clouds[f"{name}.test"])
        assert there <= shown_tasks(text, name) <= there | coming_or_going
    tidy(transport)
    return Count.now(text)


async def month() -> tuple[Count, list[Count], Count]:
    """Return the counts before the month, at the end of each day, and after the month."""
    transport = FaultyTransport({f"{name}.test": cloud(name) for name in CREDENTIALS}, now)
    fill_string_cache()
    before, days = Count.now(), []
    async with polling(transport, config(accounts())) as daemon:
        for hour, _ in enumerate(trouble(transport, Random(4)), 1):  # noqa: S311 - the same each time
            await until(hour * INTERVAL - 60)
            assert (await get(daemon, "/metrics", "gzip")).status == 200
            if hour * INTERVAL % DAY == 0:
                await daemon.publish()
                days.append(look(daemon, transport))
        assert daemon.healthy
    return before, days, Count.now()


def test_a_month() -> None:
    before, days, after = simulate(month())
    warm, *later = days[WARM_UP + 1 :]  # two days later the logs of events are full
    for day in later:
        assert day.blocks - before.blocks < BLOCKS * (warm.blocks - before.blocks)
        assert day.resident < GROWTH * warm.resident
        assert (day.tasks, day.files, day.series) == (warm.tasks, warm.files, warm.series)
    assert (after.tasks, after.files) == (before.tasks, before.files)
