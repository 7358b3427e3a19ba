"""Where an account, region, project or collector fails, all others look as they do without a fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
PROJECTS = {"acme": tuple(REGIONS), "globex": ("north-one",)}
ALL_PROJECTS = [(name, project) for name, projects in PROJECTS.items() for project in projects]
FAILING_PROJECTS = {
    "account": [("acme", project) for project in REGIONS],
    "region": [("acme", "north-one"), ("acme", "north-two")],
    "project": [("acme", "north-one")],
}
CHOSEN = [kind for kind in KINDS if kind.name in {"time-out", "401", "429"}]
OF_POLLS = {
    f"drs_exporter_collector_{what}" for what in ("success", "duration_seconds", "last_success_timestamp_seconds")
}
COLLECTORS = tuple(Collectors.model_fields)


def large(name: str) -> SimulatedCloud:
    worlds = [
        World(
            project_id=id_of(name, project),
            region=REGIONS[project],
            tasks=[*tasks("sync")[::3], *tasks("cloudDataGuard")],
        )
        for project in PROJECTS[name]
    ]
    return SimulatedCloud(worlds=worlds, keys={"AK": "SK"}, now=now)


def large_account(name: str) -> dict[str, Any]:
    regions = {project: REGIONS[project] for project in PROJECTS[name]}
    return account(name, COLLECTORS, ["sync", "cloudDataGuard"], regions=regions)


async def pages_of(failing: Sequence[tuple[str, str]], kind: Kind | None) -> list[View]:
    """Return pages during the fault, after all facts have expired, and after the fault."""
    transport = FaultyTransport({f"{name}.test": large(name) for name in PROJECTS}, now)
    failures = {(id_of(*place), operation): kind.failure for place in failing for operation in OPERATIONS if kind}
    expired = 2 * AGE + 2 * INTERVAL - 1
    steps = (
        (10, partial(transport.fail, failures)),
        (89, None),
        (expired, None),
        (expired, partial(transport.fail, {})),
        (expired + 2 * INTERVAL, None),
    )
    return await pages_at(transport, config(map(large_account, PROJECTS)), steps)


@cache
def undisturbed() -> list[View]:
    return simulate(pages_of([], None))


@pytest.mark.parametrize("kind", CHOSEN, ids=lambda kind: kind.name)
@pytest.mark.parametrize("level", FAILING_PROJECTS)
def test_one_of_many_projects_fails(level: str, kind: Kind) -> None:
    failing = FAILING_PROJECTS[level]
    shared = {(name, REGIONS[project]) for name, project in failing}
    pages = simulate(pages_of(failing, kind))
    for seen, usual in zip(pages, undisturbed(), strict=True):
        for name, project in set(ALL_PROJECTS) - set(failing):
            values = not kind.throttles or (name, REGIONS[project]) not in shared  # the same rate limit: a moment later
            assert seen.of(name, project, values=values) == usual.of(name, project, values=values), (name, project)
    for name, project in failing:
        assert [page.value(name, project, "drs_up") for page in pages] == [0, 0, 1]
        assert not [line for line in pages[1].facts(name, project) if "_total{" not in line]


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


async def collected(failing_operations: Iterable[Operation], kinds: Iterable[Kind]) -> View:
    """The page of accounts that have the names of the kinds, and of one that is spared."""
    scenarios = ["sync", "cloudDataGuard"]
    named: dict[str, Kind | None] = {"unaffected": None, **{slug(kind): kind for kind in kinds}}
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


def slug(kind: Kind) -> str:
    return kind.name.replace(" ", "-")


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
        seen, usual = lines_of_others(page, slug(kind), fed), lines_of_others(page, "unaffected", fed)
        if kind.throttles:
            seen, usual = ([line.rpartition(" ")[0] for line in lines] for lines in (seen, usual))
        assert seen == usual, kind.name
        assert len(seen) > 50


def test_lists_are_the_collector_that_all_others_need() -> None:
    assert {operation for operation in OPERATIONS if fed_by(operation) == ("tasks",)} == {LIST_V3, LIST_V5}
