"""The document of the report of a wave."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from exporter.commands.report_document import Report
from exporter.daemon.exporter import Exporter
from exporter.model.shard import Shard
from exporter.views.waves import SHARDED
from exporter.web.report import _REPORTS
from tests.lib.daemon import cloud_of, config_of, exporter_on, get, sim_task
from tests.lib.paths import DOCS
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, clock

PATH = "/api/v1/waves/weekend-1/report"
WAVE = {"name": "weekend-1", "include": [{"name": "orders.*"}]}


def at(seconds: float) -> str:
    return datetime.fromtimestamp(EPOCH + seconds, UTC).isoformat()


async def report_of(exporter: Exporter, path: str = PATH) -> tuple[int, Any]:
    got = await get(exporter, path)
    assert got.headers["content-type"] == "application/json"
    return got.status, json.loads(got.body)


async def test_the_document_is_what_the_command_reads() -> None:
    config = config_of(waves=[{**WAVE, "from": at(-3600), "expected": 2}])
    async with exporter_on(cloud_of(sim_task("orders-1"), sim_task("billing")), config) as exporter:
        await exporter.poll_once()
        status, document = await report_of(exporter)
    assert status == 200
    report = Report.model_validate(document)
    assert [task.task_name for task in report.tasks] == ["orders-1"]
    assert (report.stage, report.expected, report.stored, report.live) == ("running", 2, False, True)
    assert (report.start_timestamp_seconds, report.gaps[0].start_timestamp_seconds) == (EPOCH - 3600, EPOCH - 3600)


@pytest.mark.parametrize(
    ("wave", "path", "words"),
    [
        ({}, "/api/v1/waves/other/report", "No wave has this name."),
        (
            {"from": at(3600)},
            PATH,
            f"The wave begins at {at(3600)[:19].replace('T', ' ')}Z: there is nothing to report.",
        ),
    ],
    ids=["another name", "planned"],
)
async def test_without_a_wave_that_has_begun_there_is_a_reason(wave: dict[str, Any], path: str, words: str) -> None:
    async with exporter_on(cloud_of(), config_of(waves=[{**WAVE, **wave}])) as exporter:
        assert await report_of(exporter, path) == (404, {"errors": [words]})


async def test_one_of_several_shards_has_no_report() -> None:
    config = config_of(waves=[WAVE])
    async with Exporter(config, transport=InProcess(cloud_of()), clock=clock, shard=Shard(0, 2)) as exporter:
        assert await report_of(exporter) == (404, {"errors": [SHARDED]})


async def test_a_report_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_REPORTS, "timeout", 0.0)
    async with exporter_on(cloud_of(), config_of(waves=[WAVE])) as exporter:
        status, document = await report_of(exporter)
    assert (status, document) == (503, {"errors": ["The exporter computes other reports: try again in a minute."]})


async def test_every_key_of_the_document_is_in_the_documentation() -> None:
    async with exporter_on(cloud_of(sim_task("orders-1")), config_of(waves=[WAVE])) as exporter:
        await exporter.poll_once()
        _, document = await report_of(exporter)
    text = (DOCS / "api.md").read_text().partition("## /api/v1/waves/NAME/report")[2].partition("\n## ")[0]
    missing = [key for key in (*document, *document["tasks"][0], *document["totals"]) if f"`{key}`" not in text]
    assert missing == []
