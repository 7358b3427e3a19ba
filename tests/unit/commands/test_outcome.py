"""`tasks` and `explain` report a list that succeeded but may lack tasks."""

from __future__ import annotations

import json

import httpx

from exporter.commands.explain import explain
from exporter.commands.tasks import tasks
from exporter.runtime.terminal import Screen
from tests.lib.commands import WHERE, config_for
from tests.lib.daemon import cloud_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate

WARNING = f"{WHERE}: the v3 list of sync is incomplete, tasks may be missing: some of its tasks could not be decoded"


class Undecodable(httpx.AsyncBaseTransport):
    """Adds a task without an id to each v3 list that has tasks."""

    def __init__(self) -> None:
        self._inner = InProcess(cloud_of(sim_task("orders"), published={"v3"}))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        body = json.loads(await response.aread())
        if body.get("jobs"):
            body["jobs"].append({"name": "without an id"})
            body["total_record"] += 1
        return httpx.Response(response.status_code, json=body)


def test_a_table_of_an_incomplete_list_comes_with_a_warning() -> None:
    outcome = simulate(tasks(config_for(), Screen(80), transport=Undecodable(), clock=clock))
    assert (outcome.code, outcome.notes) == (0, (WARNING,))
    assert "orders" in outcome.text
    assert outcome.text.endswith("; those of 1 project unknown or incomplete")


def test_json_contains_whether_each_list_is_complete() -> None:
    outcome = simulate(tasks(config_for(), None, transport=Undecodable(), clock=clock))
    assert (outcome.code, outcome.notes) == (0, (WARNING,))
    (project,) = json.loads(outcome.text)["projects"]
    lists = {(each["api"], each["job_type"]): each for each in project["lists"]}
    assert lists["v3", "sync"]["complete"] is False
    assert lists["v3", "sync"]["incomplete_because"] == "some of its tasks could not be decoded"
    assert lists["v3", "migration"]["complete"] is True


def test_explain_of_an_incomplete_list_comes_with_a_warning() -> None:
    outcome = simulate(explain(config_for(), "orders", transport=Undecodable(), clock=clock))
    assert (outcome.code, outcome.notes) == (0, (WARNING,))
    missing = simulate(explain(config_for(), "invoices", transport=Undecodable(), clock=clock))
    assert (missing.code, missing.notes[0]) == (1, WARNING)
