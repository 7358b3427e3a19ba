from __future__ import annotations

from typing import Any

import pytest

from exporter.simulator import faults
from tests.lib.commands import OTHER_ID, checked, config_for, finding, project, two_projects
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task

REMEDY = "correct the rule, or take it out"


def warned(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.startswith("warn")]


@pytest.mark.parametrize(
    ("rules", "warnings"),
    [
        ({}, []),
        ({"include": [{"name": "or.*"}], "exclude": [{"name": "x.*"}]}, ["tasks.exclude[0] matches none of 2 tasks"]),
        ({"include": [{"name": "or.*"}, {"name": "odr.*"}]}, ["tasks.include[1] matches none of 2 tasks"]),
        ({"exclude": [{"tag": "team=x"}]}, []),
    ],
)
def test_a_rule_that_matches_nothing(rules: dict[str, Any], warnings: list[str]) -> None:
    fine, text = checked(cloud_of(sim_task("orders"), sim_task("parcels")), config_for(tasks=rules))
    assert fine
    assert warned(text) == [f"warn acme {what}: {REMEDY}" for what in warnings]


def test_rules_that_leave_no_task() -> None:
    rules = {"include": [{"name": "or.*"}], "exclude": [{"name": ".*ers"}]}
    fine, text = checked(cloud_of(sim_task("orders")), config_for(tasks=rules))
    assert fine
    assert finding(text, "leave no") == "warn acme tasks.include and tasks.exclude leave no task: correct the rules"


def test_a_rule_may_be_for_another_project() -> None:
    cloud, _ = two_projects(sim_task("parcels"))
    rules = {"include": [{"name": "parcels"}, {"name": "orders"}, {"name": "nothing"}]}
    config = config_for(project(), project(OTHER_ID, name="shipping"), tasks=rules)
    assert warned(checked(cloud, config)[1]) == [f"warn acme tasks.include[2] matches none of 2 tasks: {REMEDY}"]
    cloud.faults = [faults.broken(PROJECT_ID)]
    assert "tasks.include" not in checked(cloud, config)[1]  # nobody knows
