"""The ages at which facts expire."""

from __future__ import annotations

LATE_INTERVALS = 3
"""Facts that are older than n intervals of their collector are late: they expire, or a good one does not count."""
_MISSED_INTERVALS = 1.5
_MOST = 4
"""No value is shown longer than n times as long as with the configured interval, however few calls are allowed."""


class Ages:
    """The limits for facts, by collector, and for task lists by API generation as well.

    Args:
        stale_after: the least seconds after which facts expire.
    """

    def __init__(self, stale_after: float) -> None:
        self._stale_after = stale_after
        self.configured: dict[str, float] = {}
        """Configured intervals in seconds, by enabled collector and by API generation."""
        self.measured: dict[str, float] = {}
        """Seconds between updates where they are longer than that."""
        self._limits: dict[tuple[str, float, float], float] = {}
        """The results of `expire_after` since an interval last changed."""
        self.shortened = False
        """True if an interval has become shorter since all ages were last checked."""

    def set(self, name: str, interval: float, measured: float | None = None) -> None:
        """Set a configured interval, and the measured one if it is known."""
        before = self.interval(name) if name in self.configured else 0.0
        self.configured[name] = interval
        self.measured[name] = max(interval, measured or 0.0)
        self.shortened |= self.interval(name) < before
        self._limits.clear()

    def interval(self, name: str) -> float:
        """Return the measured seconds between updates; the configured ones where nothing was measured yet."""
        return self.measured[name]

    def missed_after(self, name: str) -> float:
        """Return by how many seconds facts are older than others of the task if they missed a poll."""
        return _MISSED_INTERVALS * self.interval(name)

    def expire_after(self, name: str, planned: float = 0.0, interval: float = 0.0) -> float:
        """Return the age in seconds above which facts expire.

        That is three intervals, at least `stale_after`, and at most four times what the configured interval gives.

        Args:
            name: the collector.
            planned: seconds to the next query of the facts.
            interval: of the source that returned them, if it is longer than that of the collector.
        """
        key = name, planned, interval
        if key not in self._limits:
            least = max(self._stale_after, LATE_INTERVALS * max(self.configured[name], interval))
            self._limits[key] = min(max(least, LATE_INTERVALS * max(self.interval(name), planned)), _MOST * least)
        return self._limits[key]
