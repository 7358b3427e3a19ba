"""Which tasks a reader of the status page or of /api/v1/tasks asks for, as query parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from exporter.model.task import Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

UNKNOWN = "unknown"
"""Stands for the phase of a task whose list is too old to be believed."""
WORST_FIRST = (
    UNKNOWN,
    Phase.FAILED.value,
    Phase.OTHER.value,
    Phase.PAUSED.value,
    Phase.CHANGING.value,
    Phase.INCREMENTAL.value,
    Phase.FULL.value,
    Phase.PREPARING.value,
    Phase.ENDING.value,
    Phase.ENDED.value,
)
READY, BLOCKED = "ready", "blocked"
SORTS = ("phase", "task_name", "project", "progress", "delay", "age", "cutover")
MOST = 500
"""Tasks on one page."""
_LONGEST = 200
_LAST_PAGE = 10**6
_ALLOWED: Mapping[str, Collection[str]] = {"phase": WORST_FIRST, "cutover": (READY, BLOCKED)}


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; each field is a query parameter.

    Args:
        q: part of a name or an id, in any case.
        phase: only tasks in this phase.
        project: only tasks of this one, as account/region/project.
        cutover: only those that are ready, or blocked.
        sort: by what; with a minus in front the other way round. What is unknown comes last either way.
        page: from 1.
        limit: tasks on a page.
    """

    q: str = ""
    phase: str = ""
    project: str = ""
    cutover: str = ""
    sort: str = "phase"
    page: int = 1
    limit: int = 100

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> tuple[Query, tuple[str, ...]]:
        """What parameters ask for, and what is wrong with them; what is wrong is left out."""
        asked: dict[str, Any] = {key: parameters.get(key, "").strip()[:_LONGEST] for key in ("q", "project")}
        faults = []
        for name, words in (*_ALLOWED.items(), ("sort", (*SORTS, *(f"-{word}" for word in SORTS)))):
            if word := parameters.get(name, ""):
                if word in words:
                    asked[name] = word
                else:
                    faults.append(f"{name}: expected one of {', '.join(words)}")
        for name, most in (("page", _LAST_PAGE), ("limit", MOST)):
            if text := parameters.get(name, ""):
                if text.isascii() and text.isdecimal() and len(text) < 8 and 1 <= int(text) <= most:  # noqa: PLR2004
                    asked[name] = int(text)
                else:
                    faults.append(f"{name}: expected a number from 1 to {most}")
        return cls(**asked), tuple(faults)

    @property
    def key(self) -> str:
        """By what to sort."""
        return self.sort.removeprefix("-")

    @property
    def backwards(self) -> bool:
        """Whether the greatest comes first."""
        return self.sort.startswith("-")

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.phase or self.project or self.cutover)

    def link(self, **changes: str | int) -> str:
        """The same with changes, as a relative reference; whatever changes, the first page is shown."""
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # names and types of our fields
        given = {one.name: value for one in fields(self) if (value := getattr(changed, one.name)) != one.default}
        return "?" + urlencode(given, errors="replace")

    def sorted_by(self, key: str) -> str:
        """The link of a column's head: sorts by it, or turns it round where it does so already."""
        first = f"-{key}" if key in {"delay", "age"} else key
        if self.key != key:
            return self.link(sort=first)
        return self.link(sort=key if self.backwards else f"-{key}")

    def direction(self, key: str) -> str:
        """The value of aria-sort for a column."""
        return "none" if self.key != key else "descending" if self.backwards else "ascending"
