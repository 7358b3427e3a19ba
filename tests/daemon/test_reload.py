"""Another configuration in place of the one that runs: what stays, what is removed, and what a scrape contains."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exporter.config import Collectors
from tests.lib.daemon import HOUR, Scrape, calls, get
from tests.lib.reloads import ALLOWED, OTHER_ID, PAYMENTS, READ_AT, STOCK, SUCCESS, clients, clouds, config, running
from tests.lib.settings import account
from tests.lib.virtual_time import EPOCH, now, simulate


def test_projects_whose_settings_are_equal_are_not_touched() -> None:
    """There is no additional call and no additional poll, whatever their order in the file."""

    async def main(*, reload: bool) -> tuple[object, list[str]]:
        cloud = clouds()
        async with running(cloud) as daemon:
            before = daemon.exporter.pollers
            if reload:
                await daemon.reload(config(account("ink", STOCK), account("acme", PAYMENTS)))
                assert daemon.exporter.pollers == before[::-1]
            page = await daemon.scrape(65)
            return calls(cloud), sorted(line for line in page.text.splitlines() if line.startswith("drs_task"))

    assert simulate(main(reload=True)) == simulate(main(reload=False))


CHANGES: dict[str, dict[str, Any]] = {
    "interval": {"poll": {"interval": "10s"}},
    "ages": {"poll": {"stale_after": "1m"}},
    "rate": {"poll": {"rate_limit": 7.0}},
    "tags": {"tasks": {"tag_labels": ["team"]}},
    "cut-over": {"cutover": {"max_delay": "1h"}},
    "time-out": {"poll": {"timeout": "3s"}},
    "filter": {"tasks": {"exclude": [{"name": "nobody"}]}},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_project_that_is_polled_in_another_way_keeps_every_series_and_counter(change: str) -> None:
    cloud = clouds()
    async with running(cloud) as daemon:
        cloud.worlds[0].task("one").pin("PAUSING")
        before = await daemon.scrape(100)
        assert before.value("drs_task_phase_changes_total", task_name="one") == 1
        watching = asyncio.create_task(daemon.watch())
        other = daemon.exporter.pollers[1]
        await daemon.reload(config(account("acme", PAYMENTS, **CHANGES[change]), account("ink", STOCK)))
        await asyncio.sleep(100)
        watching.cancel()
        assert len(daemon.pages) > 5
        assert daemon.exporter.pollers[1] is other
        series = kept(before)
        for page in daemon.pages:
            assert kept(page) == series
            for counter in ("drs_task_phase_changes_total", "drs_task_phase_changed_timestamp_seconds"):
                assert page.by("task_name", counter) == before.by("task_name", counter)
            (requests,) = (page.value(name, **LISTED) for name in ("drs_exporter_api_requests_total",))
            assert requests is not None
            assert requests >= (before.value("drs_exporter_api_requests_total", **LISTED) or 0) > 0


@pytest.mark.usefixtures("published_seldom")
async def test_a_reload_keeps_the_measured_intervals_so_that_no_value_expires_earlier() -> None:
    """Calls that have to wait make values live longer; a new poller has seen no update yet."""
    slow = {"poll": {"rate_limit": 0.02, "burst": 1}}
    async with running(clouds(), config(account("acme", PAYMENTS, **slow))) as daemon:
        await asyncio.sleep(1800)
        measured = daemon.exporter.stores[0].ages.interval("progress")
        assert measured > 45
        await daemon.reload(config(account("acme", PAYMENTS, **slow, cutover={"max_delay": "1h"})))
        assert daemon.exporter.stores[0].ages.interval("progress") >= measured


LISTED = {"account": "acme", "operation": "v3_list_jobs", "code": "200"}


def kept(page: Scrape) -> set[tuple[str, ...]]:
    """All series of tasks and projects, but for what the change itself is about."""
    return {
        (name, *(f"{key}={value}" for key, value in sorted(labels.items()) if not key.startswith("tag_")))
        for name in page.names()
        if not name.startswith(("drs_exporter_api_", "process_", "python_"))
        for labels, _ in page.samples(name)
    }


async def test_the_first_configuration_is_as_old_as_the_process_and_a_new_rate_limit_is_shown() -> None:
    async with running(clouds()) as daemon:
        page = await daemon.scrape()
        assert page.value(SUCCESS) == 1
        assert page.value(READ_AT) == EPOCH
        await daemon.reload(config(account("acme", PAYMENTS, poll={"rate_limit": 7.0}), account("ink", STOCK)))
        assert Scrape(daemon.exporter).by("account", ALLOWED) == {"acme": 7, "ink": 1000}


async def test_labels_of_tags_come_and_go_and_no_name_changes_its_key() -> None:
    async with running(clouds(), config(account("acme", PAYMENTS, tasks={"tag_labels": ["team"]}))) as daemon:

        async def tags(*keys: str) -> dict[str, str]:
            await daemon.reload(config(account("acme", PAYMENTS, tasks={"tag_labels": keys})))
            page = await daemon.scrape(5)
            ((labels, _),) = page.samples("drs_task_detail_info", task_name="one")
            return {name: value for name, value in labels.items() if name.startswith("tag_")}

        assert await tags("owner", "team") == {"tag_owner": "me", "tag_team": "db"}
        assert await tags("owner") == {"tag_owner": "me"}
        assert await tags() == {}


async def test_the_families_for_audits_come_and_go_with_their_setting() -> None:
    async with running(clouds()) as daemon:
        shown = []
        for audit in (False, True, False):
            detail = {"detail": {"audit": audit}}
            await daemon.reload(config(account("acme", PAYMENTS, collectors=detail), account("ink", STOCK)))
            samples = (await daemon.scrape(5)).samples("drs_task_network_info")
            shown.append({labels["account"] for labels, _ in samples})
        assert shown == [set(), {"acme"}, set()]


@pytest.mark.usefixtures("published_seldom")
async def test_what_is_not_polled_any_more_is_removed_and_is_no_fault() -> None:
    """A job type, a collector: what is left is as if they had never been."""
    async with running(clouds()) as daemon:
        fewer_types = account("acme", PAYMENTS, tasks={"job_types": ["sync", "migration"]})
        lists = {"enabled": True}
        fewer = {name: lists if name == "tasks" else {"enabled": False} for name in Collectors.model_fields}
        await daemon.reload(config(fewer_types, account("ink", STOCK)))
        page = Scrape(daemon.exporter)
        assert page.tasks() == {"one", "two"}
        await daemon.reload(config(account("acme", PAYMENTS, collectors=fewer)))
        page = Scrape(daemon.exporter)
        assert page.samples("drs_task_incremental_delay_seconds") == []
        assert page.by("collector", "drs_exporter_collector_success") == {"tasks": 1}
        for _ in range(30):
            page = await daemon.scrape(60)
            assert page.value("drs_up") == 1
            assert page.value("drs_tasks", job_type="cloudDataGuard", phase="incremental") == 1
            assert page.tasks() == {"one", "dr"}


async def test_a_project_or_task_that_is_removed_leaves_nothing_and_one_that_is_added_is_shown() -> None:
    async with running(clouds(), config(account("acme", PAYMENTS))) as daemon:
        await daemon.reload(config(account("acme", PAYMENTS, tasks={"exclude": [{"name": "o.*"}]})))
        assert (await daemon.scrape(2)).tasks() == {"dr"}
        await daemon.reload(config(account("ink", STOCK)))
        assert (await get(daemon.exporter, "/-/ready")).status == 200
        assert '"acme"' not in Scrape(daemon.exporter).text
        page = await daemon.scrape(2)
        assert page.tasks() == {"two"}
        assert page.by("account", "drs_up") == {"ink": 1}
        assert '"acme"' not in (await daemon.scrape(400)).text


async def test_another_project_under_the_same_name_shows_nothing_of_the_one_before() -> None:
    async with running(clouds(), config(account("acme", PAYMENTS))) as daemon:
        await daemon.reload(config(account("acme", {**PAYMENTS, "project_id": OTHER_ID})))
        assert Scrape(daemon.exporter).tasks() == set()
        assert (await daemon.scrape(2)).tasks() == {"two"}


@pytest.mark.usefixtures("published_seldom")
async def test_facts_age_on_where_the_new_credentials_are_refused() -> None:
    async with running(clouds(), config(account("acme", PAYMENTS))) as daemon:
        wrong = {"type": "ak_sk", "access_key": "AK", "secret_key": "wrong"}
        await daemon.reload(config(account("acme", PAYMENTS, credentials=wrong)))
        page = await daemon.scrape(60)
        assert page.value("drs_up") == 0
        assert page.tasks() == {"one", "dr"}
        page = await daemon.scrape(300)
        assert page.samples("drs_task_phase") == []
        assert page.samples("drs_tasks") == []


async def test_a_project_may_go_over_to_another_account() -> None:
    async with running(clouds()) as daemon:
        await daemon.reload(config(account("acme", STOCK), account("ink", PAYMENTS)))
        page = await daemon.scrape(2)
        assert page.by("account", "drs_up") == {"acme": 1, "ink": 1}
        assert page.samples("drs_task_info", account="acme", task_name="two")


@pytest.mark.usefixtures("published_seldom")
async def test_fifty_reloads_leave_no_task_connection_or_series_behind() -> None:
    small = account("acme", PAYMENTS, poll={"interval": "20s"})
    turns = (
        config(),
        config(small),
        config(account("acme", PAYMENTS, STOCK, poll={"rate_limit": 5.0})),
        config(account("ink", PAYMENTS), account("acme", STOCK)),
        config(account("third", STOCK, tasks={"tag_labels": ["team"]})),
    )
    seen = set()
    async with running(clouds()) as daemon:
        for _ in range(10):
            for wanted in (*turns[1:], turns[0]):
                await daemon.reload(wanted)
                await asyncio.sleep(1.7)  # during a poll, or between two
            page = await daemon.scrape(70)
            series = sum(not line.startswith(("#", "process_", "python_")) for line in page.text.splitlines())
            await asyncio.sleep(0)
            seen.add((len(asyncio.all_tasks()), clients(), series, len(daemon.exporter._projects._schedulers)))
    assert len(seen) == 1, seen


@pytest.mark.usefixtures("published_seldom")
async def test_the_history_of_a_task_outlives_a_reload_and_not_a_restart() -> None:
    cloud = clouds()
    async with running(cloud) as daemon:
        await asyncio.sleep(300)
        await daemon.reload(config(account("acme", PAYMENTS, poll={"interval": "10s"}), account("ink", STOCK)))
        await asyncio.sleep(300)
        histories = [
            store.timeline(task.identity.task_id) for store in daemon.exporter.stores for task in store.tasks()
        ]
        assert [timeline and timeline.since for timeline in histories] == [EPOCH] * 3
        for timeline in filter(None, histories):
            points = timeline.points(HOUR)
            assert [round((point.at - EPOCH) / 60) for point in points] == [*range(len(points))]
    restarted = now()
    async with running(cloud) as daemon:
        await asyncio.sleep(10)
        store, *_ = daemon.exporter.stores
        timelines = [store.timeline(task.identity.task_id) for task in store.tasks()]
        assert [timeline and timeline.since >= restarted for timeline in timelines] == [True, True]


async def test_the_history_of_a_task_that_a_reload_excludes_is_removed() -> None:
    async with running(clouds()) as daemon:
        await asyncio.sleep(60)
        (task, *_), store = daemon.exporter.stores[0].tasks(), daemon.exporter.stores[0]
        assert store.timeline(task.identity.task_id)
        excluded = {"exclude": [{"name": task.identity.task_name}]}
        await daemon.reload(config(account("acme", PAYMENTS, tasks=excluded), account("ink", STOCK)))
        await asyncio.sleep(60)
        assert daemon.exporter.stores[0].timeline(task.identity.task_id) is None
