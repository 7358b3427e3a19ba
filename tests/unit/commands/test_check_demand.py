"""The comparison of the calls that polls need with the rate limit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from exporter.commands.check_demand import demand_findings
from exporter.commands.findings import Finding
from exporter.views.errors import Level
from tests.lib.commands import WHERE, checked, config_for
from tests.lib.daemon import cloud_of, config_of, sim_task

(ACCOUNT,) = config_of(poll={"rate_limit": 3.0, "burst": 5}).accounts
REGION = "cn-north-4"
CALLS = "calls a second for these intervals; 3 are allowed"


def check(demand: dict[str, float], active: int = 420, region: str = REGION, account: Any = ACCOUNT) -> Any:
    return SimpleNamespace(account=account, region=region, demand=demand, active=active)


def found(*checks: Any) -> list[Finding]:
    return [*demand_findings(ACCOUNT, checks)]


@pytest.mark.parametrize(
    ("demand", "active", "level", "what", "remedy"),
    [
        (
            {"progress": 1.5, "tasks": 1.0},
            420,
            Level.OK,
            f"420 active tasks need 2.5 {CALLS}",
            "",
        ),
        ({"progress": 3.0}, 1, Level.OK, f"1 active task needs 3 {CALLS}", ""),
        (
            {"progress": 2.6, "detail": 1.04},
            420,
            Level.OK,
            f"420 active tasks need 3.6 {CALLS}: delays will be about 30s old",
            "set poll.rate_limit to 4 if no other program needs the API, or a longer interval of progress",
        ),
        (
            {"progress": 3.0, "detail": 12.0},
            420,
            Level.OK,
            f"420 active tasks need 15 {CALLS}: delays will be about 1m old",
            "set poll.rate_limit to 15 if no other program needs the API, or a longer interval of detail",
        ),
        (
            {"progress": 123.4},
            9000,
            Level.WARN,
            f"9000 active tasks need 120 {CALLS}: delays will be about 20m34s old",
            "set poll.rate_limit to 124 if no other program needs the API, or a longer interval of progress",
        ),
    ],
)
def test_the_finding_about_a_region(
    demand: dict[str, float], active: int, level: Level, what: str, remedy: str
) -> None:
    assert found(check(demand, active)) == [(level, f"{ACCOUNT.name}/{REGION}", what, remedy)]


def test_projects_of_a_region_are_added_up_and_regions_and_accounts_are_not() -> None:
    other = ACCOUNT.model_copy(update={"name": "other"})
    checks = [
        check({"progress": 1.0}, 10),
        check({"progress": 1.0, "quota": 0.5}, 20),
        check({"progress": 0.5}, 5, region="eu-de"),
        check({"progress": 9.0}, 900, account=other),
        check({"progress": 9.0}, 900, region="ap-southeast-1", account=other),
    ]
    assert [(place, what.split(" for ")[0]) for _, place, what, _ in found(*checks)] == [
        (f"{ACCOUNT.name}/{REGION}", "30 active tasks need 2.5 calls a second"),
        (f"{ACCOUNT.name}/eu-de", "5 active tasks need 0.5 calls a second"),
    ]


def test_a_region_whose_demand_is_not_known_has_no_finding() -> None:
    assert found(check({}, 0)) == []


def test_check_warns_of_a_rate_limit_that_makes_delays_stale() -> None:
    tasks = [sim_task(f"task-{number}") for number in range(60)]
    config = config_for(poll={"rate_limit": 0.05, "burst": 100})
    fine, text = checked(cloud_of(*tasks), config)
    (line,) = (line for line in text.splitlines() if "active tasks" in line)
    assert fine
    assert line.startswith(f"warn  {WHERE.rpartition('/')[0]} ")
    assert "60 active tasks need " in line
    assert "0.05 are allowed: delays will be about " in line
    assert "old: set poll.rate_limit to " in line
