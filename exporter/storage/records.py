"""The records of the storage. All times are Unix times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exporter.model.events import Event
from exporter.model.member_facts import UNKNOWN_FACTS, MemberFacts
from exporter.model.task import Phase, ProjectKey
from exporter.model.timeline import Point


class TaskKey(NamedTuple):
    """Identifies a task over all projects."""

    project: ProjectKey
    task_id: str


class TaskTimes(NamedTuple):
    """The last observations of one task.

    Args:
        task_name: its name.
        phase: its last known phase.
        phase_changed_at: when the exporter observed that the phase began; None if it did not.
        ended_at: since when the exporter has known that the task has ended.
        ready: whether nothing blocks the cut-over, by the newest verdict on known facts; None without a verdict.
        ready_since: since when nothing has blocked.
        ready_until: until when the facts of that verdict are fresh enough for it.
        rules: identifies the settings of that verdict.
    """

    task_name: str
    phase: Phase
    phase_changed_at: float | None = None
    ended_at: float | None = None
    ready: bool | None = None
    ready_since: float | None = None
    ready_until: float | None = None
    rules: int | None = None


class Member(NamedTuple):
    """A member of a wave.

    Args:
        task_name: its last known name.
        state: its last known state.
        joined_at: when the running wave first observed the task.
        facts: the last known ones, for its report.
    """

    task_name: str
    state: str
    joined_at: float
    facts: MemberFacts = UNKNOWN_FACTS


class WaveTimes(NamedTuple):
    """The readiness of a wave.

    Args:
        ready: the last known one.
        since: when it began; None if that was not observed.
    """

    ready: bool
    since: float | None = None


class Run(NamedTuple):
    """A time in which the exporter ran. Between two runs, nothing was observed."""

    started_at: float
    alive_at: float
    """The last write."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What an earlier process has left. A record that cannot be read is left out."""

    times: Mapping[ProjectKey, dict[str, TaskTimes]] = field(default_factory=dict)
    """By project and task id. The store removes each once it has used it."""
    members: Mapping[str, Mapping[TaskKey, Member]] = field(default_factory=dict)
    """By the name of the wave."""
    waves: Mapping[str, WaveTimes] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    """The newest ones, ascending."""
    points: dict[TaskKey, tuple[Point, ...]] = field(default_factory=dict)
    """Those of the last hour, and those of the last day ten minutes apart; ascending. Removed as the times are."""
    alive_at: float | None = None
    """The last write of the earlier process."""


NOTHING = Restored()
