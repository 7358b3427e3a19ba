"""The ages at which facts expire."""

from __future__ import annotations

LATE_INTERVALS = 3
"""Facts that are older than n intervals of their collector are late: they expire, or a good one does not count."""
_MISSED_INTERVALS = 1.5
_KEPT = 0.98
"""Part of the longest lateness that counts when the next one is measured: half of it after 34 polls of the lists.

Without it, values would come and go: calls that are late come in bursts, and after a burst the intervals are short.
"""
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
        self._lateness: dict[str, float] = {}
        """The longest of these in intervals of what is updated, see `_KEPT`."""
        self._limits: dict[tuple[str, float, float], float] = {}
        """The results of `expire_after` since an interval last changed."""
        self.shortened = False
        """True if facts of a collector may expire earlier than when all ages were last checked."""

    def set(
        self,
        name: str,
        interval: float,
        measured: float | None = None,
        lateness: float | None = None,
        *,
        decays: bool = True,
    ) -> None:
        """Set a configured interval, and the measured one if it is known.

        Args:
            name: the collector or API generation.
            interval: the configured one in seconds.
            measured: seconds between updates.
            lateness: the measured one in intervals of the sources, which may be longer than the configured one.
            decays: whether a shorter lateness counts, little by little.
        """
        before = self._lateness.get(name, 1.0)
        self.configured[name] = interval
        self.measured[name] = max(interval, measured or 0.0)
        latest = self.measured[name] / interval if lateness is None else lateness
        # A longer one does not let facts expire later, but would count for hours after an outage.
        most = _MOST * max(1.0, self._stale_after / (LATE_INTERVALS * interval))
        self._lateness[name] = max(1.0, min(latest, most), _KEPT * before if decays else before)
        self.shortened |= self._lateness[name] < before
        self._limits.clear()

    def interval(self, name: str) -> float:
        """Return the measured seconds between updates; the configured ones where nothing was measured yet."""
        return self.measured[name]

    def missed_after(self, name: str) -> float:
        """Return by how many seconds facts are older than others of the task if they missed a poll."""
        return _MISSED_INTERVALS * self.interval(name)

    def expire_after(self, name: str, planned: float = 0.0, interval: float = 0.0) -> float:
        """Return the age in seconds above which facts expire.

        That is three intervals, as late as updates are, at least `stale_after`, and at most four times what intervals
        without any lateness give.

        Args:
            name: the collector.
            planned: seconds to the next query of the facts.
            interval: of the source that returned them, if it is longer than that of the collector.
        """
        key = name, planned, interval
        if key not in self._limits:
            usual = LATE_INTERVALS * max(self.configured[name], interval)
            least = max(self._stale_after, usual)
            late = max(self._lateness[name] * usual, LATE_INTERVALS * planned)
            self._limits[key] = min(max(least, late), _MOST * least)
        return self._limits[key]
