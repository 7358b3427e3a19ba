"""Accounts with a failing project and another one, polled by one exporter in virtual time."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Any

from exporter.cloud import operations
from exporter.cloud.operations import Operation
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.config import Collectors, Config, from_mapping
from exporter.daemon.exporter import Exporter
from exporter.model.filters import ListQuery
from exporter.simulator import SimTask, SimulatedCloud, World
from exporter.simulator.world.world import AsyncJob
from tests.faults.transport import FaultyTransport
from tests.lib.daemon import sim_task
from tests.lib.virtual_time import EPOCH, clock, now

PROJECTS = FAILING, UNAFFECTED = "failing", "unaffected"
"""Of each account."""
INTERVAL, AGE = 30.0, 90.0
STAYING = ("drs_up", "drs_task_collected_timestamp_seconds")
"""Families that never expire, since they show how old the others are."""
OBSERVED = re.compile(r'drs_task_cutover_ready_since_timestamp_seconds\{|reason="(report_old|not_stable)"')
"""Series that depend on how long a task was observed."""
_ACCOUNT, _PROJECT = re.compile('account="([^"]*)",'), re.compile('project="([^"]*)"')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def fed_by(operation: Operation) -> tuple[str, ...]:
    """Return the collectors that an operation feeds, the one that makes the calls first; may be empty."""
    apis = V3(ListQuery()), V5(ListQuery())
    asked = [source for api in apis for source in api.sources if source.operation is operation]
    fed = [part.collector for source in asked for part in source.kinds if part not in source.partial]
    fed += [source.collector for api in apis for source in api.project_sources if source.operation is operation]
    lists = {operations.LIST_V3, operations.LIST_V5}
    return tuple(dict.fromkeys(fed)) if operation not in lists else ("tasks",)


def tasks(scenario: str) -> list[SimTask]:
    """Return tasks of a kind, at least one for each operation that serves them."""
    if scenario == "cloudDataGuard":
        return [sim_task("dr", scenario=scenario, engine="cloudDataGuard-mysql")]
    return [
        sim_task("orders", scenario=scenario, comparison="equal"),
        sim_task("stock", scenario=scenario, engine="postgresql", comparison="different"),
        sim_task("draft", scenario=scenario, status="CONFIGURATION"),
        sim_task("cache", scenario=scenario, engine="redis-to-gaussredis", comparison="equal", writable="success"),
    ]


def id_of(account: str, project: str) -> str:
    """The id of a project; all of them differ."""
    return sha256(f"{account} {project}".encode()).hexdigest()[:32]


def cloud(account: str, scenarios: Sequence[str]) -> SimulatedCloud:
    """One with both projects of an account, which are equal but for their ids."""
    batches = [AsyncJob(status="COMMIT_SUCCESS", created=EPOCH - age) for age in (60, 120, 180)]
    worlds = [
        World(
            project_id=id_of(account, project),
            name=project,
            tasks=[task for scenario in scenarios for task in tasks(scenario)],
            async_jobs=list(batches),
        )
        for project in PROJECTS
    ]
    return SimulatedCloud(worlds=worlds, keys={"AK": "SK"}, now=now)


def account(
    name: str,
    collectors: Iterable[str],
    scenarios: Sequence[str],
    interval: float = INTERVAL,
    regions: Mapping[str, str] = dict.fromkeys(PROJECTS, "cn-north-4"),
    **keys: Any,
) -> dict[str, Any]:
    """An account with these projects, by default the two, and a host of its own."""
    endpoint = f"https://{name}.test"
    projects = [
        {"region": region, "name": project, "project_id": id_of(name, project), "endpoint": endpoint}
        for project, region in regions.items()
    ]
    enabled = {"tasks", *collectors}
    return {
        "name": name,
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"},
        "projects": projects,
        "iam_endpoint": endpoint,
        "collectors": {key: {"enabled": key in enabled, "interval": interval} for key in Collectors.model_fields},
        "poll": {"rate_limit": 1e3, "burst": 10_000, "interval": interval, "stale_after": 3 * interval, "timeout": 5.0},
        "tasks": {"job_types": list(scenarios)},
        "cutover": {"max_age": max(AGE, 2 * interval)},
        **keys,
    }


def config(accounts: Iterable[Mapping[str, Any]], **sections: Any) -> Config:
    """These accounts, and further sections."""
    return from_mapping({"accounts": list(accounts), **sections})


@asynccontextmanager
async def polling(transport: FaultyTransport, configuration: Config) -> AsyncIterator[Exporter]:
    """The daemon while it polls; it has to live to the end."""
    async with Exporter(configuration, transport=transport, clock=clock, uses_storage=True) as exporter:
        running = asyncio.create_task(exporter.run())
        try:
            yield exporter
            assert not running.done()
            assert exporter.healthy
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


class View:
    """The page at one moment, by account and project, whose names are left out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines: dict[tuple[str, str], list[str]] = defaultdict(list)
        for line in text.splitlines():
            if not line.startswith("#") and (account := _ACCOUNT.search(line)):
                project = _PROJECT.search(line)
                self._lines[account[1], project[1] if project else ""].append(line.replace(account[0], ""))

    def of(self, name: str, project: str = "", *, values: bool = True) -> list[str]:
        """Return every line about an account, or about a project of it; without `values`, the series alone."""
        lines = sorted(self._lines[name, project])
        return lines if values else [line.rpartition(" ")[0] for line in lines]

    def facts(self, name: str, project: str) -> set[str]:
        """The series about the cloud, and not about the exporter or its polls."""
        series = {line.rpartition(" ")[0] for line in self._lines[name, project]}
        return {
            line
            for line in series
            if not (line.startswith("drs_exporter_") or line.partition("{")[0] in STAYING or OBSERVED.search(line))
        }

    def by(self, label: str, name: str, project: str, family: str, **labels: str) -> dict[str, float]:
        """The samples of a family that have these labels, by another one."""
        found: dict[str, float] = {}
        for line in self._lines[name, project]:
            if line.startswith(family + "{"):
                head, _, value = line.rpartition(" ")
                seen = dict(_LABEL.findall(head))
                if labels.items() <= seen.items():
                    found[seen.get(label, "")] = float(value)
        return found

    def codes(self, name: str, operation: Operation) -> dict[str, float]:
        """How often each code came of an operation's calls."""
        counted = self.by("code", name, "", "drs_exporter_api_requests_total", operation=operation.name)
        return {code: calls for code, calls in counted.items() if calls}

    def value(self, name: str, project: str, family: str, **labels: str) -> float | None:
        """The value of the one sample with these labels; None where there is none."""
        return self.by("", name, project, family, **labels).get("")


async def view(exporter: Exporter) -> View:
    """The page of this moment."""
    await exporter.publish()
    return View(b"".join(exporter.exposition.page.plain()).decode())


async def pages_at(
    transport: FaultyTransport, configuration: Config, steps: Iterable[tuple[float, Callable[[], object] | None]]
) -> list[View]:
    """Poll; at each moment of the steps do something, or return the page of this moment."""
    pages = []
    async with polling(transport, configuration) as exporter:
        for at, action in steps:
            await until(at)
            if action is None:
                pages.append(await view(exporter))
            else:
                action()
    return pages


async def until(seconds: float) -> None:
    """Wait for a moment of the virtual clock."""
    await asyncio.sleep(EPOCH + seconds - now())
