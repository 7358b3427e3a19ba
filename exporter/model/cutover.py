"""The reasons that can block the cut-over of a task.

Ready means that no known fact blocks the cut-over, not that it is safe. The sentences about the reasons for people are
in `cutover_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from exporter.model.cutover_input import CutoverInput
from exporter.model.cutover_reason import IGNORED, REQUIRED, Outcome, Reason
from exporter.model.facts import APPLY_STATES
from exporter.model.task import Phase, Task

_PHASES = frozenset({Phase.FULL, Phase.INCREMENTAL, Phase.PAUSED, Phase.CHANGING, Phase.FAILED})
CATCHING_UP = {"phase", "stale", "delay_unknown", "delay_high", "full_incomplete", "full_unknown"}
CATCHING_UP |= {"switching", "rpo_unknown", "rpo_high", "rto_unknown", "rto_high"}
"""The reasons of which none may block a task that is caught up."""
_APPLY_FAILED = {state: state == "failed" for state in APPLY_STATES}


def _incremental(case: CutoverInput) -> bool:
    return not case.full_only


def _disaster_recovery(case: CutoverInput) -> bool:
    return case.listed.disaster_recovery


def _loads(case: CutoverInput) -> bool:
    return case.listed.task_type != "INCR_TRANS"


def _moves_objects(case: CutoverInput) -> bool:
    detail = case.task.detail
    target = (detail.target_type if detail else None) or (case.listed.engine_type or "").rpartition("-")[2]
    return _loads(case) and "kafka" not in target.lower()


def _has_order(case: CutoverInput) -> bool:
    """Return whether the task has a yearly or monthly order, or its details are unknown."""
    detail = case.task.detail
    return detail is None or detail.order_status is not None or detail.charging_mode == "period"


def _ignores_comparisons(case: CutoverInput) -> bool:
    return case.settings.comparison == IGNORED


def _only_if_required(bad: bool | None, case: CutoverInput) -> bool | None:  # noqa: FBT001 - the value that is judged
    """Return whether a lack of a comparison blocks: only where one is required, and of a parent only its own."""
    virtual = case.is_virtual_for("comparison") and case.task.comparison is None
    return None if bad and (virtual or case.settings.comparison != REQUIRED) else bad


def _exceeded(name: str) -> Callable[[CutoverInput], bool | None]:
    return lambda case: None if (value := getattr(case, name)) is None else value.exceeded


def _known(value: bool | None, bad: str, fine: str) -> str | None:  # noqa: FBT001 - the value that is worded
    return None if value is None else bad if value else fine


def _any(name: str) -> Callable[[CutoverInput], bool | None]:
    value_of = attrgetter(name)
    return lambda case: None if (value := value_of(case)) is None else bool(value)


def _names(name: str, none: str) -> Callable[[CutoverInput], object]:
    """Return the evidence of a reason that names what blocks; `none` if that is nothing."""
    value_of = attrgetter(name)
    return lambda case: none if (value := value_of(case)) == [] else value


def _reported(name: str) -> Callable[[CutoverInput], str | None]:
    """Return the evidence of a reason for which it only counts that there is a value."""
    return lambda case: None if getattr(case, name) is None else "reported"


def _newest_comparisons(case: CutoverInput) -> list[str] | str | None:
    if case.task.comparison is None:
        return None
    return [f"{compared.type} {compared.status}" for compared in case.comparisons.newest] or "no comparison"


def _unknown_if_published(name: str) -> Callable[[CutoverInput], bool | None]:
    """Return whether RPO or RTO is unknown; not judged where the delay decides."""
    return lambda case: False if getattr(case, name) is not None else True if case.recovery_decides else None


def _not_stable(case: CutoverInput) -> bool | None:
    return None if case.stable is None else not case.stable


NOT_STABLE = Reason(
    "not_stable",
    "listed",
    _not_stable,
    lambda case: _known(
        _not_stable(case),
        "nothing else blocks, but not for long enough",
        "something else blocks, or nothing has for long enough",
    ),
    setting="stable_for",
    of_parents=True,
)
OTHER_REASONS: tuple[Reason, ...] = (
    Reason("phase", "listed", attrgetter("wrong_phase"), attrgetter("status"), of_parents=True),
    Reason(
        "stale",
        "listed",
        lambda case: bool(case.too_old),
        lambda case: f"too old: {', '.join(case.too_old)}" if case.too_old else "fresh",
        setting="max_age",
        of_parents=True,
    ),
    Reason("delay_unknown", "progress", attrgetter("delay_missing"), _reported("delay"), applies=_incremental),
    Reason(
        "delay_high",
        "progress",
        _exceeded("delay"),
        attrgetter("delay"),
        applies=_incremental,
        setting="max_delay",
    ),
    Reason(
        "full_incomplete",
        "progress",
        lambda case: None if (ratio := case.full_ratio) is None else ratio < 1,
        attrgetter("full_ratio"),
        applies=_loads,
    ),
    Reason(
        "full_unknown",
        "progress",
        attrgetter("full_unknown"),
        attrgetter("full_ratio"),
        applies=attrgetter("full_only"),
    ),
    Reason("action_needed", "listed", _any("needed_actions"), attrgetter("needed_actions")),
    Reason("action_running", "listed", attrgetter("disrupted"), attrgetter("listed.current_action")),
    Reason(
        "apply_failed",
        "node",
        lambda case: _APPLY_FAILED.get((case.apply_state or "").lower()),
        attrgetter("apply_state"),
    ),
    Reason(
        "report_old",
        "progress",
        _exceeded("report"),
        attrgetter("report"),
        applies=attrgetter("report_advances"),
        setting="report",
    ),
    Reason(
        "subtask",
        "listed",
        attrgetter("subtasks_blocked"),
        attrgetter("subtasks_text"),
        applies=attrgetter("listed.is_parent"),
    ),
    Reason("switching", "switchover", attrgetter("switching"), attrgetter("switching"), applies=_disaster_recovery),
    Reason("rpo_unknown", "recovery", _unknown_if_published("rpo"), _reported("rpo"), applies=_disaster_recovery),
    Reason(
        "rpo_high",
        "recovery",
        _exceeded("rpo"),
        attrgetter("rpo"),
        applies=_disaster_recovery,
        setting="max_delay",
    ),
    Reason("rto_unknown", "recovery", _unknown_if_published("rto"), _reported("rto"), applies=_disaster_recovery),
    Reason(
        "rto_high",
        "recovery",
        _exceeded("rto"),
        attrgetter("rto"),
        applies=_disaster_recovery,
        setting="max_delay",
    ),
    Reason(
        "order_frozen",
        "detail",
        lambda case: None if (status := case.order_status) is None else status.upper().startswith("FROZEN"),
        attrgetter("order_status"),
        applies=_has_order,
    ),
    Reason(
        "side_down",
        "monitor",
        attrgetter("side_down"),
        lambda case: dict(zip(("source", "target"), case.sides, strict=True)),
        setting="endpoints",
    ),
    Reason(
        "objects_missing",
        "objects",
        _any("objects.missing"),
        _names("objects.missing", "none missing"),
        applies=_moves_objects,
        setting="objects",
    ),
    Reason(
        "object_failed",
        "objects",
        _any("objects.failed"),
        _names("objects.failed", "none failed"),
        applies=_moves_objects,
        setting="objects",
        blocks_unknown=False,
    ),
    Reason(
        "comparison_missing",
        "comparison",
        lambda case: _only_if_required(case.comparisons.missing, case),
        _newest_comparisons,
        setting="comparison",
    ),
    Reason(
        "comparison_running",
        "comparison",
        lambda case: _only_if_required(case.comparisons.running, case),
        _newest_comparisons,
        applies=lambda case: _ignores_comparisons(case) or case.task.comparison is not None,
        setting="comparison",
        blocks_unknown=False,
    ),
    Reason(
        "comparison_inconsistent",
        "comparison",
        _any("comparisons.inconsistent"),
        _names("comparisons.inconsistent", "no difference"),
        setting="comparison",
        blocks_unknown=False,
    ),
    Reason(
        "comparison_old",
        "comparison",
        lambda case: _only_if_required(case.comparisons.old, case),
        attrgetter("comparisons.ends"),
        applies=lambda case: _ignores_comparisons(case) or bool(case.comparisons.finished),
        setting="comparison",
    ),
    Reason(
        "log_error",
        "logs",
        attrgetter("log_ends_in_error"),
        lambda case: _known(case.log_ends_in_error, "the newest entry is an error", "no error at its end"),
        setting="logs",
    ),
)
"""All reasons but `NOT_STABLE`, which depends on them."""
REASONS = (*OTHER_REASONS, NOT_STABLE)


def excluded(task: Task) -> bool:
    """Return whether neither the task nor its subtasks can be cut over: a standby, or both sides are in use."""
    listed = task.listed
    dual = listed is not None and (listed.multi_write or bool(task.detail and task.detail.multi_write))
    return task.standby or (dual and listed is not None and listed.disaster_recovery)


def can_be_cut_over(task: Task) -> bool:
    """Return whether a task of this kind and phase can be cut over at all."""
    return task.listed is not None and task.listed.phase in _PHASES and not excluded(task)


def judge(case: CutoverInput, reasons: Sequence[Reason] = REASONS) -> tuple[tuple[str, Outcome], ...]:
    """Return each reason that applies to the task, with what it says about it."""
    return tuple([(reason.name, outcome) for reason in reasons if (outcome := reason.outcome(case)) is not None])


def blocking(outcomes: Iterable[tuple[str, Outcome]]) -> tuple[str, ...]:
    """Return the names of the reasons that block."""
    return tuple([name for name, outcome in outcomes if outcome is Outcome.BLOCKS])


def caught_up(case: CutoverInput, blocking: Iterable[str]) -> bool:
    """Return whether the delays of a task and its living subtasks are known, fresh and within their limits.

    RPO and RTO may take the place of the delay of a DR task, and a complete full load that of a FULL_TRANS task.

    Args:
        case: the task.
        blocking: the reasons that block.
    """
    if not CATCHING_UP.isdisjoint(blocking):
        return False
    known = case.delay is not None or None not in {case.rpo, case.rto} or case.full_only or bool(case.living)
    return known and not case.listed.unknown_children and all(subtask.caught_up for subtask in case.living)
