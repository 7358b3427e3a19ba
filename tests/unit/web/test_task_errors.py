"""The page of error codes and messages, and the links to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exporter.simulator.world.tasks import SimTask
from exporter.web import task_errors
from tests.lib.daemon import cloud_of, config_of, exporter_on, get, sim_task
from tests.lib.html_page import ParsedPage
from tests.lib.virtual_time import simulated


def failed(code: str) -> SimTask:
    task = sim_task("orders", status="INCRE_TRANSFER_FAILED")
    task.overrides["v3_progress"] = {"error_code": code}
    return task


def test_each_code_is_an_anchor() -> None:
    assert '<code id="DRS.KE0002">DRS.KE0002</code>' in task_errors.html()
    assert "***" not in task_errors.html()


@simulated
async def test_the_page_shows_codes_and_messages() -> None:
    async with exporter_on(cloud_of(sim_task("orders")), config_of("v3")) as exporter:
        got = await get(exporter, "/errors")
    page = ParsedPage(got.body)
    assert got.status == 200
    assert "The user name or the password is wrong." in page.text
    assert "Must seek before attempting to read next event" in page.text


@pytest.mark.parametrize(
    ("code", "anchor", "meaning"),
    [
        (
            "DRS.M01504",
            "#DRS.M01504",
            {
                "code": "DRS.M01504",
                "cause": "Another operation is in progress on the task, or the task is in an abnormal state.",
                "remedy": "Wait until the operation has ended, and repeat it. If the task stays abnormal, resume it.",
            },
        ),
        ("DRS.M05101", "", None),
    ],
)
@simulated
async def test_a_failed_task_leads_to_its_error(code: str, anchor: str, meaning: dict[str, Any] | None) -> None:
    task = failed(code)
    async with exporter_on(cloud_of(task), config_of("v3")) as exporter:
        await exporter.poll_once()
        page = (await get(exporter, f"/tasks/{task.id}")).body.decode()
        found = json.loads((await get(exporter, f"/api/v1/tasks/{task.id}")).body)
    assert f'<a href="../errors{anchor}">' in page
    assert (found["error_code"], found["error_meaning"]) == (code, meaning)


@simulated
async def test_a_task_that_has_not_failed_has_no_error() -> None:
    task = sim_task("orders")
    async with exporter_on(cloud_of(task), config_of("v3")) as exporter:
        await exporter.poll_once()
        assert b"../errors" not in (await get(exporter, f"/tasks/{task.id}")).body
