"""The clock of the cloud, as its responses show it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from exporter.cloud.http.response import unix_time
from exporter.runtime.clock import loop_time

_WINDOW_SECONDS = 600.0
"""The responses of this time count: after it without any, the skew is unknown."""
_FRESH = frozenset({"", "0"})
"""The ages of a response that no cache has stored."""


class CloudClock:
    """Compares the clock of the host with the dates of the cloud's responses.

    A date is older than the response when it arrives: it has whole seconds, and the response was on its way, or in a
    cache whatever its headers say. So each response shows at most how far the host's clock is ahead, and the least of
    these differences is the best one.

    Args:
        now: Unix time of the host.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ahead = deque[tuple[float, float]]()
        """When responses arrived, and the event-loop time minus their date; the least first, then only later ones."""

    def observe(self, headers: Mapping[str, str]) -> None:
        """Update the comparison by the headers of a response of the cloud."""
        date = unix_time(headers.get("date", ""))
        if date is None or headers.get("age", "").strip() not in _FRESH:
            return
        at = loop_time()
        while self._ahead and self._ahead[-1][1] >= at - date:
            self._ahead.pop()
        self._ahead.append((at, at - date))

    def skew(self) -> float | None:
        """Return the seconds that the host's clock is ahead of the cloud's; None without a recent response."""
        at = loop_time()
        while self._ahead and self._ahead[0][0] < at - _WINDOW_SECONDS:
            self._ahead.popleft()
        return self._ahead[0][1] + self._now() - at if self._ahead else None
