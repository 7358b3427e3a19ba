"""What the verdict on the cut-over of a task depends on beside its facts: the ages of facts, and what was observed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from exporter.config import Cutover, stricter
from exporter.model.details import Detail
from exporter.model.facts import Progress, TaskFacts
from exporter.model.task import Listed
from exporter.store.ages import LATE_INTERVALS

_ABSOLUTE = ("progress", "recovery")
"""The facts that may not be older than `max_age`, like the status."""
_OUTDATED_ACTION_SECONDS = 3600.0
_EDITS = "CHANGE_JOB_", "CHILD_TRANSFER_", "RELEASE_CHILD_TRANSFER_"
"""The first parts of statuses during and at the end of an edit."""


class EarlierVerdict(NamedTuple):
    """The verdict of an earlier process, in steady time.

    Args:
        ready_since: since when nothing had blocked.
        until: until when its facts are fresh enough: only a verdict until then continues it.
        rules: identifies its settings.
    """

    ready_since: float
    until: float
    rules: int


@dataclass(slots=True)
class CutoverState:
    """What was observed of one task; all times are steady ones, see `Clock`."""

    settings: Cutover | None = None
    """Those of the newest verdict."""
    limits: dict[str, float] = field(default_factory=dict)
    """When a part of the verdict becomes too old, by name, as of the newest verdict; see `CutoverInput.old`."""
    old: frozenset[str] = frozenset()
    """Those that were too old when the task was last judged."""
    restored: EarlierVerdict | None = None
    """Until the task is ready; None if a known fact has blocked since the start of this process."""
    clear_since: float | None = None
    """Since when nothing has blocked but `not_stable`."""
    ready_since: float | None = None
    caught_up_since: float | None = None
    """Since when the delays have been known, fresh and within their limits."""
    caught_up: bool = False
    """True if they had been for `stable_for` when the task was last judged."""
    unpublished: frozenset[str] = frozenset()
    """Names of facts that no operation provides about the task."""
    disputed: bool = False
    """True if a response that was newer than the list contained another status when the task was last judged."""
    reported: tuple[str, float] | None = None
    """The status in the newest response of another operation than a list."""
    _action: str | None = None
    _action_since: float = 0.0
    edited: float | None = None
    """When the task was last seen during an edit, or after its end: API v5 reports no time of it."""
    _editing: bool = False
    _phase: str | None = None
    _report: float | None = None
    report_advances: bool = False
    """True if the cloud's own time of the progress has advanced in this phase."""

    def update(self, facts: TaskFacts, now: float) -> None:
        """Observe facts of a response."""
        if isinstance(facts, Progress | Detail) and facts.task_status is not None:
            self.reported = facts.task_status, now
        if isinstance(facts, Progress) and facts.reported_at_latest is not None:
            self.report_advances |= self._report is not None and facts.reported_at_latest > self._report
            self._report = facts.reported_at_latest

    def observe(self, listed: Listed | None, now: float) -> None:
        """Observe the entry of the task in a list."""
        if listed is None:
            return
        if listed.current_action != self._action:
            self._action, self._action_since = listed.current_action, now
        editing = listed.status.startswith(_EDITS)
        if editing or self._editing:
            self._editing, self.edited = editing, now
        if listed.phase != self._phase:
            self._phase, self._report, self.report_advances = listed.phase, None, False

    def limits_of(
        self,
        settings: Cutover,
        status_at: float,
        received: Mapping[str, float],
        intervals: Mapping[str, float],
        finished: float | None,
    ) -> dict[str, float]:
        """Return when a part of the verdict becomes too old, by name.

        Args:
            settings: that are in force for the task.
            status_at: when the status was last received.
            received: when facts were last received, by name, also those that have expired; and a list, as `list`.
            intervals: of the facts that have not expired, and of lists.
            finished: when the oldest of the newest finished comparisons ended.
        """
        limits = {name: received[name] + settings.max_age for name in _ABSOLUTE if name in received}
        limits["status"] = status_at + settings.max_age
        for name, interval in intervals.items():
            if name not in _ABSOLUTE:
                limits[name] = received[name] + max(settings.max_age, LATE_INTERVALS * interval)
        if self._action:
            limits["current_action"] = self._action_since + _OUTDATED_ACTION_SECONDS
        if finished is not None:
            limits["result"] = finished + settings.comparison_max_age
        return limits

    def adopt(self, settings: Cutover) -> None:
        """Judge by these settings. If any of them is stricter, the time without a blocker starts again."""
        before, self.settings = self.settings, settings
        if before is not None and settings is not before and _is_stricter(settings, before):
            self.restart()
        if self.restored is not None and rules_of(settings) != self.restored.rules:
            self.restored = None

    def restart(self) -> None:
        """The task has no verdict: the time without a blocker starts again."""
        self.clear_since = self.ready_since = self.caught_up_since = None
        self.caught_up = False
        self.restored = None

    @property
    def fresh_until(self) -> float:
        """Until when the verdict is the same without further facts."""
        return min((at for name, at in self.limits.items() if name not in self.old), default=-math.inf)

    def observe_blocked(self, now: float, *, blocked: bool) -> None:
        """Observe whether anything but `not_stable` blocks."""
        restored, was_clear = self.restored, self.clear_since is not None
        if blocked:
            self.clear_since = None
            self.restored = None if was_clear else restored  # else its facts are unknown since the start
        elif not was_clear:
            self.clear_since = now
            self.restored = restored if restored is not None and now <= restored.until else None

    def observe_ready(self, now: float, *, ready: bool) -> None:
        """Observe whether nothing blocks. The verdict of an earlier process continues if nothing has blocked since."""
        if not ready:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = now if self.restored is None else self.restored.ready_since
            self.restored = None

    def to_restore(self) -> EarlierVerdict | None:
        """Return what another process can continue; None if the task is not ready."""
        if self.restored is not None:
            until = self.restored.until if self.clear_since is None else self.fresh_until
            return self.restored._replace(until=until)
        if self.ready_since is None or self.settings is None:
            return None
        return EarlierVerdict(self.ready_since, self.fresh_until, rules_of(self.settings))

    def observe_delays(self, now: float, stable_for: float, *, within: bool) -> None:
        """Observe whether the delays are known, fresh and within their limits."""
        self.caught_up_since = None if not within else now if self.caught_up_since is None else self.caught_up_since
        self.caught_up = within and (not stable_for or now > (self.caught_up_since or 0.0) + stable_for)

    def is_stable(self, now: float, stable_for: float) -> bool:
        """Return whether nothing has blocked for long enough; also while something else blocks."""
        return self.clear_since is None or now > self.clear_since + stable_for

    def changes(self, stable_for: float) -> Iterable[float]:
        """Return when the verdict changes by age alone."""
        yield from (at for name, at in self.limits.items() if name not in self.old)
        if self.clear_since is not None and self.ready_since is None:
            yield self.clear_since + stable_for
        if self.caught_up_since is not None and not self.caught_up:
            yield self.caught_up_since + stable_for


def _is_stricter(settings: Cutover, before: Cutover) -> bool:
    """Return whether anything may block by these settings that did not block by those before."""
    pairs = {name: (getattr(settings, name), getattr(before, name)) for name in type(settings).model_fields}
    del pairs["stable_for"]  # which needs no fact
    return any(new != old and stricter(name, new, old) == new for name, (new, old) in pairs.items())


@lru_cache(maxsize=100)
def rules_of(settings: Cutover) -> int:
    """Return a number that identifies settings, the same in each process."""
    return crc32(settings.model_dump_json().encode())


def too_old(limits: Mapping[str, float], now: float) -> frozenset[str]:
    """Return the names of what is too old."""
    return frozenset(name for name, at in limits.items() if now > at)


def status_of(listed: Listed, reports: Iterable[tuple[str, float]]) -> tuple[float, str | None]:
    """Return when the status was last received, and the status of a newer response if that differs.

    Args:
        listed: the entry that decides.
        reports: the status in each list and in the newest other response, with its time.
    """
    known = sorted(reports, key=lambda report: report[1])
    at = max((at for status, at in known if status == listed.status), default=-math.inf)
    other = next((status for status, when in reversed(known) if when > at and status != listed.status), None)
    return at, other
