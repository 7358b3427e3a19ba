"""The values on which the reasons against a cut-over depend, from the facts of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from exporter.config import Cutover
from exporter.model.facts import Compared, Comparison, Logs, Monitor, Objects, Progress
from exporter.model.task import Listed, LivingSubtask, Task

_OLD_REPORT_SECONDS = 3600.0
"""How often the cloud updates the progress is not documented; an hour without an update counts as a fault."""
_ACTIONS = frozenset({"CONTINUE_APPLY", "CONTINUE_CAPTURE"})
_RUNNING = frozenset({"RUNNING", "WAITING_FOR_RUNNING", "FULL_DOING", "INCRE_DOING"})
_UNLISTED = Listed(id="", name="", status="", job_type="")


class Limited(NamedTuple):
    """A time span and its limit, in seconds."""

    seconds: float
    limit: float

    @property
    def exceeded(self) -> bool:
        """True if the time span is over the limit."""
        return self.seconds > self.limit


class OldProgress(NamedTuple):
    """A progress that the cloud computed this many seconds before it was read."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CutoverInput:
    """A task, and all values on which the reasons depend."""

    task: Task
    stale: bool
    """The list or the progress of the task is older than three measured intervals."""
    living: tuple[LivingSubtask, ...]
    """The subtasks on which the verdict depends."""
    settings: Cutover

    @property
    def listed(self) -> Listed:
        """The entry of the task in a list; an empty one if it has expired."""
        return self.task.listed or _UNLISTED

    @property
    def report_age(self) -> float | None:
        """The least seconds from the cloud's own report of the progress to its collection; None without increments.

        Both times are by the cloud's clock where its responses have a date: the host's may be wrong.
        """
        progress, collected = self.task.progress, dict(self.task.collected).get("progress")
        if self.full_only or progress is None or progress.reported_at_latest is None or collected is None:
            return None
        return (collected if progress.served_at is None else progress.served_at) - progress.reported_at_latest

    @property
    def freshness(self) -> str | OldProgress:
        """The age of the facts that the verdict depends on, as text.

        If the cloud repeats a progress that it computed long ago, the node of the task may be dead.
        """
        report_age = self.report_age
        if report_age is not None and report_age > _OLD_REPORT_SECONDS:
            return OldProgress(report_age)
        return "too old" if self.stale else "fresh"

    @property
    def full_only(self) -> bool:
        """True for a task without an incremental phase."""
        return self.listed.task_type == "FULL_TRANS"

    @property
    def subtasks_blocked(self) -> bool:
        """True if a subtask is blocked or unknown, or neither a subtask is alive nor a delay of the parent known."""
        if self.listed.unknown_children or any(subtask.blocked is not False for subtask in self.living):
            return True
        return not self.living and self.delay is None

    @property
    def subtasks(self) -> str:
        """The state of the subtasks of a parent, as text."""
        if lost := self.listed.unknown_children:
            entries = "entry" if lost == 1 else "entries"
            return f"unknown: {lost} {entries} of its children cannot be decoded or contradict others"
        blocked = "a subtask is blocked or unknown, or none is alive"
        return blocked if self.subtasks_blocked else "all subtasks are ready"

    @property
    def delay(self) -> Limited | None:
        """The delay and its limit."""
        return self._limited(self.task.delay_seconds)

    def _limited(self, seconds: float | None, threshold: float | None = None) -> Limited | None:
        """Return a time span whose limit is the task's own threshold, else the setting; None if it is unknown."""
        return (
            None if seconds is None else Limited(seconds, self.settings.max_delay if threshold is None else threshold)
        )

    @property
    def wrong_phase(self) -> bool:
        """True if the status does not allow a cut-over, or if lists contain different ones."""
        final_status = "FULL_TRANSFER_COMPLETE" if self.full_only else "INCRE_TRANSFER_STARTED"
        return self.listed.contradicted or self.listed.status != final_status

    @property
    def status(self) -> str | None:
        """The status as text; None if it is unknown."""
        status = self.listed.status or None
        return f"{status}, but the lists contradict each other" if self.listed.contradicted else status

    @property
    def full_ratio(self) -> float | None:
        """The completed part of the full load, 0 to 1."""
        return (self.task.progress or Progress()).full_ratio

    @property
    def open_actions(self) -> frozenset[str]:
        """The actions for which the replication waits."""
        return self.listed.available_actions & _ACTIONS

    @property
    def rpo(self) -> Limited | None:
        """The recovery point and its limit."""
        return self._recovery("rpo")

    @property
    def rto(self) -> Limited | None:
        """The recovery time and its limit."""
        return self._recovery("rto")

    def _recovery(self, name: str) -> Limited | None:
        threshold = getattr(self.task.detail, f"{name}_threshold_seconds", None)
        return self._limited(getattr(self.task.recovery, f"{name}_seconds", None), threshold)

    @property
    def sides(self) -> tuple[bool | None, bool | None]:
        """True if the node reaches the source, and the target; None if that is unknown."""
        monitor = self.task.monitor or Monitor()
        return monitor.source_up, monitor.target_up

    @property
    def missing_objects(self) -> list[str] | None:
        """The object types of which the target lacks some; None if none is known, and not all counts are known."""
        counts = (self.task.objects or Objects()).counts
        due = [(count.type, count.source, count.target) for count in counts if not count.at_end]
        missing = [
            kind for kind, source, target in due if source is not None and target is not None and target < source
        ]
        unknown = not counts or any(None in sides for sides in due)
        return None if unknown and not missing else missing

    @property
    def compared(self) -> tuple[Compared, ...]:
        """The newest comparison of each type."""
        return (self.task.comparison or Comparison()).types

    @property
    def unjudged(self) -> bool:
        """True if nothing was ever compared, or a newest comparison ended without a verdict."""
        return not self.compared or any(
            comparison.consistent is None and comparison.status not in _RUNNING for comparison in self.compared
        )

    @property
    def comparing(self) -> bool:
        """True if a newest comparison still runs."""
        return any(comparison.status in _RUNNING for comparison in self.compared)

    @property
    def inconsistent(self) -> bool:
        """True if a newest comparison found a difference."""
        return any(comparison.consistent is False for comparison in self.compared)

    @property
    def statuses(self) -> list[str]:
        """The statuses of the newest comparisons."""
        return [comparison.status for comparison in self.compared]

    @property
    def log_ends_in_error(self) -> bool | None:
        """True if the newest log entry is an error; None if there is none."""
        newest = dict((self.task.logs or Logs()).newest)
        return None if not newest else newest.get("error") == max(newest.values())
