"""drs_up in every case of its definition, and whether the loops themselves are alive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exporter.simulator import Fault, faults
from exporter.store.store import Store
from tests.lib.daemon import Scrape, cloud_of, config_of, exporter_on, polling, scraped, sim_task

ONE_FAILS = (
    *(faults.broken, faults.unavailable, faults.throttled),
    *(faults.too_frequent, faults.forbidden, faults.unauthorized),
)


async def test_absent_before_the_first_poll() -> None:
    cloud = cloud_of(sim_task("one"))
    cloud.faults = [Fault(match="", kind="slow", seconds=8)]
    async with polling(cloud) as exporter:
        await asyncio.sleep(12)  # v3 has answered, v5 not yet
        page = Scrape(exporter)
        assert "drs_exporter_build_info" in page.text
        assert page.samples("drs_up") == []
        assert page.samples("drs_tasks") == []
        assert not exporter.ready
        await asyncio.sleep(6)
        assert exporter.ready
        assert Scrape(exporter).value("drs_up") == 1


@pytest.mark.parametrize(
    ("published", "api", "value"),
    [
        ({"v3", "v5"}, "auto", 1),
        ({"v3"}, "auto", 1),
        ({"v5"}, "auto", 1),
        (set(), "auto", 0),
        ({"v3"}, "v3", 1),
        ({"v5"}, "v3", 0),
        ({"v3"}, "v5", 0),
        ({"v5"}, "v5", 1),
    ],
)
def test_up_wants_a_published_generation(published: set[str], api: str, value: float) -> None:
    assert scraped(sim_task("one"), config=config_of(api), published=published).value("drs_up") == value


@pytest.mark.parametrize("fault", ONE_FAILS)
@pytest.mark.parametrize("generation", ["POST .*/v3/[^/]*/jobs$", "GET .*/v5/.*job_type=cloudDataGuard"])
def test_one_list_that_fails_in_any_way_is_enough_to_be_down(generation: str, fault: Any) -> None:
    assert scraped(sim_task("one"), faults=[fault(generation)]).value("drs_up") == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"jobs": []}',
        b'{"jobs": {}, "total_record": 0}',
        b'{"jobs": null, "total_record": 3}',
        b'{"total_record": 1}',
    ],
)
def test_a_response_that_is_no_list_never_means_no_tasks(body: bytes) -> None:
    fault = Fault(match="/jobs$", kind="body", body=body)
    page = scraped(sim_task("one"), config=config_of("v3"), faults=[fault], published={"v3"})
    assert page.by("collector", "drs_exporter_collector_success")["tasks"] == 0
    assert page.value("drs_up") == 0
    assert page.samples("drs_tasks") == []


def test_no_tasks_is_up_and_zeros() -> None:
    page = scraped()
    assert page.succeeded()
    assert page.value("drs_up") == 1
    assert [value for _, value in page.samples("drs_tasks")] == [0] * 27


@pytest.mark.usefixtures("published_seldom")
async def test_up_is_about_the_newest_due_list_so_v5_stays_down_until_it_is_listed_again() -> None:
    cloud = cloud_of(sim_task("one"))
    async with polling(cloud) as exporter:
        await asyncio.sleep(290)
        cloud.faults = [faults.forbidden("GET .*job_type=sync", times=2)]
        values: list[float | None] = []
        for _ in range(6):
            page = await Scrape.after(30 if values else 22, exporter)
            values.append(page.value("drs_up"))
        assert values == [0, 0, 1, 1, 1, 1]  # a list that failed is due at the next poll, not after five minutes


async def test_a_generation_that_becomes_unpublished_fails_until_its_tasks_expire() -> None:
    cloud = cloud_of(sim_task("v3 alone", engine="postgresql"), sim_task("both"))
    async with polling(cloud) as exporter:
        await asyncio.sleep(10)
        cloud.worlds[0].published.remove("v3")
        page = await Scrape.after(280, exporter)
        assert page.value("drs_up") == 0
        assert page.tasks() == {"v3 alone", "both"}
        page = await Scrape.after(60, exporter)
        assert page.value("drs_up") == 1
        assert page.tasks() == {"both"}
        assert page.by("api", "drs_exporter_list_success", job_type="sync") == {"v5": 1}


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize("interval", ["1s", "5s", "30s"])
async def test_an_outage_of_the_cloud_does_not_make_it_unhealthy(interval: str) -> None:
    cloud = cloud_of(sim_task("one"))
    cloud.faults = [Fault(match="", kind="slow", seconds=1000)]
    async with polling(cloud, config_of(poll={"interval": interval})) as exporter:
        for _ in range(60):
            await asyncio.sleep(10)
            assert exporter.healthy
        await exporter.publish()
        assert Scrape(exporter).value("drs_up") == 0


@pytest.mark.usefixtures("published_seldom")
async def test_many_calls_that_take_long_are_progress() -> None:
    """A collector whose poll takes longer than a loop that is stuck may be silent is alive all the while."""
    cloud = cloud_of(*(sim_task(f"t{number}") for number in range(400)))
    cloud.faults = [Fault(match="type=progress", kind="slow", seconds=9)]
    async with polling(cloud, config_of("v5", ["tasks", "progress"])) as exporter:
        for _ in range(42):
            await asyncio.sleep(10)
            assert exporter.healthy


@pytest.mark.usefixtures("published_seldom")
@pytest.mark.parametrize("stuck", ["listed", "update"])
async def test_a_loop_that_is_stuck_is_not_alive(monkeypatch: pytest.MonkeyPatch, stuck: str) -> None:
    async with polling(cloud_of(sim_task("one"))) as exporter:
        await asyncio.sleep(61)

        async def forever(*_: object, **__: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(Store, stuck, forever)
        await asyncio.sleep(290)
        assert exporter.healthy
        await asyncio.sleep(60)
        assert not exporter.healthy


async def test_a_collector_has_no_success_while_no_list_succeeds_and_a_source_is_unknown_until_it_is_queried() -> None:
    cloud = cloud_of(sim_task("orders"))
    cloud.faults = [faults.broken("/jobs")]
    async with exporter_on(cloud, config_of("v3", ("tasks", "progress", "recovery"))) as exporter:
        assert not await exporter.poll_once()
        page = Scrape(exporter)
        assert page.by("collector", "drs_exporter_collector_success") == {"tasks": 0}
        assert page.by("collector", "drs_exporter_collector_last_success_timestamp_seconds") == {}
        assert page.samples("drs_exporter_source_published") == []
        cloud.faults = []
        await asyncio.sleep(30)
        assert await exporter.poll_once()
        page = Scrape(exporter)
        assert page.by("collector", "drs_exporter_collector_success") == {"tasks": 1, "progress": 1, "recovery": 1}
        # There is no DR task to ask about.
        assert page.by("source", "drs_exporter_source_published") == {"v3_batch_progress": 1}


@pytest.mark.usefixtures("published_seldom")
async def test_a_failed_probe_of_an_unpublished_generation_leaves_the_other_up() -> None:
    cloud = cloud_of(sim_task("one"), published={"v3"})
    async with polling(cloud, config_of(collectors=["tasks"])) as exporter:
        before = await Scrape.after(3590, exporter)
        assert cloud.calls
        cloud.faults = [faults.broken("GET .*job_type")]
        cloud.worlds[0].published.add("v5")
        page = await Scrape.after(120, exporter)
        assert page.value("drs_up") == 1
        assert page.by("phase", "drs_tasks", job_type="sync") == before.by("phase", "drs_tasks", job_type="sync")
        assert not page.by("job_type", "drs_exporter_list_success", api="v5")
        cloud.faults = []
        assert (await Scrape.after(60, exporter)).by("job_type", "drs_exporter_list_success", api="v5")["sync"] == 1
