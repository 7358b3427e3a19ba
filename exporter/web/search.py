"""Filters and sorts the tasks that the status page and the API show, and cuts them into pages."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from exporter.model.task import Task
from exporter.runtime.turns import in_turns
from exporter.store.store import Store
from exporter.views import summary
from exporter.views.cutover import BLOCKED, READY
from exporter.views.order import WORST_FIRST, Families, urgency
from exporter.views.text import project_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SORTS = ("phase", "task_name", "project", "progress", "delay", "age", "cutover")
MAX_LIMIT = 500
_MAX_LENGTH, _LONGEST_NAME = 2000, 50
_MAX_PAGE = 10**6
_ALLOWED: Mapping[str, Collection[str]] = {
    "phase": WORST_FIRST,
    "cutover": (READY, BLOCKED),
    "sort": (*SORTS, *(f"-{key}" for key in SORTS)),
}
_BATCH = 250
"""Tasks that are processed without a pause for other work."""


def unknown_of(parameters: Iterable[str], query: type[DataclassInstance]) -> list[str]:
    """Return a message for each parameter that is no field of a query."""
    known = [parameter.name for parameter in fields(query)]
    texts = {name: f"{name[:_LONGEST_NAME]}: unknown; expected {', '.join(known)}" for name in parameters}
    return [text for name, text in texts.items() if name not in known]


def number_of(text: str, most: int) -> int | None:
    """Return the number in a parameter; None unless it is from 1 to `most`."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else 0
    return number if 1 <= number <= most else None


@dataclass(frozen=True)
class Query:
    """The query parameters of the status page and of the API.

    Args:
        q: part of a name or an ID, in any case, or several with commas between them.
        phase: a phase.
        project: a project, as account/region/project.
        cutover: `ready` or `blocked`.
        sort: a sort key, with a minus in front for the reverse order. Unknown values come last either way.
        page: the page, from 1.
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
    def of(cls, parameters: Mapping[str, str], max_limit: int = MAX_LIMIT) -> tuple[Query, tuple[str, ...]]:
        """Parse parameters. Invalid ones are left out, with a message for each."""
        valid: dict[str, Any] = {name: parameters.get(name, "").strip()[:_MAX_LENGTH] for name in ("q", "project")}
        errors = []
        for name, words in _ALLOWED.items():
            if word := parameters.get(name, ""):
                if word in words:
                    valid[name] = word
                else:
                    errors.append(f"{name}: expected one of {', '.join(words)}")
        for name, most in (("page", _MAX_PAGE), ("limit", max_limit)):
            if text := parameters.get(name, ""):
                if number := number_of(text, most):
                    valid[name] = number
                else:
                    errors.append(f"{name}: expected a number from 1 to {most}")
        return cls(**valid), tuple(errors)

    @property
    def key(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def backwards(self) -> bool:
        return self.sort.startswith("-")

    @property
    def filtered(self) -> bool:
        return bool(self.q or self.phase or self.project or self.cutover)

    def matches(self, task: Task) -> bool:
        """Return whether a task passes all filters."""
        identity = task.identity
        return (
            (not self.phase or summary.phase_of(task) == self.phase)
            and (not self.project or project_text(identity) == self.project)
            and (not self.cutover or summary.cutover_of(task) == self.cutover)
            and self._has_name(identity.task_name.lower(), identity.task_id.lower())
        )

    def _has_name(self, *texts: str) -> bool:
        return not self.names or any(part in text for part in self.names for text in texts)

    @cached_property
    def names(self) -> list[str]:
        """The parts of names or IDs of which a task must contain one."""
        return [name.strip().lower() for name in self.q.split(",") if name.strip()]

    def link(self, **changes: str | int) -> str:
        """Return a relative reference for the query with changes, at the first page unless `page` is given."""
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # names and types of our fields
        pairs = ((parameter, getattr(changed, parameter.name)) for parameter in fields(self))
        given = {parameter.name: value for parameter, value in pairs if value != parameter.default}
        return "?" + urlencode(given, errors="replace")

    def sorted_by(self, key: str) -> str:
        """Return the link in the head of a column, which sorts by it, or reverses the order."""
        first = f"-{key}" if key in {"delay", "age"} else key
        if self.key != key:
            return self.link(sort=first)
        return self.link(sort=key if self.backwards else f"-{key}")

    def direction(self, key: str) -> str:
        """Return the value of aria-sort for a column."""
        return "none" if self.key != key else "descending" if self.backwards else "ascending"


@dataclass(slots=True)
class SearchResult:
    """One page of the tasks that match a query, and counts of all tasks.

    Attributes:
        matched: the number of tasks and subtasks that match.
        total: the number of all tasks and subtasks.
        subtasks: the number of all subtasks.
        phases: all tasks and subtasks by phase.
        cutover: all tasks, without subtasks, by readiness for a cut-over.
        unchecked: the number of ready tasks with reasons that were not checked.
        projects: all tasks, without subtasks, by project.
        names: the name of each task, by ID.
        slowest: the task with the largest delay.
    """

    query: Query
    tasks: list[Task] = field(default_factory=list)
    matched: int = 0
    total: int = 0
    subtasks: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    cutover: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0
    projects: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)
    slowest: Task | None = None

    @property
    def pages(self) -> int:
        """The number of pages, at least 1."""
        return max(1, -(-self.matched // self.query.limit))

    @property
    def page(self) -> int:
        """The page of the query, or the last one."""
        return min(self.query.page, self.pages)

    @property
    def shown(self) -> frozenset[str]:
        """The IDs of the tasks on the page."""
        return frozenset(task.identity.task_id for task in self.tasks)

    def count(self, task: Task) -> None:
        """Include a task in the counts."""
        identity = task.identity
        self.total += 1
        self.phases[summary.phase_of(task)] += 1
        self.names[identity.task_id] = identity.task_name
        if identity.parent_id is None:
            self.projects[project_text(identity)] += 1
            self.cutover[summary.cutover_of(task) or ""] += 1
            self.unchecked += bool(task.ready and task.unchecked)
        else:
            self.subtasks += 1
        delay = task.delay_seconds
        if delay is not None and (self.slowest is None or delay > (self.slowest.delay_seconds or 0)):
            self.slowest = task


async def search(stores: Sequence[Store], query: Query) -> SearchResult:
    """Search all tasks, with pauses for other work."""
    result = SearchResult(query)
    tasks = [task for store in stores for task in store.tasks()]
    families = Families[Task](backwards=query.backwards, by_parent=query.key in _OF_PARENTS)
    async for task in in_turns(tasks, _BATCH):
        result.count(task)
        if query.matches(task):
            result.matched += 1
            families.add(task, task.identity.task_id, task.identity.parent_id, _sort_key(query, task))
    for _ in families.arrange():
        await asyncio.sleep(0)
    first = (result.page - 1) * query.limit
    async for number, (task, _) in in_turns(enumerate(islice(families, first + query.limit)), _BATCH):
        if number >= first:
            result.tasks.append(task)
    return result


def _sort_key(query: Query, task: Task) -> tuple[Any, ...]:
    """Sort unknown values last, in both directions."""
    value = _KEYS[query.key](task)
    return (value is None) != query.backwards, 0 if value is None else value


_OF_PARENTS = ("task_name", "project")
"""The sort keys by which a family is sorted as its parent, not as the first of its tasks."""
_KEYS: Mapping[str, Callable[[Task], Any]] = {
    "phase": lambda task: urgency(summary.phase_of(task), task.delay_seconds, task.identity.task_name),
    "task_name": lambda task: task.identity.task_name,
    "project": lambda task: project_text(task.identity),
    "progress": summary.full_ratio_of,
    "delay": lambda task: task.delay_seconds,
    "age": lambda task: None if (at := summary.read_at(task)) is None else -at,
    "cutover": lambda task: None if (blockers := summary.blockers_of(task)) is None else len(blockers),
}
