from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exporter.commands.outcome import Outcome
from tests.lib.commands import CANARY, config_for, explained, golden, group, shops
from tests.lib.daemon import cloud_of, sim

if TYPE_CHECKING:
    from exporter.simulator import SimTask


IGNORED = "not considered, by the settings of cutover: logs"


def test_a_task_that_both_generations_list() -> None:
    orders = sim(
        "orders",
        comparison="different",
        tags={"team": "payments", "secret": CANARY},
        description=CANARY,
        alarms={"delay_time": 60},
        delay=7.25,
    )
    config = config_for(tasks={"tag_labels": ["team"]}, cutover={"comparison": "if_available"})
    assert explained(cloud_of(orders), config=config) == Outcome(0, golden("explain_orders"))
    assert explained(cloud_of(orders), orders.id, config) == Outcome(0, golden("explain_orders"))


def test_a_parent_and_the_reasons_of_its_subtasks() -> None:
    config = config_for(collectors={"detail": {"enabled": False}})
    assert explained(cloud_of(shops(), published={"v3"}), "shops", config) == Outcome(0, golden("explain_shops"))


def test_a_subtask() -> None:
    parent = shops()
    outcome = explained(cloud_of(parent, published={"v3"}), "south")
    assert outcome.code == 0
    assert f"parent id  {parent.id}" in group(outcome.text, "identity")
    assert group(outcome.text, "cut-over").startswith(f"cut-over as a part of {parent.id}: blocked by delay_high\n")


def test_a_disaster_recovery_task() -> None:
    dr = sim(
        "dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", alarms={"rpo_delay": 30}, rpo=31.5, rto=0.5
    )
    assert explained(cloud_of(dr), "dr") == Outcome(0, golden("explain_dr"))


def test_a_task_that_is_being_configured() -> None:
    text = explained(cloud_of(sim("orders", status="CONFIGURATION"))).text
    assert (
        group(text, "precheck")
        == """\
precheck, 0s old
  items ALARM   3
  items PASSED  7
  passed        100%"""
    )
    assert group(text, "progress") == "progress: unknown, only tasks that run have it"
    assert group(text, "cut-over") == "cut-over: out of the question, the phase is preparing"


def test_a_full_load_under_way() -> None:
    text = explained(cloud_of(sim("orders", status="FULL_TRANSFER_STARTED", progress=33))).text
    assert "  full load            33%\n" in group(text, "progress")
    assert "  delay                unknown\n" in group(text, "progress")
    assert group(text, "cut-over").startswith("cut-over: blocked by phase, delay_unknown, full_incomplete")


@pytest.mark.parametrize(
    ("task", "name", "never"),
    [
        (sim("orders", status="RELEASE_RESOURCE_COMPLETE"), "orders", "the phase is ended"),
        (
            sim("geo", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", relation="multi_write"),
            "geo",
            "both sides of a dual-active pair are in use",
        ),
        (
            sim("ha", relation="multi_az", children=[sim("one", role="master"), sim("two", role="slave")]),
            "two",
            "it is the standby of a pair",
        ),
        (
            sim(
                "geo",
                scenario="cloudDataGuard",
                engine="cloudDataGuard-mysql",
                relation="multi_write",
                children=[sim("there", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", role="child")],
            ),
            "there",
            "like that of its parent: both sides of a dual-active pair are in use",
        ),
    ],
)
def test_what_is_never_cut_over(task: SimTask, name: str, never: str) -> None:
    text = explained(cloud_of(task), name).text
    assert group(text, "cut-over").splitlines()[0].endswith(f"out of the question, {never}")
    assert "reason" not in group(text, "cut-over")


def test_logs() -> None:
    text = explained(cloud_of(sim("orders")), config=config_for(collectors={"logs": {"enabled": True}})).text
    assert group(text, "logs") == "logs, 0s old\n  newest info  2025-12-30 08:55:20Z, 1d15h ago"
