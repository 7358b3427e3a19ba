"""The page of one task: all facts and their ages, what blocks, and no way out of the markup."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from exporter.model.events import MOST_OF_PROJECT, Kind
from exporter.simulator import SimTask
from tests.lib.daemon import (
    RawResponse,
    cloud_of,
    config_of,
    exporter_on,
    get,
    listed_task,
    polling,
    sim_task,
)
from tests.lib.html_page import ParsedPage
from tests.lib.virtual_time import simulated

NOT_CHECKED = (
    "objects, comparison and log (ignored by the settings), apply state and connections (not published in this region)."
)
ADVICE = (
    "Wait until the target has caught up, and stop writing to the source only when the cut-over begins. If the delay "
    "grows, see the load of the node and of the target."
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;"


@simulated
async def page_of(task: SimTask, *others: SimTask) -> RawResponse:
    """The page of a task, in a world of these."""
    config = config_of("v3", ("tasks", "progress", "node", "detail"))
    async with exporter_on(cloud_of(task, *others), config) as exporter:
        await exporter.poll_once()
        return await get(exporter, f"/tasks/{task.id}")


def test_all_facts_are_there_with_their_ages() -> None:
    got = page_of(sim_task("orders", delay=7), sim_task("other"))
    assert got.status == 200
    seen = ParsedPage(got.body)
    for text in (
        *("orders", "INCRE_TRANSFER_STARTED", "It is not ready to cut over. Blockers: delay.", "7s, limit 5s"),
        *("apply rows", "0s old", NOT_CHECKED, ADVICE),
    ):
        assert text in seen.text
    titles = re.findall(r'<h3 id="about-([^"]+)">', got.body.decode())
    assert titles == ["identity", "status", "progress", "detail", "unknown"]
    assert "the cloud reported nothing" in seen.text
    assert "the collector is disabled" in seen.text


def test_hostile_names_stay_words() -> None:
    body = page_of(sim_task(HOSTILE)).body
    seen = ParsedPage(body)
    assert HOSTILE in seen.text
    assert body.count(b"<script") == 1
    assert "img" not in seen.tags
    assert not [name for name in seen.attributes if name.startswith("on")]


@pytest.mark.parametrize("path", ["/tasks/", "/tasks/none", "/tasks/a/b", "/tasks/%3Cscript%3E", "/tasks/%ff"])
async def test_a_task_that_is_not_known_is_404(path: str) -> None:
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        await exporter.poll_once()
        got = await get(exporter, path)
    assert got.status == 404
    assert "No task with this ID is known" in ParsedPage(got.body).text
    assert got.body.count(b"<script") == 1


@pytest.mark.parametrize("task_id", ["a/b?c#d", "..", "%2F", "<b>\"'", "a\ud800b"])
async def test_odd_ids_have_a_link_and_a_page(task_id: str) -> None:
    async with exporter_on(cloud_of()) as exporter:
        await exporter.poll_once()
        (store,) = exporter.stores
        await store.listed("v3", "sync", [listed_task(task_id, name="turned\u202eround\ud800")])
        body = (await get(exporter, "/")).body.decode()
        assert "turned\\u202eround" in body
        link = re.search(r'<a href="(tasks/[^"]*)">turned', body)
        assert link
        got = await get(exporter, "/" + link[1])
        if task_id.isprintable():
            assert got.status == 200
            assert task_id in ParsedPage(got.body).text


async def test_parents_and_subtasks_lead_to_each_other() -> None:
    async with exporter_on(cloud_of()) as exporter:
        await exporter.poll_once()
        (store,) = exporter.stores
        children = [listed_task(key, parent_id="shops") for key in ("west", "east")]
        await store.listed("v3", "sync", [listed_task("shops", is_parent=True), *children])
        above = (await get(exporter, "/tasks/shops")).body.decode()
        links = re.findall(
            r'<th scope="row"><a href="([^"]+)">([^<]+)</a> <span class="raw">subtask of ([^<]+)<', above
        )
        assert links == [("../tasks/east", "task east", "task shops"), ("../tasks/west", "task west", "task shops")]
        below = (await get(exporter, "/tasks/east")).body.decode()
        assert '<a href="shops">task shops</a>' in below
        assert "Subtasks</h2>" not in below


async def test_the_history_has_plots_with_axes_and_says_that_a_restart_loses_it() -> None:
    async with polling(cloud_of(sim_task("orders", delay=7))) as exporter:
        await asyncio.sleep(1200)
        task_id = exporter.stores[0].tasks()[0].identity.task_id
        body = (await get(exporter, f"/tasks/{task_id}")).body.decode()
        listed = (await get(exporter, "/")).body.decode()
    seen = " ".join(ParsedPage(body.encode()).text.split())
    assert "History since 2026-01-01 00:00:00Z. The exporter keeps it in memory: a restart loses it." in seen
    assert re.findall("<figcaption>([^<]+)</figcaption>", body) == ["Delay, last hour", "Delay, last day"]
    assert "<title>Delay, last hour: 7s to 7s, last 7s</title>" in body
    assert "<span>10s</span><span>5s</span><span>0</span>" in body
    assert "<span>23:20Z</span><span>23:50Z</span><span>00:20Z</span>" in body
    assert "<title>Delay of the last hour: 7s to 7s, last 7s</title>" in listed
    assert "style=" not in body + listed


async def test_with_storage_the_page_says_that_a_restart_does_not_lose_all_of_the_history(tmp_path: Path) -> None:
    config = config_of(storage={"path": str(tmp_path)})
    async with polling(cloud_of(sim_task("orders")), config) as exporter:
        await asyncio.sleep(120)
        task_id = exporter.stores[0].tasks()[0].identity.task_id
        seen = " ".join(ParsedPage((await get(exporter, f"/tasks/{task_id}")).body).text.split())
    assert "a restart loses it, but for what the storage has kept while the task was in a running wave." in seen


def test_without_a_history_and_events_the_page_says_so() -> None:
    seen = " ".join(ParsedPage(page_of(sim_task("draft", status="CONFIGURATION")).body).text.split())
    assert "None yet. The exporter keeps the history of a running task in memory, from its first poll." in seen
    assert "None since 2026-01-01 00:00:00Z." in seen


async def test_changes_of_a_task_are_on_its_page_and_on_the_status_page() -> None:
    task = sim_task("orders")
    async with polling(cloud_of(task)) as exporter:
        await asyncio.sleep(100)
        task.pin("INCRE_TRANSFER_FAILED")
        await asyncio.sleep(100)
        for path in (f"/tasks/{task.id}", "/"):
            seen = " ".join(ParsedPage((await get(exporter, path)).body).text.split())
            assert "Task orders failed" in seen


async def test_a_page_shows_only_the_newest_changes_and_says_so() -> None:
    task = sim_task("a b")
    async with exporter_on(cloud_of(task)) as exporter:
        await exporter.poll_once()
        key, seen = exporter.stores[0].key, dict[int, str]()
        for count in range(1, 22):
            exporter.events.add(key, Kind.RENAMED, (task.id, "a b"), name_before=str(count))
            if count >= 20:
                for path in (f"/tasks/{task.id}", "/"):
                    body = (await get(exporter, path)).body
                    assert body.count(b"has a new name") == 20
                    seen[count] = seen.get(count, "") + body.decode()
    assert "The newest 20." not in seen[20]
    assert seen[21].count("The newest 20.") == 2
    assert f'<a href="../api/v1/events?limit=5000&amp;task={task.id}">' in seen[21]
    assert '<a href="api/v1/events?limit=5000">' in seen[21]


async def test_the_page_of_a_task_states_no_time_without_changes_from_which_events_were_removed() -> None:
    task = sim_task("orders")
    async with polling(cloud_of(task)) as exporter:
        await asyncio.sleep(100)
        for _ in range(MOST_OF_PROJECT + 1):
            exporter.events.add(exporter.stores[0].key, Kind.READY, ("other", "other"))
        seen = " ".join(ParsedPage((await get(exporter, f"/tasks/{task.id}")).body).text.split())
    assert "None since 2026-01-01 00:01:40Z." in seen


def test_what_blocks_has_its_meaning_a_remedy_and_a_runbook() -> None:
    body = page_of(sim_task("orders", delay=7)).body.decode()
    row = re.search(r'<tr id="reason-delay_high">(.*?)</tr>', body, re.DOTALL)
    assert row
    text = " ".join(ParsedPage(row[1].encode()).text.split())
    assert text.startswith("delay delay_high blocks 7s, limit 5s")
    assert text.endswith(f"{ADVICE} Runbook0s old")
    assert '<a href="../runbooks/DrsTaskDelayHigh">' in row[1]
