"""Waves: tasks that are cut over together, and the state of each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from exporter.config import stricter
from exporter.model.filters import matches_name, matches_plain, matches_tag
from exporter.model.task import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from exporter.config import Cutover, Wave, WaveRule
    from exporter.model.task import Listed, ProjectKey


class Stage(StrEnum):
    """The stage of a wave. Only while it runs, it changes anything about its tasks."""

    PLANNED = "planned"
    RUNNING = "running"
    OVER = "over"


class WaveState(StrEnum):
    """The state of a member of a wave."""

    READY = "ready"
    BLOCKED = "blocked"
    FAILED = "failed"
    ENDED = "ended"
    EXCLUDED = "excluded"
    """A standby or a dual-active task, which has no verdict."""
    UNKNOWN = "unknown"
    """Its status is too old, it was removed without a proof of its deletion, or it is not judged yet."""

    @classmethod
    def _missing_(cls, _value: object) -> WaveState:
        """Read a word of another version as unknown."""
        return cls.UNKNOWN


_NOT_READY = frozenset({WaveState.BLOCKED, WaveState.FAILED, WaveState.UNKNOWN})


class Incomplete(StrEnum):
    """The reason why a project may have members that are not known."""

    UNPOLLED = "unpolled"
    """Its first poll has not ended."""
    LISTS = "lists"
    """A task list is missing, incomplete or too old."""
    NAMES = "names"
    """The regular expression of a rule takes too long for the name of a task."""
    TAGS = "tags"
    """The tags of a task are not known yet, and a rule needs them."""


class IncompleteProject(NamedTuple):
    """A project that may have unknown members, and why."""

    key: ProjectKey
    reason: Incomplete


class WaveMember(NamedTuple):
    """A task of a wave, and its state there."""

    key: ProjectKey
    task_id: str
    task_name: str
    state: WaveState


@dataclass(frozen=True, slots=True)
class WaveStatus:
    """The status of a wave at one moment.

    Attributes:
        name: unique.
        stage: planned, running or over.
        starts_at: Unix time; None if it has always begun.
        ends_at: Unix time; None if it never ends.
        expected: the least number of ready and ended tasks; None without one.
        members: sorted by project, name and id. While the wave is planned, the tasks that match now.
        missing_ids: ids in its rules that no member has.
        incomplete: the projects that may have unknown members.
        ready: whether the cut-over can begin; None if the wave does not run, or a project was not polled yet.
        ready_since: Unix time, while it is ready.
        deleted: former members, which were deleted, in their last known states.
        interval: the configured seconds between two polls of its tasks; None without one.
        polled_every: the longest seconds in force, over all projects; None if it does not run, or has no tasks.
    """

    name: str
    stage: Stage
    starts_at: float | None = None
    ends_at: float | None = None
    expected: int | None = None
    members: tuple[WaveMember, ...] = ()
    missing_ids: tuple[str, ...] = ()
    incomplete: tuple[IncompleteProject, ...] = ()
    ready: bool | None = None
    ready_since: float | None = None
    deleted: tuple[WaveMember, ...] = ()
    interval: float | None = None
    polled_every: float | None = None

    @property
    def counts(self) -> Mapping[WaveState, int]:
        """How many members each state has, zeros included. A missing id counts as unknown."""
        counts = Counter(member.state for member in self.members)
        counts[WaveState.UNKNOWN] += len(self.missing_ids)
        return {state: counts[state] for state in WaveState}

    @property
    def polled(self) -> bool:
        """True if the first poll of each of its projects has ended."""
        return not any(gap.reason is Incomplete.UNPOLLED for gap in self.incomplete)

    def judged(self) -> bool | None:
        """Return the value of `ready` that follows from the other attributes."""
        if self.stage is not Stage.RUNNING or not self.polled:
            return None
        counts = self.counts
        enough = counts[WaveState.READY] + counts[WaveState.ENDED] >= (self.expected or 0)
        blocked = any(counts[state] for state in _NOT_READY)
        return counts[WaveState.READY] > 0 and enough and not blocked and not self.incomplete


def stage_of(wave: Wave, now: float) -> Stage:
    """Return the stage of a wave at a Unix time."""
    if wave.starts_at is not None and now < wave.starts_at:
        return Stage.PLANNED
    return Stage.OVER if wave.ends_at is not None and now >= wave.ends_at else Stage.RUNNING


def status_of(wave: Wave, now: float, members: Iterable[WaveMember]) -> WaveStatus:
    """Return the status of a wave with these members at a Unix time, as far as it follows from the configuration."""
    ordered = tuple(sorted(members, key=lambda member: (member.key, member.task_name, member.task_id)))
    found = {member.task_id for member in ordered}
    missing = tuple(task_id for task_id in listed_ids(wave) if task_id not in found)
    return WaveStatus(wave.name, stage_of(wave, now), wave.starts_at, wave.ends_at, wave.expected, ordered, missing)


def strictest(base: Cutover, waves: Iterable[Wave]) -> Cutover:
    """Return the strictest value of each setting: of an account, and of the waves that run."""
    update = {name: getattr(base, name) for name in type(base).model_fields}
    for wave in waves:
        for name in wave.cutover.model_fields_set:
            update[name] = stricter(name, update[name], getattr(wave.cutover, name))
    return base.model_copy(update=update)


def matches_rule(rule: WaveRule, key: ProjectKey, task: Listed, tags: Mapping[str, str] | None) -> bool | Incomplete:
    """Return whether all keys of a rule match; the reason if that is not known. Tags are None while unknown."""
    if not rule.of_project(*key) or (named := matches_name(rule, task)) is False or not matches_plain(rule, task):
        return False
    tagged = matches_tag(rule, tags)
    if named and tagged:
        return True
    return False if tagged is False else Incomplete.NAMES if named is None else Incomplete.TAGS


def matches_wave(wave: Wave, key: ProjectKey, task: Listed, tags: Mapping[str, str] | None) -> bool | Incomplete:
    """Return whether any rule of a wave matches; a reason if that is not known.

    A task that has ended matches only rules with its id: others may match what has nothing to do with this wave.
    """
    ended, gap = task.phase is Phase.ENDED, None
    for rule in wave.include:
        if not ended or rule.id is not None:
            result = matches_rule(rule, key, task, tags)
            if result is True:
                return True
            gap = gap or result or None
    return gap or False


def listed_ids(wave: Wave) -> tuple[str, ...]:
    """Return the ids that rules of a wave contain."""
    return tuple(dict.fromkeys(rule.id for rule in wave.include if rule.id is not None))
