"""A wave and its members in words, and as JSON: for the page, the API and the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from exporter.model.task import Task
from exporter.model.timeline import DAY
from exporter.model.waves import Incomplete, IncompleteProject, Stage, WaveMember, WaveState, WaveStatus
from exporter.views.cutover import blocked_by, unchecked_of, why_never
from exporter.views.summary import blockers_of, comparison_of, full_ratio_of, task_json
from exporter.views.text import (
    age,
    capitalized,
    clock_time,
    duration,
    lasting,
    listing,
    load_outlook,
    moment,
    outlook,
    percent,
    project_text,
)

SHARDED = (
    "This exporter polls only a part of the tasks (--shard), so it has no verdict on a whole wave. Prometheus has it: "
    "the recording rule drs:wave_ready adds up all shards."
)
WORST_FIRST = (
    WaveState.FAILED,
    WaveState.UNKNOWN,
    WaveState.BLOCKED,
    WaveState.READY,
    WaveState.ENDED,
    WaveState.EXCLUDED,
)
SHOWN_BY_PHASE = (WaveState.FAILED, WaveState.ENDED)
"""The states that follow from the phase, and so have lasted since it changed."""
_MOST_NAMES, _MOST_DELETED = 3, 20
"""Names of tasks in the verdict, and in the sentence about former members."""
_GAPS = {
    Incomplete.UNPOLLED: "its first poll has not ended",
    Incomplete.LISTS: "a task list is unknown, incomplete or too old",
    Incomplete.NAMES: "the name of a task takes the regular expression too long",
    Incomplete.TAGS: "the tags of a task are not known yet",
}
_NONE_LEFT = "no task is left to cut over"
_NO_VERDICT = "no verdict yet: the first poll of its projects has not ended"


class MemberView(NamedTuple):
    """A member of a wave.

    Args:
        state: in the wave.
        task: its facts; without any if the exporter shows no task of this ID.
        since: Unix time since when it is ready, blocked, failed or ended; None if the exporter has not observed it.
    """

    state: WaveState
    task: Task
    since: float | None = None

    @property
    def why(self) -> str:
        """Return why it is in this state, as far as the state does not show it."""
        if self.state is WaveState.READY:
            return unchecked_of(self.task)
        if self.state in SHOWN_BY_PHASE:
            return ""
        blockers = blockers_of(self.task)
        if blockers is None or self.state is WaveState.EXCLUDED:
            return why_never(self.task)
        return ", ".join(blocked_by(blockers)) or "its verdict is out of date"


class WaveView(NamedTuple):
    """A wave with the facts about its members, the worst first."""

    status: WaveStatus
    members: Sequence[MemberView]

    @property
    def missing(self) -> int:
        """The number of tasks that are expected beside the members and the ids that were not found."""
        return max(0, (self.status.expected or 0) - self._found)

    @property
    def wanted(self) -> int:
        """The number of tasks that should be ready."""
        return self._found + self.missing

    @property
    def _found(self) -> int:
        counts = self.status.counts
        return sum(counts.values()) - counts[WaveState.EXCLUDED]

    @property
    def all_ended(self) -> bool:
        """True if every task of a running wave has ended: it is not ready any more, and nothing is wrong."""
        return self.status.ready is False and obstacles(self) == [_NONE_LEFT]

    @property
    def unchecked(self) -> int:
        """The number of ready members with reasons that were not checked."""
        return sum(member.state is WaveState.READY and bool(member.task.unchecked) for member in self.members)


def obstacles(wave: WaveView) -> list[str]:
    """Return what keeps a running wave from being ready, as parts of a sentence."""
    status, counts = wave.status, wave.status.counts
    if status.stage is not Stage.RUNNING or status.ready:
        return []
    if status.ready is None:
        return [_NO_VERDICT]
    found = [_named(wave, state) for state in (WaveState.FAILED, WaveState.BLOCKED, WaveState.UNKNOWN) if counts[state]]
    if wave.missing:
        found.append(f"{wave.missing} of {status.expected} expected missing")
    found += _unknown_projects(status)
    if not counts[WaveState.READY] and not found:
        nothing = "no task matches but excluded ones" if counts[WaveState.EXCLUDED] else "no task matches"
        found.append(_NONE_LEFT if counts[WaveState.ENDED] else nothing)
    return found


def _unknown_projects(status: WaveStatus) -> list[str]:
    """Return which projects may have members that are not known, as a part of a sentence; none without any."""
    projects = dict.fromkeys(project_text(project.key) for project in status.incomplete)
    return [f"not all tasks are known of {_first([*projects])}"] if projects else []


def _named(wave: WaveView, state: WaveState) -> str:
    names = [member.task.identity.task_name for member in wave.members if member.state is state]
    if state is WaveState.UNKNOWN:
        names += [f"{task_id} (not found)" for task_id in wave.status.missing_ids]
    return f"{len(names)} {state}: {_first(names)}"


def _first(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Return the first names, and how many more there are."""
    shown = list(names[:most])
    return listing([*shown, f"{len(names) - len(shown)} more"] if len(names) > len(shown) else shown)


def gap_sentence(project: IncompleteProject) -> str:
    """Return why a project may have members that are not known, as a sentence."""
    return f"Tasks of {project_text(project.key)} may be missing here: {_GAPS[project.reason]}."


def score(wave: WaveView) -> str:
    """Return how many tasks are ready, as on a score board: `9 of 12 ready`."""
    return f"{wave.status.counts[WaveState.READY]} of {wave.wanted} ready"


def wave_verdict(wave: WaveView, now: float) -> str:
    """Return the verdict on a wave as one sentence."""
    status, counts = wave.status, wave.status.counts
    if status.stage is Stage.PLANNED:
        matches = "task matches" if len(wave.members) == 1 else "tasks match"
        parts = ["No verdict before it begins", f"{len(wave.members)} {matches} now", *_unknown_projects(status)]
        return f"{'; '.join(parts)}."
    if status.stage is Stage.OVER:
        return "The wave is over: it has no verdict any more."
    if status.ready is None:
        return f"{capitalized(_NO_VERDICT)}."
    apart = [f"{counts[WaveState.EXCLUDED]} excluded"] if counts[WaveState.EXCLUDED] else []
    apart += [f"{len(status.deleted)} deleted"] if status.deleted else []
    if wave.all_ended:
        return (
            f"{'; '.join([f'All tasks have ended: {counts[WaveState.ENDED]} of {wave.wanted}', _NONE_LEFT, *apart])}."
        )
    ended = [f"{counts[WaveState.ENDED]} ended"] if counts[WaveState.ENDED] else []
    unchecked = [f"{wave.unchecked} not fully checked"] if wave.unchecked else []
    since = lasting(status.ready_since, now) if status.ready else ""
    word = f"Ready{since}" if status.ready else "Not ready"
    return f"{word}: {'; '.join([score(wave), *unchecked, *obstacles(wave), *ended, *apart])}."


def level_of(wave: WaveView) -> str:
    """Return the class of the style sheet for the verdict."""
    if wave.status.stage is not Stage.RUNNING or wave.all_ended:
        return "plain"
    return "good" if wave.status.ready else "warn"


def timing(status: WaveStatus, now: float) -> str:
    """Return the stage of a wave, with the time until it changes."""
    start, end = status.starts_at, status.ends_at
    if status.stage is Stage.PLANNED and start is not None:
        return f"planned: begins in {age(now, start)}, at {moment(start)}"
    if status.stage is Stage.OVER and end is not None:
        return f"over for {age(end, now)}, since {moment(end)}"
    begun = "" if start is None else f" for {age(start, now)}, since {moment(start)}"
    ends = "no end is set" if end is None else f"ends in {age(now, end)}, at {moment(end)}"
    return "; ".join(filter(None, (f"{status.stage}{begun}", ends, _interval_text(status))))


def _interval_text(status: WaveStatus) -> str:
    """Return how often the tasks of a running wave with an interval are polled, and why less often than configured."""
    wanted, every = status.interval, status.polled_every
    if status.stage is not Stage.RUNNING or wanted is None or every is None:
        return ""
    reason = f" instead of {duration(wanted)}, which would take over half of the rate limit" if every > wanted else ""
    return f"polled every {duration(every)}{reason}"


def since_text(member: MemberView, now: float) -> str:
    """Return since when a member has its state, as `for 5m, since 16:05Z` or `5m ago, at 16:05Z`; empty if unknown."""
    if member.since is None:
        return ""
    at = clock_time(member.since) if now - member.since < DAY else moment(member.since)
    passed = age(member.since, now)
    return f"{passed} ago, at {at}" if member.state in SHOWN_BY_PHASE else f"for {passed}, since {at}"


def cutover_text(member: MemberView, now: float) -> str:
    """Return the state of a member, since when and why: `blocked for 5m, since 16:05Z: delay`."""
    separator = "; " if member.state is WaveState.READY else ": "
    return separator.join(filter(None, (f"{member.state} {since_text(member, now)}".strip(), member.why)))


def wave_json(wave: WaveView, now: float) -> dict[str, Any]:
    """Return a wave without its members; unknown values are null."""
    status = wave.status
    return {
        "name": status.name,
        "stage": status.stage,
        "timing": timing(status, now),
        "from_timestamp_seconds": status.starts_at,
        "until_timestamp_seconds": status.ends_at,
        "expected": status.expected,
        "interval_seconds": status.interval,
        "polled_every_seconds": status.polled_every,
        "ready": status.ready,
        "ready_since_timestamp_seconds": status.ready_since,
        "verdict": wave_verdict(wave, now),
        "not_ready_because": obstacles(wave),
        "not_fully_checked": wave.unchecked,
        "missing": wave.missing,
        "missing_ids": list(status.missing_ids),
        "deleted": [{**member.key._asdict(), **_deleted_json(member)} for member in status.deleted],
        "incomplete_projects": [
            {**project.key._asdict(), "reason": project.reason, "sentence": gap_sentence(project)}
            for project in status.incomplete
        ],
        "states": {state: status.counts[state] for state in WORST_FIRST},
    }


def _deleted_json(member: WaveMember) -> dict[str, str]:
    return {"task_id": member.task_id, "task_name": member.task_name, "last_state": member.state}


def deleted_sentence(status: WaveStatus) -> str:
    """Return the former members, each with its last state, as a sentence; empty without any."""
    names = [f"{member.task_name} (last {member.state})" for member in status.deleted]
    return f"Deleted, and no members any more: {_first(names, _MOST_DELETED)}." if names else ""


def member_json(member: MemberView, now: float) -> dict[str, Any]:
    """Return a member as its task, with its state in the wave, and with the cells of the page as text."""
    task = member.task
    compared = comparison_of(task)
    return {
        **task_json(task),
        "state": member.state,
        "state_since_timestamp_seconds": member.since,
        "comparison": compared and compared[0],
        "comparison_timestamp_seconds": compared and compared[1],
        "cells": {
            "full_load": _load_text(task, now),
            "delay": _delay_text(task),
            "comparison": "" if compared is None else ", ".join([compared[0], *_ago(compared[1], now)]),
            "cutover": cutover_text(member, now),
        },
    }


def _load_text(task: Task, now: float) -> str:
    ratio = full_ratio_of(task)
    if ratio is None:
        return ""
    words = load_outlook(task.predicted.full_load_end_at, task.full_remaining_seconds, now) if ratio < 1 else ""
    return ", ".join(filter(None, (percent(ratio), words)))


def _delay_text(task: Task) -> str:
    delay, predicted = task.delay_seconds, task.predicted
    if delay is None:
        return ""
    return ", ".join([duration(delay), *outlook(predicted.delay_slope, predicted.catch_up_seconds)])


def _ago(at: float | None, now: float) -> list[str]:
    return [] if at is None else [f"{age(at, now)} ago"]
