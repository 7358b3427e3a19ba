"""The verdict on a cut-over in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.config import Cutover
from exporter.model.cutover import REASONS, can_be_cut_over, judge
from exporter.model.cutover_reason import Outcome
from exporter.model.cutover_results import LivingSubtask
from exporter.model.cutover_words import ADVICE
from exporter.model.explanation import TaskExplanation
from exporter.model.facts import Compared, Comparison, Progress
from exporter.model.task import Identity, Listed, Task
from exporter.views.cutover import not_checked, reasons, unchecked_of, verdict
from tests.lib.verdicts import DR, EQUAL, PLAIN, case_of, ready

IDENTITY = Identity("acme", "cn-north-4", "payments", "id", "orders")


def explained(task: Task, parent: Task | None = None, **observed: Any) -> TaskExplanation:
    case = case_of(task, Cutover(), **observed) if can_be_cut_over(task) else None
    return TaskExplanation(task, parent, frozenset({"v3"}), {"progress": 12.0}, case)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (ready(), "ready"),
        (ready(progress=Progress(delay_seconds=9, full_ratio=0.5)), "blocked by delay_high, full_incomplete"),
        (ready(replace(PLAIN, status="CREATING")), "not possible (the phase is preparing)"),
        (ready(replace(PLAIN, role="slave")), "not possible (it is the standby of a pair)"),
        (ready(replace(DR, multi_write=True)), "not possible (both sides of a dual-active pair are in use)"),
        (Task(IDENTITY), "no verdict (the status is unknown)"),
    ],
)
def test_the_verdict_in_a_sentence(task: Task, text: str) -> None:
    assert verdict(explained(task)) == text


def test_the_subtasks_of_a_pair_that_cannot_be_cut_over_cannot_be_either() -> None:
    dual = ready(replace(DR, multi_write=True))
    subject = replace(explained(ready(DR), dual), cutover=None)
    assert verdict(subject).startswith("not possible, as for its parent (both sides")


def judged(subject: TaskExplanation) -> Task:
    """The task with its verdict, as the store exposes it."""
    assert subject.cutover is not None
    outcomes = judge(subject.cutover)
    return replace(
        subject.task,
        blockers=tuple((name, outcome is Outcome.BLOCKS) for name, outcome in outcomes if outcome.judged),
        unchecked=tuple((name, outcome.value) for name, outcome in outcomes if not outcome.judged),
    )


def test_what_was_not_checked_is_named_once_and_sorted_by_its_cause() -> None:
    assert not_checked(explained(ready(monitor=None, objects=None), unpublished=frozenset({"objects"}))) == (
        "not checked: connections (unknown), log (ignored by the settings), objects (not published in this region)"
    )
    assert not_checked(explained(Task(IDENTITY))) == ""


@pytest.mark.parametrize(
    ("comparison", "why"),
    [
        (None, "unknown"),
        (Comparison(()), "none has finished"),
        (Comparison((Compared("line", "FAILED"),)), "none has finished"),
        (Comparison((EQUAL, Compared("data", "FAILED"))), "no current result"),
    ],
)
def test_why_a_comparison_was_not_checked(comparison: Comparison | None, why: str) -> None:
    subject = explained(ready(comparison=comparison), stable=None)
    assert subject.cutover is not None
    expected = (
        f"not checked: comparison ({why}), time without a blocker (polled only once), log (ignored by the settings)"
    )
    assert not_checked(subject) == expected
    assert unchecked_of(judged(subject)) == expected


def test_a_thing_that_blocks_is_not_named_as_not_checked() -> None:
    different = Comparison((replace(EQUAL, consistent=False, finished_at=None),))
    subject = explained(ready(comparison=different))
    assert verdict(subject) == "blocked by comparison_inconsistent"
    assert not_checked(subject) == "not checked: log (ignored by the settings)"
    assert unchecked_of(judged(subject)) == "not checked: log (ignored by the settings)"


def test_a_subtask_that_nothing_blocks_is_not_ready_on_its_own() -> None:
    task = ready()
    subject = explained(replace(task, identity=replace(task.identity, parent_id="p")))
    assert verdict(subject) == "no blocker"


def test_a_parent_names_the_subtasks_of_which_a_reason_was_not_checked() -> None:
    parent = Task(IDENTITY, listed=replace(PLAIN, is_parent=True), refused=frozenset({"progress"}))
    unchecked = (("comparison_missing", "unknown"),)
    living = tuple(LivingSubtask(name, name, False, unchecked) for name in ("north", "south"))  # noqa: FBT003
    subject = explained(parent, living=living)
    assert verdict(subject) == "ready"
    assert not_checked(subject) == "not checked: comparison (unknown)"
    facts = {judgement.name: judgement.fact for judgement in reasons(subject)}
    assert facts["comparison_missing"] == "not checked of north, south"
    assert facts["subtask"] == "no subtask is blocked"


def test_every_reason_has_a_fact_in_one_line_an_age_and_an_advice() -> None:
    listed = Listed("id", "orders", "INCRE_TRANSFER_STARTED", "cloudDataGuard", task_type="FULL_INCR_TRANS")
    subject = explained(Task(IDENTITY, listed=listed))
    judgements = reasons(subject)
    assert subject.cutover is not None
    assert [judgement.name for judgement in judgements] == [
        reason.name for reason in REASONS if reason.outcome(subject.cutover)
    ]
    assert len(judgements) > 12
    assert {judgement.age for judgement in judgements} == {"unknown", "12s old"}
    assert {judgement.verdict for judgement in judgements} == {"blocks", "no", "unknown", "ignored"}
    assert not any("\n" in judgement.fact for judgement in judgements)
    assert reasons(explained(Task(IDENTITY))) == []
    assert {judgement.name: judgement.advice for judgement in judgements}["delay_high"] == (
        f"{ADVICE['delay_high'].means} {ADVICE['delay_high'].remedy}"
    )


def test_the_advice_is_sentences() -> None:
    for name, advice in ADVICE.items():
        for text in filter(None, advice[1:]):
            assert text[0].isupper(), name
            assert text.endswith("."), name
            assert "_" not in name or name not in text, name
        assert not {"_", ".", ","} & set(advice.subject)
