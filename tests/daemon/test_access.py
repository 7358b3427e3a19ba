"""The clock of the host and the end of credentials: metrics, page and JSON."""

from __future__ import annotations

import json

from exporter.daemon.exporter import Exporter
from tests.lib import virtual_time as virtual
from tests.lib.accounts import DAY, PASSWORD, account, cloud_of, config_of
from tests.lib.commands import Dated
from tests.lib.daemon import Scrape, get
from tests.lib.html_page import ParsedPage
from tests.lib.transport import InProcess

AHEAD = 120.0


async def test_a_wrong_clock_and_the_end_of_a_token_are_in_metrics_page_and_json() -> None:
    config = config_of(account(PASSWORD))
    async with Exporter(config, transport=Dated(cloud_of(), behind=AHEAD), clock=virtual.clock) as exporter:
        await exporter.poll_once()
        scrape, page = Scrape(exporter), ParsedPage((await get(exporter, "/")).body)
        (project,) = json.loads((await get(exporter, "/api/v1/tasks")).body)["projects"]
    assert scrape.value("drs_exporter_clock_skew_seconds") == AHEAD
    end = scrape.value("drs_exporter_credentials_expire_timestamp_seconds", type="password")
    assert end == virtual.EPOCH + DAY
    assert (project["clock_skew_seconds"], project["credentials_expire_timestamp_seconds"]) == (AHEAD, end)
    assert "clock of the host 2m ahead of the cloud's" in page.text
    assert "the token is valid for 1d" in page.text


async def test_without_a_date_the_skew_is_unknown() -> None:
    async with Exporter(config_of(account(PASSWORD)), transport=InProcess(cloud_of()), clock=virtual.clock) as exporter:
        await exporter.poll_once()
        scrape, page = Scrape(exporter), ParsedPage((await get(exporter, "/")).body)
        (project,) = json.loads((await get(exporter, "/api/v1/tasks")).body)["projects"]
    assert "drs_exporter_clock_skew_seconds{" not in scrape.text
    assert project["clock_skew_seconds"] is None
    assert "clock of the host" not in page.text
