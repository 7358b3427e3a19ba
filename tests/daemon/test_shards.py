"""Sharded processes together expose the series of a single one, none of them twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.config import Collectors
from exporter.daemon.exporter import Exporter
from exporter.model.shard import ALL, Shard
from exporter.simulator import World
from tests.lib.daemon import Scrape, calls, cloud_of, config_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, now, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.samples import Sample

    from exporter.config import Config
    from exporter.simulator import SimTask, SimulatedCloud

OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"
COLLECTED = "drs_task_collected_timestamp_seconds{"
ENDED = "RELEASE_RESOURCE_COMPLETE"
RULES: dict[str, dict[str, Any]] = {
    "none": {},
    "tags": {"include": [{"tag": "team=a"}], "tag_labels": ["team"]},
    "ended": {"ended_for": "1s"},
}


def tasks(world: str) -> Iterable[SimTask]:
    """Of every kind, some with subtasks, in several states; in the two worlds each state has other tags."""
    for number, status in enumerate(("INCRE_TRANSFER_STARTED", "PAUSING", ENDED)):
        name, tags = f"{world}-{number}", {"team": "ab"[(number + (world == "two")) % 2]}
        yield sim_task(name, tags=tags, status=status)
        yield sim_task(f"{name}-dr", tags=tags, scenario="cloudDataGuard")
        yield sim_task(f"{name}-redis", tags=tags, engine="redis-to-gaussredis")
    for number in range(3):
        children = [
            sim_task(f"{world}-c{number}{place}", role="child", tags={"team": "ba"[number % 2]}) for place in "xyz"
        ]
        yield sim_task(f"{world}-parent{number}", relation="multi_to_single", children=children)


def cloud() -> SimulatedCloud:
    made = cloud_of(*tasks("one"))
    made.worlds.append(World(project_id=OTHER_ID, tasks=list(tasks("two")), now=now))
    return made


def config(api: str = "auto", rules: str = "none") -> Config:
    """Two projects, all collectors, and calls that need not wait for each other."""
    given = config_of(api, Collectors.model_fields, tasks=RULES[rules], poll={"rate_limit": 1e6, "burst": 10**6})
    (account,) = given.accounts
    (project,) = account.projects
    other = project.model_copy(update={"name": "stock", "project_id": OTHER_ID})
    return given.model_copy(update={"accounts": (account.model_copy(update={"projects": (project, other)}),)})


async def polled(made: SimulatedCloud, wanted: Config, shards: Iterable[Shard]) -> list[list[str]]:
    """The page of each shard at three times, between which tasks change and are deleted."""
    async with AsyncExitStack() as stack:
        exporters = [
            await stack.enter_async_context(Exporter(wanted, transport=InProcess(made), clock=clock, shard=shard))
            for shard in shards
        ]
        pages = []
        for change in (None, change_some, empty_one):
            if change is not None:
                change(made)
            for exporter in exporters:
                await exporter.poll_once()
            pages.append([b"".join(exporter.exposition.page.plain()).decode() for exporter in exporters])
            await asyncio.sleep(310)  # so that v5, too, is listed again
        return pages


def change_some(made: SimulatedCloud) -> None:
    for world in made.worlds:
        del world.tasks[3:6]
        for task in world.tasks[::5]:
            task.pin("PAUSING")


def empty_one(made: SimulatedCloud) -> None:
    made.worlds[1].tasks.clear()


def series(page: str) -> list[str]:
    """All lines about tasks and projects but drs_up, byte by byte.

    The times of queries are left out: which tasks fill a batch before they are due depends on the other tasks.
    """
    kinds = ("drs_exporter_", "drs_up{")
    lines = [line for line in page.splitlines() if line.startswith("drs_") and not line.startswith(kinds)]
    return [line.rpartition(" ")[0] if line.startswith(COLLECTED) else line for line in lines]


def samples(page: str, name: str) -> list[Sample]:
    lines = [line for line in page.splitlines() if line.startswith(f"{name}{{")]
    return [sample for family in text_string_to_metric_families("\n".join(lines)) for sample in family.samples]


@pytest.mark.parametrize(("rules", "total"), [("none", 5), ("tags", 2), ("ended", 3)], ids=RULES)
def test_all_shards_together_show_what_one_process_shows(rules: str, total: int) -> None:
    wanted = config(rules=rules)
    alone = simulate(polled(cloud(), wanted, [ALL]))
    check_shards(simulate(polled(cloud(), wanted, [Shard(number, total) for number in range(total)])), alone)


def check_shards(shared: list[list[str]], alone: list[list[str]]) -> None:
    """Compare the pages of shards with those of one process."""
    for (page,), pages in zip(alone, shared, strict=True):
        together = [line for shard_page in pages for line in series(shard_page)]
        assert sorted(together) == sorted(series(page))
        assert len(together) > 500
        for shard_page in (page, *pages):
            up = {sample.labels["project"]: sample.value for sample in samples(shard_page, "drs_up")}
            assert up == {"payments": 1, "stock": 1}
        tasks_of_shards = [[sample.labels for sample in samples(shard_page, "drs_task_info")] for shard_page in pages]
        owners = Counter(labels["task_id"] for shard in tasks_of_shards for labels in shard)
        assert set(owners.values()) == {1}
        for shard in tasks_of_shards:
            assert {labels["parent_id"] for labels in shard if "parent_id" in labels} <= {
                labels["task_id"] for labels in shard
            }


async def test_no_task_and_no_project_is_queried_by_two_shards() -> None:
    async def called(shard: Shard) -> Counter[str]:
        made = cloud()
        async with Exporter(config("v5"), transport=InProcess(made), clock=clock, shard=shard) as exporter:
            await exporter.poll_once()
        return calls(made)

    alone, parts = await called(ALL), [await called(Shard(number, 3)) for number in range(3)]
    lists = "v5 jobs"
    assert [part.pop(lists) for part in parts] == [alone.pop(lists)] * 3
    assert sum(parts, Counter()) == alone
    for part in parts:
        assert part["v5 jobs/ID progress"] < alone["v5 jobs/ID progress"] / 2


async def test_all_shards_together_stay_within_the_rate_limit() -> None:
    given = config_of(poll={"rate_limit": 6.0, "burst": 7})
    async with Exporter(given, clock=clock, shard=Shard(2, 4)) as exporter:
        await exporter.publish()
        page = Scrape(exporter)
        assert page.value("drs_exporter_api_rate_limit_calls_per_second") == 1.5
        assert page.value("drs_exporter_shard_info", shard="2", shards="4") == 1
