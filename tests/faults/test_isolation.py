"""Where an account, region, project or collector fails, all others look as they do without a fault."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import pytest

from exporter.cloud.operations import LIST_V3, LIST_V5, OPERATIONS, Operation
from exporter.config import Collectors
from exporter.docs.sources import feed_of
from exporter.metrics.family import Family
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.simulator import SimulatedCloud, World
from tests.faults.fleet import AGE, FAILING, INTERVAL, View, account, cloud, config, fed_by, id_of, pages_at, tasks
from tests.faults.kinds import KINDS, Kind
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import now, simulate

pytestmark = pytest.mark.usefixtures("frequent_polls")

REGIONS = {"north-one": "cn-north-4", "north-two": "cn-north-4", "east-one": "cn-east-3"}
OTHER, OTHER_PROJECT = "globex", "north-one"
"""An account of which nothing fails."""
FAILING_PROJECTS = {"account": [*REGIONS], "region": ["north-one", "north-two"], "project": ["north-one"]}
CHOSEN = [kind for kind in KINDS if kind.name in {"time-out", "401", "429"}]
OF_POLLS = {
    f"drs_exporter_collector_{what}" for what in ("success", "duration_seconds", "last_success_timestamp_seconds")
}
COLLECTORS = tuple(Collectors.model_fields)


def regions_of(name: str) -> dict[str, str]:
    """Return the regions of the projects of an account."""
    return {OTHER_PROJECT: REGIONS[OTHER_PROJECT]} if name == OTHER else REGIONS


def large(name: str) -> SimulatedCloud:
    worlds = [
        World(
            project_id=id_of(name, project),
            region=region,
            tasks=[*tasks("sync")[::3], *tasks("cloudDataGuard")],
        )
        for project, region in regions_of(name).items()
    ]
    return SimulatedCloud(worlds=worlds, keys={"AK": "SK"}, now=now)


def large_account(name: str) -> dict[str, Any]:
    return account(name, COLLECTORS, ["sync", "cloudDataGuard"], regions=regions_of(name))


def slug(kind: Kind | None) -> str:
    """Return the name of the account that has a kind of fault, or none."""
    return kind.name.replace(" ", "-") if kind else "unaffected"


async def pages_of(failing: Iterable[str], kinds: Iterable[Kind | None]) -> list[View]:
    """Poll an account for each kind, with these failing projects, and the other account.

    Return pages during the fault, after all facts have expired, and after the fault.
    """
    named = {OTHER: None, **{slug(kind): kind for kind in kinds}}
    transport = FaultyTransport({f"{name}.test": large(name) for name in named}, now)
    failures = {
        (id_of(name, project), operation): kind.failure
        for name, kind in named.items()
        if kind is not None
        for project in failing
        for operation in OPERATIONS
    }
    expired = 2 * AGE + 2 * INTERVAL - 1
    steps = (
        (10, partial(transport.fail, failures)),
        (89, None),
        (expired, None),
        (expired, partial(transport.fail, {})),
        (expired + 2 * INTERVAL, None),
    )
    return await pages_at(transport, config(map(large_account, named)), steps)


@cache
def undisturbed() -> list[View]:
    return simulate(pages_of([], [None]))


@pytest.mark.parametrize("level", FAILING_PROJECTS)
def test_one_of_many_projects_fails(level: str) -> None:
    failing = FAILING_PROJECTS[level]
    shared = {REGIONS[project] for project in failing}
    pages = simulate(pages_of(failing, CHOSEN))
    for seen, usual in zip(pages, undisturbed(), strict=True):
        assert seen.of(OTHER, OTHER_PROJECT) == usual.of(OTHER, OTHER_PROJECT)
        for kind in CHOSEN:
            for project in REGIONS.keys() - set(failing):
                values = not kind.throttles or REGIONS[project] not in shared  # the same rate limit: a moment later
                expected = usual.of(slug(None), project, values=values)
                assert seen.of(slug(kind), project, values=values) == expected, (kind.name, project)
    for kind in CHOSEN:
        for project in failing:
            assert [page.value(slug(kind), project, "drs_up") for page in pages] == [0, 0, 1], (kind.name, project)
            assert not [line for line in pages[1].facts(slug(kind), project) if "_total{" not in line], kind.name


OF_COLLECTOR = {
    collector: operations
    for collector in COLLECTORS
    if (operations := [operation for operation in OPERATIONS if collector in fed_by(operation)[:1]])
    and collector != "tasks"
}
"""The operations of each collector that has some of its own; objects come along with the progress."""


@cache
def collectors_by_family() -> dict[str, frozenset[str]]:
    """The collectors behind each family about the cloud."""
    families: tuple[Family[Any], ...] = (*PROJECT_FAMILIES, *TASK_FAMILIES)
    return {family.name: frozenset(feed_of(family).collectors) for family in families if family.name not in OF_POLLS}


def lines_of_others(page: View, name: str, failing: set[str]) -> list[str]:
    """The lines that have nothing of the collectors that fail."""
    others = {family for family, collectors in collectors_by_family().items() if not failing & collectors}
    labels = {f'collector="{name}"' for name in failing}  # of them, such as their sources
    lines = (line for line in page.of(name, FAILING) if line.partition("{")[0] in others)
    return [line for line in lines if not any(label in line for label in labels)]


async def collected(failing_operations: Iterable[Operation], kinds: Iterable[Kind | None]) -> View:
    """The page of accounts that have the names of the kinds."""
    scenarios = ["sync", "cloudDataGuard"]
    named = {slug(kind): kind for kind in kinds}
    transport = FaultyTransport({f"{name}.test": cloud(name, scenarios) for name in named}, now)
    transport.failures = {
        (id_of(name, FAILING), operation): kind.failure
        for name, kind in named.items()
        if kind is not None
        for operation in failing_operations
    }
    configuration = config(account(name, COLLECTORS, scenarios, regions={FAILING: "cn-north-4"}) for name in named)
    (page,) = await pages_at(transport, configuration, [(3 * INTERVAL + 29, None)])
    return page


@cache
def collected_undisturbed() -> View:
    return simulate(collected([], [None]))


@pytest.mark.parametrize("collector", OF_COLLECTOR)
def test_one_collector_fails(collector: str) -> None:
    failing_operations = OF_COLLECTOR[collector]
    fed = {fed for operation in failing_operations for fed in fed_by(operation)}
    fed |= {"recovery"} if collector == "detail" else set()  # of DR tasks alone
    page = simulate(collected(failing_operations, CHOSEN))
    for kind in CHOSEN:
        success = page.by("collector", slug(kind), FAILING, "drs_exporter_collector_success")
        failing = {name for name, value in success.items() if value != 1}
        assert collector in failing
        assert failing <= fed
        seen, usual = lines_of_others(page, slug(kind), fed), lines_of_others(collected_undisturbed(), slug(None), fed)
        if kind.throttles:
            seen, usual = ([line.rpartition(" ")[0] for line in lines] for lines in (seen, usual))
        assert seen == usual, kind.name
        assert len(seen) > 50


def test_lists_are_the_collector_that_all_others_need() -> None:
    assert {operation for operation in OPERATIONS if fed_by(operation) == ("tasks",)} == {LIST_V3, LIST_V5}
