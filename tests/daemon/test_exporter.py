"""The whole daemon in virtual time, from the simulated cloud to the page that Prometheus reads."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from exporter.config import from_mapping
from exporter.metrics.tasks import ACTIONS
from exporter.model.task import phase_of
from exporter.polling.list_loop import ListLoop
from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, Fault, SimTask, demo_cloud, faults
from tests.lib.daemon import (
    PROJECT_ID,
    Scrape,
    cloud_of,
    config_of,
    exporter_on,
    listed_task,
    polling,
    scraped,
    sim_task,
)
from tests.lib.settings import account, settings
from tests.lib.virtual_time import EPOCH, now, simulate


def counts_match_tasks(page: Scrape) -> bool:
    """Whether drs_tasks counts the tasks that are on the same page."""
    counts = page.samples("drs_tasks")
    counted = {(of["project"], of["job_type"], of["phase"]): value for of, value in counts if value}
    job_types = {task["task_id"]: task["job_type"] for task, _ in page.samples("drs_task_info", parent_id="")}
    tasks = [task for task, value in page.samples("drs_task_phase", parent_id="") if value]
    return counted == Counter((task["project"], job_types[task["task_id"]], task["phase"]) for task in tasks)


async def test_values_are_on_the_page_within_two_seconds_of_their_poll() -> None:
    cloud = cloud_of(sim_task("one", delay=2.5))
    async with polling(cloud) as exporter:
        shown = []
        for seconds in (2, 27.9, 2):
            await asyncio.sleep(seconds)
            shown.append(Scrape(exporter).value("drs_task_incremental_delay_seconds"))
            cloud.worlds[0].task("one").delay = 0
    assert shown == [2.5, 2.5, 0]


async def test_page_before_polls_has_the_build_but_no_facts() -> None:
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        page = Scrape(exporter)
        assert len(page.samples("drs_exporter_build_info")) == 1
        assert page.samples("drs_up") == page.samples("drs_tasks") == []


async def test_values_expire_without_any_poll_that_ends() -> None:
    cloud = cloud_of(sim_task("one"))
    async with polling(cloud, config_of("v3")) as exporter:
        await asyncio.sleep(2)
        cloud.faults = [Fault(match="", kind="slow", seconds=1e6)]
        await asyncio.sleep(290)
        assert Scrape(exporter).value("drs_task_full_progress_ratio") == 1
        await asyncio.sleep(18)
        page = Scrape(exporter)
        assert page.samples("drs_task_full_progress_ratio") == []
        assert page.samples("drs_task_phase") == []
        assert page.value("drs_task_collected_timestamp_seconds", collector="progress") == EPOCH


async def test_pages_come_at_least_every_six_seconds_and_at_most_one_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = cloud_of(*(sim_task(f"t{number}") for number in range(40)))
    cloud.faults = [Fault(match="type=progress", kind="slow", seconds=0.3)]
    times = []
    async with exporter_on(cloud, config_of("v5", poll={"interval": "3s"})) as exporter:
        publish = exporter.exposition.publish

        async def timed(more: Callable[[], None]) -> None:
            times.append(now())
            await publish(more)

        monkeypatch.setattr(exporter.exposition, "publish", timed)
        running = asyncio.create_task(exporter.run())
        await asyncio.sleep(60)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) > 10
    assert max(gaps) <= 6
    assert sum(gap < 1 for gap in gaps) <= 1  # the very first page, which tells of nothing, is followed at once


@pytest.mark.parametrize("turns", range(12))
async def test_no_page_shows_half_of_a_list(turns: int) -> None:
    async with exporter_on(cloud_of(), config_of(collectors=["tasks"])) as exporter:
        await exporter.poll_once()
        [store] = exporter.stores
        for size in (1, 5, 3, 0, 250, 2):
            tasks = [listed_task(f"t{number}", "PAUSING" if number % 2 else "CREATING") for number in range(size)]
            others = [listed_task(f"m{number}") for number in range(size // 2 + 1)]
            update = store.listed("v3", "sync", tasks)
            pending = [asyncio.create_task(update)]
            for _ in range(turns):
                await asyncio.sleep(0)
            pending.append(asyncio.create_task(exporter.publish()))
            pending.append(asyncio.create_task(exporter.publish()))
            await asyncio.sleep(0)
            pending.append(asyncio.create_task(store.listed("v3", "migration", others)))
            pages = []
            while not all(update.done() for update in pending):
                if exporter.exposition.page not in pages:
                    pages.append(exporter.exposition.page)
                    assert counts_match_tasks(Scrape(exporter))
                await asyncio.sleep(0)
            assert len(pages) > 1
            await asyncio.gather(*pending)
            await exporter.publish()
            assert counts_match_tasks(Scrape(exporter))


async def test_poll_once_returns_whether_everything_succeeded() -> None:
    cloud = cloud_of(sim_task("one"))
    async with exporter_on(cloud) as exporter:
        assert await exporter.poll_once()
        assert exporter.ready
        await asyncio.sleep(30)
        cloud.faults = [faults.forbidden("batch-progress")]
        assert not await exporter.poll_once()
        assert Scrape(exporter).value("drs_up") == 1
        await asyncio.sleep(30)
        cloud.faults = [faults.forbidden("jobs$")]
        assert not await exporter.poll_once()
        assert Scrape(exporter).value("drs_up") == 0


async def test_a_crash_of_a_loop_ends_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_loop: ListLoop) -> None:
        raise ZeroDivisionError

    async with exporter_on(cloud_of()) as exporter:
        monkeypatch.setattr(ListLoop, "run", crash)
        with pytest.raises(ExceptionGroup) as caught:
            await exporter.run()
        assert caught.group_contains(ZeroDivisionError)


async def test_connections_are_closed_at_the_end() -> None:
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        await exporter.poll_once()
        (http,) = (project.http for project in exporter._projects.polled.values())
        assert not http.is_closed
    assert http.is_closed


def test_a_project_without_a_name_is_called_by_its_id() -> None:
    config = from_mapping({"accounts": [account("acme", {"region": "cn-north-4", "project_id": PROJECT_ID})]})
    assert scraped(sim_task("one"), config=config).by("project", "drs_up") == {PROJECT_ID: 1}


@pytest.mark.usefixtures("published_seldom")
async def test_the_demo_shows_what_is_true_for_three_days_of_its_life() -> None:
    """Every two minutes of virtual time: the page agrees with itself, and with the cloud of half a minute ago."""
    cloud = demo_cloud(now=now, speed=60.0)
    projects = [{"region": region, "name": name, "project_id": ident} for region, name, ident in DEMO_PROJECTS]
    credentials = {"type": "ak_sk", "access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
    demo = account("demo", *projects, credentials=credentials)
    config = from_mapping(settings(demo, collectors={"tasks", "progress"}))
    seen, compared = set(), set()
    async with polling(cloud, config) as exporter:
        for _ in range(36):
            page = await Scrape.after(120, exporter)
            assert set(page.by("project", "drs_up").values()) == {1}
            assert counts_match_tasks(page)
            assert not [value for name in ("drs_tasks",) for _, value in page.samples(name) if value < 0]
            shown = {labels["task_id"]: labels["phase"] for labels, value in page.samples("drs_task_phase") if value}
            seen |= set(shown.values())
            steady = {
                ident: phase
                for world in cloud.worlds
                for ident, phase in _phases(world.everything()).items()
                if phase is not None
            }
            assert {ident: shown.get(ident) for ident in steady} == steady
            compared |= set(steady.values())
    assert compared == {"preparing", "full", "incremental", "paused", "changing", "ended", "failed"}
    assert seen >= compared | {"ending"}


def _phases(tasks: Iterable[SimTask]) -> dict[str, str | None]:
    """Phases of tasks that have had the same one, and were in the lists, since the list before the last."""
    found: dict[str, str | None] = {}
    for simulated in tasks:
        moments = [simulated.at(now() - back) for back in range(0, 40 if simulated.words.v3 else 310, 5)]
        child = simulated.role in {"child", "master", "slave"}
        phases = {(moment.id, str(phase_of(moment.status, subtask=child))) for moment in moments}
        hidden = {"DELETED", "GONE"} & {moment.status for moment in moments}
        [(ident, phase), *others] = phases
        found[ident] = None if others or hidden else phase
    return found


def test_every_action_of_the_contract_can_be_seen() -> None:
    actions = scraped(sim_task("one", status="INCRE_TRANSFER_FAILED")).by("action", "drs_task_action_available")
    assert actions.keys() == set(ACTIONS)
    assert {action for action, available in actions.items() if available} == {"RETRY", "RESET"}


def test_facts_of_polls_do_not_pile_up_before_the_garbage_collector() -> None:
    async def main() -> None:
        async with exporter_on(cloud_of(sim_task("one"))) as exporter:
            brought = [[number] for number in range(1000)]
            await exporter.publish()
            young = {id(value) for generation in (0, 1) for value in gc.get_objects(generation)}
            assert not young & {id(value) for value in brought}

    gc.collect()
    gc.disable()
    try:
        simulate(main())
    finally:
        gc.enable()
