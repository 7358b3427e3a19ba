"""The phase of each status, and what follows from a phase."""

import dataclasses
from typing import Any

import pytest

from exporter.config import COLLECTOR_OF, Scope
from exporter.model.details import Detail
from exporter.model.facts import AsyncJobs, Facts, Progress, Quota, Switchover
from exporter.model.known_facts import TASK_FACTS
from exporter.model.task import Identity, Listed, Phase, Project, Task, phase_of

IDENTITY = Identity("a", "r", "p", "id", "name")
TABLE = {
    "preparing": "CREATING CONFIGURATION WAITING_FOR_START STARTJOBING",
    "full": "FULL_TRANSFER_STARTED FULL_TRANSFER_COMPLETE",
    "incremental": "INCRE_TRANSFER_STARTED",
    "paused": "PAUSING PAUSEING",
    "changing": "CHANGE_JOB_STARTED REBUILD_NODE_STARTED NODE_UPGRADE_START NODE_UPGRADE_COMPLETE "
    "CHILD_TRANSFER_STARTING CHILD_TRANSFER_STARTED CHILD_TRANSFER_COMPLETE",
    "ending": "RELEASE_RESOURCE_STARTED",
    "ended": "RELEASE_RESOURCE_COMPLETE",
    "failed": "CREATE_FAILED START_JOB_FAILED FULL_TRANSFER_FAILED INCRE_TRANSFER_FAILED CHANGE_JOB_FAILED "
    "RELEASE_RESOURCE_FAILED REBUILD_NODE_FAILED NODE_UPGRADE_FAILED CHILD_TRANSFER_FAILED "
    "RELEASE_CHILD_TRANSFER_FAILED INVENTED_TOMORROW_FAILED FROZEN",
    "other": "INVENTED_TOMORROW FAILED failed incre_transfer_started RELEASE_CHILD_TRANSFER_HALTED",
}
ROWS = [("", "other"), *((status, phase) for phase, statuses in TABLE.items() for status in statuses.split())]


def test_the_phases_are_those_of_the_table() -> None:
    assert set(Phase) == set(TABLE)


@pytest.mark.parametrize("subtask", [False, True], ids=["task", "subtask"])
@pytest.mark.parametrize(("status", "phase"), ROWS)
def test_phase_of_a_status(status: str, phase: str, *, subtask: bool) -> None:
    assert phase_of(status, subtask=subtask) == phase


@pytest.mark.parametrize(
    ("status", "of_task", "of_subtask"),
    [
        ("RELEASE_CHILD_TRANSFER_STARTED", "changing", "ending"),
        ("RELEASE_CHILD_TRANSFER_COMPLETE", "changing", "ended"),
    ],
)
def test_a_subtask_that_ends_puts_its_parent_into_phase_changing(status: str, of_task: str, of_subtask: str) -> None:
    assert (phase_of(status, subtask=False), phase_of(status, subtask=True)) == (of_task, of_subtask)


def listed(status: str, **facts: object) -> Listed:
    return Listed(id="id", name="name", status=status, job_type="sync", **facts)  # type: ignore[arg-type]


def test_the_phase_of_a_listed_subtask() -> None:
    assert listed("RELEASE_CHILD_TRANSFER_COMPLETE").phase is Phase.CHANGING
    assert listed("RELEASE_CHILD_TRANSFER_COMPLETE", parent_id="p").phase is Phase.ENDED


@pytest.mark.parametrize(
    ("task", "active"),
    [
        (listed("INCRE_TRANSFER_STARTED"), True),
        (listed("CREATING"), True),
        (listed("INCRE_TRANSFER_FAILED"), True),
        (listed("INVENTED_TOMORROW"), True),
        (listed("INCRE_TRANSFER_STARTED", parent_id="p"), True),
        (listed("INCRE_TRANSFER_STARTED", is_parent=True), True),
        (listed("CONFIGURATION"), False),
        (listed("RELEASE_RESOURCE_COMPLETE"), False),
        (listed("RELEASE_CHILD_TRANSFER_COMPLETE", parent_id="p"), False),
    ],
)
def test_ended_and_configured_tasks_are_not_active(task: Listed, *, active: bool) -> None:
    assert task.active is active


def test_a_task_without_a_fresh_list_has_no_phase() -> None:
    assert Task(IDENTITY).phase is None
    assert Task(IDENTITY, listed=listed("FROZEN")).phase is Phase.FAILED


@pytest.mark.parametrize("status", [status for status, _ in ROWS])
def test_a_delay_means_something_in_phases_incremental_and_changing_only(status: str) -> None:
    task = Task(IDENTITY, listed=listed(status), progress=Progress(delay_seconds=0.5))
    assert task.delay_seconds == (0.5 if task.phase in {"incremental", "changing"} else None)


@pytest.mark.parametrize("switching", [True, False, None])
def test_only_a_dr_task_switches_over(*, switching: bool | None) -> None:
    pair = Listed(id="id", name="name", status="INCRE_TRANSFER_STARTED", job_type="cloudDataGuard")
    facts = Switchover(switching)
    assert Task(IDENTITY, listed=pair, switchover=facts).switching is switching
    others = [Task(IDENTITY, listed=listed(pair.status), switchover=facts), Task(IDENTITY, listed=pair)]
    assert [task.switching for task in (*others, Task(IDENTITY, switchover=facts))] == [None, None, None]


def test_the_field_of_facts_has_the_name_of_their_class() -> None:
    assert {name: facts.name for name, facts in TASK_FACTS.items()} == {name: name for name in TASK_FACTS}
    assert {Quota.name, AsyncJobs.name} <= {field.name for field in dataclasses.fields(Project)}


def test_the_table_of_collectors_and_the_model_have_the_same_facts() -> None:
    names = {field.name for kind in (Task, Project) for field in dataclasses.fields(kind)}
    assert COLLECTOR_OF.keys() <= names
    assert COLLECTOR_OF["listed"] == Listed.collector
    kinds: tuple[type[Facts], ...] = (*TASK_FACTS.values(), Quota, AsyncJobs)
    for facts in kinds:
        assert facts.collector == COLLECTOR_OF[facts.name]


@pytest.mark.parametrize("scope", Scope)
def test_the_scope_of_a_collector_names_properties_of_a_listed_task(scope: Scope) -> None:
    for name, _ in scope.conditions:
        assert isinstance(getattr(Listed, name), property)


@pytest.mark.parametrize(
    ("facts", "detail", "standby"),
    [
        ({}, None, False),
        ({}, Detail(), False),
        ({"role": "slave"}, None, True),
        ({"node_role": "slave"}, None, True),
        ({}, Detail(node_role="slave"), True),
        ({"role": "master", "node_role": "slave"}, None, True),
        ({"role": "master", "node_role": "master"}, Detail(node_role="master", master_task_id="id"), False),
        ({"role": "parent"}, None, False),
        ({"role": "child"}, Detail(node_role=""), False),
        ({}, Detail(master_task_id="other"), True),
        ({"parent_id": "p", "root_id": "r"}, Detail(master_task_id="sibling"), True),
        ({"parent_id": "p", "root_id": "r"}, Detail(master_task_id="p"), False),
        ({"parent_id": "p", "root_id": "r"}, Detail(master_task_id="r"), False),
        ({"parent_id": "p", "other_parents": frozenset({"q"})}, Detail(master_task_id="q"), False),
        ({"is_parent": True}, Detail(master_task_id="child"), False),  # of its pair
        ({"is_parent": True, "role": "slave"}, None, True),
        ({"direction": "up", "job_type": "cloudDataGuard"}, None, False),  # not of a pair of databases
    ],
)
def test_a_standby_has_its_role_or_another_task_as_primary(
    facts: dict[str, Any], detail: Detail | None, *, standby: bool
) -> None:
    task = Task(IDENTITY, listed=dataclasses.replace(listed("INCRE_TRANSFER_STARTED"), id="id", **facts), detail=detail)
    assert task.standby is standby
    if detail is not None and detail.master_task_id:
        assert not dataclasses.replace(task, primary_listed=False).standby
    before = dataclasses.replace(task, detail=None, was_standby=True)
    assert before.standby is ("master" not in {facts.get("role"), facts.get("node_role")} or "slave" in facts.values())
    assert dataclasses.replace(task, listed=None).standby is (detail is not None and detail.node_role == "slave")
