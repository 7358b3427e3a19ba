"""The ages at which facts are late, and at which they expire."""

from __future__ import annotations

_LATE_INTERVALS = 3
_MISSED_INTERVALS = 1.5


class Ages:
    """The limits for facts, by collector, and for task lists by API generation as well.

    Args:
        stale_after: the least seconds after which facts expire.
    """

    def __init__(self, stale_after: float) -> None:
        self._stale_after = stale_after
        self.intervals: dict[str, float] = {}
        """Effective intervals in seconds, by enabled collector and by API generation."""
        self.shortened = False
        """True if an interval has become shorter since all ages were last checked."""

    def set(self, name: str, interval: float) -> None:
        """Set an effective interval."""
        self.shortened |= interval < self.intervals.get(name, 0.0)
        self.intervals[name] = interval

    def late_after(self, name: str) -> float:
        """Return the age in seconds above which facts are late."""
        return _LATE_INTERVALS * self.intervals[name]

    def missed_after(self, name: str) -> float:
        """Return by how many seconds facts are older than others of the task if they missed a poll."""
        return _MISSED_INTERVALS * self.intervals[name]

    def expire_after(self, name: str) -> float:
        """Return the age in seconds above which facts expire."""
        return max(self._stale_after, self.late_after(name))
