"""Task lists, and sources of facts about single tasks and about projects: what the adapters consist of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from exporter.cloud.http.errors import CloudError
from exporter.config import COLLECTORS, Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.operations import Operation
    from exporter.config import Account
    from exporter.model.facts import AsyncJobs, Quota, TaskFacts
    from exporter.model.task import Listed
    from exporter.model.task_lists import Gap


class DecodeErrors:
    """Counts the fields and items that could not be decoded."""

    def __init__(self) -> None:
        self.count = 0

    def take(self) -> int:
        """Return the count since the last call."""
        count, self.count = self.count, 0
        return count


@dataclass(frozen=True, slots=True)
class TaskList:
    """A successful list of one job type; subtasks are listed beside their parents."""

    tasks: tuple[Listed, ...]
    gap: Gap | None = None
    """The reason why the list may lack tasks; None: every page was received, and the ids match the total."""
    pages: int = 1
    total: int = 0
    """Tasks in all pages, as the cloud counts them."""

    @property
    def complete(self) -> bool:
        return self.gap is None


ErrorsByCollector: TypeAlias = Mapping[str, DecodeErrors]


class Selected(NamedTuple):
    """Which tasks a list contains: all, those of the first page, or those with some ids."""

    first_page: bool = False
    ids: tuple[str, ...] = ()


EVERYTHING = Selected()

TaskResult = tuple["TaskFacts", ...] | CloudError
"""The facts of one task, or the error in their place (`TaskGoneError`: the task does not exist)."""
TaskResults: TypeAlias = Mapping[str, TaskResult]
"""By task id."""
Fetch: TypeAlias = "Callable[[Client, ErrorsByCollector, Sequence[str]], Awaitable[TaskResults]]"
"""Makes one call for some tasks and returns their results; raises `CloudError`."""


@dataclass(eq=False, slots=True)
class Source:
    """An operation that returns facts about single tasks.

    Args:
        operation: what it calls.
        kinds: the facts that it brings. Of their collectors, the one with the shortest interval makes the calls.
        batch: task ids in one call; falls to one if the cloud reports that it accepts no more.
        fetch: makes one call. A task without a result is an error of that task.
        only: narrows the tasks that its collectors poll to those that the operation serves.
        max_age: seconds since its creation after which a task is not queried any more.
        intervals: default seconds between two queries of facts, where that is longer than the collector's: the source
            costs a call for each task.
        lacks: what its generation documents no field for, as `facts.field`; the documentation of metrics needs it.
    """

    operation: Operation
    kinds: tuple[type[TaskFacts], ...]
    batch: int
    fetch: Fetch
    only: Callable[[Listed], bool] = lambda _listed: True
    max_age: float = math.inf
    lacks: frozenset[str] = frozenset()
    intervals: Mapping[type[TaskFacts], float] = field(default_factory=dict)
    probed: int = 0
    """How often an id of a refused batch was queried by itself, to find out whether the error is about an id."""

    @property
    def name(self) -> str:
        """The label `source`."""
        return self.operation.name

    def interval(self, kind: type[TaskFacts], account: Account) -> float:
        """Return the default seconds between two queries of facts; an interval of the configuration always holds."""
        configured = account.interval(kind.collector)
        if account.sets_interval(kind.collector):
            return configured
        return max(configured, self.intervals.get(kind, 0.0))

    def collector_in_waves(self, enabled: Container[str]) -> str | None:
        """Return the collector on whose behalf running waves query it; None: they do not."""
        collectors = [kind.collector for kind in self.kinds if COLLECTORS[kind.collector].in_waves]
        return next((name for name in collectors if name in enabled), None)

    @property
    def partial(self) -> tuple[type[TaskFacts], ...]:
        """The kinds of facts that it contains for fewer tasks than it serves."""
        scopes = {kind.scope for kind in self.kinds}
        return tuple(kind for kind in self.kinds if len(scopes) > 1 and kind.scope is not Scope.RUNNING)

    def wants(self, listed: Listed) -> bool:
        """Return whether it has any facts about the task."""
        return any(self._contains(listed, kind) for kind in self.kinds)

    def _contains(self, listed: Listed, kind: type[TaskFacts]) -> bool:
        return listed.why_not_polled(kind.scope) is None and self.only(listed)

    def serves(self, listed: Listed, kind: type[TaskFacts], now: float) -> bool:
        """Return whether a task is worth a call for this kind of facts at this Unix time."""
        young = self.max_age == math.inf or (
            listed.created_at_latest is not None and now - listed.created_at_latest < self.max_age
        )
        return young and self._contains(listed, kind)


@dataclass(frozen=True, slots=True)
class ProjectSource:
    """An operation that returns facts about the project as a whole; `fetch` raises `CloudError`."""

    operation: Operation
    collector: str
    fetch: Callable[[Client, ErrorsByCollector], Awaitable[Quota | AsyncJobs]]
