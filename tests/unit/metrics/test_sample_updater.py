"""Samples that are updated change by change equal the samples of the last state."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.metrics.exposition import Exposition
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.sample_updater import SampleUpdater
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model import facts as parts
from exporter.model import task as model
from exporter.model.task import Identity, Listed, ProjectKey, Task
from tests.lib.virtual_time import simulate

KEY = (ProjectKey("acme", "cn-north-4", "payments"), "a1")
IDENTITY = Identity("acme", "cn-north-4", "payments", "a1", "orders")
NUMBERS = st.sampled_from([None, 0.0, 0.5, 1.0, 1_767_225_600.0])
PARTS = {
    "progress": st.builds(
        parts.Progress,
        full_ratio=NUMBERS,
        delay_seconds=NUMBERS,
        apply_rows_per_second=NUMBERS,
        apply_bytes_per_second=NUMBERS,
        error_code=st.sampled_from([None, "DRS.M1"]),
    ),
    "node": st.builds(parts.Node, cpu_ratio=NUMBERS, apply_rows_per_second=NUMBERS, reported_at=NUMBERS),
    "monitor": st.builds(
        parts.Monitor,
        cpu_ratio=NUMBERS,
        apply_bytes_per_second=NUMBERS,
        memory_size_bytes=NUMBERS,
        memory_used_bytes=NUMBERS,
        source_up=st.booleans(),
        reported_at=NUMBERS,
    ),
    "recovery": st.builds(parts.Recovery, rpo_seconds=NUMBERS, rto_seconds=NUMBERS),
    "switchover": st.builds(parts.Switchover, switching=st.sampled_from([None, True, False])),
    "fresh": st.permutations(["progress", "node", "monitor"]).map(tuple),
    "objects": st.builds(parts.Objects, full_completed_at=NUMBERS),
    "detail": st.builds(
        parts.Detail,
        kernel_direction=st.sampled_from([None, "up", "down"]),
        created_at=NUMBERS,
        full_completed_at=NUMBERS,
        auto_stop_after_seconds=NUMBERS,
        error_code=st.sampled_from([None, "DRS.M2"]),
    ),
    "writable": st.builds(parts.Writable, lifted=st.booleans()),
    "comparison": st.builds(parts.Comparison),
    "precheck": st.builds(parts.Precheck, passed_ratio=NUMBERS),
    "logs": st.builds(parts.Logs, newest=st.sampled_from([(), (("error", 1.0),)])),
    "history": st.builds(model.History, phase_changes=st.integers(0, 3), phase_changed_at=NUMBERS),
    "collected": st.sampled_from([(), (("progress", 1.0),), (("progress", 2.0), ("node", 1.0))]),
    "blockers": st.sampled_from([None, (), (("phase", True),), (("phase", False), ("stale", False))]),
    "listed": st.builds(
        Listed,
        id=st.just("a1"),
        name=st.just("orders"),
        status=st.sampled_from(["INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "CHANGE_JOB_STARTED"]),
        job_type=st.sampled_from(["sync", "cloudDataGuard"]),
        direction=st.sampled_from([None, "up", "down"]),
        created_at=NUMBERS,
        multi_write=st.booleans(),
    ),
}
OPTIONAL = set(PARTS) - {"history", "collected", "fresh"}
CHANGES = st.lists(
    st.one_of(*(st.tuples(st.just(name), st.one_of(values, st.none())) for name, values in PARTS.items())),
    min_size=1,
    max_size=12,
).map(lambda changes: [(name, value) for name, value in changes if value is not None or name in OPTIONAL])


def page(steps: list[Task]) -> str:
    """The page after a task was put in each of these states, one after the other."""

    async def main() -> str:
        exposition = Exposition((*PROJECT_FAMILIES, *TASK_FAMILIES), lambda: ())
        updater = SampleUpdater(exposition, TASK_FAMILIES, KEY[0], lambda _: None)
        before = None
        for task in steps:
            updater.update_task(KEY, before, task)
            before = task
        await exposition.publish()
        return b"".join(exposition.page.plain()).decode()

    return simulate(main())


@settings(max_examples=100, deadline=None)
@given(CHANGES)
def test_samples_after_any_changes_are_those_of_the_last_state(changes: list[tuple[str, object]]) -> None:
    steps = [Task(IDENTITY)]
    for name, value in changes:
        steps.append(replace(steps[-1], **{name: value}))  # type: ignore[arg-type]
    assert page(steps) == page(steps[-1:])


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Task)} - {"identity"}))
def test_the_test_above_changes_every_field_of_a_task(name: str) -> None:
    assert name in PARTS
