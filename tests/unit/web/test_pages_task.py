"""The page of one task: all facts and their ages, what blocks, and no way out of the markup."""

from __future__ import annotations

import re

import pytest

from exporter.simulator import SimTask
from tests.lib.daemon import ParsedPage, RawResponse, cloud_of, config_of, exporter_on, get, listed_task, sim_task
from tests.lib.virtual_time import simulated

NOT_CHECKED = (
    "objects, comparison and log (ignored by the settings), apply state and connections (not published in this region)."
)
ADVICE = "Stop writing to the source, and wait until the target has caught up."
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
        *("orders", "INCRE_TRANSFER_STARTED", "Blocked by delay high.", "7s, limit 5s", "apply rows", "0s old"),
        *(NOT_CHECKED, ADVICE),
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
