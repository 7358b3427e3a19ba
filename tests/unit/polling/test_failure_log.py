"""What is logged of a project that fails."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from exporter.config import JOB_TYPES
from exporter.simulator import Fault, SimulatedCloud, faults
from tests.lib.daemon import PROJECT_ID, cloud_of, config_of, polling, sim_task
from tests.lib.virtual_time import simulated

pytestmark = pytest.mark.usefixtures("published_seldom")


@simulated
async def lines_while(cloud: SimulatedCloud, *stages: tuple[float, list[Fault]]) -> list[Any]:
    """The lines while faults come and go, each for some seconds."""

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    with capture_logs() as lines:
        async with polling(cloud, config_of(collectors=["tasks", "progress"], poll={"interval": "30s"})):
            for seconds, present in stages:
                cloud.faults = present
                await asyncio.sleep(seconds)
    return [line for line in lines if line["event"] != "API call"]


def logged_while(cloud: SimulatedCloud, *stages: tuple[float, list[Fault]]) -> list[tuple[str, str, str]]:
    """Level, event and subject of each of them."""
    return [(line["log_level"], line["event"], line.get("what", "")) for line in lines_while(cloud, *stages)]


def since_unreadable(lines: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Retries differ in length: what fails beside the lists may be told before they are known to fail."""
    events = [line[1] for line in loud(lines)]
    return loud(lines)[events.index("the project is unreadable: every list fails") :]


def loud(lines: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [line for line in lines if line[0] != "debug"]


def test_an_unreadable_project_is_one_line_and_its_end_another() -> None:
    lines = logged_while(cloud_of(sim_task("one")), (59, []), (900, [faults.broken(PROJECT_ID)]), (600, []))
    assert since_unreadable(lines) == [
        ("warning", "the project is unreadable: every list fails", ""),
        ("info", "the project is readable again", ""),
    ]
    assert any(line[0] == "debug" and line[1] == "the cloud gave no usable response" for line in lines)


def test_what_still_fails_when_a_project_is_readable_again_is_logged() -> None:
    progress = faults.forbidden("batch-progress")
    lines = logged_while(
        cloud_of(sim_task("one")), (60, [progress]), (900, [faults.broken(PROJECT_ID)]), (900, [progress]), (900, [])
    )
    assert since_unreadable(lines) == [
        ("warning", "the project is unreadable: every list fails", ""),
        ("info", "the project is readable again", ""),
        ("warning", "the cloud gave no usable response", "v3_batch_progress"),
        ("info", "the cloud responds again", "v3_batch_progress"),
    ]


def test_a_generation_that_fails_beside_another_makes_the_project_unreadable_only_until_that_is_queried() -> None:
    lines = loud(
        logged_while(cloud_of(sim_task("one")), (60, []), (1200, [faults.forbidden("/v3/.*/jobs$")]), (1200, []))
    )
    lists = {f"v3 list of {job_type}" for job_type in JOB_TYPES}
    assert [line[1] for line in lines[:2]] == [
        "the project is unreadable: every list fails",
        "the project is readable again",
    ]
    assert {line[2] for line in lines[2:5]} == lists
    assert [(line[1], line[2] in lists) for line in lines[5:]] == [("the cloud responds again", True)] * 3


def test_what_is_throttled_and_then_not_sent_for_a_while_is_logged_once() -> None:
    lines = logged_while(cloud_of(sim_task("one")), (5, []), (600, [faults.throttled("batch-progress")]), (200, []))
    assert [line for line in loud(lines) if line[2] == "v3_batch_progress"] == [
        ("warning", "the cloud gave no usable response", "v3_batch_progress"),
        ("info", "the cloud responds again", "v3_batch_progress"),
    ]


def test_an_incomplete_list_is_one_line_and_its_end_another() -> None:
    off = Fault(match="POST .*/v3/.*/jobs$", kind="wrong_total")
    lines = lines_while(cloud_of(sim_task("one"), published={"v3"}), (59, []), (300, [off]), (120, []))
    told = [line for line in lines if "list" in line["event"] and line["what"] == "v3 list of sync"]
    assert [(line["log_level"], line["event"], line["reason"]) for line in told] == [
        ("warning", "a task list is incomplete", "its pages and its total disagree"),
        ("info", "a task list is complete again", "its pages and its total disagree"),
    ]
    assert told[0]["tasks"] == 1
    assert told[1]["since"] == "2026-01-01 00:01:00Z"


def test_a_failure_is_logged_with_the_remedy_of_check() -> None:
    lines = lines_while(cloud_of(sim_task("orders")), (2, [faults.refused("", 404, "DRS.M00101", "")]))
    advice = [line["advice"] for line in lines if line["event"] == "the project is unreadable: every list fails"]
    assert advice == ['v3_list_jobs lacks a permission, 404 DRS.M00101: grant the system role "DRS ReadOnlyAccess"']


def test_an_error_that_contains_its_remedy_is_logged_without_another() -> None:
    lines = lines_while(cloud_of(sim_task("orders")), (2, [Fault(match="/jobs$", kind="huge")]))
    (line,) = [line for line in lines if line.get("what") == "v3 list of sync"]
    assert "the response has more than 4 MiB" in line["error"]
    assert "advice" not in line
