"""docs/api-coverage.md is true: without a key in the responses, the metrics that show it change, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields
from functools import cache
from typing import Any

import httpx
import pytest

from exporter.cloud.api_fields import NOT_SHOWN, PAGES, Page, Table
from exporter.config import COLLECTOR_OF, COLLECTORS
from exporter.daemon.exporter import Exporter
from exporter.docs.coverage import facts_of, metrics_of, paths_to
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model.known_facts import TASK_FACTS
from exporter.model.task import Listed
from exporter.simulator import AsyncJob, SimTask, SimulatedCloud
from tests.lib.daemon import HOUR, cloud_of, config_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, clock, simulate

REQUESTS: dict[str, tuple[str, Collection[str]]] = {
    "Querying Tasks": (r"GET /v5/\w+/jobs", ()),
    "Querying Task Details": (r"GET /v5/\w+/jobs/[\w-]+", COLLECTORS),
    "Querying Task Details in Batches": (r"POST /v3/\w+/jobs/batch-detail", ["detail", "recovery"]),
    "Querying Tasks of a Tenant": (r"POST /v3/\w+/jobs", ()),
    "Querying the List of Tasks Created Asynchronously in Batches": (r"GET /v5/\w+/batch-async-jobs", ["async_jobs"]),
}
"""Method and path, and the collectors that send it beside `tasks`, by the title of the page."""
_LABELS = {"task_id": "listed.id", "task_name": "listed.name"}
_REAL = {"instInfo": "inst_info"}
"""Keys of real responses by those of the page."""
_QUERIED = {"job_type", "db_use_type"}
"""Keys that a list repeats from its query."""


def tasks() -> list[SimTask]:
    """Tasks that together have a value in every field that the exporter shows."""
    dr: dict[str, Any] = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
    alarms = {"delay_time": 60, "rpo_delay": 60, "rto_delay": 60}
    limits = [{"begin": "16:00", "end": "15:59", "speed": "10"}]
    return [
        sim_task("compared", comparison="different", tags={"team": "a"}, charging="period", writable="success"),
        sim_task("changing", comparison="equal", alarms=alarms, role="master", action="PAUSE", eip="SUCCESS"),
        sim_task("waiting", script=(("CREATING", 60.0), ("WAITING_FOR_START", 1e9))),
        sim_task("loading", script=(("STARTJOBING", 60.0), ("FULL_TRANSFER_STARTED", 1e6))),
        sim_task("dr", **dr, speed_limits=limits),
        sim_task("pair", relation="multi_az", children=[sim_task(role, role=role) for role in ("master", "slave")]),
        sim_task("failed", status="INCRE_TRANSFER_FAILED"),
    ]


def without(value: Any, path: Sequence[str]) -> int:
    """Remove the keys at a path, in each item of lists and in each value of a map; returns how many there were."""
    if isinstance(value, list):
        return sum(without(item, path) for item in value)
    if not isinstance(value, dict):
        return 0
    key, *rest = (_REAL.get(key, key) for key in path)
    if not rest:
        return int(value.pop(key, None) is not None)
    if key in value:
        inner = value[key]
        return without([*inner.values()] if key == "progress_map" and isinstance(inner, dict) else inner, rest)
    return 0


class Without(InProcess):
    """The cloud without one key in the responses of one page."""

    def __init__(self, cloud: SimulatedCloud, page: Page, paths: Sequence[Sequence[str]]) -> None:
        super().__init__(cloud)
        self._request = re.compile(REQUESTS[page.title][0])
        self._paths = paths
        self.bodies: list[Any] = []
        """Those of the page, unchanged."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if not self._request.fullmatch(f"{request.method} {request.url.path}"):
            return response
        content = await response.aread()
        self.bodies.append(json.loads(content))
        body = json.loads(content)
        for path in self._paths:
            without(body, path)
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=json.dumps(body))


FAILED_BATCH = AsyncJob(status="ASYNC_JOB_VALIDATE_FAILED", created=EPOCH - HOUR)
Values = Mapping[str, object]
"""Facts and samples by their names."""


def polled(page: Page, collectors: Collection[str], *paths: Sequence[str]) -> tuple[Values, list[Any]]:
    """The values after one poll without the keys at these paths, and the bodies of the page with them."""

    async def main() -> tuple[Values, list[Any]]:
        cloud = cloud_of(*tasks(), v5_engines=("mysql-to-mysql", "cloudDataGuard-mysql"), async_jobs=[FAILED_BATCH])
        transport = Without(cloud, page, paths)
        config = config_of(page.api, ["tasks", *collectors], tasks={"tag_labels": ["team"]})
        async with Exporter(config, transport=transport, clock=clock) as exporter:
            for poller in exporter.pollers:  # without a page, which nobody reads
                await poller.poll_once()
            return dict(values(exporter)), transport.bodies

    return simulate(main())


def values(exporter: Exporter) -> Iterator[tuple[str, object]]:
    (store,) = exporter.stores
    found = store.tasks()
    project = store.project()
    for name, kind in TASK_FACTS.items():
        for field in fields(kind):
            yield f"{name}.{field.name}", [getattr(getattr(task, name), field.name, None) for task in found]
    for field in fields(Listed):
        yield f"listed.{field.name}", [getattr(task.listed, field.name, None) for task in found]
    yield "async_jobs.counts", project.async_jobs and project.async_jobs.counts
    yield "async_jobs.failed", project.async_jobs and project.async_jobs.failed
    for family in TASK_FAMILIES:
        yield family.name, [family.samples(task) for task in found]


def paths(page: Page, table: Table, *names: str) -> list[tuple[str, ...]]:
    """The paths of fields of a table in a response."""
    (root,) = (table.number for table in page.tables.values() if table.name == "response")
    return [(*path, name) for name in names for path in paths_to(page, root, table.number)]


def feeding(page: Page, expected: set[str]) -> tuple[str, ...]:
    """The collectors that provide these facts and metrics of a page; all of the page if the names do not show them."""
    names = {COLLECTOR_OF.get(re.split("[._]", name.removeprefix("drs_"))[0], "") for name in expected}
    of_page = tuple(REQUESTS[page.title][1])
    return tuple(sorted(names)) if names <= {*of_page} else of_page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_the_facts_of_a_key_change_without_it(page: Page) -> None:
    _, bodies = polled(page, REQUESTS[page.title][1])
    with_all_keys = cache(lambda collectors: polled(page, collectors)[0])
    shown = {
        (table.number, field): (shown_as(table, field), paths(page, table, field))
        for table in page.tables.values()
        for field in table.shown
        if shown_as(table, field)
    }

    def changed(expected: set[str], removed: list[tuple[str, ...]]) -> set[str]:
        collectors = feeding(page, expected)
        before, (after, _) = with_all_keys(collectors), polled(page, collectors, *removed)
        return {name for name in before if after.get(name) != before[name]}

    wrong = []
    for key, (expected, own) in shown.items():
        if not sum(without(deepcopy(bodies), path) for path in own):
            wrong.append(f"{key}: not in the simulated cloud")
        elif key[1] not in _QUERIED and not expected <= changed(expected, own):
            # Another key may have the same value, such as the delay in milliseconds.
            same = [path for others, theirs in shown.values() if others == expected for path in theirs]
            if not expected <= changed(expected, same):
                wrong.append(f"{key}: {expected} do not change")
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_no_fact_changes_without_the_keys_that_only_query_or_nothing_shows(page: Page) -> None:
    collectors = REQUESTS[page.title][1]
    before, _ = polled(page, collectors)
    unused = [
        path
        for table in page.tables.values()
        for path in paths(
            page,
            table,
            *(field for field in table.shown if not shown_as(table, field)),
            *(field for field, reason in table.reasons.items() if reason in NOT_SHOWN),
        )
    ]
    after, _ = polled(page, collectors, *unused)
    assert after == before


def shown_as(table: Table, field: str) -> set[str]:
    """The facts or metrics that a field becomes; none if only `query` prints it."""
    targets = table.becomes.get(field, facts_of(table, field)) if metrics_of(table, field) else ()
    return {_LABELS.get(target, target) for target in targets}
