"""The page of a wave and its JSON, the links to it, and the events of its members."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from exporter.daemon.exporter import Exporter
from exporter.model.events import NO_PROJECT, Event, Kind
from exporter.model.shard import Shard
from exporter.model.waves import Incomplete, IncompleteProject, Stage, WaveMember, WaveState, WaveStatus
from exporter.views.waves import SHARDED
from exporter.web.events import EventQuery
from tests.lib.daemon import PROJECT, cloud_of, config_of, exporter_on, get, sim_task
from tests.lib.html_page import ParsedPage
from tests.lib.paths import DOCS
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, clock
from tests.lib.waves import StaticWaves

if TYPE_CHECKING:
    from exporter.simulator import SimTask

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;"
NAME, LONG = "weekend-1", "x" * 200
WAVE = {"name": NAME, "include": [{"name": "orders.*"}]}
TASKS = (
    sim_task("orders-1", delay=0),
    sim_task("orders-2", delay=60),
    sim_task("orders-3", status="INCRE_TRANSFER_FAILED"),
    sim_task("billing"),
)


def exporter_with(*tasks: SimTask, **wave: Any) -> Exporter:
    return exporter_on(cloud_of(*tasks), config_of(waves=[{**WAVE, **wave}], cutover={"stable_for": "0s"}))


async def json_of(exporter: Exporter, path: str) -> tuple[int, Any]:
    got = await get(exporter, path)
    assert got.headers["content-type"] == "application/json"
    return got.status, json.loads(got.body)


async def text_of(exporter: Exporter, path: str) -> str:
    got = await get(exporter, path)
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    return " ".join(ParsedPage(got.body).text.split())


async def test_the_members_of_a_wave_come_with_their_states_the_worst_first() -> None:
    async with exporter_with(*TASKS, expected=4) as exporter:
        await exporter.poll_once()
        status, found = await json_of(exporter, f"/api/v1/waves/{NAME}")
        _, listed = await json_of(exporter, "/api/v1/waves")
        text = await text_of(exporter, f"/waves/{NAME}")
    assert (status, found["stage"], found["ready"], found["missing"]) == (200, "running", False, 1)
    members = [(member["task_name"], member["state"]) for member in found["members"]]
    assert members == [("orders-3", "failed"), ("orders-2", "blocked"), ("orders-1", "ready")]
    assert found["members"][1]["cells"]["cutover"].startswith("blocked: delay")
    assert {name: found[name] for name in listed["waves"][0]} == listed["waves"][0]
    assert found.keys() - listed["waves"][0].keys() == {
        "now_timestamp_seconds",
        "members",
        "events",
        "events_since_timestamp_seconds",
    }
    assert found["verdict"] in text
    assert "1 of 4 expected missing" in found["not_ready_because"]
    assert "running; no end is set" in text
    assert text.index("orders-3") < text.index("orders-2 blocked") < text.index("orders-1")
    assert "billing" not in text


@pytest.mark.parametrize("name", ["other", "a b", "%C3%A9", "%00", "%0A", quote("<img src=x>{{ 7 }}")])
async def test_there_is_no_wave_of_another_name(name: str) -> None:
    async with exporter_with(*TASKS) as exporter:
        assert await json_of(exporter, f"/api/v1/waves/{name}") == (404, {"errors": ["No wave has this name."]})
        assert "No such wave" in await text_of(exporter, f"/waves/{name}")
        status, found = await json_of(exporter, f"/api/v1/events?wave={name}")
        assert (status, found) == (400, {"errors": ["wave: No wave has this name."]})


async def test_without_waves_there_is_an_empty_list() -> None:
    async with exporter_on(cloud_of(*TASKS)) as exporter:
        status, found = await json_of(exporter, "/api/v1/waves")
        assert (status, found["waves"]) == (200, [])
        seen = ParsedPage((await get(exporter, "/")).body)
        assert [link for link in seen.attributes["href"] if "wave" in link] == []


async def test_one_of_several_shards_refuses_with_the_reason() -> None:
    config = config_of(waves=[WAVE])
    async with Exporter(config, transport=InProcess(cloud_of(*TASKS)), clock=clock, shard=Shard(0, 2)) as exporter:
        await exporter.poll_once()
        for path in ("/api/v1/waves", f"/api/v1/waves/{NAME}"):
            assert await json_of(exporter, path) == (404, {"errors": [SHARDED]})
        assert SHARDED in await text_of(exporter, f"/waves/{NAME}")
        assert await json_of(exporter, f"/api/v1/events?wave={NAME}") == (400, {"errors": [f"wave: {SHARDED}"]})
        assert NAME not in await text_of(exporter, "/")


async def test_the_events_of_a_wave_are_those_of_its_members_their_subtasks_and_their_projects() -> None:
    async with exporter_with(*TASKS) as exporter:
        await exporter.poll_once()
        (key,) = (store.key for store in exporter.stores)
        ids = {task.name: task.id for task in TASKS}
        exporter.events.add(key, Kind.PHASE_CHANGED, (ids["orders-1"], "orders-1"), phase_before="full", phase="paused")
        exporter.events.add(key, Kind.ENDED, ("below", "part"), phase_before="full", parent_id=ids["orders-1"])
        exporter.events.add(key, Kind.PROJECT_READABLE)
        exporter.events.add(key._replace(project="other"), Kind.PROJECT_READABLE)
        exporter.events.add(key, Kind.ENDED, (ids["billing"], "billing"), phase_before="full")
        exporter.events.add(key, Kind.NOT_READY, (ids["orders-2"], "orders-2"), reasons="delay_high")
        for name in (NAME, "other"):
            exporter.events.add(NO_PROJECT, Kind.WAVE_NOT_READY, wave=name, states="1 blocked")
        _, found = await json_of(exporter, f"/api/v1/events?wave={NAME}")
        _, wave = await json_of(exporter, f"/api/v1/waves/{NAME}")
        _, one = await json_of(exporter, f"/api/v1/events?wave={NAME}&task=orders-1&limit=1")
    kinds = ["wave_not_ready", "not_ready", "project_readable", "ended", "phase_changed"]
    assert [event["kind"] for event in found["events"]] == kinds
    assert [{name: event[name] for name in event if name != "sentence"} for event in wave["events"]] == found["events"]
    assert (one["matched"], len(one["events"])) == (2, 1)
    since = {member["task_name"]: member["state_since_timestamp_seconds"] for member in wave["members"]}
    assert since == {"orders-1": EPOCH, "orders-2": EPOCH, "orders-3": None}


@pytest.mark.parametrize("path", ["/", f"/waves/{NAME}", f"/api/v1/waves/{NAME}"])
async def test_a_response_scans_the_events_once_however_many_waves_there_are(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(waves=[WAVE, *({**WAVE, "name": f"weekend-{number}"} for number in range(2, 6))])
    async with exporter_on(cloud_of(*TASKS), config) as exporter:
        await exporter.poll_once()
        find, scans = exporter.events.find, 0

        def counted(*args: Any, **kwargs: Any) -> list[Event]:
            nonlocal scans
            scans += 1
            return find(*args, **kwargs)

        monkeypatch.setattr(exporter.events, "find", counted)
        assert (await get(exporter, path)).status == 200
    assert scans == 1


@pytest.mark.parametrize("stage", Stage)
async def test_the_page_of_a_wave_in_each_stage_with_every_state(stage: Stage) -> None:
    async with exporter_on(cloud_of(sim_task(HOSTILE, delay=0), sim_task("orders"))) as exporter:
        await exporter.poll_once()
        (store,) = exporter.stores
        shown = [
            WaveMember(store.key, task.identity.task_id, task.identity.task_name, WaveState.READY)
            for task in store.tasks()
        ]
        gone = [WaveMember(store.key, f"id-{state}", f"{state} {LONG}", state) for state in WaveState]
        deleted = (WaveMember(store.key, "id-9", "old", WaveState.ENDED),)
        incomplete = (IncompleteProject(store.key, Incomplete.LISTS),)
        status = WaveStatus(
            NAME,
            stage,
            EPOCH - 60,
            EPOCH + 60,
            12,
            (*shown, *gone),
            ("id-7",),
            incomplete,
            ready=False,
            deleted=deleted,
        )
        exporter.waves = StaticWaves(status)
        got = await get(exporter, f"/waves/{NAME}")
        _, found = await json_of(exporter, f"/api/v1/waves/{NAME}")
    seen = ParsedPage(got.body)
    text = " ".join(seen.text.split())
    assert (got.status, found["stage"]) == (200, stage)
    assert [
        part
        for part in (HOSTILE, "id-7", found["timing"], *(f"{state} {LONG}" for state in WaveState))
        if part not in text
    ] == []
    assert (got.body.count(b"<script"), "img" in seen.tags, "style" in seen.attributes) == (1, False, False)
    assert f"../tasks/id-{WaveState.UNKNOWN}" not in seen.attributes["href"]
    assert "may be missing here: a task list is unknown, incomplete or too old." in text
    assert ("Deleted, and no members any more: old (last ended)." in text, "report --wave=weekend-1" in text) == (
        True,
        stage is Stage.OVER,
    )
    assert [member["state"] for member in found["members"]].count("ready") == 3


async def test_before_the_first_poll_the_page_has_no_score_and_not_the_claim_that_no_task_matches() -> None:
    async with exporter_with(*TASKS) as exporter:
        before = await text_of(exporter, f"/waves/{NAME}")
        await exporter.poll_once()
        after = await text_of(exporter, f"/waves/{NAME}")
    assert before.startswith(f"running \u2013 {NAME} \u2013 DRS tasks")
    assert ("No matching task is known." in before, "No task matches." in before) == (True, False)
    assert after.startswith(f"1 of 3 ready \u2013 {NAME} \u2013 DRS tasks")


async def test_a_wave_that_no_task_matches_is_empty() -> None:
    async with exporter_with(sim_task("billing")) as exporter:
        await exporter.poll_once()
        assert "No task matches." in await text_of(exporter, f"/waves/{NAME}")


async def test_a_wave_with_300_members_is_shown_as_a_whole() -> None:
    async with exporter_on(cloud_of(sim_task("orders"))) as exporter:
        key = exporter.stores[0].key
        members = tuple(
            WaveMember(key, f"id-{number}", f"{number:03} {LONG}", WaveState.BLOCKED) for number in range(300)
        )
        exporter.waves = StaticWaves(WaveStatus(NAME, Stage.RUNNING, members=members, ready=False))
        text = await text_of(exporter, f"/waves/{NAME}")
    assert [number for number in range(300) if f"{number:03} {LONG}" not in text] == []
    assert "Not ready: 0 of 300 ready; 300 blocked:" in text


async def test_members_of_several_projects_are_shown_with_their_project() -> None:
    async with exporter_with(*TASKS) as exporter:
        await exporter.poll_once()
        assert "acme / payments" not in (await text_of(exporter, f"/waves/{NAME}")).split("Changes")[0]
        status = exporter.waves.status(NAME)
        assert status is not None
        member = status.members[0]
        members = (*status.members, member._replace(key=member.key._replace(project="other")))
        exporter.waves = StaticWaves(WaveStatus(NAME, Stage.RUNNING, members=members, ready=False))
        text = await text_of(exporter, f"/waves/{NAME}")
    assert [project in text for project in ("acme / payments", "acme / other")] == [True, True]


async def test_the_status_page_and_the_pages_of_members_have_links_to_the_wave() -> None:
    async with exporter_with(*TASKS) as exporter:
        await exporter.poll_once()
        status = ParsedPage((await get(exporter, "/")).body)
        links = {task.name: ParsedPage((await get(exporter, f"/tasks/{task.id}")).body) for task in TASKS}
        verdict = (await json_of(exporter, "/api/v1/waves"))[1]["waves"][0]["verdict"]
    assert f"waves/{NAME}" in status.attributes["href"]
    assert verdict in " ".join(status.text.split())
    linked = [name for name, page in links.items() if f"../waves/{NAME}" in page.attributes["href"]]
    assert linked == ["orders-1", "orders-2", "orders-3"]


async def test_every_field_is_documented() -> None:
    async with exporter_with(*TASKS) as exporter:
        await exporter.poll_once()
        _, found = await json_of(exporter, f"/api/v1/waves/{NAME}")
    documented = set(re.findall(r"`([a-z_]+)`", (DOCS / "api.md").read_text(encoding="utf-8")))
    member = found["members"][0]
    names = {*found, *member, *member["cells"], *WaveState, *Stage, *Incomplete, "reason", "sentence", *PROJECT}
    assert names | {field.name for field in fields(EventQuery)} <= documented
