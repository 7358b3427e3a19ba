"""How often the daemon polls the tasks of running waves, and what it costs the others."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from math import ceil
from typing import Any

import pytest

from exporter.docs.operations import operations_markdown
from exporter.simulator import SimulatedCloud
from tests.daemon.test_collectors import DR, V5_WORDS, asked
from tests.lib.daemon import Scrape, cloud_of, config_of, polling, sim_task
from tests.lib.virtual_time import now
from tests.lib.wave_polls import ages, oldest, stamp, wave

pytestmark = pytest.mark.usefixtures("published_seldom")

COLLECTORS = ("tasks", "progress", "recovery", "node", "detail")
FORMULAS = dict(re.findall(r"^\| \w+ \| `(\w+)` \| `([^`]+)` \|$", operations_markdown(), re.MULTILINE))
EVERYTHING = [{"name": ".*"}]


@pytest.fixture(autouse=True)
def _without_samples(request: pytest.FixtureRequest) -> None:
    """Render no samples in tests that read no page."""
    if "change_of_status" not in request.node.name:
        request.getfixturevalue("without_samples")


def fleet(api: str, members: int = 12, others: int = 30) -> SimulatedCloud:
    """Tasks in a wave and others; where both generations list tasks, v5 alone lists some of the wave."""
    members_dr = 3
    tasks = [
        *(sim_task(f"wave-{number}") for number in range(members - members_dr)),
        *(sim_task(f"wave-dr-{number}", **DR) for number in range(members_dr)),
        *(sim_task(f"other-{number}") for number in range(others)),
    ]
    if api == "auto":
        tasks += [sim_task(f"wave-redis-{number}", engine="redis-to-gaussredis") for number in range(11)]
    words = tuple({task.words.v5 for task in tasks}) if api == "v5" else V5_WORDS
    return cloud_of(*tasks, v5_engines=words, published={api} if api != "auto" else {"v3", "v5"})


@pytest.mark.parametrize("api", ["v3", "v5", "auto"])
async def test_status_and_progress_of_a_running_wave_are_as_old_as_its_interval(api: str) -> None:
    async with polling(fleet(api), config_of(api, COLLECTORS, waves=[wave()])) as exporter:
        await asyncio.sleep(60)
        members, others = await asyncio.gather(oldest(exporter, 100), oldest(exporter, 100, "other-"))
        assert max(members) <= 10.5
        assert min(others) > 25
        assert max(others) <= 30.5


@pytest.mark.parametrize("api", ["v3", "v5", "auto"])
async def test_a_wave_takes_the_documented_number_of_calls(api: str) -> None:
    """Operations that only waves call in this world, or none of whose calls are for other tasks."""
    cloud, seconds = fleet(api, others=0), 200
    config = config_of(api, COLLECTORS, intervals={"detail": "1h", "node": "1h"}, waves=[wave()])
    async with polling(cloud, config) as exporter:
        await asyncio.sleep(65)
        asked(cloud)
        await asyncio.sleep(seconds)
        made = asked(cloud)
        assert len(exporter.stores[0].state.tasks) == (12 if api != "auto" else 23)
    in_v5 = 11 if api == "auto" else 12
    kinds = {"v5_job_progress": {"active": in_v5}, "v5_job_detail": {"dr": 3}}
    for name in FORMULAS.keys() & made.keys():
        if not name.endswith("list_jobs"):
            calls = eval(FORMULAS[name], {"ceil": ceil, "active": 12, "dr": 3, **kinds.get(name, {})})  # noqa: S307
            assert made[name] == pytest.approx(calls * seconds / 10, abs=2), name
    expected = {"v3": {"v3_batch_progress", "v3_batch_rpo_and_rto", "v3_batch_detail"}, "v5": {"v5_job_progress"}}
    assert expected.get(api, expected["v3"] | expected["v5"]) <= made.keys()


def list_calls(cloud: SimulatedCloud) -> Counter[str]:
    """Calls of the lists so far, by version; they are forgotten."""
    return Counter({name: calls for name, calls in asked(cloud).items() if name.endswith("list_jobs")})


@pytest.mark.parametrize("api", ["v3", "v5"])
async def test_the_lists_of_a_wave_take_the_documented_number_of_calls(api: str) -> None:
    usual, during = fleet(api), fleet(api)
    for cloud, waves in ((usual, []), (during, [wave()])):
        async with polling(cloud, config_of(api, ["tasks"], waves=waves)):
            await asyncio.sleep(65)
            asked(cloud)
            await asyncio.sleep(200)
    more = list_calls(during)[f"{api}_list_jobs"] - list_calls(usual)[f"{api}_list_jobs"]
    formula = FORMULAS[f"{api}_list_jobs"]
    calls = sum(eval(formula, {"ceil": ceil, "wave": size}) for size in (9, 3))  # noqa: S307 - our own text
    assert more == pytest.approx(200 / 10 * calls, abs=2 * calls)


@pytest.mark.parametrize(
    ("begin", "end", "fast"), [(600, 1200, False), (-600, 0, False), (-600, 600, True), (None, None, True)]
)
async def test_a_wave_that_is_planned_or_over_changes_no_interval(
    begin: float | None, end: float | None, *, fast: bool
) -> None:
    times = {name: stamp(now() + at) for name, at in (("from", begin), ("until", end)) if at is not None}
    async with polling(fleet("v3"), config_of("v3", COLLECTORS, waves=[wave(**times)])) as exporter:
        await asyncio.sleep(60)
        assert (max(await oldest(exporter, 60)) <= 10.5) == fast


async def test_the_intervals_change_when_a_wave_begins_and_ends() -> None:
    times = {"from": stamp(now() + 300), "until": stamp(now() + 600)}
    async with polling(fleet("v3"), config_of("v3", COLLECTORS, waves=[wave(**times)])) as exporter:
        await asyncio.sleep(290)
        assert min(ages(exporter)) > 15
        await asyncio.sleep(45)
        assert max(await oldest(exporter, 200)) <= 10.5
        await asyncio.sleep(100)
        assert max(await oldest(exporter, 100)) > 25


async def test_a_change_of_status_is_known_within_the_interval_and_polls_all_facts_at_once() -> None:
    cloud = fleet("v3")
    (task,) = (task for task in cloud.worlds[0].tasks if task.name == "wave-0")
    async with polling(cloud, config_of("v3", COLLECTORS, waves=[wave()])) as exporter:
        await asyncio.sleep(95)  # the lists were polled five seconds ago
        task.pin("INCRE_TRANSFER_FAILED")
        asked(cloud)
        page = await Scrape.after(12, exporter)
        assert page.current("phase", "drs_task_phase", task_name="wave-0") == "failed"
        assert asked(cloud)["v3_batch_detail"] >= 1


async def test_a_task_without_an_interval_of_its_waves_is_polled_as_often_as_usual() -> None:
    config = config_of("v3", COLLECTORS, waves=[wave(interval=None), wave("other", interval="20s")])
    slower = config_of("v3", COLLECTORS, waves=[wave(interval=None), wave("other", interval="2m")])
    for chosen, age in ((config, 20.5), (slower, 30.5)):
        async with polling(fleet("v3"), chosen) as exporter:
            await asyncio.sleep(60)
            found = max(await oldest(exporter, 120))
            assert age - 5 < found <= age


@pytest.mark.parametrize("interval", ["2s", "10s"])
async def test_a_wave_that_wants_more_than_half_of_the_rate_limit_is_stretched(interval: str) -> None:
    """Six tasks through v5: 6 + 3 calls for facts and 2 for lists, with 0.75 calls a second, take 15 seconds."""
    config = config_of("v5", COLLECTORS, poll={"rate_limit": 1.5, "burst": 5}, waves=[wave(interval=interval)])
    async with polling(fleet("v5", members=6, others=40), config) as exporter:
        await asyncio.sleep(200)
        members, others = await asyncio.gather(oldest(exporter, 100), oldest(exporter, 200, "other-"))
        assert 13 < max(members) < 17
        status = exporter.waves.status("weekend")
        assert status is not None
        assert status.polled_every == pytest.approx(11 / 0.75)
        assert max(others) < 110  # they take 1.4 calls a second


async def test_a_wave_of_all_tasks_that_exceeds_the_rate_limit_is_polled_as_without_a_wave() -> None:
    limits: dict[str, Any] = {"poll": {"rate_limit": 0.5, "burst": 5}}
    found = []
    for waves in ([], [wave(include=EVERYTHING)]):
        async with polling(fleet("v5", others=20), config_of("v5", COLLECTORS, waves=waves, **limits)) as exporter:
            await asyncio.sleep(300)
            found.append(await oldest(exporter, 200))
            status = exporter.waves.status("weekend")
            assert status is None or status.polled_every == 30
    without, during = found
    assert max(during) <= 1.1 * max(without)
