"""The cut-over weekend: at every step the page, the API, `wait`, the metrics, the alerts and the report agree."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote
from exporter.commands.tasks import tasks_at
from exporter.commands.wait import subject_of, wait
from exporter.commands.wait_goals import GOALS
from exporter.commands.wait_sources import FromUrl
from exporter.daemon import exporter as daemon
from exporter.runtime.terminal import Screen
from exporter.web.app import application
from tests.lib.daemon import Scrape, get
from tests.lib.recordings import Recording, unit_tests
from tests.lib.remote import URL, WithPrefix
from tests.lib.rules import run_unit_tests
from tests.lib.tools import needs
from tests.lib.virtual_time import simulate
from tests.lib.weekend import EXPECTED, FIRST, RENAMED, STEPS, WAVE, weekend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exporter.daemon.exporter import Exporter

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
GROUPS = ["drs-waves", "drs-waves-ready", "drs-exporter", "drs-tasks"]
MEMBERS = {
    *(f"orders-{name}" for name in ("africa", "americas", "asia", "europe", "app", "web", "partners")),
    *("orders-stock", "orders-invoices", "orders-prices", RENAMED[1]),
}
LATE = "order-archive"
ENDED_EARLY = {"orders-africa", "orders-americas", "orders-asia"}
ENDING = {"orders-europe", "orders-app", "orders-web"}
_BLOCKED, _FAILED, _ENDED = "blocked", "failed", "ended"
STATES: dict[float, dict[str, str]] = {
    6: {"orders-stock": _BLOCKED},
    28: {"orders-stock": _BLOCKED},
    55: {"orders-stock": _BLOCKED, "orders-prices": _BLOCKED, "orders-invoices": _FAILED},
    88: {"orders-prices": _BLOCKED, "orders-invoices": _BLOCKED},
    98: {"orders-prices": _BLOCKED},
    112: {"orders-prices": _BLOCKED},
    145: {},
    165: {},
    220: {**dict.fromkeys(ENDED_EARLY, _ENDED), **dict.fromkeys(ENDING, _BLOCKED)},
    255: dict.fromkeys({*MEMBERS, LATE}, _ENDED),
}
"""By step, the states of the members that are not ready, while the wave runs."""
READY_AT = {165}
RUNNING = [step for step in STEPS if step.minutes in STATES]
each_step = pytest.mark.parametrize("minutes", [step.minutes for step in RUNNING], ids=[step.what for step in RUNNING])


def names_at(minutes: float) -> set[str]:
    """The names of the members."""
    renamed = {RENAMED[0]} if minutes < 20 else {RENAMED[1]}
    return (MEMBERS - {RENAMED[1]}) | renamed | ({LATE} if minutes > 150 else set())


def states_at(minutes: float) -> dict[str, str]:
    """The states of the members by name."""
    return {name: STATES[minutes].get(name, "ready") for name in names_at(minutes)}


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
    """

    document: dict[str, Any]
    rows: Rows
    scrape: Scrape
    table: str
    waits: dict[str, Outcome]


@dataclass
class Run:
    """A weekend: what everything has shown at each step, and the samples of each minute."""

    steps: dict[float, Seen] = field(default_factory=dict)
    recording: Recording = field(default_factory=lambda: Recording(FAMILIES))


async def look(exporter: Exporter) -> Seen:
    """Read everything that shows the wave."""
    document = json.loads((await get(exporter, f"/api/v1/waves/{WAVE}")).body)
    rows = Rows((await get(exporter, f"/waves/{WAVE}")).body)
    remote = Remote(URL, None, WithPrefix(application(exporter)))
    table = (await tasks_at(remote, Screen(), wave=WAVE)).text
    waits = {}
    for goal in ("ready", "ended"):
        waits[goal] = await wait(subject_of(FromUrl(remote), GOALS[goal], WAVE), GOALS[goal], seconds=1)
    return Seen(document, rows, Scrape(exporter), table, waits)


async def observe(folder: Path) -> Run:
    """Live through the weekend."""
    run = Run()
    async with aclosing(weekend(folder)) as minutes:
        async for minute, step, exporter in minutes:
            await exporter.publish()
            run.recording.scrape(minute, Scrape(exporter))
            if step is not None:
                run.steps[step.minutes] = await look(exporter)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daemon, "_TICK_SECONDS", 60.0)  # most of the time of a run is that of pages
        patch.setattr(daemon, "_GAP_SECONDS", 60.0)
        yield simulate(observe(tmp_path_factory.mktemp("storage")))


@each_step
def test_the_api_shows_the_truth(run: Run, minutes: float) -> None:
    document = run.steps[minutes].document
    assert {row["task_name"]: row["state"] for row in document["members"]} == states_at(minutes)
    assert (document["stage"], document["ready"]) == ("running", minutes in READY_AT)
    assert document["missing"] == EXPECTED - len(names_at(minutes))


@each_step
def test_the_metrics_agree_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert seen.scrape.by("state", "drs_wave_tasks", wave=WAVE) == seen.document["states"]
    assert seen.scrape.value("drs_wave_ready", wave=WAVE) == seen.document["ready"]
    assert seen.scrape.value("drs_wave_expected_tasks", wave=WAVE) == EXPECTED
    shown = set(seen.scrape.by("task_name", "drs_task_wave_info", wave=WAVE))
    assert shown == {row["task_name"] for row in seen.document["members"]}


@each_step
def test_the_page_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert seen.document["verdict"] in seen.rows.texts["state"]
    rows = {name: text for name, text in seen.rows.texts.items() if name.startswith(("task-", "missing-"))}
    assert rows.keys() == {f"task-{row['task_id']}" for row in seen.document["members"]}
    for row in seen.document["members"]:
        shown = words(rows[f"task-{row['task_id']}"])
        assert words(" ".join([row["task_name"], row["state"], *row["cells"].values()])) <= shown | {""}


@each_step
def test_the_command_tasks_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    assert seen.document["verdict"] in seen.table
    lines = [line.split() for line in seen.table.splitlines()]
    for row in seen.document["members"]:
        (line,) = [line for line in lines if line[:1] == [row["task_name"]]]
        assert any(word.startswith(row["cutover"] or row["phase"]) for word in line)


@each_step
def test_the_command_wait_agrees_with_the_api(run: Run, minutes: float) -> None:
    seen = run.steps[minutes]
    states = seen.document["states"]
    never = states["failed"] > 0 or states["ended"] == EXPECTED  # no task is left that can become ready
    assert seen.waits["ready"].code == (0 if seen.document["ready"] else 3 if never else 4)
    assert seen.waits["ended"].code == (0 if states["ended"] == EXPECTED else 3 if states["failed"] else 4)


@needs("promtool")
def test_the_alerts_agree_with_the_api(run: Run, tmp_path: Path) -> None:
    cases = [case for minutes, seen in run.steps.items() for case in alert_cases(minutes, seen.document)]
    run_unit_tests(tmp_path, json.dumps(unit_tests(run.recording, cases, GROUPS)), annotations=False)


def alert_cases(minutes: float, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alerts that have to fire at a step, as the API shows the wave."""
    running = document["stage"] == "running"
    states = {"ready": "DrsTaskCutoverReady", "failed": "DrsTaskFailed"}
    firing: dict[str, list[dict[str, str]]] = {
        "DrsStorageFailing": [],
        "DrsWaveReady": [{"wave": WAVE, "severity": "info"}] if document["ready"] else [],
        "DrsWaveIncomplete": [{"wave": WAVE, "severity": "warning"}] if minutes > 15 and document["missing"] else [],
    }
    for state, alert in states.items():
        rows = [row for row in document["members"] if running and row["state"] == state]
        firing[alert] = [alert_labels(row, "critical" if state == "failed" else "info") for row in rows]
    for alert, labels in firing.items():
        expected = [{"exp_labels": each} for each in labels]
        yield {"alertname": alert, "eval_time": f"{minutes - FIRST:g}m", "exp_alerts": expected}


def alert_labels(row: dict[str, Any], severity: str) -> dict[str, str]:
    """The labels of an alert about a task."""
    names = ("account", "region", "project", "task_id", "task_name")
    return {**{name: row[name] for name in names}, "root_id": row["task_id"], "severity": severity}
