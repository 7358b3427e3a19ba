"""The API, which shows what the status page shows."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import fields
from typing import Any

import pytest

from exporter.simulator import SimTask, faults
from exporter.views.order import WORST_FIRST
from exporter.web.api import MAX_LIMIT
from exporter.web.search import MAX_LIMIT as MAX_LIMIT_OF_PAGES
from exporter.web.search import SORTS, Query
from tests.lib.commands import shops
from tests.lib.daemon import cloud_of, config_of, exporter_on, get, polling, sim_task
from tests.lib.paths import DOCS
from tests.lib.virtual_time import EPOCH, simulated


@simulated
async def response_of(path: str) -> tuple[int, Any]:
    cloud = cloud_of(sim_task("orders", delay=7), sim_task("shop", status="INCRE_TRANSFER_FAILED"), sim_task("<b>"))
    async with exporter_on(cloud, config_of("v3")) as exporter:
        await exporter.poll_once()
        got = await get(exporter, path)
        assert got.headers["content-type"] == "application/json"
        return got.status, json.loads(got.body)


def test_the_api_returns_what_the_page_shows() -> None:
    status, answer = response_of("/api/v1/tasks?sort=-delay&limit=2")
    assert (status, answer["tasks"][0]["task_name"]) == (200, "orders")
    assert answer["tasks"][0]["incremental_delay_seconds"] == 7
    counts = {"total": 3, "matched": 3, "page": 1, "pages": 2, "ready": True}
    assert {key: answer[key] for key in counts} == counts
    assert answer["phases"] == dict.fromkeys(WORST_FIRST, 0) | {"failed": 1, "incremental": 2}
    assert answer["cutover"] == {"ready": 1, "blocked": 2}
    assert answer["now_timestamp_seconds"] == pytest.approx(EPOCH, abs=60)
    (project,) = answer["projects"]
    assert (project["account"], project["region"], project["project"]) == ("acme", "cn-north-4", "payments")
    assert (project["up"], project["tasks"], project["api_rate_limit_calls_per_second"]) == (True, 3, 1000.0)
    assert (project["last_error"], project["last_error_timestamp_seconds"]) == (None, None)
    assert 0 < project["api_demand_ratio"] < 1
    progress = project["collectors"]["progress"]
    assert (progress["success"], progress["interval_seconds"]) == (True, 30.0)
    assert progress["last_success_timestamp_seconds"] == pytest.approx(EPOCH, abs=60)


def test_the_api_returns_more_tasks_at_once_than_a_page() -> None:
    assert response_of(f"/api/v1/tasks?limit={MAX_LIMIT}")[0] == 200
    assert response_of(f"/api/v1/tasks?limit={MAX_LIMIT + 1}") == (
        400,
        {"errors": ["limit: expected a number from 1 to 2000"]},
    )


def test_the_api_refuses_invalid_and_unknown_parameters() -> None:
    status, answer = response_of("/api/v1/tasks?phase=sleeping&limit=0&phses=failed")
    assert (status, [fault.partition(":")[0] for fault in answer["errors"]]) == (400, ["phses", "phase", "limit"])


async def test_the_last_error_of_a_project_is_shown_by_its_class_and_stays() -> None:
    cloud = cloud_of(sim_task("one"))
    cloud.faults = [faults.forbidden("batch-progress")]
    async with polling(cloud, config_of("v3")) as exporter:
        await asyncio.sleep(5)
        cloud.faults = []
        await asyncio.sleep(1000)
        (project,) = json.loads((await get(exporter, "/api/v1/tasks")).body)["projects"]
        body = (await get(exporter, "/")).body.decode()
    assert project["last_error"].startswith("access denied ")
    assert EPOCH <= project["last_error_timestamp_seconds"] < EPOCH + 500
    assert project["up"]
    assert f"{project['last_error']} <span" in body


@pytest.mark.parametrize(("names", "count"), [([], 0), (["orders"], 1)])
async def test_a_project_has_no_tasks_only_if_its_lists_can_be_read(names: list[str], count: int) -> None:
    cloud = cloud_of(*map(sim_task, names))
    unreadable, counts = [faults.broken("/jobs")], []
    cloud.faults = unreadable
    async with polling(cloud, config_of("v3")) as exporter:
        for cloud.faults in (unreadable, [], unreadable):
            await asyncio.sleep(200)
            (project,) = json.loads((await get(exporter, "/api/v1/tasks")).body)["projects"]
            counts.append(project["tasks"])
    assert counts == [None, count, count or None]


@simulated
async def explained(tasks: tuple[SimTask, ...], wanted: str) -> tuple[int, Any]:
    async with exporter_on(cloud_of(*tasks), config_of("v3")) as exporter:
        await exporter.poll_once()
        got = await get(exporter, f"/api/v1/tasks/{wanted}")
        assert (got.headers["content-type"], got.headers["cache-control"]) == ("application/json", "no-store")
        return got.status, json.loads(got.body)


def test_the_api_returns_all_about_one_task() -> None:
    orders = sim_task("orders", delay=7)
    status, found = explained((orders, sim_task("other")), orders.id)
    assert (status, found["task_name"], found["incremental_delay_seconds"]) == (200, "orders", 7)
    assert found["cutover_verdict"] == "blocked by delay_high"
    reasons = {reason["reason"]: reason for reason in found["cutover_reasons"]}
    assert reasons["phase"]["blocks"] is False
    assert reasons["delay_high"].items() >= {"blocks": True, "fact": "7s, limit 5s", "age_seconds": 0.0}.items()
    assert reasons["delay_high"]["advice"].startswith("The target is behind ")
    facts = {group["group"]: group for group in found["facts"]}
    assert {"name": "delay", "text": "7s"} in facts["progress"]["values"]
    assert facts["progress"].items() >= {"age": "0s old", "age_seconds": 0.0, "unknown": None}.items()
    assert facts["identity"].items() >= {"age": None, "age_seconds": None}.items()
    assert facts["detail"].items() >= {"values": [], "unknown": "the collector is disabled"}.items()


def test_the_api_returns_the_subtasks_of_a_task() -> None:
    parent = shops()
    _, found = explained((parent,), parent.id)
    assert [(part["task_name"], part["cutover_verdict"]) for part in found["subtasks"]] == [
        ("north", "no blocker"),
        ("south", "blocked by delay_high"),
        ("west", "not possible (the phase is ended)"),
    ]
    assert {reason["reason"] for reason in found["subtasks"][1]["cutover_reasons"] if reason["blocks"]} == {
        "delay_high"
    }


async def test_the_api_returns_history_predictions_and_events() -> None:
    orders = sim_task("orders", delay=1000)
    async with polling(cloud_of(orders), config_of("v3")) as exporter:
        for delay in (1000, 900, 800, 700, 600, 500, 400, 300):
            orders.delay = delay
            await asyncio.sleep(100)
        orders.pin("INCRE_TRANSFER_FAILED")
        found = json.loads((await get(exporter, f"/api/v1/tasks/{orders.id}")).body)
        await asyncio.sleep(100)
        failed = json.loads((await get(exporter, f"/api/v1/tasks/{orders.id}")).body)
    history = found["history"]
    assert history["since_timestamp_seconds"] == pytest.approx(EPOCH, abs=5)
    assert len(history["hour"]) == pytest.approx(13, abs=2)
    assert [point["incremental_delay_seconds"] for point in history["hour"]][:3] == [None, 1000, 900]
    newest = {name: history["hour"][-1][name] for name in ("phase", "incremental_delay_seconds", "ready")}
    assert newest == {"phase": "incremental", "incremental_delay_seconds": 300, "ready": False}
    assert history["day"][0]["at_timestamp_seconds"] == history["since_timestamp_seconds"]
    assert found["incremental_delay_slope"] == pytest.approx(-1, rel=0.1)
    assert found["predicted_catch_up_seconds"] == pytest.approx(295, rel=0.2)
    assert found["events"] == []
    (event,) = (event for event in failed["events"] if event["kind"] == "failed")
    assert event["sentence"] == "Task orders failed; it was in phase incremental before."
    assert failed["predicted_catch_up_seconds"] is None


@pytest.mark.parametrize("task_id", ["unknown", "a/b", "..%2F", "%00", ""])
def test_an_unknown_task_is_not_found(task_id: str) -> None:
    assert explained((sim_task("orders"),), task_id) == (404, {"errors": ["no task has this id"], "ready": True})


def test_every_field_is_documented() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    _, answer = response_of("/api/v1/tasks")
    project, task = answer["projects"][0], answer["tasks"][0]
    _, explained = response_of(f"/api/v1/tasks/{task['task_id']}")
    parts = [key for name in ("facts", "cutover_reasons") for key in explained[name][0]]
    names = {*answer, *project, *task, *project["collectors"]["progress"], *(field.name for field in fields(Query))}
    names |= {*explained, *parts, *explained["facts"][0]["values"][0]}
    names |= {*explained["history"], *explained["history"]["hour"][0]}
    documented = set(re.findall(r"`([a-z_]+)`", text))
    assert names <= documented
    assert set(WORST_FIRST) | set(SORTS) <= documented
    assert f"{MAX_LIMIT} at most ({MAX_LIMIT_OF_PAGES} on the status page)" in text
