"""Logs each failure of a project once when it starts, and once when it ends."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from exporter.cloud.http.errors import CloudError, ThrottledError
from exporter.model.task_lists import ListFacts
from exporter.runtime.logs import location
from exporter.store.event_recorder import EventRecorder
from exporter.store.project_state import ProjectState
from exporter.views.errors import advise
from exporter.views.text import moment


class FailureLog:
    """The failures of one project, whose state gets the kind of the newest one.

    Args:
        state: of the project.
        events: records when the project becomes unreadable and readable.
    """

    def __init__(self, state: ProjectState, events: EventRecorder) -> None:
        self._state = state
        self._events = events
        self._log = structlog.get_logger("exporter.polling.poller").bind(**state.key._asdict())
        self._failing: dict[str, CloudError] = {}
        self._unreadable = False
        self._incomplete: dict[str, ListFacts] = {}
        self._bugs: set[tuple[str, str, str]] = set()

    @property
    def faults(self) -> Collection[CloudError]:
        """The errors of everything that fails now."""
        return self._failing.values()

    def record_lists(self, why: CloudError | None) -> None:
        """The lists were polled; `why` none of them succeeds any more, or None.

        While a project is unreadable, its other failures are logged at level debug.
        """
        if why is not None and not self._unreadable:
            self._log.warning("the project is unreadable: every list fails", error=str(why), **_advice(why))
        elif why is None and self._unreadable:
            self._failing.clear()  # what still fails is logged again
            self._log.info("the project is readable again")
        self._unreadable = why is not None
        self._events.readable(why.kind if why is not None else None)

    def record(self, what: str, error: CloudError | None) -> None:
        """Something was polled, with this error or none."""
        before = self._failing.pop(what, None)
        if error is not None:
            self._failing[what] = error
            self._state.failed(error.kind)
            still = isinstance(before, ThrottledError) and isinstance(error, ThrottledError)  # refused, or not sent yet
            if not still and str(before) != str(error):
                warn = self._log.debug if self._unreadable else self._log.warning
                warn("the cloud gave no usable response", what=what, error=str(error), **_advice(error))
        elif before is not None:
            self._log.info("the cloud responds again", what=what)

    def record_completeness(self, what: str, facts: ListFacts) -> None:
        """A list succeeded; log once when it begins to lack tasks, why, and once when it is complete again."""
        before = self._incomplete.pop(what, None)
        if facts.gap is not None:
            self._incomplete[what] = facts
            if before is None or before.gap != facts.gap:
                self._log.warning("a task list is incomplete", what=what, reason=facts.gap, tasks=facts.tasks)
        elif before is not None:
            since = moment(before.incomplete_since or 0.0)
            self._log.info("a task list is complete again", what=what, reason=before.gap, since=since)

    def unexpected_exception(self, collector: str, error: BaseException) -> None:
        """A poll raised an unforeseen exception; logged once for each line of code that raises it."""
        self._state.failed("bug in the exporter")
        name, where = type(error).__name__, location(error)
        if (collector, name, where) not in self._bugs:
            self._bugs.add((collector, name, where))
            self._log.error("a poll raised an unexpected exception", collector=collector, error=name, where=where)

    def unknown_status(self, status: str) -> None:
        """The cloud has a new status word."""
        self._log.warning("status without a known phase; shown as phase other", status=status)


def _advice(error: CloudError) -> dict[str, str]:
    """What `check` says about an error, with the remedy; nothing where the error itself contains both."""
    if error.reason:
        return {}
    _, what, remedy = advise(error)
    return {"advice": f"{what}: {remedy}"} if remedy else {}
