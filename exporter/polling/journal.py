"""What the log says of one project: when something begins to fail, and when that ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from exporter.cloud.http.errors import ThrottledError
from exporter.runtime.logs import where
from exporter.views.findings import words

if TYPE_CHECKING:
    from collections.abc import Collection

    from exporter.cloud.http.errors import CloudError
    from exporter.model.task import ListFacts
    from exporter.store.project_memory import ProjectFacts


class Notes:
    """Of one project, whose facts get the class of the newest failure; no line repeats what the one before said."""

    def __init__(self, facts: ProjectFacts) -> None:
        self._facts = facts
        self._log = structlog.get_logger("exporter.polling.poller").bind(**facts.key._asdict())
        self._failing: dict[str, CloudError] = {}
        self._unreadable = False
        self._incomplete: dict[str, ListFacts] = {}
        self._bugs: set[tuple[str, str, str]] = set()

    @property
    def faults(self) -> Collection[CloudError]:
        """What fails now."""
        return self._failing.values()

    def sight(self, why: CloudError | None) -> None:
        """Lists were asked for: `why` none of them succeeds any more, or None.

        While a project is unreadable, its other failures are logged at level debug.
        """
        if why is not None and not self._unreadable:
            self._log.warning("the project is unreadable: every list fails", error=str(why), **_advice(why))
        elif why is None and self._unreadable:
            self._failing.clear()  # what still fails is told again
            self._log.info("the project is readable again")
        self._unreadable = why is not None

    def outcome(self, what: str, error: CloudError | None) -> None:
        """Something was asked for."""
        before = self._failing.pop(what, None)
        if error is not None:
            self._failing[what] = error
            self._facts.failed(error.kind)
            still = isinstance(before, ThrottledError) and isinstance(error, ThrottledError)  # refused, or not sent yet
            if not still and str(before) != str(error):
                warn = self._log.debug if self._unreadable else self._log.warning
                warn("the cloud gave no usable response", what=what, error=str(error), **_advice(error))
        elif before is not None:
            self._log.info("the cloud responds again", what=what)

    def completeness(self, what: str, facts: ListFacts) -> None:
        """A list succeeded; log once when it begins to lack tasks, why, and once when it is complete again."""
        before = self._incomplete.pop(what, None)
        if facts.gap is not None:
            self._incomplete[what] = facts
            if before is None or before.gap != facts.gap:
                self._log.warning("a task list is incomplete", what=what, why=facts.gap, tasks=facts.tasks)
        elif before is not None:
            since = datetime.fromtimestamp(before.incomplete_since or 0.0, UTC).isoformat(timespec="seconds")
            self._log.info("a task list is complete again", what=what, why=before.gap, since=since)

    def bug(self, collector: str, error: BaseException) -> None:
        """A poll raised what nobody foresaw; told once for each place."""
        self._facts.failed("bug in the exporter")
        told = (collector, type(error).__name__, where(error))
        if told in self._bugs:
            return
        self._bugs.add(told)
        self._log.error("a poll ended in a bug", collector=collector, error=type(error).__name__, where=where(error))

    def unknown_status(self, status: str) -> None:
        """The cloud has a new status word."""
        self._log.warning("status without a known phase; shown as phase other", status=status)


def _advice(error: CloudError) -> dict[str, str]:
    """What `check` says about an error, with the remedy; nothing where the error itself contains both."""
    if error.reason:
        return {}
    _, what, remedy = words(error)
    return {"advice": f"{what}: {remedy}"} if remedy else {}
