"""The status page: its content, its security headers, and hostile names."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from typing import Any

import pytest

from exporter.daemon.exporter import Exporter
from exporter.simulator import Fault, faults
from exporter.web import pages
from tests.lib.daemon import (
    cloud_of,
    config_of,
    exporter_on,
    get,
    listed_task,
    polling,
    served,
    sim_task,
)
from tests.lib.html_page import ParsedPage
from tests.lib.virtual_time import EPOCH

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;"
NONE = "No tasks."


def test_the_status_page_shows_hostile_names_as_text() -> None:
    hostile = sim_task(HOSTILE)
    hostile.overrides["v3_list"] = {"status": "<b>ODD</b>", "job_action": None}
    got = served("/", "", "GET", hostile, sim_task("plain", progress=42, status="FULL_TRANSFER_STARTED"))
    seen = ParsedPage(got.body)
    assert [part for part in (HOSTILE, "<b>ODD</b>") if part not in seen.text] == []
    assert got.body.count(b"<script") == 1  # our own
    assert not {"img", "iframe", "object"} & seen.tags
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert not [word for name in ("href", "src") for word in seen.attributes.get(name, ()) if "//" in word]
    assert "42%" in seen.text


def test_the_status_page_may_load_and_run_nothing() -> None:
    got = served("/")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in got.headers["content-security-policy"].split(";"))
    hashes = {name: policy.pop(name) for name in ("style-src", "script-src")}
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", value) for value in hashes.values())
    assert policy == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert (got.headers["referrer-policy"], got.headers["cache-control"]) == ("no-referrer", "no-store")


@pytest.mark.parametrize("path", ["/", "/tasks/none"])
@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_allows_only_the_style_and_the_script_of_the_page(path: str, tag: str) -> None:
    got = served(path)
    (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", got.body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}';" in got.headers["content-security-policy"]
    assert "style" not in ParsedPage(got.body).attributes
    assert "unsafe" not in got.headers["content-security-policy"]


async def test_hostile_names_of_accounts_and_projects_are_words_too() -> None:
    config = config_of()
    account = config.accounts[0]
    project = account.projects[0].model_copy(update={"name": f"project {HOSTILE}"})
    hostile = account.model_copy(update={"name": f"account {HOSTILE}", "projects": (project,)})
    async with exporter_on(cloud_of(sim_task("one")), config.model_copy(update={"accounts": (hostile,)})) as exporter:
        await exporter.poll_once()
        body = (await get(exporter, "/")).body
        seen = ParsedPage(body)
        assert f"account {HOSTILE} / project {HOSTILE}" in seen.text
        assert body.count(b"<script") == 1
        assert "img" not in seen.tags


NOT_YET = "The first poll has not ended yet."


@pytest.mark.parametrize(
    ("state", "shown", "hidden"),
    [
        ("no tasks", [NONE], [NOT_YET]),
        ("not polled", [NOT_YET, "not polled yet"], [NONE, "0 tasks"]),
        ("no list", ["the cloud returns no list for"], [NONE, "0 tasks"]),
    ],
)
async def test_no_tasks_and_unknown_tasks_differ(state: str, shown: list[str], hidden: list[str]) -> None:
    cloud = cloud_of(*([] if state == "no tasks" else [sim_task("one")]))
    cloud.faults = [faults.forbidden("jobs$"), faults.forbidden("job_type")] if state == "no list" else []
    async with exporter_on(cloud) as exporter:
        if state != "not polled":
            await exporter.poll_once()
        got = await get(exporter, "/")
    assert got.status == 200
    text = ParsedPage(got.body).text
    assert ([part for part in shown if part not in text], [part for part in hidden if part in text]) == ([], [])


@pytest.mark.parametrize(
    ("rate_limit", "shown"), [(10.0, "10/s demand 1%"), (0.1, "0.1/s demand 133% delays are about 40s old")]
)
async def test_the_age_of_delays_is_shown_if_more_calls_are_needed_than_allowed(rate_limit: float, shown: str) -> None:
    config = config_of("v3", ["tasks", "progress"], poll={"rate_limit": rate_limit, "burst": 5})
    async with polling(cloud_of(sim_task("one"), published={"v3"}), config) as exporter:
        await asyncio.sleep(1200)
        text = " ".join(ParsedPage((await get(exporter, "/")).body).text.split())
    assert shown in text, text[text.find("/s demand") - 9 :][:60]
    assert ("delays are about" in text) == ("delays are about" in shown)


@pytest.mark.parametrize(("seconds", "collectors"), [(150, ["tasks", "progress"]), (600, ["tasks"])])
async def test_a_rate_limit_that_is_too_low_before_any_progress_is_received(
    seconds: float, collectors: list[str]
) -> None:
    config = config_of("v3", collectors, poll={"rate_limit": 0.01, "burst": 1})
    async with polling(cloud_of(sim_task("one"), published={"v3"}), config) as exporter:
        await asyncio.sleep(seconds)
        got = await get(exporter, "/")
        assert "progress" not in exporter.stores[0].project().collectors
    text = " ".join(ParsedPage(got.body).text.split())
    assert (got.status, "delays are about" in text) == (200, False)
    assert int(text.split("0.01/s demand ")[1].split("%")[0]) > 100


async def test_a_collector_that_stands_still_is_marked_and_one_that_polls_is_not() -> None:
    async with exporter_on(
        cloud_of(sim_task("one"), published={"v3"}), config_of("v3", ["tasks", "progress"])
    ) as exporter:
        await exporter.poll_once()
        fresh = ParsedPage((await get(exporter, "/")).body)
        await asyncio.sleep(3600)
        old = ParsedPage((await get(exporter, "/")).body)
    assert "progress 0s ago" in " ".join(fresh.text.split())
    assert "progress old, last read 1h ago" in " ".join(old.text.split())


async def test_an_incomplete_list_is_named_with_the_reason_and_since_when() -> None:
    cloud = cloud_of(sim_task("one"), published={"v3"})
    cloud.faults = [Fault(match="/v3/.*/jobs$", kind="wrong_total")]
    async with polling(cloud, config_of("v3", ["tasks"])) as exporter:
        await asyncio.sleep(100)
        seen = ParsedPage((await get(exporter, "/")).body)
        incomplete = await sync_list_of(exporter)
        cloud.faults = []
        await asyncio.sleep(60)
        after = ParsedPage((await get(exporter, "/")).body)
        again = await sync_list_of(exporter)
    assert "1 task list incomplete: tasks may be missing." in " ".join(seen.text.split())
    assert "v3 list of sync incomplete its pages and its total disagree, 1m" in " ".join(seen.text.split())
    assert EPOCH <= incomplete.pop("incomplete_since_timestamp_seconds") < EPOCH + 30
    assert incomplete == {
        "api": "v3",
        "job_type": "sync",
        "success": True,
        "tasks": 1,
        "complete": False,
        "incomplete_because": "its pages and its total disagree",
    }
    assert "incomplete" not in after.text
    assert (again["complete"], again["incomplete_because"]) == (True, None)
    assert again["incomplete_since_timestamp_seconds"] is None


async def sync_list_of(exporter: Exporter) -> Any:
    """The list of job type sync of the first project, as JSON."""
    lists = json.loads((await get(exporter, "/api/v1/tasks")).body)["projects"][0]["lists"]
    return next(entry for entry in lists if entry["job_type"] == "sync")


async def test_a_task_whose_list_is_too_old_is_shown_as_unknown() -> None:
    cloud = cloud_of(sim_task("one"))
    async with polling(cloud, config_of("v3")) as exporter:
        await asyncio.sleep(2)
        assert "incremental" in ParsedPage((await get(exporter, "/")).body).text
        cloud.faults = [faults.forbidden("jobs$")]
        await asyncio.sleep(400)
        seen = ParsedPage((await get(exporter, "/")).body)
        assert [part for part in ("one", "unknown") if part not in seen.text] == []
        assert "INCRE_TRANSFER_STARTED" not in seen.text


def test_the_worst_tasks_come_first_and_among_them_those_that_lag_most() -> None:
    tasks = [
        sim_task("task-4", delay=1),
        sim_task("task-5", status="RELEASE_RESOURCE_COMPLETE"),
        sim_task("task-3", delay=100),
        sim_task("task-1", status="INCRE_TRANSFER_FAILED"),
        sim_task("task-2", status="DREAMING"),
    ]
    body = served("/", "", "GET", *tasks).body.decode()
    places = [body.index(f">task-{number}</a></th>") for number in range(1, 6)]
    assert places == sorted(places)


def rows(body: bytes) -> list[str]:
    return re.findall('<th scope="row"><a href="tasks/[^"]+">([^<]+)</a>', body.decode())


FLEET = (
    sim_task("orders", delay=7),
    sim_task("shop", status="INCRE_TRANSFER_FAILED"),
    sim_task("Billing", progress=40, status="FULL_TRANSFER_STARTED"),
)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        *[("", ["shop", "orders", "Billing"]), ("?sort=task_name", ["Billing", "orders", "shop"])],
        *[("?q=BILL", ["Billing"]), ("?phase=full", ["Billing"]), ("?cutover=ready", [])],
        ("?project=acme/cn-north-4/payments&phase=failed", ["shop"]),
        ("?limit=2&page=2", ["Billing"]),
        ("?sort=nonsense", ["shop", "orders", "Billing"]),
    ],
)
def test_without_a_script_the_address_is_the_query(query: str, names: list[str]) -> None:
    assert rows(served(f"/{query}", "", "GET", *FLEET).body) == names


async def test_subtasks_are_below_their_parents_unless_these_are_not_on_the_page() -> None:
    async with exporter_on(cloud_of()) as exporter:
        await exporter.poll_once()
        (store,) = exporter.stores
        children = [listed_task(key, parent_id="shops") for key in ("west", "east")]
        await store.listed("v3", "sync", [listed_task("zoo"), listed_task("shops", is_parent=True), *children])
        whole = (await get(exporter, "/")).body
        assert rows(whole) == ["task shops", "task east", "task west", "task zoo"]
        assert whole.count(b'class="sub"') == whole.count(b'<span class="visually-hidden">subtask</span>') == 2
        alone = (await get(exporter, "/?q=east,zoo")).body
        assert rows(alone) == ["task east", "task zoo"]
        assert b'<span class="raw">subtask of task shops</span>' in alone


def test_the_query_is_shown_and_is_in_the_form() -> None:
    body = served("/?q=%22%3E%3Cscript%3E&phase=full&sort=-delay&limit=2&page=1", "", "GET", *FLEET).body.decode()
    assert '<input type="search" name="q" value="&#34;&gt;&lt;script&gt;"' in body
    assert '<option value="full" selected>' in body
    assert '<option value="-delay" selected>' in body
    assert '<input type="hidden" name="limit" value="2">' in body
    assert "0 of 3 tasks and subtasks found." in body
    assert "No task matches." in body
    assert '<th scope="col" aria-sort="descending"><a href=' in body
    assert body.count('aria-sort="none"') == 6


def test_an_invalid_parameter_in_the_address_is_reported() -> None:
    seen = ParsedPage(served("/?phase=sleeping").body)
    assert "Ignored parameter: phase: expected one of unknown, failed" in seen.text


def test_many_tasks_are_cut_into_pages() -> None:
    assert "Page 1 of 1" not in served("/?limit=2&q=o", "", "GET", *FLEET).body.decode()
    first, last = (served(f"/?limit=2&page={page}", "", "GET", *FLEET).body.decode() for page in (1, 2))
    assert "Page 1 of 2" in first
    assert '<a href="?page=2&amp;limit=2" rel="next" data-swap>' in first
    assert [part for part in ("Page 2 of 2", '<a href="?limit=2" rel="prev" data-swap>') if part not in last] == []
    assert "next" not in ParsedPage(last.encode()).attributes["rel"]


def test_every_table_has_a_caption_and_every_id_is_unique() -> None:
    body = served("/", "", "GET", *FLEET).body.decode()
    assert body.count("<table>") == body.count("<caption") == 2
    assert re.findall("<th(?! scope)[^>]*>", body.replace("<thead>", "")) == []
    ids = re.findall(' id="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert {"main", "announcement", "filter", "tasks", "fleet", "projects"} <= set(ids)
    assert 'role="status" aria-live="polite"' in body


def test_a_page_is_rendered_a_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_YIELD_AFTER", 0.0)
    assert rows(served("/", "", "GET", *FLEET).body) == ["shop", "orders", "Billing"]
