"""The verdict on the cut-over of a task in words: what blocks it, what was not checked, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exporter.model import cutover
from exporter.model.cutover_input import CutoverInput
from exporter.model.cutover_reason import CAUSES, Outcome, Reason
from exporter.model.cutover_words import ADVICE, Advice
from exporter.model.explanation import TaskExplanation
from exporter.model.task import Task
from exporter.views.text import age_text, fact_text, listing

READY, BLOCKED = "ready", "blocked"
NO_BLOCKER = "no blocker"
"""The word for a subtask that nothing blocks: whether it is ready, its parent shows."""
_CAUSES = {
    Outcome.UNKNOWN: "unknown",
    Outcome.IGNORED: "ignored by the settings",
    Outcome.UNPUBLISHED: "not published in this region",
}
_TOO_SHORT = "too short a time without a blocker"
_RESULTS = {Outcome.BLOCKS: "blocks", Outcome.FINE: "fine"}


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
    def result(self) -> str:
        """The verdict in words for people: `fine` if the reason was checked and does not block."""
        return _RESULTS.get(self.outcome) or _CAUSES[self.outcome]

    @property
    def about(self) -> Advice:
        """What the reason checks, what it means that it blocks, and what to do then."""
        return ADVICE[self.name]

    @property
    def advice(self) -> str:
        """What it means that it blocks, and what to do, as sentences."""
        advice = ADVICE[self.name]
        return f"{advice.means} {advice.remedy}"


def verdict(subject: TaskExplanation) -> str:
    """Return the readiness for a cut-over, as a sentence without its full stop."""
    if subject.cutover is None:
        return _no_verdict(subject)
    blockers = [name for name, outcome in cutover.judge(subject.cutover) if outcome is Outcome.BLOCKS]
    if blockers:
        return f"blocked by {', '.join(blockers)}"
    return READY if subject.task.identity.parent_id is None else NO_BLOCKER


def not_checked(subject: TaskExplanation) -> str:
    """Return what was not checked and why, as a sentence without its full stop; empty if all was."""
    return _unchecked(subject.task, cutover.judge(subject.cutover) if subject.cutover else ())


def unchecked_of(task: Task) -> str:
    """Return what was not checked and why, from the verdict that a task carries; as `not_checked` does."""
    found = {name: Outcome.BLOCKS if blocks else Outcome.FINE for name, blocks in task.blockers or ()}
    found |= {name: Outcome(cause) for name, cause in task.unchecked}
    return _unchecked(task, [(reason.name, found[reason.name]) for reason in cutover.REASONS if reason.name in found])


def subjects(names: Iterable[str]) -> list[str]:
    """Return what reasons check, each thing once; a reason of another version by its name."""
    return list(dict.fromkeys(ADVICE[name].subject if name in ADVICE else name for name in names))


def blocked_by(names: Iterable[str]) -> list[str]:
    """Return what blocks, each thing once, as nouns; `names` are the reasons."""
    return list(dict.fromkeys(_TOO_SHORT if name == "not_stable" else subjects([name])[0] for name in names))


def _unchecked(task: Task, outcomes: Iterable[tuple[str, Outcome]]) -> str:
    """Name each thing once, with its most important cause. Things that are named as blockers are left out."""
    causes: dict[str, set[Outcome]] = {}
    for name, outcome in outcomes:
        causes.setdefault(ADVICE[name].subject, set()).add(outcome)
    by_cause: dict[str, list[str]] = {}
    open_causes = {subject: found for subject, found in causes.items() if Outcome.BLOCKS not in found}
    for cause in CAUSES:
        for subject in [subject for subject, found in open_causes.items() if cause in found]:
            by_cause.setdefault(_why_unchecked(subject, cause, task), []).append(subject)
            del open_causes[subject]
    words = [f"{listing(found)} ({why})" for why, found in by_cause.items()]
    return f"not checked: {', '.join(words)}" if words else ""


def _why_unchecked(subject: str, cause: Outcome, task: Task) -> str:
    if cause is not Outcome.UNKNOWN:
        return _CAUSES[cause]
    if subject == ADVICE["not_stable"].subject:
        return "polled only once"
    if subject != ADVICE["comparison_missing"].subject or task.comparison is None:
        return _CAUSES[cause]
    finished = any(compared.consistent is not None for compared in task.comparison.judged)
    return "no current result" if finished else "none has finished"


def _no_verdict(subject: TaskExplanation) -> str:
    parent = subject.parent
    if parent is not None and cutover.excluded(parent):
        return f"not possible, as for its parent ({why_never(parent)})"
    known = subject.task.listed is not None and subject.task.phase is not None
    return f"{'not possible' if known else 'no verdict'} ({why_never(subject.task)})"


def why_never(task: Task) -> str:
    if task.listed is None or task.phase is None:
        return "the status is unknown"
    if task.standby:
        return "it is the standby of a pair"
    if cutover.excluded(task):
        return "both sides of a dual-active pair are in use"
    return f"the phase is {task.phase}"


def reasons(subject: TaskExplanation) -> list[Judgement]:
    """Return the reasons that apply; none if there is no verdict."""
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
