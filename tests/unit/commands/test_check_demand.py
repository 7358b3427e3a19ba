"""The comparison of the calls that polls need with the rate limit."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest

from exporter.commands.check_demand import demand_findings
from exporter.commands.findings import Finding
from exporter.views.errors import Level
from tests.lib.commands import WHERE, checked, config_for
from tests.lib.daemon import Scrape, cloud_of, config_of, polling, sim_task
from tests.lib.virtual_time import simulate

(ACCOUNT,) = config_of(poll={"rate_limit": 3.0, "burst": 5}).accounts
REGION = "cn-north-4"
CALLS = "calls a second for these intervals; 3 are allowed"
NOT_READY = "and no task is ready while its delay is older than cutover.max_age"


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
            f"9000 active tasks need 120 {CALLS}: delays will be about 20m34s old, {NOT_READY} (1m30s)",
            "set poll.rate_limit to 124 if no other program needs the API, or a longer interval of progress",
        ),
    ],
)
def test_the_finding_about_a_region(
    demand: dict[str, float], active: int, level: Level, what: str, remedy: str
) -> None:
    assert found(check(demand, active)) == [(level, f"{ACCOUNT.name}/{REGION}", what, remedy)]


@pytest.mark.parametrize(
    ("max_age", "level"), [(60.0, Level.WARN), (99.0, Level.WARN), (100.0, Level.OK), (300.0, Level.OK)]
)
def test_delays_that_will_be_too_old_for_a_cut_over_are_a_warning(max_age: float, level: Level) -> None:
    cutover = ACCOUNT.cutover.model_copy(update={"max_age": max_age})
    account = ACCOUNT.model_copy(update={"cutover": cutover})
    (finding,) = demand_findings(account, [check({"progress": 10.0}, account=account)])
    assert (finding.level, NOT_READY in finding.what) == (level, level is Level.WARN)
    assert "delays will be about 1m40s old" in finding.what


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
    assert f"old, {NOT_READY} (1m30s): set poll.rate_limit to " in line


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_check_and_daemon_compute_the_same_demand_where_parents_are_refused_or_not(api: str) -> None:
    tasks = [
        *(sim_task(f"a{n}", relation="multi_to_single", children=[sim_task(f"b{n}", role="child")]) for n in range(20)),
        *(sim_task(f"c{n}") for n in range(30)),
    ]
    if api == "v5":  # whose lists show which parents are of one kind
        tasks += [sim_task(f"d{n}", relation="edit", children=[sim_task(f"e{n}", role="child")]) for n in range(4)]
    collectors = ("tasks", "progress", "node", "detail")
    config = config_of(api, collectors)

    async def wanted() -> float:
        async with polling(cloud_of(*tasks, published={api}), config) as exporter:
            await asyncio.sleep(90)
            await exporter.publish()
            ratio = Scrape(exporter).value("drs_exporter_api_demand_ratio")
            assert ratio is not None
            return ratio * config.accounts[0].poll.rate_limit

    cloud = cloud_of(*tasks, published={api})
    _, text = checked(cloud, config)
    found = re.search(r"need ([0-9.]+) calls a second", text)
    assert found
    assert float(found[1]) == pytest.approx(simulate(wanted()), rel=0.1)
    assert len(cloud.calls) < 30
