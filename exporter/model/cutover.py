"""The reasons that can block the cut-over of a task.

Ready means that no known fact blocks the cut-over, not that it is safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from operator import attrgetter

from exporter.config import COLLECTOR_OF
from exporter.model.cutover_input import CutoverInput
from exporter.model.task import Phase, Task

__all__ = ["REASONS", "CutoverInput", "Reason", "blockers", "can_be_cut_over"]

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
        evidence: returns the value that it depends on: a text, a flag, names, a ratio, seconds with their limit, or
            the reachable endpoints; None if it is unknown.
        source: the name of the facts that contain this value.
        setting: the key of `cutover` that decides whether it blocks.
        known: returns whether the value is known; by default it is, if there is evidence.
    """

    name: str
    when: str
    _: KW_ONLY
    applies: Callable[[CutoverInput], bool]
    blocks: Callable[[CutoverInput], bool]
    evidence: Callable[[CutoverInput], object]
    source: str
    setting: str = ""
    known: Callable[[CutoverInput], bool] | None = None

    def is_known(self, case: CutoverInput) -> bool:
        """Return whether the value is known; else the reason was not checked."""
        return self.evidence(case) is not None if self.known is None else self.known(case)

    @property
    def collector(self) -> str:
        """The collector of its source."""
        return COLLECTOR_OF[self.source]


def _blocks_by_setting(setting: str, bad: bool | None) -> bool:  # noqa: FBT001 - the value that is judged
    """Return whether a value blocks: with `required` also if it is unknown, with `if_available` only if it is bad."""
    return setting == _REQUIRED if bad is None else bad


def _not_a_parent(case: CutoverInput) -> bool:
    return not case.listed.is_parent


def _incremental(case: CutoverInput) -> bool:
    """Return whether a delay decides: of a parent, only one that is known beside those of its subtasks."""
    return not case.full_only and (_not_a_parent(case) or case.delay is not None)


def _disaster_recovery(case: CutoverInput) -> bool:
    return _not_a_parent(case) and case.listed.disaster_recovery


def _unless_ignored(setting: str) -> Callable[[CutoverInput], bool]:
    return lambda case: _not_a_parent(case) and getattr(case.settings, setting) != _IGNORED


def _comparisons_required(case: CutoverInput) -> bool:
    return _not_a_parent(case) and case.settings.comparison == _REQUIRED


def _reasons_of(
    name: str, unknown: str, high: str, applies: Callable[[CutoverInput], bool], source: str
) -> tuple[Reason, Reason]:
    """Return the reasons about a time span: it is unknown, or it is over its limit."""
    return (
        Reason(
            f"{name}_unknown",
            unknown,
            applies=applies,
            blocks=lambda case: getattr(case, name) is None,
            evidence=attrgetter(name),
            source=source,
        ),
        Reason(
            f"{name}_high",
            high,
            applies=applies,
            blocks=lambda case: (value := getattr(case, name)) is not None and value.exceeded,
            evidence=attrgetter(name),
            source=source,
            setting="max_delay",
        ),
    )


def _reasons_of_recovery(name: str) -> tuple[Reason, Reason]:
    word = name.upper()
    high = f"The {word} is over the task's own threshold, else over the limit."
    return _reasons_of(name, f"No {word} is known now.", high, _disaster_recovery, "recovery")


REASONS: tuple[Reason, ...] = (
    Reason(
        "phase",
        "The status is not INCRE_TRANSFER_STARTED; of a task with a full load alone: not FULL_TRANSFER_COMPLETE. "
        "Or the lists contradict each other, or a query, about the task.",
        applies=lambda _: True,
        blocks=attrgetter("wrong_phase"),
        evidence=attrgetter("status"),
        source="listed",
    ),
    Reason(
        "stale",
        "The list or the progress of the task is older than 3 measured intervals, or the cloud itself computed the "
        "progress over an hour before it was read (process_time, where it is known; not of a task with a full load "
        "alone).",
        applies=lambda _: True,
        blocks=lambda case: case.freshness != "fresh",
        evidence=attrgetter("freshness"),
        source="listed",
    ),
    *_reasons_of(
        "delay",
        "No delay is known now. Not of a task with a full load alone.",
        "The delay is over the limit. Not of a task with a full load alone.",
        _incremental,
        "progress",
    ),
    Reason(
        "full_incomplete",
        "The full load of a task that goes on with increments is known to be under way.",
        applies=lambda case: _not_a_parent(case) and case.listed.task_type == "FULL_INCR_TRANS",
        blocks=lambda case: (ratio := case.full_ratio) is not None and ratio < 1,
        evidence=attrgetter("full_ratio"),
        source="progress",
    ),
    Reason(
        "action_needed",
        "CONTINUE_APPLY or CONTINUE_CAPTURE is available: the data waits for the user.",
        applies=_not_a_parent,
        blocks=lambda case: bool(case.open_actions),
        evidence=attrgetter("open_actions"),
        source="listed",
    ),
    Reason(
        "subtask",
        "A subtask is blocked or unknown (also one that cannot be decoded, or that entries "
        "contradict each other about), or no subtask is alive. Of parents alone, "
        "which have only phase and stale beside it.",
        applies=attrgetter("listed.is_parent"),
        blocks=lambda case: case.subtasks_blocked,
        evidence=attrgetter("subtasks"),
        source="listed",
    ),
    Reason(
        "switching",
        "A switchover is under way. Of DR tasks, as the next four.",
        applies=_disaster_recovery,
        blocks=lambda case: case.task.switching is True,
        evidence=attrgetter("task.switching"),
        source="switchover",
    ),
    *_reasons_of_recovery("rpo"),
    *_reasons_of_recovery("rto"),
    Reason(
        "side_down",
        "The node does not reach the source or the target.",
        applies=_unless_ignored("endpoints"),
        blocks=lambda case: _blocks_by_setting(
            case.settings.endpoints, True if False in case.sides else None if None in case.sides else False
        ),
        evidence=lambda case: dict(zip(("source", "target"), case.sides, strict=True)),
        source="monitor",
        setting="endpoints",
        known=lambda case: None not in case.sides,
    ),
    Reason(
        "objects_missing",
        "The target lacks objects of a type that is not moved at the end.",
        applies=_unless_ignored("objects"),
        blocks=lambda case: _blocks_by_setting(
            case.settings.objects, None if (missing := case.missing_objects) is None else bool(missing)
        ),
        evidence=attrgetter("missing_objects"),
        source="objects",
        setting="objects",
    ),
    Reason(
        "comparison_missing",
        "Nothing was compared, or a newest comparison ended without a verdict. Where one is required.",
        applies=_comparisons_required,
        blocks=attrgetter("unjudged"),
        evidence=attrgetter("statuses"),
        source="comparison",
        setting="comparison",
    ),
    Reason(
        "comparison_running",
        "A newest comparison runs. Where one is required.",
        applies=_comparisons_required,
        blocks=attrgetter("comparing"),
        evidence=attrgetter("statuses"),
        source="comparison",
        setting="comparison",
    ),
    Reason(
        "comparison_inconsistent",
        "A newest comparison found a difference.",
        applies=_unless_ignored("comparison"),
        blocks=attrgetter("inconsistent"),
        evidence=lambda case: "inconsistent" if case.inconsistent else "nothing inconsistent known",
        source="comparison",
        setting="comparison",
        known=lambda case: bool(case.compared),
    ),
    Reason(
        "log_error",
        "The newest log entry is an error.",
        applies=_unless_ignored("logs"),
        blocks=lambda case: _blocks_by_setting(case.settings.logs, case.log_ends_in_error),
        evidence=lambda case: (
            None
            if (bad := case.log_ends_in_error) is None
            else ("the newest entry is an error" if bad else "no error at its end")
        ),
        source="logs",
        setting="logs",
    ),
)


def can_be_cut_over(task: Task) -> bool:
    """Return whether a task of this kind and phase can be cut over at all. The parent shows the verdict of subtasks."""
    listed = task.listed
    return (
        listed is not None
        and listed.phase in _PHASES
        and not task.standby
        and not listed.multi_write
        and not (task.detail and task.detail.multi_write)
    )


def blockers(case: CutoverInput) -> tuple[tuple[str, bool], ...]:
    """Return each reason that applies to the task, and whether it blocks."""
    return tuple((reason.name, reason.blocks(case)) for reason in REASONS if reason.applies(case))
