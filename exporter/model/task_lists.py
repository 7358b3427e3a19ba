"""The facts about the task lists of a project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gap(StrEnum):
    """Reasons why a successful list may lack tasks."""

    TOTAL = "its pages and its total disagree"
    REPEATED = "a page brought no new task"
    REFUSED = "a page before the total was refused"
    LONG = "it has more tasks than are read"
    UNREADABLE = "some of its tasks could not be decoded"


@dataclass(frozen=True, slots=True)
class ListFacts:
    """The newest list of one job type through one API generation."""

    success: bool
    tasks: int | None = None
    """The number of tasks in the newest successful list."""
    gap: Gap | None = None
    """The reason why the newest successful list may lack tasks; None: it is complete, or there is none."""
    incomplete_since: float | None = None
    """Unix time since which each successful list was incomplete."""

    @property
    def complete(self) -> bool | None:
        """True if the newest successful list has all tasks; None if no list has succeeded."""
        return None if self.tasks is None else self.gap is None
