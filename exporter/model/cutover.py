"""The reasons against a cut-over of a task, as a table of functions of its facts.

Ready means that no known fact blocks the cut-over, not that it is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from exporter.config import COLLECTOR_OF
from exporter.model.cutover_facts import Facts
from exporter.model.task import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.model.task import Task

__all__ = ["REASONS", "Facts", "Reason", "blockers", "concerned", "standby"]

_PHASES = frozenset({Phase.FULL, Phase.INCREMENTAL, Phase.PAUSED, Phase.CHANGING, Phase.FAILED})
_REQUIRED, _IGNORED = "required", "ignore"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a cut-over.

    Args:
        name: the label `reason`.
        when: the condition under which it is 1, in words.
        applies: returns whether it can apply to a task at all.
        blocks: returns whether it blocks a cut-over now.
        fact: returns the fact that it depends on: a text, a flag, names, a ratio, seconds with their limit, or
            the reachable endpoints; None if it is unknown.
        facts: the kind of facts that contains this fact.
        setting: the key of `cutover` that decides whether it blocks.
        known: returns whether the fact is known; else it was not checked.
    """

    name: str
    when: str
    applies: Callable[[Facts], bool]
    blocks: Callable[[Facts], bool]
    fact: Callable[[Facts], object]
    facts: str
    setting: str = ""
    known: Callable[[Facts], bool] = lambda _: True

    @property
    def collector(self) -> str:
        """The collector of these facts."""
        return COLLECTOR_OF[self.facts]


def _demanded(setting: str, bad: bool | None) -> bool:  # noqa: FBT001 - the fact that is judged
    """Return whether a fact blocks: with `required` also an unknown one, with `if_available` only a bad one."""
    return setting == _REQUIRED if bad is None else bad


def _single(facts: Facts) -> bool:
    return not facts.parent


def _delayed(facts: Facts) -> bool:
    return _single(facts) and not facts.full_only


def _recovering(facts: Facts) -> bool:
    return _single(facts) and facts.disaster_recovery


def _unless_ignored(setting: str) -> Callable[[Facts], bool]:
    return lambda facts: _single(facts) and getattr(facts.settings, setting) != _IGNORED


def _comparisons_required(facts: Facts) -> bool:
    return _single(facts) and facts.settings.comparison == _REQUIRED


def _reasons_of(name: str) -> tuple[Reason, Reason]:
    """Return the reasons about the RPO or the RTO."""
    return (
        Reason(
            f"{name}_unknown",
            f"No {name.upper()} is known now.",
            _recovering,
            lambda facts: not getattr(facts, name).known,
            attrgetter(name),
            "recovery",
        ),
        Reason(
            f"{name}_high",
            f"The {name.upper()} is over the task's own threshold, else over the limit.",
            _recovering,
            attrgetter(f"{name}.exceeded"),
            attrgetter(name),
            "recovery",
            "max_delay",
            known=attrgetter(f"{name}.known"),
        ),
    )


REASONS: tuple[Reason, ...] = (
    Reason(
        "phase",
        "The status is not INCRE_TRANSFER_STARTED; of a task with a full load alone: not FULL_TRANSFER_COMPLETE. "
        "Or the lists contradict each other, or a query, about the task.",
        lambda _: True,
        attrgetter("wrong_phase"),
        attrgetter("status"),
        "listed",
    ),
    Reason(
        "stale",
        "The list or the progress of the task is older than 3 effective intervals, or the cloud itself computed the "
        "progress over an hour before it was read (process_time, where it is known; not of a task with a full load "
        "alone).",
        lambda _: True,
        lambda facts: facts.stale or facts.old_report,
        attrgetter("freshness"),
        "listed",
    ),
    Reason(
        "delay_unknown",
        "No delay is known now. Not of a task with a full load alone.",
        _delayed,
        lambda facts: not facts.delay.known,
        attrgetter("delay"),
        "progress",
    ),
    Reason(
        "delay_high",
        "The delay is over the limit. Not of a task with a full load alone.",
        _delayed,
        attrgetter("delay.exceeded"),
        attrgetter("delay"),
        "progress",
        "max_delay",
        known=attrgetter("delay.known"),
    ),
    Reason(
        "full_incomplete",
        "The full load of a task that goes on with increments is known to be under way.",
        lambda facts: (
            _single(facts) and facts.task.listed is not None and facts.task.listed.task_type == "FULL_INCR_TRANS"
        ),
        lambda facts: (ratio := facts.full_ratio) is not None and ratio < 1,
        attrgetter("full_ratio"),
        "progress",
        known=lambda facts: facts.full_ratio is not None,
    ),
    Reason(
        "action_needed",
        "CONTINUE_APPLY or CONTINUE_CAPTURE is available: the data waits for the user.",
        _single,
        lambda facts: bool(facts.open_actions),
        attrgetter("open_actions"),
        "listed",
    ),
    Reason(
        "subtask",
        "A subtask is blocked or unknown (also one that cannot be decoded, or that entries "
        "contradict each other about), or no subtask is alive. Of parents alone, "
        "which have only phase and stale beside it.",
        lambda facts: facts.parent,
        lambda facts: facts.subtasks_blocked,
        attrgetter("subtasks"),
        "listed",
    ),
    Reason(
        "switching",
        "A switchover is under way. Of DR tasks, as the next four.",
        _recovering,
        lambda facts: facts.task.switching is True,
        attrgetter("task.switching"),
        "switchover",
        known=lambda facts: facts.task.switching is not None,
    ),
    *_reasons_of("rpo"),
    *_reasons_of("rto"),
    Reason(
        "side_down",
        "The node does not reach the source or the target.",
        _unless_ignored("endpoints"),
        lambda facts: _demanded(
            facts.settings.endpoints, True if False in facts.sides else None if None in facts.sides else False
        ),
        lambda facts: dict(zip(("source", "target"), facts.sides, strict=True)),
        "monitor",
        "endpoints",
        known=lambda facts: None not in facts.sides,
    ),
    Reason(
        "objects_missing",
        "The target lacks objects of a type that is not moved at the end.",
        _unless_ignored("objects"),
        lambda facts: _demanded(
            facts.settings.objects, None if (missing := facts.missing_objects) is None else bool(missing)
        ),
        attrgetter("missing_objects"),
        "objects",
        "objects",
        known=lambda facts: facts.missing_objects is not None,
    ),
    Reason(
        "comparison_missing",
        "Nothing was compared, or a newest comparison ended without a verdict. Where one is required.",
        _comparisons_required,
        attrgetter("unjudged"),
        attrgetter("statuses"),
        "comparison",
        "comparison",
    ),
    Reason(
        "comparison_running",
        "A newest comparison runs. Where one is required.",
        _comparisons_required,
        attrgetter("comparing"),
        attrgetter("statuses"),
        "comparison",
        "comparison",
    ),
    Reason(
        "comparison_inconsistent",
        "A newest comparison found a difference.",
        _unless_ignored("comparison"),
        attrgetter("inconsistent"),
        lambda facts: "inconsistent" if facts.inconsistent else "nothing inconsistent known",
        "comparison",
        "comparison",
        known=lambda facts: bool(facts.compared),
    ),
    Reason(
        "log_error",
        "The newest log entry is an error.",
        _unless_ignored("logs"),
        lambda facts: _demanded(facts.settings.logs, facts.log_ends_in_error),
        lambda facts: (
            None
            if (bad := facts.log_ends_in_error) is None
            else ("the newest entry is an error" if bad else "no error at its end")
        ),
        "logs",
        "logs",
        known=lambda facts: facts.log_ends_in_error is not None,
    ),
)


def standby(task: Task | None) -> bool:
    """Return whether the task is the standby of a primary/standby pair. Only details and lists of v5 show it."""
    listed, detail = (task.listed, task.detail) if task is not None else (None, None)
    return "slave" in {listed.role if listed else None, detail.node_role if detail else None}


def concerned(task: Task) -> bool:
    """Return whether a task of this kind and phase can be cut over at all. The parent shows the verdict of subtasks."""
    listed = task.listed
    return (
        listed is not None
        and listed.phase in _PHASES
        and not standby(task)
        and not listed.multi_write
        and not (task.detail and task.detail.multi_write)
    )


def blockers(facts: Facts) -> tuple[tuple[str, bool], ...]:
    """Return each reason that applies to the task, and whether it blocks."""
    return tuple((reason.name, reason.blocks(facts)) for reason in REASONS if reason.applies(facts))
