"""The state of a task in sentences, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

from exporter.model.explanation import TaskExplanation
from exporter.model.task import LOADED, Phase, Task
from exporter.views.cutover import blocked_by, not_checked, reasons
from exporter.views.summary import full_ratio_of
from exporter.views.task_errors import meaning
from exporter.views.text import age, capitalized, duration, listing, moment, percent, trend


class Level(IntEnum):
    """How bad a state is; its name in lower case is a class of the style sheet."""

    BAD = 0
    WARN = 1
    GOOD = 2
    PLAIN = 3


class Statement(NamedTuple):
    """A sentence or two about a task."""

    level: Level
    text: str


_PHASES: Mapping[Phase | None, tuple[Level, str]] = {
    None: (Level.WARN, "The status of the task is unknown: no current list contains it."),
    Phase.FAILED: (Level.BAD, "The task failed{ago}{code}: its status is {status}."),
    Phase.OTHER: (Level.WARN, "The status {status} has no known phase."),
    Phase.PAUSED: (Level.WARN, "The task is paused{lasting}: it does not replicate."),
    Phase.CHANGING: (Level.WARN, "The task is being changed{lasting}."),
    Phase.INCREMENTAL: (Level.PLAIN, "The task replicates changes{lasting}."),
    Phase.FULL: (Level.PLAIN, "The task is in its full load{lasting}."),
    Phase.PREPARING: (Level.PLAIN, "The task is being prepared{lasting}: it does not replicate yet."),
    Phase.ENDING: (Level.PLAIN, "The task is ending{lasting}."),
    Phase.ENDED: (Level.PLAIN, "The task ended{ago}."),
}
_REMEDIES = {
    Phase.FAILED: " See its error in the console, remove the cause, and resume it.",
    Phase.PAUSED: " Resume it in the console.",
}

_FAULTS = {"comparison_inconsistent", "side_down", "apply_failed", "object_failed"}
"""The reasons against a cut-over that are faults at any time."""


def statements(subject: TaskExplanation, now: float) -> list[Statement]:
    """Return the state of a task, the worst first."""
    found = [*_ready(subject, now), *conditions(subject, now), *_blocked(subject)]
    return sorted(found, key=lambda statement: statement.level)


def conditions(subject: TaskExplanation, now: float) -> list[Statement]:
    """Return the phase, the full load and the delay of a task, the worst first."""
    task = subject.task
    found = [_phase(task, now), *_load(task, now), *_delay(subject)]
    return sorted(found, key=lambda statement: statement.level)


def _phase(task: Task, now: float) -> Statement:
    level, text = _PHASES[task.phase]
    if task.listed and task.listed.status == LOADED:
        return Statement(level, _loaded(task, now))
    since = task.history.phase_changed_at
    values = {
        "code": f" with error code {task.failure_code}" if task.failure_code else "",
        "status": task.listed.status if task.listed else "",
        "ago": "" if since is None else f" {age(since, now)} ago",
        "lasting": "" if since is None else f", for {age(since, now)}",
    }
    remedy = _REMEDIES.get(task.phase, "") if task.phase else ""
    return Statement(level, text.format_map(values) + _documented(task.failure_code) + remedy)


def _documented(code: str | None) -> str:
    """Return what the vendor documents of an error code; an empty text for other codes."""
    found = meaning(code)
    return f" The documentation of DRS explains the code: {found.cause} {found.remedy}" if found else ""


def _loaded(task: Task, now: float) -> str:
    """Return that the full load is complete, and since when as far as the cloud reports that."""
    at = next(
        (facts.full_completed_at for facts in (task.detail, task.objects) if facts and facts.full_completed_at), 0
    )
    return "The full load is complete" + (f", since {moment(at)} ({age(at, now)})." if at else ".")


def _load(task: Task, now: float) -> Iterator[Statement]:
    ratio = full_ratio_of(task)
    if ratio is None or ratio >= 1 or (task.listed and task.listed.status == LOADED):
        return
    text = f"The full load is {percent(ratio)} complete"
    if (remaining := task.full_remaining_seconds) is not None:
        text += f"; the cloud expects its end in {duration(remaining)}"
    if (end := task.predicted.full_load_end_at) is not None:
        text += f"; at the present rate it ends in about {age(now, end)}, at {moment(end)}"
    yield Statement(Level.PLAIN, f"{text}.")


def _delay(subject: TaskExplanation) -> Iterator[Statement]:
    delay, predicted = subject.task.delay_seconds, subject.task.predicted
    if delay is None:
        return
    limit = subject.cutover.settings.max_delay if subject.cutover else None
    late, word = limit is not None and delay > limit, ""
    if predicted.delay_slope is not None:
        word = trend(predicted.delay_slope)
    text = f"The target is {duration(delay)} behind the source"
    if late and limit is not None:
        text += f", over the limit of {duration(limit)}"
    text += f"; the delay is {word}." if word else "."
    if late:
        text += _end_of_delay(word, predicted.catch_up_seconds)
    level = Level.GOOD if limit is not None else Level.PLAIN
    if late:
        level = Level.BAD if word == "growing" else Level.WARN
    yield Statement(level, text)


def _end_of_delay(trend_word: str, seconds: float | None) -> str:
    """Return when a delay over its limit is within it, or why that is not known."""
    if not trend_word:
        return " Its trend is not known: it takes 5 minutes of history without swings or jumps."
    if trend_word == "shrinking" and not seconds:
        return " Its end cannot be predicted: it shrinks unevenly, or slowly."
    return f" At this rate it is within the limit in about {duration(seconds)}." if seconds else ""


def _ready(subject: TaskExplanation, now: float) -> Iterator[Statement]:
    """State that the task is ready, always with what was not checked."""
    task = subject.task
    if not task.ready:
        return
    since = "" if task.ready_since is None else f" since {moment(task.ready_since)} ({age(task.ready_since, now)})"
    yield Statement(Level.GOOD, f"It is ready to cut over{since}: nothing that is known blocks it.")
    if unchecked := not_checked(subject):
        yield Statement(Level.GOOD, f"{capitalized(unchecked)}.")


def _blocked(subject: TaskExplanation) -> Iterator[Statement]:
    """State what blocks the cut-over. It is nothing unusual before the incremental phase."""
    blocking = [reason for reason in reasons(subject) if reason.blocks]
    yield from (Statement(Level.BAD, reason.advice) for reason in blocking if reason.name in _FAULTS)
    if blocking:
        names = listing(blocked_by(reason.name for reason in blocking))
        level = Level.WARN if subject.task.phase is Phase.INCREMENTAL else Level.PLAIN
        below = "".join(f" Subtasks {reason.fact}." for reason in blocking if reason.name == "subtask")
        yield Statement(level, f"It is not ready to cut over. Blockers: {names}.{below}")
