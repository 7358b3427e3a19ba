"""Samples that are updated change by change equal the samples of the last state."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.metrics.exposition import Exposition
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.sample_updater import SampleUpdater
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model.facts import Logs
from exporter.model.known_facts import TASK_FACTS
from exporter.model.prediction import Predicted
from exporter.model.task import History, Identity, Listed, ProjectKey, Task
from tests.lib.virtual_time import simulate

KEY = (ProjectKey("acme", "cn-north-4", "payments"), "a1")
IDENTITY = Identity("acme", "cn-north-4", "payments", "a1", "orders")
VALUES = {
    "float | None": st.sampled_from([None, 0.0, 0.5, 1.0, 1_767_225_600.0]),
    "bool | None": st.sampled_from([None, True, False]),
    "bool": st.booleans(),
    "str | None": st.sampled_from([None, "up", "down"]),
}
"""Values of fields by their type."""


def objects_of(kind: Any, **values: Any) -> st.SearchStrategy[Any]:
    """Objects with values in each field of a simple type."""
    simple = {field.name: VALUES[str(field.type)] for field in fields(kind) if str(field.type) in VALUES}
    return st.builds(kind, **{**simple, **values})


STATUSES = st.sampled_from(["INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "CHANGE_JOB_STARTED"])
PARTS = {
    **{name: objects_of(kind) for name, kind in TASK_FACTS.items()},
    "fresh": st.permutations(["progress", "node", "monitor"]).map(tuple),
    "logs": objects_of(Logs, newest=st.sampled_from([(), (("error", 1.0),)])),
    "history": objects_of(History, phase_changes=st.integers(0, 3)),
    "collected": st.sampled_from([(), (("progress", 1.0),), (("progress", 2.0), ("node", 1.0))]),
    "refused": st.sampled_from([frozenset(), frozenset({"progress"})]),
    "caught_up": st.sampled_from([None, True, False]),
    "waves": st.sampled_from([(), ("one",), ("one", "two")]),
    "speed_limit": st.sampled_from([None, 1.0, 2.0]),
    "blockers": st.sampled_from([None, (), (("phase", True),), (("phase", False), ("stale", False))]),
    "unchecked": st.sampled_from([(), (("stale", "unknown"),), (("log_error", "ignored"),)]),
    "ready_since": st.sampled_from([None, 1.0, 2.0]),
    "predicted": st.sampled_from([Predicted(), Predicted(0.0), Predicted(9.0, 1.0, -0.5)]),
    "assumed_virtual": st.sampled_from([frozenset(), frozenset({"progress"})]),
    "was_standby": st.booleans(),
    "primary_listed": st.booleans(),
    "listed": objects_of(
        Listed,
        id=st.just("a1"),
        name=st.just("orders"),
        status=STATUSES,
        job_type=st.sampled_from(["sync", "cloudDataGuard"]),
    ),
}
OPTIONAL = set(PARTS) - {
    *("history", "collected", "fresh", "unchecked", "refused", "assumed_virtual", "was_standby", "primary_listed"),
    *("predicted", "waves"),
}
CHANGES = st.lists(
    st.one_of(*(st.tuples(st.just(name), st.one_of(values, st.none())) for name, values in PARTS.items())),
    min_size=1,
    max_size=3,
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


@settings(max_examples=100)
@given(st.builds(Task, st.just(IDENTITY), **PARTS), CHANGES)
def test_samples_after_any_changes_are_those_of_the_last_state(first: Task, changes: list[tuple[str, object]]) -> None:
    steps = [Task(IDENTITY), first]
    for name, value in changes:
        steps.append(replace(steps[-1], **{name: value}))  # type: ignore[arg-type]
    assert page(steps) == page(steps[-1:])


def test_the_test_above_changes_every_field_of_a_task() -> None:
    assert PARTS.keys() == {field.name for field in fields(Task)} - {"identity"}
