"""The values of a verdict from several others: moved objects, finished comparisons, and subtasks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from exporter.model.facts import Compared, Comparison, ObjectCount

_SETTLED = frozenset({"COMPLETED", "TRANSFER_WHEN_END"})
_MOVING = frozenset({"NOT_START", "TRANSFERING"})
_COMPARING = frozenset({"RUNNING", "WAITING_FOR_RUNNING", "FULL_DOING"})
"""INCRE_DOING repeats a comparison that has finished."""
_CLOCKS_DIFFER_SECONDS = 300.0
"""A comparison that ended later than now by more than this ended in the future."""


class LivingSubtask(NamedTuple):
    """A subtask on which the verdict of its parent depends: it has not surely ended, and is no standby."""

    id: str
    name: str
    blocked: bool | None
    """True if anything blocks its cut-over; None if it cannot be cut over at all, or its facts are unknown."""
    unchecked: tuple[tuple[str, str], ...] = ()
    """The reasons that were not checked, with their causes, as in `Task`."""
    caught_up: bool | None = None
    """True if its delays are known, fresh and within their limits; None if it has no verdict."""


@dataclass(frozen=True, slots=True)
class MovedObjects:
    """The objects of each type in the source and in the target."""

    counts: tuple[ObjectCount, ...]

    @property
    def missing(self) -> list[str] | None:
        """The types of which the target lacks some; None if none is known, and not all counts are known."""
        if not self.counts:
            return None
        due = [count for count in self.counts if count.status not in _SETTLED]
        known = [count for count in due if count.source is not None and count.target is not None]
        missing = [count.type for count in known if (count.target or 0) < (count.source or 0)]
        return None if not missing and len(known) < len(due) else missing

    @property
    def failed(self) -> list[str] | None:
        """The types that failed to move; None if none is known, and not every status is a known word."""
        if not self.counts:
            return None
        failed = [count.type for count in self.counts if (count.status or "").endswith("FAILED")]
        unknown = any(count.status not in _SETTLED | _MOVING for count in self.counts)
        return None if not failed and unknown else failed


class Finished(NamedTuple):
    """When the newest finished comparison of a type ended."""

    type: str
    at: float | None


@dataclass(frozen=True)
class Comparisons:
    """The newest comparisons of a task, judged by the newest finished one of each type.

    Args:
        facts: what is known of them.
        changed_at: when the task was last edited, or its full load ended.
        expired: whether the oldest of the finished ones is older than `comparison_max_age`.
        now: Unix time; infinity: unknown.
    """

    facts: Comparison | None
    changed_at: float
    expired: bool
    now: float = math.inf

    @property
    def newest(self) -> tuple[Compared, ...]:
        """The newest comparison of each type."""
        return self.facts.types if self.facts else ()

    @cached_property
    def finished(self) -> tuple[Compared, ...]:
        """The comparisons with a verdict by which the data is judged, one of each type."""
        return self.facts.judged if self.facts else ()

    @cached_property
    def missing(self) -> bool:
        """True if none has finished with a verdict, if those of some type ended without one, or if one is unknown."""
        if self.facts is not None and self.facts.unknown:
            return True
        finished = {compared.type for compared in self.finished}
        rest = [compared for compared in self.newest if compared.type not in finished]
        return not finished or any(compared.status not in _COMPARING for compared in rest)

    @property
    def running(self) -> bool | None:
        """True if a newest comparison runs; None if nothing is known of comparisons."""
        return None if self.facts is None else any(compared.status in _COMPARING for compared in self.newest)

    @property
    def inconsistent(self) -> list[str] | None:
        """The types whose newest finished comparison found a difference; None if that of some type is unknown."""
        if self.facts is None:
            return None
        differing = [compared.type for compared in self.finished if compared.consistent is False]
        return None if not differing and self.missing else differing

    @property
    def ends(self) -> list[Finished]:
        """When the newest finished comparison of each type ended; None if that is unknown, or in the future."""
        latest = self.now + _CLOCKS_DIFFER_SECONDS
        return [
            Finished(compared.type, None if (compared.finished_at or 0.0) > latest else compared.finished_at)
            for compared in self.finished
        ]

    @property
    def old(self) -> bool | None:
        """True if one of them is too old, or from before the last edit or full load; None if that is unknown."""
        if not self.finished:
            return None
        known = [end.at for end in self.ends if end.at is not None]
        if known and (self.expired or min(known) < self.changed_at):
            return True
        return None if not known or len(known) < len(self.ends) else False
