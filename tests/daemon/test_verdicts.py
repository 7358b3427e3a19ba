"""The verdict in each situation, alike in the metrics, the API, `explain` and the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from exporter.commands.documents import ExplainedTask
from exporter.commands.explain import as_text
from exporter.config import Links
from exporter.daemon.exporter import Exporter
from exporter.model.events import EventLog
from exporter.model.known_facts import TASK_FACTS
from exporter.model.task import Task
from exporter.storage import Storage
from tests.lib.daemon import StoreFixture, get
from tests.lib.scenarios import BLOCKS, FINE, KINDS, SCENARIOS, Scenario, by_kind, compared, progress
from tests.lib.verdicts import PLAIN, ready
from tests.lib.virtual_time import clock

BLOCKER, UNCHECKED = "drs_task_cutover_blocker", "drs_task_cutover_unchecked"
_TEXT_ROW = re.compile(r"^  (?!reason )(\w+) +(blocks|no|unknown|unpublished|ignored) ", re.MULTILINE)
_WORDS = {"no": FINE, "ignored by the settings": "ignored", "not published in this region": "unpublished"}
_PAGE_ROW = re.compile(r'<tr id="reason-(\w+)">.*?<td data-name="Result"><span class="[^"]*">([\w ]+)<', re.DOTALL)


@dataclass
class Shown:
    """What the HTTP server shows of a store."""

    fixture: StoreFixture
    ready = healthy = True
    links = Links()
    storage = Storage()

    @property
    def exposition(self) -> Any:
        return self.fixture.exposition

    @property
    def stores(self) -> Any:
        return [self.fixture.store]

    @property
    def telemetry(self) -> Any:
        return self.fixture.telemetry

    @property
    def events(self) -> Any:
        return EventLog(clock())

    def now(self) -> float:
        return clock().now()


def facts_of(task: Task) -> list[Any]:
    return [facts for name in TASK_FACTS if (facts := getattr(task, name)) is not None]


def fixture_of(settings: Mapping[str, str]) -> StoreFixture:
    """A store of an exporter with all collectors of facts."""
    return StoreFixture(cutover=settings, recovery=30, objects=120, comparison=300, logs=300)


async def in_situation(kind: str, scenario: Scenario) -> StoreFixture:
    """A store with one task in a situation."""
    listed = replace(KINDS[kind], **scenario.listed)
    fixture = fixture_of(scenario.settings)
    fixture.store.state.polls_on = scenario.polls_on
    await fixture.lists(listed, job_type=listed.job_type)
    await fixture.store.set_unpublished({listed.id: scenario.unpublished})
    waits = "task_status" in repr(scenario.facts) and scenario.wait
    await fixture.scrape(waits)  # a status in a response contradicts only an older list
    await fixture.store.update({listed.id: facts_of(ready(listed, **{**compared(consistent=True), **scenario.facts}))})
    await fixture.scrape(scenario.wait)
    return fixture


async def verdicts(fixture: StoreFixture, task_id: str) -> dict[str, str]:
    """What all places say about the reasons of a task; they are equal."""
    page = await fixture.scrape()
    blockers = page.samples(BLOCKER, task_id=task_id)
    unchecked = {labels["reason"]: labels["cause"] for labels, _ in page.samples(UNCHECKED, task_id=task_id)}
    checked = {labels["reason"]: BLOCKS if value else FINE for labels, value in blockers}
    assert checked.keys().isdisjoint(unchecked)
    exporter = cast("Exporter", Shown(fixture))
    rows = json.loads((await get(exporter, "/api/v1/tasks")).body)["tasks"]
    row = next(row for row in rows if row["task_id"] == task_id)
    assert row["cutover_unchecked"] == unchecked
    assert set(row["cutover_blockers"]) == {name for name, said in checked.items() if said == BLOCKS}
    found = json.loads((await get(exporter, f"/api/v1/tasks/{task_id}")).body)
    assert {name: found[name] for name in row} == row | {"cutover_not_checked": found["cutover_not_checked"]}
    text = as_text(ExplainedTask.model_validate({**found, "subtasks": []}))
    html = (await get(exporter, f"/tasks/{task_id}")).body.decode()
    for told in (_TEXT_ROW.findall(text.rpartition("\ncut-over")[2]), _PAGE_ROW.findall(html)):
        assert {name: _WORDS.get(word, word) for name, word in told} == {**checked, **unchecked}
    readiness(page.value("drs_task_cutover_ready", task_id=task_id), row, text, html)
    return {**checked, **unchecked}


def readiness(ready: float | None, row: Mapping[str, Any], text: str, html: str) -> None:
    """Assert that all places show the same word, and what was not checked beside each "ready"."""
    blocked = bool(row["cutover_blockers"])
    assert row["cutover"] == ("blocked" if blocked else "ready" if ready else None)
    assert ready in {None, float(not blocked)}
    word = text.split("\n", 1)[0].rpartition(": ")[2].partition(" for ")[0]
    assert word.startswith("blocked by ") if blocked else word == ("no blocker" if ready is None else "ready")
    tile = html[html.index("<dt>Cut-over</dt>") :].partition("</dd>")[0]
    assert ('class="blocked"' in tile) is blocked
    if ready:
        assert ("not checked:" in tile) == ("not checked:" in text) == bool(row["cutover_unchecked"])
    assert (row["cutover_ready_since_timestamp_seconds"] is not None) is bool(ready)


def test_there_are_enough_situations() -> None:
    assert len(SCENARIOS) >= 100
    assert len([*by_kind()]) >= 300


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [*by_kind()],
    ids=lambda value: value if isinstance(value, str) else f"{value.reason}-{value.outcome}",
)
async def test_a_situation(kind: str, scenario: Scenario) -> None:
    fixture = await in_situation(kind, scenario)
    found = await verdicts(fixture, KINDS[kind].id)
    assert found.get(scenario.reason) == scenario.outcome
    blocking = {name for name, said in found.items() if said == BLOCKS}
    assert blocking >= scenario.also
    if scenario.settings.get("comparison") != "required":
        assert blocking - scenario.also == ({scenario.reason} if scenario.outcome == BLOCKS else set())


PARENT = replace(PLAIN, id="p", name="parent", is_parent=True)
CHILD = replace(PLAIN, parent_id="p", root_id="p")
OK, BEHIND = progress(1), progress(9)


@pytest.mark.parametrize(
    ("parent", "children", "blocks"),
    [
        ({}, {"a": ({}, OK)}, set()),
        ({}, {"a": ({}, OK), "b": ({}, OK)}, set()),
        ({}, {"a": ({}, OK), "b": ({}, BEHIND)}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({}, {"progress": None})}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({"status": "INCRE_TRANSFER_FAILED"}, OK)}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({"status": "CHILD_TRANSFER_STARTED"}, OK)}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({"status": "CREATING"}, OK)}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({"status": "WHATEVER"}, OK)}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}, {})}, set()),
        ({}, {"a": ({}, OK), "b": ({"role": "slave"}, BEHIND)}, set()),
        ({}, {"a": ({}, OK), "b": ({"current_action": "PAUSE"}, OK)}, {"subtask"}),
        ({}, {"a": ({}, OK), "b": ({}, {**OK, **compared(consistent=False)})}, {"subtask"}),
        ({}, {"a": ({"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}, {})}, {"subtask"}),
        ({}, {}, {"subtask"}),
        ({"unknown_children": 1}, {"a": ({}, OK)}, {"subtask"}),
        ({"progress": OK}, {"a": ({}, OK)}, set()),
        ({"progress": OK}, {"a": ({"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}, {})}, set()),
        ({"progress": BEHIND}, {"a": ({}, OK)}, {"delay_high"}),
        ({"progress": BEHIND}, {"a": ({"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}, {})}, {"delay_high"}),
        ({"progress": OK, "status": "PAUSING"}, {"a": ({}, OK)}, {"phase", "delay_unknown"}),
        ({"current_action": "DELETE"}, {"a": ({}, OK)}, {"action_running"}),
    ],
)
async def test_the_situation_of_a_parent(
    parent: dict[str, Any], children: dict[str, tuple[dict[str, Any], dict[str, Any]]], blocks: set[str]
) -> None:
    fixture = fixture_of({})
    own = parent.get("progress", {})
    subtasks = {key: replace(CHILD, id=key, name=key, **listed) for key, (listed, _) in children.items()}
    listed = replace(PARENT, **{name: value for name, value in parent.items() if name != "progress"})
    await fixture.lists(listed, *subtasks.values())
    known = {
        key: facts_of(ready(subtasks[key], **{**compared(consistent=True), **facts}))
        for key, (_, facts) in children.items()
    }
    await fixture.store.update({**known, "p": [*own.values()]})
    for _ in range(2):
        await fixture.page_with({}, virtual=() if own else ("p",))
    found = await verdicts(fixture, "p")
    assert {name for name, said in found.items() if said == BLOCKS} == blocks
    for key in children:
        if (await fixture.scrape()).samples(BLOCKER, task_id=key):
            await verdicts(fixture, key)
