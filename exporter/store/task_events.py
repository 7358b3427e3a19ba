"""The events of a task: compares the task as it was observed before with the task as it is exposed now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from exporter.model.events import Kind
from exporter.model.task import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.model.facts import Compared, Comparison
    from exporter.model.task import Task
    from exporter.store.observed import ObservedTask
    from exporter.store.task_state import TaskState

Found: TypeAlias = "tuple[Kind, dict[str, str]]"
"""A kind of event with its details."""

_FAILED_COMPARISONS = frozenset({"FAILED", "CANCELLED", "TIMEOUT_INTERRUPT"})


def may_be_event(before: Task | None, after: Task | None) -> bool:
    """Return whether the change of an exposed task may be an event; most changes are new values of the same facts."""
    if before is None or after is None:
        return before is not after
    return (
        before.blockers is not after.blockers
        or before.fresh != after.fresh
        or before.identity.task_name != after.identity.task_name
        or before.comparison is not after.comparison
        or before.switchover is not after.switchover
    )


def events_of(task: TaskState, before: Task | None, phase: Phase | None) -> Iterator[Found]:
    """Yield the events of a task but those of its verdict, and store what was observed.

    Args:
        task: its state now.
        before: the task as it was exposed before.
        phase: the last phase that was known before.
    """
    after, observed = task.exposed, task.observed
    if after is not None and observed.new:
        observed.new = False
        yield Kind.APPEARED, {"phase": str(task.phase or Phase.OTHER)}
    if before is not None and after is not None and before.identity.task_name != after.identity.task_name:
        yield Kind.RENAMED, {"name_before": before.identity.task_name}
    if before is not None and phase is not None:
        yield from _phase_events(task, phase, {})
    if after is not None and observed.phase_before_start is not None:
        yield from _phase_events(task, observed.phase_before_start, {"unobserved": "true"})
        observed.phase_before_start = None
    if after is not None:
        yield from _comparison_events(observed, after.comparison)
        yield from _switchover_events(observed, after)


def _phase_events(task: TaskState, before: Phase, more: dict[str, str]) -> Iterator[Found]:
    observed, code = task.observed, task.exposed.failure_code if task.exposed is not None else None
    if task.phase is before or task.phase is None:
        if observed.awaits_code and code is not None:
            observed.awaits_code = False
            yield Kind.ERROR_CODE, {"error_code": code}
        return
    observed.awaits_code = task.phase is Phase.FAILED and code is None
    detail = {"phase_before": str(before), **more}
    if task.phase is Phase.FAILED:
        yield Kind.FAILED, detail if code is None else {**detail, "error_code": code}
    elif task.phase is Phase.ENDED:
        yield Kind.ENDED, detail
    else:
        yield Kind.PHASE_CHANGED, {**detail, "phase": str(task.phase)}


def _comparison_events(observed: ObservedTask, comparison: Comparison | None) -> Iterator[Found]:
    """Yield the comparisons that have finished since the newest response before; none of the first response."""
    before = observed.comparison
    if comparison is None or comparison is before:
        return
    observed.comparison = comparison
    if before is None:
        return
    old = (*before.types, *before.earlier)
    known = {(each.type, each.finished_at, result_of(each)) for each in old}
    for each in (*comparison.types, *comparison.earlier):
        result = result_of(each)
        # The results of earlier comparisons may be known only now.
        latest = max((other.finished_at or -math.inf for other in old if other.type == each.type), default=-math.inf)
        is_old = each.finished_at is not None and each.finished_at < latest
        if result is not None and not is_old and (each.type, each.finished_at, result) not in known:
            yield Kind.COMPARED, {"type": each.type, "result": result}


def result_of(compared: Compared) -> str | None:
    """Return the result of a comparison: equal, inconsistent or failed; None if it has none yet."""
    if compared.consistent is not None:
        return "equal" if compared.consistent else "inconsistent"
    return "failed" if compared.status in _FAILED_COMPARISONS else None


def _switchover_events(observed: ObservedTask, after: Task) -> Iterator[Found]:
    switching, before = after.switching, observed.switching
    if switching is None:
        return
    observed.switching = switching
    if before is not None and switching is not before:
        direction = after.listed.direction if after.listed is not None else None
        detail = {} if direction is None else {"direction": direction}
        yield Kind.SWITCHOVER_BEGAN if switching else Kind.SWITCHOVER_ENDED, detail
