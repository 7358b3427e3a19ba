"""A storage in the whole daemon, in virtual time: its metrics, its faults, and a reload that changes its settings."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exporter.storage.folder import FILE
from tests.lib.daemon import PROJECT, Scrape
from tests.lib.stored_cloud import MINUTE, Cloud, configuration
from tests.lib.virtual_time import simulated

pytestmark = pytest.mark.usefixtures("published_seldom")

READY = "drs_task_cutover_ready"


@simulated
async def test_the_storage_of_ten_minutes_has_its_metrics_and_no_errors(folder: Path) -> None:
    cloud = Cloud()
    async with cloud.polling(folder) as exporter:
        page = await Scrape.after(10 * MINUTE, exporter)
        assert page.value("drs_exporter_storage_success") == 1
        assert page.value("drs_exporter_storage_errors_total") == 0
        assert page.value("drs_exporter_storage_dropped_total") == 0
        assert 50_000 < (page.value("drs_exporter_storage_size_bytes") or 0) < 2_000_000


@simulated
async def test_a_storage_that_cannot_be_used_is_counted_and_the_polls_go_on(folder: Path) -> None:
    os.close(os.open(folder, os.O_CREAT))  # no directory
    cloud = Cloud()
    async with cloud.polling(folder / "below") as exporter:
        page = await Scrape.after(5 * MINUTE, exporter)
        assert page.value("drs_exporter_storage_success") == 0
        assert 10 < (page.value("drs_exporter_storage_errors_total") or 0) < 100
        assert page.value("drs_exporter_storage_size_bytes") is None
        assert page.value("drs_up", **PROJECT) == 1
        assert page.value(READY, task_name="orders") == 1
        os.unlink(folder)  # noqa: PTH108 - no wait
        cloud.paused.pin("PAUSING")
        page = await Scrape.after(MINUTE, exporter)
        assert page.value("drs_exporter_storage_success") == 1
    with closing(sqlite3.connect(folder / "below" / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (5,)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)


@simulated
async def test_two_exporters_do_not_use_one_directory(folder: Path) -> None:
    cloud = Cloud()
    async with cloud.polling(folder), cloud.polling(folder) as second:
        page = await Scrape.after(MINUTE, second)
        assert page.value("drs_exporter_storage_success") == 0
        assert page.value("drs_up", **PROJECT) == 1
    async with cloud.polling(folder) as alone:
        assert (await Scrape.after(MINUTE, alone)).value("drs_exporter_storage_success") == 1


@simulated
async def test_a_reload_that_changes_the_path_changes_the_limits_and_keeps_the_file_until_a_restart(
    folder: Path,
) -> None:
    cloud, other = Cloud(), folder.with_name("other")
    async with cloud.polling(folder) as exporter:
        await asyncio.sleep(MINUTE)
        with capture_logs() as lines:
            await exporter.reload(lambda: configuration(other, storage={"path": str(other), "keep": "2d"}))
        (line,) = [line for line in lines if line["log_level"] == "warning"]
        assert (line["event"], line["in_use"]) == ("a new storage.path is used only after a restart", str(folder))
        page = await Scrape.after(MINUTE, exporter)
        assert page.value("drs_exporter_storage_success") == 1
    assert os.path.exists(folder / FILE)  # noqa: ASYNC240, PTH110 - no wait
    assert not os.path.exists(other)  # noqa: ASYNC240, PTH110 - no wait
