"""Reloads that fail, overlap, come too early, or meet a system without resources."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exporter.config import Config, ConfigError, NotReadyError
from exporter.daemon import exporter as exporter_module
from exporter.daemon.serve import follow, reload_reported
from exporter.polling.list_loop import ListLoop
from exporter.runtime.systemd import Systemd
from exporter.runtime.threads import DaemonPool
from tests.lib.daemon import PROJECT_ID, Scrape, exporter_on, get
from tests.lib.reloads import ALLOWED, PAYMENTS, READ_AT, STOCK, SUCCESS, clients, clouds, config, running
from tests.lib.settings import account
from tests.lib.sockets import messages, supervisor
from tests.lib.virtual_time import EPOCH, in_real_time


def broken() -> Config:
    raise ConfigError("config.yaml:3: accounts[0].nam: unknown key\nconfig.yaml:9: poll.interval: must be at least 1s")


async def test_an_invalid_configuration_changes_nothing_and_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
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


async def test_reloads_at_once_follow_each_other() -> None:
    async with running(clouds()) as daemon:
        order = iter((config(account("acme", PAYMENTS)), config(account("ink", STOCK)), config()))
        await asyncio.gather(*(daemon.exporter.reload(lambda: next(order)) for _ in range(3)))
        assert (await daemon.scrape(2)).tasks() == {"one", "dr", "two"}
        assert [poller.store.key.account for poller in daemon.exporter.pollers] == ["acme", "ink"]


async def test_a_reload_without_a_configuration_file_has_no_effect() -> None:
    async with running(clouds()) as daemon:
        before = (await daemon.scrape(1)).value(READ_AT)
        with capture_logs() as logged:
            await daemon.exporter.reload(None)
        assert [line["event"] for line in logged] == ["no configuration file: nothing to reload"]
        assert (await daemon.scrape(1)).value(READ_AT) == before


async def test_an_invalid_file_does_not_end_reloads_by_signal() -> None:
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


async def test_systemd_receives_a_failed_reload_but_not_an_interrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    async with running(clouds()) as daemon:
        with supervisor(address) as received:
            reload = partial(reload_reported, daemon.exporter, systemd=Systemd({"NOTIFY_SOCKET": address}))
            await reload(config)
            assert [text.splitlines()[0] for text in messages(received)] == ["RELOADING=1", "READY=1"]
            with pytest.raises(ConfigError):
                await reload(broken)
            _, failed = messages(received)
            assert failed.startswith("READY=1\nSTATUS=cannot use the new configuration")
            monkeypatch.setattr(daemon.exporter, "reload", lambda _: asyncio.sleep(60))
            interrupted = asyncio.create_task(reload(config))
            await asyncio.sleep(1)
            interrupted.cancel()
            await asyncio.wait([interrupted])
            assert [text.splitlines()[0] for text in messages(received)] == ["RELOADING=1"]


async def test_a_project_that_came_later_crashes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_loop: ListLoop) -> None:
        raise ZeroDivisionError

    async def reload() -> None:
        async with running(clouds(), config(account("acme", PAYMENTS))) as daemon:
            monkeypatch.setattr(ListLoop, "run", crash)
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


@in_real_time
async def test_a_file_that_does_not_respond_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = DaemonPool("test-config", threads=2, timeout=0.05)
    monkeypatch.setattr(exporter_module, "_CONFIGURATIONS", pool)
    release = threading.Event()

    def hanging() -> Config:
        release.wait()
        return config()

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
