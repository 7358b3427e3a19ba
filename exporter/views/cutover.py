"""The verdict on the cut-over of a task in words: what blocks it, what was not checked, and what to do."""

from __future__ import annotations

from typing import NamedTuple

from exporter.model import cutover
from exporter.model.cutover import CutoverInput, Outcome, Reason
from exporter.model.cutover_words import ADVICE
from exporter.model.explanation import TaskExplanation
from exporter.model.task import Task
from exporter.views.text import age_text, fact_text

_CAUSES = {
    Outcome.UNKNOWN: "unknown",
    Outcome.UNPUBLISHED: "not published in this region",
    Outcome.IGNORED: "ignored by the configuration",
}


class Judgement(NamedTuple):
    """A reason against a cut-over, applied to a task.

    Attributes:
        name: the label `reason`.
        outcome: whether it blocks, or why it was not checked.
        fact: the value that it depends on.
        age: the age of the fact.
    """

    name: str
    outcome: Outcome
    fact: str
    age: str

    @property
    def blocks(self) -> bool:
        return self.outcome is Outcome.BLOCKS

    @property
    def verdict(self) -> str:
        """`blocks`, `no`, or the cause for which it was not checked."""
        return "no" if self.outcome is Outcome.FINE else self.outcome.value

    @property
    def advice(self) -> str:
        """What it means that it blocks, and what to do, as sentences."""
        advice = ADVICE[self.name]
        return f"{advice.means} {advice.remedy}"


def verdict(subject: TaskExplanation) -> str:
    """Return the readiness for a cut-over, as a sentence without its full stop."""
    if subject.cutover is None:
        parent = subject.parent
        if parent is not None and cutover.excluded(parent):
            return f"out of the question, like that of its parent: {_why_never(parent)}"
        return f"out of the question, {_why_never(subject.task)}"
    blockers = [name for name, outcome in cutover.judge(subject.cutover) if outcome is Outcome.BLOCKS]
    return f"blocked by {', '.join(blockers)}" if blockers else "nothing known blocks it"


def not_checked(subject: TaskExplanation) -> str:
    """Return which reasons were not checked and why, as a sentence without its full stop; empty if all were."""
    outcomes = cutover.judge(subject.cutover) if subject.cutover else ()
    names = {cause: [name for name, outcome in outcomes if outcome is cause] for cause in _CAUSES}
    words = [f"{', '.join(found)} ({_CAUSES[cause]})" for cause, found in names.items() if found]
    return f"not checked: {'; '.join(words)}" if words else ""


def _why_never(task: Task) -> str:
    if task.listed is None or task.phase is None:
        return "the status is unknown"
    if task.standby:
        return "it is the standby of a pair"
    if cutover.excluded(task):
        return "both sides of a dual-active pair are in use"
    return f"the phase is {task.phase}"


def reasons(subject: TaskExplanation) -> list[Judgement]:
    """Return the reasons that apply; none if a cut-over is out of the question."""
    case = subject.cutover
    if case is None:
        return []
    outcomes = dict(cutover.judge(case))
    return [
        Judgement(
            reason.name,
            outcomes[reason.name],
            _fact(reason, case),
            age_text(subject.ages.get(reason.collector)),
        )
        for reason in cutover.REASONS
        if reason.name in outcomes
    ]


def _fact(reason: Reason, case: CutoverInput) -> str:
    """Return the value that a reason depends on; of a parent, the subtasks of which it was not checked."""
    outcome = reason.outcome(case)
    if outcome is reason.own_outcome(case):
        return fact_text(reason.evidence(case))
    return f"not checked of {', '.join(case.unchecked_subtasks(reason.name)[outcome or Outcome.UNKNOWN])}"
