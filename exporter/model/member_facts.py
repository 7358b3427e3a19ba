"""Facts about a member of a wave that its report needs after the task has ended, when nothing polls them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from exporter.model.task import Task


class Finding(NamedTuple):
    """The newest finished comparison of a type.

    Args:
        type: objects, lines or contents, as the cloud names them.
        result: equal, inconsistent or failed.
        at: when it ended by the cloud, or else when the exporter observed its end; None: not known.
    """

    type: str
    result: str
    at: float | None


class MemberFacts(NamedTuple):
    """What was last known about a member; None: it never was.

    Args:
        engine_type: of the task, as the cloud names it.
        source_type: of the source database.
        target_type: of the target database.
        load_started_at: when the full load began, by the cloud.
        load_ended_at: when the full load ended, by the cloud.
        findings: the comparisons by which its data was judged.
        checked: the reasons against its cut-over that any verdict has checked.
        unchecked: the reasons that applied, and that no verdict has checked.
    """

    engine_type: str | None = None
    source_type: str | None = None
    target_type: str | None = None
    load_started_at: float | None = None
    load_ended_at: float | None = None
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    def updated(self, task: Task) -> MemberFacts:
        """Return the facts with all that is known of a task now."""
        started, ended = load_times(task)
        detail, compared = task.detail, task.comparison.judged if task.comparison else ()
        found = tuple(
            Finding(each.type, "equal" if each.consistent else "inconsistent", each.finished_at) for each in compared
        )
        checked = {*self.checked, *(name for name, _ in task.blockers or ())}
        unchecked = {*self.unchecked, *(name for name, _ in task.unchecked if task.blockers is not None)}
        return MemberFacts(
            (task.listed.engine_type if task.listed else None) or self.engine_type,
            (detail.source_type if detail else None) or self.source_type,
            (detail.target_type if detail else None) or self.target_type,
            self.load_started_at if started is None else started,
            self.load_ended_at if ended is None else ended,
            found or self.findings,
            tuple(sorted(checked)),
            tuple(sorted({*unchecked} - checked)),
        )


UNKNOWN_FACTS = MemberFacts()


def load_times(task: Task) -> tuple[float | None, float | None]:
    """Return when the full load of a task began and ended, as far as the cloud reports it."""
    started = task.objects.started_at if task.objects else None
    completed = (facts.full_completed_at for facts in (task.objects, task.detail) if facts)
    return started, next((at for at in completed if at is not None), None)
