"""Another configuration in place of the one that runs: what stays, what goes, and what a scrape sees meanwhile."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from exporter.config import Collectors, ConfigError, NotReadyError, from_mapping
from exporter.daemon import exporter as exporter_module
from exporter.daemon.serve import follow
from exporter.polling.poller import Poller
from exporter.runtime.threads import DaemonPool
from exporter.simulator import World
from tests.lib.daemon import PROJECT_ID, Scrape, account, calls, cloud_of, exporter_on, get, sim
from tests.lib.virtual_time import EPOCH, now, simulate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from exporter.config import Config
    from exporter.daemon.exporter import Exporter
    from exporter.simulator import SimulatedCloud

OTHER_ID = "5237e10fe9aa4ad5b16b6a5245248314"
PAYMENTS = {"region": "cn-north-4", "name": "payments", "project_id": PROJECT_ID}
STOCK = {"region": "cn-north-4", "name": "stock", "project_id": OTHER_ID}
SUCCESS = "drs_exporter_config_last_reload_successful"
READ_AT = "drs_exporter_config_last_reload_success_timestamp_seconds"
ALLOWED = "drs_exporter_api_rate_limit_calls_per_second"


def config(*accounts: dict[str, Any], **sections: Any) -> Config:
    """With collectors of lists, progress, node and details, unless `collectors` are given."""
    enabled = {"tasks", "progress", "node", "detail"}
    return from_mapping(
        {
            "accounts": accounts or (account("acme", PAYMENTS), account("ink", STOCK)),
            "collectors": {name: {"enabled": name in enabled} for name in Collectors.model_fields},
            **sections,
            "poll": {"rate_limit": 1000.0, "burst": 1000, **sections.get("poll", {})},
        }
    )


def clouds() -> SimulatedCloud:
    """A project with the tasks `one` and `dr`, another with the task `two`."""
    cloud = cloud_of(sim("one", tags={"team": "db", "owner": "me"}), sim("dr", scenario="cloudDataGuard"))
    cloud.worlds.append(World(project_id=OTHER_ID, tasks=[sim("two")], now=now))
    return cloud


class Running:
    """A daemon that polls, and each of its pages."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter
        self.pages: list[Scrape] = []

    async def watch(self) -> None:
        """Scrape every page."""
        last = None
        while True:
            if self.exporter.board.page is not last:
                last = self.exporter.board.page
                self.pages.append(Scrape(self.exporter))
            await asyncio.sleep(0.1)

    async def reload(self, wanted: Config) -> None:
        await self.exporter.reload(lambda: wanted)

    async def scrape(self, seconds: float = 0.0) -> Scrape:
        await asyncio.sleep(seconds)
        await self.exporter.publish()
        return Scrape(self.exporter)


@asynccontextmanager
async def running(cloud: SimulatedCloud, wanted: Config | None = None) -> AsyncIterator[Running]:
    """After two polls; a crash is raised at the end."""
    async with exporter_on(cloud, wanted or config()) as exporter, asyncio.TaskGroup() as group:
        polling = group.create_task(exporter.run())
        await asyncio.sleep(40)
        yield Running(exporter)
        polling.cancel()


def clients() -> int:
    """Connections that are open."""
    gc.collect()
    return sum(isinstance(one, httpx.AsyncClient) and not one.is_closed for one in gc.get_objects())


def broken() -> Config:
    raise ConfigError("config.yaml:3: accounts[0].nam: unknown key\nconfig.yaml:9: poll.interval: must be at least 1s")


async def test_at_the_start_the_configuration_is_good_and_as_old_as_the_process() -> None:
    async with running(clouds()) as daemon:
        page = await daemon.scrape()
        assert page.value(SUCCESS) == 1
        assert page.value(READ_AT) == EPOCH


async def test_one_that_cannot_be_used_changes_nothing_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(clouds()) as daemon:
        pollers = daemon.exporter.pollers
        with pytest.raises(ConfigError, match="unknown key"):
            await daemon.exporter.reload(broken)
        page = Scrape(daemon.exporter)
        assert page.value(SUCCESS) == 0
        assert page.value(READ_AT) == EPOCH
        assert page.tasks() == {"one", "dr", "two"}
        assert daemon.exporter.pollers == pollers
        await daemon.reload(config())
        page = Scrape(daemon.exporter)
        assert page.value(SUCCESS) == 1
        assert page.value(READ_AT) == EPOCH + 40
    told = [line for line in capsys.readouterr().out.splitlines() if "the old one stays in use" in line]
    assert len(told) == 1
    assert "config.yaml:3: accounts[0].nam: unknown key; config.yaml:9: poll.interval: must be" in told[0]


def test_projects_whose_settings_are_equal_are_not_touched() -> None:
    """Neither a call more nor a poll that begins anew, wherever they stand in the file."""

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
        before = await daemon.scrape(40)
        assert before.value("drs_task_phase_changes_total", task_name="one") == 1
        watching = asyncio.create_task(daemon.watch())
        other = daemon.exporter.pollers[1]
        await daemon.reload(config(account("acme", PAYMENTS, **CHANGES[change]), account("ink", STOCK)))
        await asyncio.sleep(100)
        watching.cancel()
        assert len(daemon.pages) > 5
        assert daemon.exporter.pollers[1] is other
        for page in daemon.pages:
            assert kept(page, change) == kept(before, change)
            for counter in ("drs_task_phase_changes_total", "drs_task_phase_changed_timestamp_seconds"):
                assert page.by("task_name", counter) == before.by("task_name", counter)
            (requests,) = (page.value(name, **LISTED) for name in ("drs_exporter_api_requests_total",))
            assert requests is not None
            assert requests >= (before.value("drs_exporter_api_requests_total", **LISTED) or 0) > 0


LISTED = {"account": "acme", "operation": "v3_list_jobs", "code": "200"}


def kept(page: Scrape, change: str) -> set[tuple[str, ...]]:
    """All series of tasks and projects, but for what the change itself is about."""
    return {
        (name, *(f"{key}={value}" for key, value in sorted(labels.items()) if not key.startswith("tag_")))
        for name in page.names()
        if not name.startswith(("drs_exporter_api_", "process_", "python_"))
        for labels, _ in page.samples(name)
    }


async def test_a_new_allowance_holds_and_is_shown() -> None:
    async with running(clouds()) as daemon:
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


async def test_what_is_not_asked_for_any_more_goes_and_is_no_fault() -> None:
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


async def test_a_task_that_the_new_rules_leave_out_goes_with_the_next_list() -> None:
    async with running(clouds()) as daemon:
        await daemon.reload(config(account("acme", PAYMENTS, tasks={"exclude": [{"name": "o.*"}]})))
        assert (await daemon.scrape(2)).tasks() == {"dr"}


async def test_a_project_that_is_removed_leaves_nothing_and_one_that_is_added_comes() -> None:
    async with running(clouds(), config(account("acme", PAYMENTS))) as daemon:
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


async def test_a_project_that_another_account_has_found_already_is_not_taken_from_it() -> None:
    """And what was connected before that came out is closed again, and leaves no series."""
    cloud = clouds()
    del cloud.worlds[1]  # two have the name of the region
    first = account("acme", regions=["cn-north-4"])
    async with running(cloud, config(first)) as daemon:
        assert (await daemon.scrape()).value("drs_up") == 1
        before = clients()
        for _ in range(2):
            with pytest.raises(ConfigError, match=f"{PROJECT_ID} is polled by account acme"):
                await daemon.reload(config(first, account("new", STOCK), account("ink", PAYMENTS)))
            assert clients() == before
            page = await daemon.scrape(40)
            assert page.value(SUCCESS) == 0
            assert page.by("account", ALLOWED) == {"acme": 1000}
            assert '"ink"' not in page.text
            assert '"new"' not in page.text


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
                await asyncio.sleep(1.7)  # amid a poll, or not
            page = await daemon.scrape(70)
            series = sum(not line.startswith(("#", "process_", "python_")) for line in page.text.splitlines())
            await asyncio.sleep(0)
            seen.add((len(asyncio.all_tasks()), clients(), series, len(daemon.exporter._projects._budgets)))
    assert len(seen) == 1, seen


async def test_reloads_at_once_follow_each_other() -> None:
    async with running(clouds()) as daemon:
        order = iter((config(account("acme", PAYMENTS)), config(account("ink", STOCK)), config()))
        await asyncio.gather(*(daemon.exporter.reload(lambda: next(order)) for _ in range(3)))
        assert (await daemon.scrape(2)).tasks() == {"one", "dr", "two"}
        assert [poller.store.key.account for poller in daemon.exporter.pollers] == ["acme", "ink"]


async def test_a_fault_in_the_file_does_not_end_who_follows_the_signal() -> None:
    async with running(clouds()) as daemon:
        loads = iter((broken, config))
        requested = asyncio.Event()

        def load() -> Config:
            return next(loads)()

        following = asyncio.create_task(follow(requested, partial(daemon.exporter.reload, load)))
        for outcome in (0, 1):
            requested.set()
            assert (await daemon.scrape(1)).value(SUCCESS) == outcome
        following.cancel()


async def test_a_project_that_came_later_crashes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(self: Poller, collector: str) -> None:
        raise ZeroDivisionError

    async def reload() -> None:
        async with running(clouds(), config(account("acme", PAYMENTS))) as daemon:
            monkeypatch.setattr(Poller, "poll", crash)
            await daemon.reload(config(account("ink", STOCK)))
            await asyncio.sleep(1)

    with pytest.raises(ExceptionGroup) as caught:
        await reload()
    assert caught.group_contains(ZeroDivisionError)


async def test_a_reload_before_the_first_poll_leaves_it_unready() -> None:
    async with exporter_on(clouds(), config(account("acme", PAYMENTS))) as exporter:
        await exporter.reload(config)
        assert (await get(exporter, "/-/ready")).status == 503
        assert await exporter.poll_once()
        assert (await get(exporter, "/-/ready")).status == 200
        assert Scrape(exporter).tasks() == {"one", "dr", "two"}


async def test_where_the_system_starts_no_thread_the_configuration_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async with exporter_on(clouds(), config()) as exporter:
        await exporter.poll_once()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(NotReadyError, match="cannot be read: the system can start no thread"):
                await exporter.reload(config)
        assert Scrape(exporter).value(SUCCESS) == 0
        await exporter.reload(config)
        assert Scrape(exporter).value(SUCCESS) == 1


def test_a_file_that_does_not_respond_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = DaemonPool("test-config", threads=2, timeout=0.05)
    monkeypatch.setattr(exporter_module, "_CONFIGURATIONS", pool)
    release = threading.Event()

    def hanging() -> Config:
        release.wait()
        return config()

    async def main() -> None:
        async with exporter_on(clouds(), config()) as exporter:
            await exporter.poll_once()
            with pytest.raises(NotReadyError, match=r"not read within 0\.05 s: a file does not respond"):
                await exporter.reload(hanging)
            page = Scrape(exporter)
            assert (page.value(SUCCESS), page.tasks()) == (0, {"one", "dr", "two"})
            pool.timeout = 30
            release.set()
            await exporter.reload(config)
            assert Scrape(exporter).value(SUCCESS) == 1

    asyncio.run(main())


async def test_a_key_in_a_file_is_read_again_after_a_reload(tmp_path: Path) -> None:
    cloud, secret = clouds(), tmp_path / "sk"
    secret.write_text("SK")
    keys = {"type": "ak_sk", "access_key": "AK", "secret_key": {"file": str(secret)}}
    first = account("acme", PAYMENTS, credentials=keys)
    async with running(cloud, config(first)) as daemon:
        await daemon.reload(config(first, poll={"interval": "20s"}))
        cloud.keys["AK"] = "another key"
        assert (await daemon.scrape(30)).value("drs_up") == 0
        secret.write_text("another key\n")
        assert (await daemon.scrape(120)).value("drs_up") == 1
