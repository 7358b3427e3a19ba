"""The evidence of the reasons against a cut-over as text, and the tasks that can be cut over at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from exporter.config import Collectors, Cutover
from exporter.model.cutover import REASONS, CutoverInput, blockers, can_be_cut_over
from exporter.model.details import Detail
from exporter.model.facts import (
    Compared,
    Comparison,
    Logs,
    Monitor,
    ObjectCount,
    Objects,
    Progress,
    Recovery,
    Switchover,
)
from exporter.model.task import LivingSubtask
from exporter.views.text import fact_text
from tests.unit.model.test_cutover import DR, DR_REASONS, PLAIN, ready

if TYPE_CHECKING:
    from exporter.model.facts import TaskFacts
    from exporter.model.task import Listed, Task

WITHOUT_FACTS = {
    "side_down": "source unknown, target unknown",
    "comparison_missing": "none",
    "comparison_running": "none",
    "comparison_inconsistent": "nothing inconsistent known",
}
NOTHING = dict.fromkeys(("progress", "monitor", "recovery", "switchover", "objects", "comparison", "logs"))


def evidence_of(name: str, task: Task, *, stale: bool = False, blocked: bool = False) -> str:
    (found,) = (reason for reason in REASONS if reason.name == name)
    living = (LivingSubtask("c", "north", blocked),)
    return fact_text(found.evidence(CutoverInput(task, stale, living, Cutover())))


@pytest.mark.parametrize(
    ("reason", "facts", "text"),
    [
        ("delay_unknown", [Progress(delay_seconds=1.5)], "1.5s, limit 5s"),
        ("delay_high", [Progress(delay_seconds=90)], "90s, limit 5s"),
        ("full_incomplete", [Progress(full_ratio=0.42)], "42%"),
        ("side_down", [Monitor(source_up=True, target_up=False)], "source up, target down"),
        ("objects_missing", [Objects((ObjectCount("table", 2, 1),))], "table"),
        ("objects_missing", [Objects((ObjectCount("table", 2, 2),))], "none"),
        ("comparison_missing", [Comparison((Compared("line", "FAILED"),))], "FAILED"),
        ("comparison_running", [Comparison((Compared("line", "RUNNING"),))], "RUNNING"),
        ("comparison_inconsistent", [Comparison((Compared("line", "SUCCESSFUL", consistent=False),))], "inconsistent"),
        ("log_error", [Logs((("error", 1.0),))], "the newest entry is an error"),
        ("log_error", [Logs((("info", 1.0),))], "no error at its end"),
        ("switching", [Switchover(switching=True)], "yes"),
        ("switching", [Switchover(switching=False)], "no"),
        ("rpo_unknown", [Recovery(rpo_seconds=7)], "7s, limit 5s"),
        ("rpo_high", [Recovery(rpo_seconds=7)], "7s, limit 5s"),
        ("rpo_high", [Recovery(7), Detail(rpo_threshold_seconds=30)], "7s, limit 30s"),
        ("rpo_high", [Recovery(300.4), Detail(rpo_threshold_seconds=300)], "300.4s, limit 5m"),  # not "5m, limit 5m"
        ("rpo_high", [Recovery(299.6), Detail(rpo_threshold_seconds=300)], "5m, limit 5m"),
        ("rto_unknown", [Recovery(rto_seconds=0.25)], "0.25s, limit 5s"),
        ("rto_high", [Recovery(rto_seconds=0.25)], "0.25s, limit 5s"),
    ],
)
def test_the_evidence_of_a_reason(reason: str, facts: list[TaskFacts], text: str) -> None:
    listed = DR if reason in DR_REASONS else PLAIN
    assert evidence_of(reason, ready(listed, **{each.name: each for each in facts})) == text
    assert evidence_of(reason, ready(listed, **NOTHING)) == WITHOUT_FACTS.get(reason, "unknown")


COLLECTED = 1_767_225_600.0


@pytest.mark.parametrize(
    ("listed", "age", "collected", "old"),
    [
        (PLAIN, 3 * 86_400.0, True, True),
        (PLAIN, 3600.5, True, True),
        (PLAIN, 3600.0, True, False),
        (PLAIN, 10.0, True, False),
        (PLAIN, -86_400.0, True, False),  # in the future: not known
        (PLAIN, None, True, False),
        (PLAIN, 3 * 86_400.0, False, False),
        (DR, 3 * 86_400.0, True, True),
        (replace(PLAIN, task_type="FULL_TRANS", status="FULL_TRANSFER_COMPLETE"), 3 * 86_400.0, True, False),
    ],
)
def test_a_progress_that_the_cloud_itself_computed_long_ago_is_stale(
    listed: Listed,
    age: float | None,
    collected: bool,  # noqa: FBT001
    old: bool,  # noqa: FBT001
) -> None:
    reported = None if age is None else COLLECTED - age
    task = ready(listed, progress=Progress(full_ratio=1, delay_seconds=0, reported_at_latest=reported))
    task = replace(task, collected=(("progress", COLLECTED),) if collected else ())
    facts = CutoverInput(task, stale=False, living=(), settings=Cutover())
    assert dict(blockers(facts))["stale"] is old
    assert (evidence_of("stale", task) == "fresh") is not old
    assert ("1h before it was read" in evidence_of("stale", task)) is (age == 3600.5)


@pytest.mark.parametrize(("age", "old"), [(3600.0, False), (3601.0, True)])
def test_the_age_of_a_report_is_by_the_clock_of_the_cloud_where_the_host_is_wrong(age: float, *, old: bool) -> None:
    for wrong in (-86_400.0, 7200.0):
        served = COLLECTED + wrong
        progress = Progress(full_ratio=1, delay_seconds=0, reported_at_latest=served - age, served_at=served)
        task = replace(ready(PLAIN, progress=progress), collected=(("progress", COLLECTED),))
        facts = CutoverInput(task, stale=False, living=(), settings=Cutover())
        assert dict(blockers(facts))["stale"] is old


def test_the_evidence_of_reasons_about_the_list() -> None:
    task = ready(replace(PLAIN, available_actions=frozenset({"CONTINUE_CAPTURE", "CONTINUE_APPLY", "RESET"})))
    assert evidence_of("phase", task) == "INCRE_TRANSFER_STARTED"
    assert evidence_of("action_needed", task) == "CONTINUE_APPLY, CONTINUE_CAPTURE"
    assert evidence_of("action_needed", ready()) == "none"
    assert (evidence_of("stale", task), evidence_of("stale", task, stale=True)) == ("fresh", "too old")
    assert evidence_of("subtask", task) == "all subtasks are ready"
    assert evidence_of("subtask", task, blocked=True) == "a subtask is blocked or unknown, or none is alive"
    for lost, words in ((1, "1 entry"), (2, "2 entries")):
        parent = ready(replace(PLAIN, is_parent=True, unknown_children=lost))
        text = f"unknown: {words} of its children cannot be decoded or contradict others"
        assert evidence_of("subtask", parent, blocked=True) == text
    unlisted = replace(task, listed=None)
    assert [evidence_of(reason, unlisted) for reason in ("phase", "action_needed")] == ["unknown", "none"]


def test_a_task_without_a_fresh_list_is_judged_as_unknown() -> None:
    """Such a task has no verdict; the reasons treat its values as unknown."""
    facts = CutoverInput(replace(ready(DR), listed=None), stale=True, living=(), settings=Cutover())
    applying = {reason.name for reason in REASONS if reason.applies(facts)}
    assert applying.isdisjoint({"subtask", "full_incomplete", "switching", "rpo_high", "rto_high"})
    assert next(reason for reason in REASONS if reason.name == "phase").blocks(facts)


def test_every_reason_names_the_collector_of_its_fact() -> None:
    assert {reason.collector for reason in REASONS} <= set(Collectors.model_fields)


@pytest.mark.parametrize(
    ("listed", "detail", "can"),
    [
        ({}, None, True),
        ({"role": "master"}, Detail(node_role="master"), True),
        ({"role": "parent"}, None, True),
        ({"role": "slave"}, None, False),
        ({}, Detail(node_role="slave"), False),  # v3 returns it in the details only
        ({"multi_write": True}, None, False),
        ({}, Detail(multi_write=True), False),  # and v5 this
        ({}, Detail(multi_write=False), True),
        *(({"status": f"FULL_TRANSFER_{end}"}, None, True) for end in ("STARTED", "COMPLETE", "FAILED")),
        *(({"status": f"RELEASE_RESOURCE_{end}"}, None, False) for end in ("STARTED", "COMPLETE")),
        *(({"status": status}, None, True) for status in ("PAUSING", "CHANGE_JOB_STARTED", "FROZEN")),
        *(({"status": status}, None, False) for status in ("CREATING", "CONFIGURATION", "STARTJOBING", "NEW")),
    ],
)
def test_a_task_can_be_cut_over_unless_it_is_a_standby_or_its_phase_is_out_of_the_question(
    listed: dict[str, Any], detail: Detail | None, *, can: bool
) -> None:
    task = ready(replace(DR, **listed), detail=detail)
    assert can_be_cut_over(task) is can
    assert not can_be_cut_over(replace(task, listed=None))
