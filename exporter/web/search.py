"""The tasks that a query asks for: chosen, sorted and cut into pages, a slice at a time, so that nobody waits long."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from exporter.web.query import BLOCKED, READY, UNKNOWN, WORST_FIRST, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exporter.metrics.board import Board
    from exporter.metrics.own import Telemetry
    from exporter.model.task import Task
    from exporter.store.store import Store

_SLICE = 250
_RANKS = {word: rank for rank, word in enumerate(WORST_FIRST)}


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
            self.projects[project_of(task)] += 1
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
        and (not query.project or project_of(task) == query.project)
        and (not query.cutover or cutover_of(task) == query.cutover)
        and (not needle or needle in identity.task_name.lower() or needle in identity.task_id.lower())
    )


def _last_if_unknown(value: Any, *, backwards: bool) -> tuple[Any, ...]:
    return ((value is None) != backwards, 0 if value is None else value)


def phase_of(task: Task) -> str:
    """The phase, in a word."""
    return task.phase.value if task.phase else UNKNOWN


def project_of(task: Task) -> str:
    """The project as a query names it."""
    return f"{task.identity.account}/{task.identity.region}/{task.identity.project}"


def blockers_of(task: Task) -> list[str] | None:
    """What blocks the cut-over; None where that is no question."""
    return None if task.blockers is None else [reason for reason, blocks in task.blockers if blocks]


def cutover_of(task: Task) -> str | None:
    """Ready, blocked, or None where that is no question."""
    blockers = blockers_of(task)
    return None if blockers is None else BLOCKED if blockers else READY


def read_at(task: Task) -> float | None:
    """When the progress was read last."""
    return next((at for name, at in task.collected if name == "progress"), None)


def _full_ratio(task: Task) -> float | None:
    return task.progress.full_ratio if task.progress else None


def _blocked_by(task: Task) -> int | None:
    blockers = blockers_of(task)
    return None if blockers is None else len(blockers)


_KEYS: Mapping[str, Callable[[Task], Any]] = {
    "phase": lambda task: (_RANKS[phase_of(task)], -(task.delay_seconds or 0)),
    "task_name": lambda task: task.identity.task_name,
    "project": project_of,
    "progress": _full_ratio,
    "delay": lambda task: task.delay_seconds,
    "age": lambda task: None if (at := read_at(task)) is None else -at,
    "cutover": _blocked_by,
}
