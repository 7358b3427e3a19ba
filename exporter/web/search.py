"""Filters, sorts and cuts into pages the tasks that the status page and the API show."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from exporter.views.summary import (
    BLOCKED,
    READY,
    WORST_FIRST,
    blockers_of,
    cutover_of,
    full_ratio_of,
    phase_of,
    read_at,
)
from exporter.views.text import project_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from exporter.metrics.board import Board
    from exporter.metrics.own import Telemetry
    from exporter.model.task import Task
    from exporter.store.store import Store

SORTS = ("phase", "task_name", "project", "progress", "delay", "age", "cutover")
MOST = 500
"""Tasks on one page."""
_LONGEST = 200
_LAST_PAGE = 10**6
_ALLOWED: Mapping[str, Collection[str]] = {"phase": WORST_FIRST, "cutover": (READY, BLOCKED)}
_SLICE = 250
_RANKS = {word: rank for rank, word in enumerate(WORST_FIRST)}


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


class Served(Protocol):
    """What the pages show."""

    @property
    def board(self) -> Board:
        """The samples."""

    @property
    def stores(self) -> Sequence[Store]:
        """The projects."""

    @property
    def telemetry(self) -> Telemetry:
        """Our own metrics."""

    @property
    def ready(self) -> bool:
        """Whether the first poll of every project has ended."""

    @property
    def healthy(self) -> bool:
        """Whether the poll loops make progress."""

    def now(self) -> float:
        """Unix time."""


@dataclass(slots=True)
class Found:
    """The answer to a query: one page of tasks, and what is said about all of them."""

    query: Query
    tasks: list[Task] = field(default_factory=list)
    matched: int = 0
    total: int = 0
    """Tasks and subtasks."""
    subtasks: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    cutover: Counter[str] = field(default_factory=Counter)
    projects: Counter[str] = field(default_factory=Counter)
    """Tasks, without subtasks, by project."""
    names: dict[str, str] = field(default_factory=dict)
    """Of all tasks, by id."""
    slowest: Task | None = None
    """The one with the greatest delay."""

    @property
    def pages(self) -> int:
        """How many there are; at least one."""
        return max(1, -(-self.matched // self.query.limit))

    def count(self, task: Task) -> None:
        """Take note of a task, wanted or not."""
        identity = task.identity
        self.total += 1
        self.phases[phase_of(task)] += 1
        self.names[identity.task_id] = identity.task_name
        if identity.parent_id is None:
            self.projects[project_text(task.identity)] += 1
            self.cutover[cutover_of(task) or ""] += 1
        else:
            self.subtasks += 1
        delay = task.delay_seconds
        if delay is not None and (self.slowest is None or delay > (self.slowest.delay_seconds or 0)):
            self.slowest = task


async def find(stores: Sequence[Store], query: Query) -> Found:
    """Look at every task; others run in between."""
    found = Found(query)
    tasks = [task for store in stores for task in store.tasks()]
    key, runs = _KEYS[query.key], []
    for start in range(0, len(tasks), _SLICE):
        matching = []
        for task in tasks[start : start + _SLICE]:
            found.count(task)
            if _wants(query, task):
                matching.append(
                    ((*_last_if_unknown(key(task), backwards=query.backwards), task.identity.task_id), task)
                )
        found.matched += len(matching)
        runs.append(sorted(matching, key=_first, reverse=query.backwards))
        await asyncio.sleep(0)
    await _fill(found, runs)
    return found


async def _fill(found: Found, runs: Sequence[Sequence[tuple[Any, Task]]]) -> None:
    """Take the page that is asked for, or the last one, from runs that are sorted each."""
    query = found.query
    start = (min(query.page, found.pages) - 1) * query.limit
    for number, (_, task) in enumerate(islice(merge(*runs, key=_first, reverse=query.backwards), start + query.limit)):
        if number >= start:
            found.tasks.append(task)
        if number % _SLICE == 0:
            await asyncio.sleep(0)


def _first(pair: tuple[Any, Task]) -> Any:
    return pair[0]


def _wants(query: Query, task: Task) -> bool:
    identity, needle = task.identity, query.q.lower()
    return (
        (not query.phase or phase_of(task) == query.phase)
        and (not query.project or project_text(task.identity) == query.project)
        and (not query.cutover or cutover_of(task) == query.cutover)
        and (not needle or needle in identity.task_name.lower() or needle in identity.task_id.lower())
    )


def _last_if_unknown(value: Any, *, backwards: bool) -> tuple[Any, ...]:
    return ((value is None) != backwards, 0 if value is None else value)


def _blocked_by(task: Task) -> int | None:
    blockers = blockers_of(task)
    return None if blockers is None else len(blockers)


_KEYS: Mapping[str, Callable[[Task], Any]] = {
    "phase": lambda task: (_RANKS[phase_of(task)], -(task.delay_seconds or 0)),
    "task_name": lambda task: task.identity.task_name,
    "project": lambda task: project_text(task.identity),
    "progress": full_ratio_of,
    "delay": lambda task: task.delay_seconds,
    "age": lambda task: None if (at := read_at(task)) is None else -at,
    "cutover": _blocked_by,
}
