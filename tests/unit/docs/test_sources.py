"""Families and sources use the fields that they declare."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from exporter.config import COLLECTORS, Cutover
from exporter.docs import examples
from exporter.docs.sources import LISTS, SOURCES, feed_of
from exporter.metrics.family import split
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model.cutover import REASONS
from exporter.model.cutover_input import CutoverInput
from exporter.model.known_facts import TASK_FACTS
from exporter.model.task import History, Listed, Project, Task
from tests.lib.cloud import connected
from tests.lib.daemon import cloud_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH

if TYPE_CHECKING:
    from exporter.metrics.family import Family
    from exporter.model.facts import TaskFacts

CUTOVER = [family for family in TASK_FAMILIES if family.name.startswith("drs_task_cutover_")]
PROPERTIES = {"monitor.memory_ratio": {"monitor.memory_used_bytes", "monitor.memory_size_bytes"}}
"""Fields that are calculated from others."""

HIDDEN = {
    "drs_task_detail_info": {"detail.multi_write", "detail.master_task_id", "detail.tags"},
    "drs_task_speed_limit_bytes_per_second": {"detail.speed_limits"},
    "drs_task_predicted_catch_up_seconds": {"progress.delay_seconds"},
    "drs_task_predicted_full_load_end_timestamp_seconds": {"progress.full_ratio"},
}
"""Fields that change nothing here: the list has the first as well, no example is a standby, tags are not configured,
and the limit in force and predictions are fields of the task."""


def defaults(facts: type[TaskFacts]) -> dict[str, Any]:
    return {field.name: None if field.default is MISSING else field.default for field in fields(facts)}


def shown_fields(family: Family[Task]) -> set[str]:
    """The fields whose values change the samples of an example task that has no other facts."""
    found = set()
    for task in examples.TASKS:
        bare = Task(task.identity, listed=task.listed, history=task.history)
        for name, kind in TASK_FACTS.items():
            if (facts := getattr(task, name)) is not None:
                shown = family.samples(replace(bare, **{name: facts}))
                for field, default in defaults(kind).items():
                    less = replace(bare, **{name: replace(facts, **{field: default})})
                    if family.samples(less) != shown:
                        found.add(f"{name}.{field}")
    return found


@pytest.mark.parametrize("family", TASK_FAMILIES, ids=lambda family: family.name)
def test_a_family_declares_the_fields_that_it_shows(family: Family[Task]) -> None:
    declared = {path for path in family.fields if split(path)[0] in TASK_FACTS}
    declared = {field for path in declared for field in PROPERTIES.get(path, {path})}
    shown = shown_fields(family)
    assert shown <= declared
    known = family in CUTOVER or family.reads in {("collected",), ("speed_limit",), ("predicted",)}
    assert bool(shown) == bool(declared) or known
    hidden = {field for field in declared - shown if "." in field}
    assert hidden == HIDDEN.get(family.name, set())


@pytest.mark.parametrize("family", [*TASK_FAMILIES, *PROJECT_FAMILIES], ids=lambda family: family.name)
def test_the_fields_that_a_family_declares_exist(family: Family[Any]) -> None:
    owner = Project if family in PROJECT_FAMILIES else Task
    assert family.fields
    for facts, field in map(split, family.fields):
        assert facts in {known.name for known in fields(owner)}
        if field and owner is Task:
            kind = {**TASK_FACTS, "listed": Listed, "history": History}.get(facts)
            assert hasattr(kind, field), (facts, field)


def evidence_of(task: Task) -> list[object]:
    case = CutoverInput(task, Cutover())
    return [reason.evidence(case) for reason in REASONS]


@pytest.mark.parametrize("family", CUTOVER, ids=lambda family: family.name)
def test_a_cut_over_family_declares_the_facts_and_has_the_operations_of_the_reasons(family: Family[Task]) -> None:
    known = examples.REPLICATING  # its details show a switchover as well
    task = replace(known, detail=known.detail and replace(known.detail, kernel_direction=None))
    without: dict[str, Any] = {name: replace(task, **{name: None}) for name in TASK_FACTS}  # type: ignore[arg-type]
    read = {name for name, other in without.items() if evidence_of(other) != evidence_of(task)}
    assert set(family.fields) == read | {"listed"}
    others = {*LISTS, *(source.operation for source in SOURCES)} - {*feed_of(family).operations}
    assert {operation.name for operation in others} == {"v3_batch_precheck_result", "v5_job_is_writable"}


def test_each_collector_of_facts_about_tasks_shows_when_it_collected() -> None:
    (family,) = (family for family in TASK_FAMILIES if family.reads == ("collected",))
    collectors = [name for name in COLLECTORS if name in {kind.collector for kind in TASK_FACTS.values()}]
    task = replace(examples.REPLICATING, collected=tuple((name, 0.0) for name in collectors))
    assert [collector for (collector,), _ in family.samples(task)] == [*feed_of(family).collectors] == collectors


def test_every_family_of_tasks_is_fed() -> None:
    for family in TASK_FAMILIES:
        assert feed_of(family).collectors, family.name
        assert feed_of(family).operations, family.name


async def test_a_source_lacks_the_fields_that_it_declares() -> None:
    """In a world with all values, each source fills every field but those."""
    waiting = (("CREATING", 60.0), ("WAITING_FOR_START", 1e9))
    loading = (("STARTJOBING", 60.0), ("FULL_TRANSFER_STARTED", 1e6))
    failed = sim_task("failed", status="INCRE_TRANSFER_FAILED")
    failed.overrides["v3_progress"] = {"error_code": "DRS.M01504"}
    dr: dict[str, Any] = {"scenario": "cloudDataGuard", "engine": "cloudDataGuard-mysql"}
    tasks = [
        sim_task(
            "compared", comparison="different", tags={"team": "a"}, charging="period", role="master", writable="success"
        ),
        sim_task("equal", comparison="equal", alarms={"delay_time": 60, "rpo_delay": 60, "rto_delay": 60}),
        sim_task("comparing", comparison="equal", born=EPOCH - 27_000, comparison_status="RUNNING"),
        sim_task("waiting", script=waiting),
        sim_task("loading", script=loading),
        sim_task("configured", status="CONFIGURATION"),
        sim_task("dr", **dr),
        sim_task("eip", eip="FAILED", speed_limits=[{"begin": "16:00", "end": "15:59", "speed": "10"}]),
        sim_task("pair", relation="multi_az", children=[sim_task("one", role="master")]),
        failed,
    ]
    simulated = cloud_of(*tasks, v5_engines=("mysql-to-mysql", "cloudDataGuard-mysql"))
    simulated.now = lambda: EPOCH
    async with connected(InProcess(simulated)) as cloud:
        listed = [task for kind in ("sync", "cloudDataGuard") for task in (await cloud.list_tasks("v3", kind)).tasks]
        for source in (*cloud.v3.sources, *cloud.v5.sources):
            present = set()
            for task in (task for task in listed if source.wants(task) and not task.is_parent):
                result = (await cloud.fetch(source, [task.id]))[task.id]
                present |= {name for part in result for name in filled(part)}  # type: ignore[union-attr]
            every = {f"{kind.name}.{field.name}" for kind in source.kinds for field in fields(kind)}
            # The header Date comes from a web server, which the simulated cloud lacks here; its responses are valid.
            other = {"progress.served_at", "comparison.unknown", "logs.undated_error"}
            assert every - present - other == source.lacks, source.name


def filled(part: TaskFacts) -> set[str]:
    """The fields of facts that have a value."""
    values = defaults(type(part)).items()
    return {f"{part.name}.{name}" for name, default in values if getattr(part, name) != default}
