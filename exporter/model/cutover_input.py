"""The values on which the reasons against a cut-over depend, from the facts of a task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from exporter.config import Cutover
from exporter.model.cutover_actions import HARMLESS_ACTIONS, NEEDED_ACTIONS, RUNNING_ACTIONS, SWITCH_OVER
from exporter.model.cutover_results import Comparisons, LivingSubtask, MovedObjects
from exporter.model.facts import Progress
from exporter.model.task import LOADED, Listed, Phase, Task

_REPORT_SECONDS = 600.0
_OUTDATED_REPORT_SECONDS = 3600.0
_CLOCKS_DIFFER_SECONDS = 5.0
"""A report that is newer than its response by more than this is in the future."""
_UNLISTED = Listed(id="", name="", status="", job_type="")
_NO_PROGRESS = Progress()
_NO_OBJECTS = MovedObjects(())
_NO_COMPARISONS = Comparisons(None, changed_at=-math.inf, expired=False)


class Limited(NamedTuple):
    """A time span and its limit, in seconds."""

    seconds: float
    limit: float

    @property
    def exceeded(self) -> bool:
        """True if the time span is over the limit."""
        return self.seconds > self.limit


@dataclass
class CutoverInput:
    """A task, and all values on which the reasons depend.

    Args:
        task: its facts.
        settings: of its account.
        old: names of facts that are too old for a good verdict. `status`, `list` (the newest one with the task),
            `current_action` and `result` (the oldest finished comparison) are among them.
        unpublished: names of facts that no operation of the region provides about the task.
        disabled: names of facts whose collector is disabled.
        other_status: the status in a response that is newer than the list, if it differs.
        report_advances: whether the cloud's own time of the progress has advanced in this phase.
        progress_at: when the progress was received, as Unix time that no step of the host's clock changes.
        edited_at: when the exporter last observed an edit of the task, as Unix time.
        living: the subtasks on which the verdict of a parent depends.
        now: Unix time; infinity: unknown.
        stable: False while nothing else blocks, but for less than `stable_for`; None: the exporter polls only once.
    """

    task: Task
    settings: Cutover
    old: frozenset[str] = frozenset()
    unpublished: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()
    other_status: str | None = None
    report_advances: bool = False
    progress_at: float | None = None
    edited_at: float | None = None
    living: tuple[LivingSubtask, ...] = ()
    stable: bool | None = None
    now: float = math.inf

    # The list

    @cached_property
    def listed(self) -> Listed:
        """The entry of the task in a list; an empty one if it has expired."""
        return self.task.listed or _UNLISTED

    def is_virtual_for(self, source: str) -> bool:
        """Return whether a parent is no link itself, or the cloud refuses it for facts: its subtasks have them."""
        virtual = self.listed.is_parent and source not in self.task.assumed_virtual
        return virtual and (self.task.progress is None or not self.task.refused.isdisjoint({"progress", source}))

    @property
    def full_only(self) -> bool:
        """True for a task without an incremental phase."""
        return self.listed.task_type == "FULL_TRANS"

    @property
    def wrong_phase(self) -> bool:
        """True if any status is known that does not allow a cut-over, or if lists contain different ones."""
        return self.listed.contradicted or self.listed.status != self._final_status or self._denied is not None

    @property
    def _final_status(self) -> str:
        return LOADED if self.full_only else "INCRE_TRANSFER_STARTED"

    @cached_property
    def _denied(self) -> str | None:
        """What another response than the list says against the status, as text."""
        own = self._progress.transfer_status
        if own is not None and own.upper().endswith("_FAILED"):
            return None if own == self.listed.status else f"the progress reports {own}"
        return None if self.other_status is None else f"a newer response says {self.other_status}"

    @property
    def status(self) -> str | None:
        """The status as text; None if it is unknown."""
        status = self.listed.status or None
        denied = "the lists contradict each other" if self.listed.contradicted else self._denied
        return status if denied is None else f"{status}, but {denied}"

    @property
    def too_old(self) -> list[str]:
        """Those of status, progress and recovery that are older than `max_age`, if the verdict depends on them.

        The report of the cloud is one of them if the cloud renews it and it is over an hour old.
        """
        decides = ("status", "progress", *(("recovery",) if self.recovery_decides else ()))
        old = self.old - (self.task.refused - self.task.assumed_virtual)
        report = self.report if self.report_advances else None
        outdated = report is not None and report.seconds > _OUTDATED_REPORT_SECONDS
        return [*(name for name in decides if name in old), *(["report of the cloud"] if outdated else [])]

    @property
    def needed_actions(self) -> frozenset[str] | None:
        """The actions for which the replication waits; None if the list contains none at all, or none and is old."""
        listed = self.listed
        known = listed.available_actions or listed.unavailable_actions
        needed = listed.available_actions & NEEDED_ACTIONS
        return needed if needed or (known and "list" not in self.old) else None

    @property
    def disrupted(self) -> bool | None:
        """True while an operation on the task disturbs the replication; None if that is unknown."""
        action = self.listed.current_action
        if action in RUNNING_ACTIONS:
            outdated = "current_action" in self.old and self.listed.phase is Phase.INCREMENTAL
            return None if outdated else True
        return False if action in HARMLESS_ACTIONS and "list" not in self.old else None

    # Progress, recovery and switchover

    @property
    def _progress(self) -> Progress:
        return self.task.progress or _NO_PROGRESS

    @property
    def delay(self) -> Limited | None:
        """The delay and its limit."""
        return self._limited(self.task.delay_seconds)

    def _limited(self, seconds: float | None) -> Limited | None:
        return None if seconds is None else Limited(seconds, self.settings.max_delay)

    @property
    def delay_missing(self) -> bool | None:
        """True if a verdict needs the delay, and it is unknown; None if it is unknown, but others decide."""
        if self.delay is not None:
            return False
        return None if self.recovery_decides or "progress" in self.task.refused else True

    @property
    def full_ratio(self) -> float | None:
        """The completed part of the full load, 0 to 1. By its status a full load alone may be complete at 0."""
        ratio = self._progress.full_ratio
        return 1.0 if not ratio and self.full_only and not self.wrong_phase else ratio

    @property
    def full_unknown(self) -> bool:
        """True if neither the status nor the progress shows how much of the full load is complete."""
        return self.full_ratio is None and not self.listed.is_parent

    @property
    def recovery_decides(self) -> bool:
        """True for a DR task whose RPO and RTO the region provides; of others the delay decides."""
        listed = self.listed
        return listed.disaster_recovery and not listed.is_parent and "recovery" not in self.unpublished

    @property
    def rpo(self) -> Limited | None:
        """The recovery point and its limit."""
        return self._limited(getattr(self.task.recovery, "rpo_seconds", None))

    @property
    def rto(self) -> Limited | None:
        """The recovery time and its limit."""
        return self._limited(getattr(self.task.recovery, "rto_seconds", None))

    @property
    def switching(self) -> bool | None:
        """True during a switchover, by the operation in progress or by the directions; None if that is unknown.

        Without `Switchover`, whose collector may be disabled, the details show the direction of the kernel.
        """
        detail, switching = self.task.detail, self.task.switching
        if self.listed.current_action == SWITCH_OVER:
            return True
        if self.task.switchover is not None or detail is None:
            return switching
        opposite = detail.is_opposite(self.listed.direction)
        return None if opposite is False and "detail" in self.old else opposite

    @property
    def report(self) -> Limited | None:
        """The age of the cloud's own report of the progress at its collection; None if unknown or in the future.

        Both times are by the clock of the cloud if its responses contain a date: the clock of the host may be wrong.
        """
        progress = self._progress
        end = self.progress_at if progress.served_at is None else progress.served_at
        if end is None or progress.reported_at is None or progress.reported_at > end + _CLOCKS_DIFFER_SECONDS:
            return None
        return Limited(max(0.0, end - progress.reported_at), _REPORT_SECONDS)

    # Node, order and connections

    @property
    def apply_state(self) -> str | None:
        """What the applier of the node does."""
        return self.task.node.apply_state if self.task.node else None

    @property
    def order_status(self) -> str | None:
        """The status of the yearly or monthly order."""
        return self.task.detail.order_status if self.task.detail else None

    @property
    def sides(self) -> tuple[bool | None, bool | None]:
        """True if the node reaches the source, and the target; None if that is unknown."""
        monitor = self.task.monitor
        return (None, None) if monitor is None else (monitor.source_up, monitor.target_up)

    @property
    def side_down(self) -> bool | None:
        """True if the node does not reach a side; None if that is unknown of a side."""
        return True if False in self.sides else None if None in self.sides else False

    @property
    def log_ends_in_error(self) -> bool | None:
        """True if the newest log entry is an error; None if there is none."""
        logs = self.task.logs
        if logs is None or logs.undated_error:
            return None if logs is None else True
        newest = dict(logs.newest)
        return None if not newest else newest.get("error") == max(newest.values())

    # Objects and comparisons

    @cached_property
    def objects(self) -> MovedObjects:
        """The objects that were moved."""
        return _NO_OBJECTS if self.task.objects is None else MovedObjects(self.task.objects.counts)

    @cached_property
    def comparisons(self) -> Comparisons:
        """The comparisons, and whether they hold for the data of today."""
        detail, objects = self.task.detail, self.task.objects
        if self.task.comparison is None:
            return _NO_COMPARISONS
        changes = (
            self.edited_at,
            *((detail.updated_at, detail.full_completed_at) if detail else ()),
            *((objects.full_completed_at,) if objects else ()),
        )
        changed_at = max((at for at in changes if at is not None), default=-math.inf)
        return Comparisons(self.task.comparison, changed_at, "result" in self.old, self.now)

    # Subtasks

    @property
    def subtasks_blocked(self) -> bool:
        """True if a subtask is blocked or unknown, or if neither a subtask nor the parent itself has a delay."""
        if self.listed.unknown_children:
            return True
        if not self.living:
            return self.delay is None
        return any(subtask.blocked is not False for subtask in self.living)

    @property
    def subtasks_text(self) -> str:
        """The subtasks of a parent that block it, as text."""
        parts = [
            f"{word}: {', '.join(names)}"
            for word, blocked in (("blocked", True), ("unknown", None))
            if (names := sorted(subtask.name for subtask in self.living if subtask.blocked is blocked))
        ]
        if lost := self.listed.unknown_children:
            parts.append(f"unknown: {lost} (not decodable, or contradictory in the lists)")
        if parts:
            return "; ".join(parts)
        return "no subtask is blocked" if self.living else "no subtask is alive"

    def unchecked_subtasks(self, reason: str) -> dict[str, list[str]]:
        """Return by cause the names of the subtasks of which a reason was not checked."""
        found: dict[str, list[str]] = {}
        for subtask in self.living if self.listed.is_parent else ():
            if cause := dict(subtask.unchecked).get(reason):
                found.setdefault(cause, []).append(subtask.name)
        return found
