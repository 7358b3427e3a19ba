"""Everything that shows the wave of a cut-over weekend, read at each step."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote
from exporter.commands.report import as_json, html_in, report_at, report_of
from exporter.commands.tasks import tasks_at
from exporter.commands.wait import subject_of, wait
from exporter.commands.wait_goals import GOALS
from exporter.commands.wait_sources import FromUrl
from exporter.daemon.exporter import Exporter
from exporter.runtime.terminal import Screen
from exporter.web.app import application
from tests.lib.daemon import Scrape, get
from tests.lib.recordings import Recording
from tests.lib.remote import URL, WithPrefix
from tests.lib.virtual_time import now
from tests.lib.weekend import ALL_RULES, WAVE, weekend, weekend_config

FAMILIES = (
    "drs_exporter_shard_info",
    "drs_exporter_storage_success",
    "drs_task_cutover_ready",
    "drs_task_phase",
    "drs_task_status",
    "drs_task_wave_info",
    "drs_wave_expected_tasks",
    "drs_wave_ready",
    "drs_wave_tasks",
)
"""The families that the alerts of the weekend read."""


class Rows(HTMLParser):
    """The text of the rows of the table of tasks of a page, and of its section about the state of the wave.

    Attributes:
        texts: by the id of the element.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._element = ""
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"section", "tr"}:
            self._element = dict(attrs).get("id") or ""

    def handle_data(self, data: str) -> None:
        self.texts[self._element] = f"{self.texts.get(self._element, '')} {data}"


def words(text: str) -> set[str]:
    """The words of a text."""
    return set(re.split(r"[\s,;:]+", text))


@dataclass
class Seen:
    """What everything shows at one step.

    Attributes:
        document: of the API.
        rows: of the page.
        scrape: the metrics.
        table: what `tasks --wave` prints.
        waits: how `wait --wave` ends at once, by its goal.
        report: the document of the report; none before the wave begins.
        html: the report.
    """

    document: dict[str, Any]
    rows: Rows
    scrape: Scrape
    table: str
    waits: dict[str, Outcome]
    report: dict[str, Any]
    html: str


@dataclass
class Run:
    """A weekend.

    Attributes:
        steps: what everything has shown at each step.
        recording: the samples of each minute.
        archived: the report that is read from the storage after the exporter has ended.
    """

    steps: dict[float, Seen] = field(default_factory=dict)
    recording: Recording = field(default_factory=lambda: Recording(FAMILIES))
    archived: dict[str, Any] = field(default_factory=dict)


async def document_of(exporter: Exporter) -> dict[str, Any]:
    """The document of the wave, without the time of the response."""
    document: dict[str, Any] = json.loads((await get(exporter, f"/api/v1/waves/{WAVE}")).body)
    return {name: value for name, value in document.items() if name != "now_timestamp_seconds"}


async def look(exporter: Exporter) -> Seen:
    """Read everything that shows the wave, without a response of the cloud in between."""
    remote = Remote(URL, None, WithPrefix(application(exporter)))
    while True:
        await exporter.publish()
        document, scrape = await document_of(exporter), Scrape(exporter)
        rows = Rows((await get(exporter, f"/waves/{WAVE}")).body)
        table = (await tasks_at(remote, Screen(), wave=WAVE)).text
        planned = document["stage"] == "planned"
        report = "{}" if planned else (await report_at(remote, WAVE, as_json)).text
        html = "" if planned else (await report_at(remote, WAVE, html_in(UTC))).text
        if await document_of(exporter) == document:
            break
        await asyncio.sleep(1)
    waits = {}
    for goal in ("ready", "ended"):
        waits[goal] = await wait(subject_of(FromUrl(remote), GOALS[goal], WAVE), GOALS[goal], seconds=1)
    return Seen(document, rows, scrape, table, waits, json.loads(report), html)


async def observe(folder: Path) -> Run:
    """Live through the weekend."""
    run = Run()
    async with aclosing(weekend(folder)) as minutes:
        async for minute, step, exporter in minutes:
            await exporter.publish()
            run.recording.scrape(minute, Scrape(exporter))
            if step is not None:
                run.steps[step.minutes] = await look(exporter)
    run.archived = json.loads((await report_of(weekend_config(folder, ALL_RULES), WAVE, as_json, now())).text)
    return run
