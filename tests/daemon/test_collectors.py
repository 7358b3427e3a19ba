"""What one poll of each collector asks: by the formulas of docs/operations.md, and in which bodies."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any

import pytest

from exporter.cloud.operations import BY_NAME, OPERATIONS
from exporter.config import Collectors
from exporter.docs.operations import operations_markdown
from exporter.simulator import AsyncJob, Call, SimTask, SimulatedCloud
from tests.lib.daemon import DAY, cloud_of, config_of, exporter_on, sim_task
from tests.lib.virtual_time import EPOCH

pytestmark = pytest.mark.usefixtures("without_samples")

EVERY = tuple(Collectors.model_fields)
_ROWS = re.findall(r"^\| `(\w+)` \|.*\| `([^`]+)` \| \S[^|]*\|$", operations_markdown(), re.MULTILINE)
FORMULAS = {name: " + ".join(formula for operation, formula in _ROWS if operation == name) for name, _ in _ROWS}
ALONE = {("recovery", "v3_batch_detail"): "ceil(dr / 10)", ("detail", "v3_batch_detail"): "ceil(active / 10)"}
"""Of an operation that collectors share, by the one that asks: what it costs where the other one is disabled."""
DR = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
V5_WORDS = ("mysql-to-mysql", "redis-to-gaussredis")
IDLE = {"RELEASE_RESOURCE_COMPLETE", "CONFIGURATION"}
COMPARED_SINCE = 11 * 3600.0
"""Born so much earlier, the newest comparison of each type has ended well."""


def operation_of(call: Call) -> str:
    """The name of the operation that a call is."""
    version, *rest = call.path.removeprefix("/").split("/")
    parts = ("{job_id}" if len(part) == 36 else part for part in rest[1:])
    path = "/".join(("", version, "{project_id}", *parts))
    found = [each for each in OPERATIONS if (each.method, each.path) == (call.method, path)]
    return next(each.name for each in found if len(found) == 1 or each.type == call.query["type"])


def asked(cloud: SimulatedCloud) -> Counter[str]:
    """Calls so far, by operation; they are forgotten."""
    made = Counter(operation_of(call) for call in cloud.calls)
    cloud.calls.clear()
    return made


def world(runs: int = 13, recovers: int = 11, drafts: int = 12) -> list[SimTask]:
    """Tasks of every kind: running ones that both know or one alone, DR, drafts young and old, ended ones, subtasks."""
    early = EPOCH - 40 * 3600 - COMPARED_SINCE
    parents = {
        "relation": "multi_to_single",
        "children": [sim_task("north", comparison="different", born=early), sim_task("south")],
    }
    return [
        *(sim_task(f"both-{number}", scenario="migration") for number in range(runs)),
        *(sim_task(f"v3-{number}", engine="postgresql") for number in range(runs)),
        *(sim_task(f"v5-{number}", engine="redis-to-gaussredis") for number in range(runs)),
        *(sim_task(f"dr-{number}", **DR) for number in range(recovers)),
        *(sim_task(f"draft-{number}", status="CONFIGURATION", born=EPOCH - 2.9 * DAY) for number in range(drafts)),
        *(sim_task(f"old-draft-{number}", status="CONFIGURATION", born=EPOCH - 3.1 * DAY) for number in range(5)),
        *(sim_task(f"ended-{number}", status="RELEASE_RESOURCE_COMPLETE") for number in range(7)),
        sim_task("compared", comparison="different", born=early),
        sim_task("equal", comparison="equal", born=early, engine="postgresql"),
        sim_task("parent", **parents),
    ]


def ended(count: int) -> list[SimTask]:
    """As many tasks of each job type that have ended: lists of several pages."""
    kinds: tuple[dict[str, Any], ...] = ({"scenario": "migration"}, {}, DR)
    return [
        sim_task(f"ended-{number}-{place}", status="RELEASE_RESOURCE_COMPLETE", **kind)
        for place, kind in enumerate(kinds)
        for number in range(count)
    ]


@dataclass
class Kinds:
    """How many tasks of a kind there are, as a formula names them."""

    served: list[SimTask]
    now: float = EPOCH

    @property
    def active(self) -> int:
        return len(self._active)

    @property
    def dr(self) -> int:
        return sum(task.scenario == "cloudDataGuard" for task in self._active)

    @property
    def configured(self) -> int:
        return sum(
            task.at(self.now).status == "CONFIGURATION" and self.now - task.born < 3 * DAY for task in self.served
        )

    @property
    def compared(self) -> int:
        return sum(bool(task.comparison) for task in self._active)

    @property
    def comparisons(self) -> int:
        return 3 * self.compared

    @property
    def rows(self) -> int:
        return 2 * self.compared

    @property
    def different(self) -> int:
        return sum(task.comparison == "different" for task in self._active)

    @property
    def _active(self) -> list[SimTask]:
        return [task for task in self.served if task.at(self.now).status not in IDLE and not task.is_virtual]


def known(tasks: Iterable[SimTask], generation: str) -> list[SimTask]:
    """The tasks and subtasks that a generation lists."""
    shown = [task for task in tasks if (task.words.v3 if generation == "v3" else task.words.v5 in V5_WORDS)]
    return [listed for task in shown for listed in (task, *task.children)]


def served(operation: str, tasks: list[SimTask], api: str) -> list[SimTask]:
    """The tasks that an operation serves, as docs/operations.md says it."""
    generation = BY_NAME[operation].api
    if api not in {"auto", generation}:
        return []
    listed = known(tasks, generation)
    if api == "auto" and operation in {"v5_job_detail", "v5_job_compare"}:
        return [task for task in listed if task not in known(tasks, "v3")]
    if api == "auto" and operation == "v5_monitor_data":
        return [task for task in listed if task.scenario != "cloudDataGuard"]
    return listed


def by_formula(operation: str, tasks: list[SimTask], api: str, async_jobs: int = 0, alone: str = "") -> int:
    """How often it is called in one poll of all collectors, or of the one that is alone."""
    generation = BY_NAME[operation].api
    if api not in {"auto", generation}:
        return 0
    kinds = Kinds(served(operation, tasks, api))
    names: dict[str, Any] = {
        **{
            name: getattr(kinds, name)
            for name in ("active", "dr", "configured", "compared", "comparisons", "rows", "different")
        },
        "async_jobs": async_jobs,
        "max": max,
        "ceil": ceil,
        "__builtins__": {},
    }
    if "tasks" in FORMULAS[operation]:
        lists = Counter(task.scenario for task in tasks if task in known(tasks, generation))
        sizes = [lists[scenario] for scenario in ("migration", "sync", "cloudDataGuard")]
        return sum(eval(FORMULAS[operation], {**names, "tasks": size}) for size in sizes)  # noqa: S307 - our own text
    formula = ALONE.get((alone, operation), FORMULAS[operation])
    refused = sum(task.is_virtual for task in kinds.served) if "active" in formula else 0
    return int(eval(formula, names)) + refused  # noqa: S307 - our own text


@pytest.mark.parametrize("api", ["v3", "v5", "auto"])
@pytest.mark.parametrize(
    "tasks",
    [world(), world(1, 0, 0), world(10, 10, 10), [*world(1, 1, 1), *ended(101)], []],
    ids=["many", "few", "tens", "101 ended", "none"],
)
async def test_the_first_poll_makes_the_documented_number_of_calls(api: str, tasks: list[SimTask]) -> None:
    jobs = [AsyncJob(status="COMMIT_SUCCESS", created=EPOCH - number) for number in range(101)]
    cloud = cloud_of(*tasks, v5_engines=V5_WORDS, async_jobs=jobs)
    async with exporter_on(cloud, config_of(api, EVERY)) as exporter:
        assert await exporter.poll_once()
    expected = {name: by_formula(name, tasks, api, len(jobs)) for name in FORMULAS}
    assert asked(cloud) == {name: calls for name, calls in expected.items() if calls}


def test_every_operation_of_a_collector_has_a_formula() -> None:
    asked_otherwise = {"v3_batch_status", "v5_job_query"}
    assert (
        FORMULAS.keys() == {operation.name for operation in OPERATIONS if operation.service == "drs"} - asked_otherwise
    )


OPERATIONS_OF = {
    "progress": {"v3_batch_progress", "v5_job_progress"},
    "recovery": {"v3_batch_rpo_and_rto", "v3_batch_detail"},
    "node": {"v3_dr_monitoring", "v5_job_progress", "v5_monitor_data"},
    "objects": {"v5_job_progress"},
    "detail": {"v3_batch_detail", "v5_job_detail", "v5_job_is_writable"},
    "comparison": {"v3_query_compare_result", "v5_job_compare"},
    "precheck": {"v3_batch_precheck_result"},
    "logs": {"v5_job_log"},
    "quota": {"v3_quotas"},
    "async_jobs": {"v5_batch_async_jobs"},
}
"""What a collector alone queries where both generations exist; one of them alone leaves out the other's."""
LISTS = {"v3": {"v3_list_jobs"}, "v5": {"v5_list_jobs"}, "auto": {"v3_list_jobs", "v5_list_jobs"}}


@pytest.mark.parametrize("api", LISTS)
@pytest.mark.parametrize("collector", OPERATIONS_OF)
async def test_a_single_collector_calls_its_own_operations(api: str, collector: str) -> None:
    tasks = world()
    operations = {name for name in OPERATIONS_OF[collector] if api in {"auto", name[:2]}}
    cloud = cloud_of(*tasks, v5_engines=V5_WORDS)
    async with exporter_on(cloud, config_of(api, ("tasks", collector))) as exporter:
        assert await exporter.poll_once()
    expected = {name: by_formula(name, tasks, api, alone=collector) for name in operations | LISTS[api]}
    if (api, collector) == ("auto", "progress"):  # what v3 lists, it serves
        both = known(tasks, "v3")
        expected["v5_job_progress"] = Kinds([task for task in known(tasks, "v5") if task not in both]).active
    assert asked(cloud) == expected


async def test_polls_cost_the_same_again_but_for_comparisons_which_then_cost_their_lists() -> None:
    tasks = world()
    cloud = cloud_of(*tasks, v5_engines=V5_WORDS)
    async with exporter_on(cloud, config_of("v5", EVERY)) as exporter:
        assert await exporter.poll_once()
        first = asked(cloud)
        await asyncio.sleep(3700)  # until the quotas are due
        assert await exporter.poll_once()
        kinds = Kinds(known(tasks, "v5"))
        virtual = sum(task.is_virtual for task in kinds.served)  # queried again after an hour
        known_now = {"v5_job_compare": kinds.active + virtual}
        assert asked(cloud) == {**first, **known_now}
        results = kinds.comparisons + kinds.rows + kinds.different
        assert first["v5_job_compare"] == kinds.active + results + virtual
        assert kinds.comparisons > 0 < kinds.different
