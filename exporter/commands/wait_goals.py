"""What the command `wait` waits for, and how far each task is from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from exporter.commands.documents import ObservedTask
from exporter.model.cutover import CATCHING_UP
from exporter.model.task import LOADED, Phase
from exporter.views.cutover import READY
from exporter.views.order import urgency
from exporter.views.text import UNKNOWN, duration, load_outlook, outlook, percent

_LATER = frozenset({Phase.ENDING.value, Phase.ENDED.value})
UNKNOWN_STATUS = "its status is unknown"
_NO_VERDICT = "it has no verdict: a standby, or both sides of its pair are in use"


class State(Enum):
    """How far a task is."""

    REACHED = auto()
    PENDING = auto()
    FAILED = auto()
    """It failed."""
    OVER = auto()
    """It ended, or was removed, and so never gets there."""


class Step(NamedTuple):
    """How far a task is.

    Args:
        name: of the task.
        state: whether it is there.
        text: why it is not there; of one that never gets there, the rest of a sentence that begins with its name.
        rank: sorts the steps: the smallest is the slowest.
    """

    name: str
    state: State
    text: str = ""
    rank: tuple[object, ...] = ()


class Goal(NamedTuple):
    """What a task can be waited for.

    Args:
        reached: returns whether a task is there, by known and fresh facts.
        text: returns why a task that is not there is not; the second argument is the Unix time.
        words: what it is, in the lines of the command.
        clause: the same of a task in the past, as a clause.
    """

    reached: Callable[[ObservedTask], bool]
    text: Callable[[ObservedTask, float], str]
    words: str
    clause: str


def _delay(task: ObservedTask) -> list[str]:
    """Return the delay of a task, its trend and when it is caught up, as far as they are known."""
    delay = task.incremental_delay_seconds
    if delay is None:
        return []
    return [f"{duration(delay)} behind", *outlook(task.incremental_delay_slope, task.predicted_catch_up_seconds)]


def _blocked(task: ObservedTask, _now: float) -> str:
    if not task.cutover_blockers:
        return _unjudged(task)
    return ", ".join([f"blocked by {', '.join(task.cutover_blockers)}", *_delay(task)])


def _unjudged(task: ObservedTask) -> str:
    return _NO_VERDICT if task.phase == Phase.INCREMENTAL else f"in phase {task.phase}"


def _behind(task: ObservedTask, _now: float) -> str:
    if task.cutover_blockers is None:
        return _unjudged(task)
    others = [name for name in task.cutover_blockers if name in CATCHING_UP and name != "delay_high"]
    reasons = [f"blocked by {', '.join(others)}"] if others else []
    if not reasons and "delay_high" not in task.cutover_blockers:
        subtasks = "subtask" in task.cutover_blockers
        reasons = ["a subtask is behind, or not caught up for long enough" if subtasks else "not for long enough"]
    return ", ".join([*_delay(task), *reasons])


def _load(task: ObservedTask, now: float) -> str:
    ratio = task.full_progress_ratio
    loaded = [percent(ratio)] if ratio is not None else [f"in phase {task.phase}", "progress unknown"]
    outlook_ = load_outlook(task.predicted_full_load_end_timestamp_seconds, task.full_remaining_seconds, now)
    return ", ".join(filter(None, [*loaded, outlook_]))


def _not_ended(task: ObservedTask, _now: float) -> str:
    return f"in phase {task.phase}"


def _is_loaded(task: ObservedTask) -> bool:
    """Return whether the full load is complete. A task that ended may have been stopped before."""
    return task.full_progress_ratio == 1 or task.status == LOADED or task.phase == Phase.INCREMENTAL


GOALS: Mapping[str, Goal] = {
    "ready": Goal(lambda task: task.cutover == READY, _blocked, "ready to cut over", "it was ready"),
    "caught-up": Goal(lambda task: task.caught_up is True, _behind, "caught up", "it was caught up"),
    "full-load": Goal(_is_loaded, _load, "full load complete", "its full load was complete"),
    "ended": Goal(lambda task: task.phase == Phase.ENDED, _not_ended, "ended", "it ended"),
}
"""By the value of --for."""


def step_of(goal: Goal, task: ObservedTask, now: float, *, was_reached: bool) -> Step:
    """Return how far a task is; one that was there, and then ended, stays there."""
    name = task.task_name
    if task.phase == UNKNOWN:
        return Step(name, State.PENDING, UNKNOWN_STATUS, (0,))
    if task.phase == Phase.FAILED:
        return Step(name, State.FAILED, "failed")
    if goal.reached(task):
        return Step(name, State.REACHED)
    if goal is not GOALS["ended"] and task.phase in _LATER:
        state = State.REACHED if was_reached else State.OVER
        return Step(name, state, f"ended before {goal.clause}")
    return pending(goal, task, now)


def pending(goal: Goal, task: ObservedTask, now: float) -> Step:
    """Return the step of a task that is not there."""
    return Step(task.task_name, State.PENDING, goal.text(task, now), _rank(goal, task))


def step_of_missing(goal: Goal, name: str, *, removed: bool, was_reached: bool) -> Step:
    """Return how far a task is that is not listed any more; `removed`: it was seen to end, or to be removed."""
    if not removed:
        return Step(name, State.PENDING, "not found any more, and not seen to be removed", (0,))
    if was_reached or goal is GOALS["ended"]:
        return Step(name, State.REACHED)
    return Step(name, State.OVER, f"was removed before {goal.clause}")


def slowest(steps: Iterable[Step]) -> list[Step]:
    """Return the steps of those that are not there, the slowest first."""
    return sorted((step for step in steps if step.state is State.PENDING), key=lambda step: (step.rank, step.name))


def _rank(goal: Goal, task: ObservedTask) -> tuple[object, ...]:
    """Sort by the progress of the load, or else the worst phase and the longest delay first."""
    if goal is GOALS["full-load"]:
        return 1, task.full_progress_ratio or 0.0
    return 1, *urgency(task.phase, task.incremental_delay_seconds)[:2]
