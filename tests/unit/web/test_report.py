"""The document of the report of a wave."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from exporter.commands.report_document import Report
from exporter.daemon.exporter import Exporter
from exporter.model.events import Event
from exporter.model.shard import Shard
from exporter.model.task import ProjectKey
from exporter.model.timeline import Point
from exporter.storage import Run, Storage
from exporter.views.waves import SHARDED
from exporter.web.app import application
from exporter.web.report import _REPORTS, SECONDS
from tests.lib.daemon import cloud_of, config_of, exporter_on, get, sim_task
from tests.lib.paths import DOCS
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, clock, simulated

PATH = "/api/v1/waves/weekend-1/report"
LATE = (
    "There is no report after 30 s: the exporter computes other ones, or this one takes longer. Try again in a minute."
)
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
    assert (status, document) == (503, {"errors": [LATE]})


class SlowStorage(Storage):
    """A storage on a slow disk, or one whose file cannot be read; counts how many reports read it at the same time."""

    enabled = True

    def __init__(self, seconds: float, *, readable: bool = True) -> None:
        self._seconds = seconds
        self._readable = readable
        self._readers = self.most_readers = 0

    async def read_runs(self, since: float, until: float) -> list[Run] | None:
        self._readers += 1
        self.most_readers = max(self._readers, self.most_readers)
        await asyncio.sleep(self._seconds)
        self._readers -= 1
        return [Run(since, until)] if self._readable else None

    async def read_events(self, since: float, until: float, tasks: Any = None) -> list[Event]:
        return []

    async def read_points(self, key: ProjectKey, task_id: str, since: float, until: float) -> list[Point]:
        return []


@simulated
async def crowd_on(storage: SlowStorage, clients: int) -> list[tuple[int, Any]]:
    async with exporter_on(cloud_of(), config_of(waves=[WAVE])) as exporter:
        await exporter.poll_once()
        exporter.storage = storage
        transport = httpx.ASGITransport(app=application(exporter))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            responses = await asyncio.gather(*(client.get(PATH) for _ in range(clients)))
        return [(response.status_code, response.json().get("errors")) for response in responses]


def test_a_crowd_gets_reports_one_after_the_other_or_is_told_to_return() -> None:
    storage = SlowStorage(SECONDS / 3 + 1)
    assert crowd_on(storage, 4) == [
        *2 * [(200, None)],
        *2 * [(503, [LATE])],
    ]
    assert storage.most_readers == 1


def test_a_storage_that_cannot_be_read_makes_no_report_in_which_nothing_happened() -> None:
    words = "The storage cannot be read now, and without it the report would lack what happened: try again later."
    assert crowd_on(SlowStorage(0, readable=False), 1) == [(503, [words])]


async def test_every_key_of_the_document_is_in_the_documentation() -> None:
    async with exporter_on(cloud_of(sim_task("orders-1")), config_of(waves=[WAVE])) as exporter:
        await exporter.poll_once()
        _, document = await report_of(exporter)
    text = (DOCS / "api.md").read_text().partition("## /api/v1/waves/NAME/report")[2].partition("\n## ")[0]
    missing = [key for key in (*document, *document["tasks"][0], *document["totals"]) if f"`{key}`" not in text]
    assert missing == []
