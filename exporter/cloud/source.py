"""What an adapter of one API generation offers: task lists, and sources of facts about single tasks."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from exporter.cloud.http.errors import (
    AccessError,
    CloudError,
    NotPublishedError,
    RefusedError,
    TaskGoneError,
    TaskRefusedError,
    ThrottledError,
)
from exporter.cloud.splitting import Splitter
from exporter.config.collectors import Scope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence

    from exporter.cloud.operations import Operation
    from exporter.model.facts import AsyncJobs, Quota, TaskFacts
    from exporter.model.task import Gap, Listed

_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True)
class TaskList:
    """A successful list of one job type; subtasks stand beside their parents."""

    tasks: tuple[Listed, ...]
    gap: Gap | None = None
    """Why the list may lack tasks; None: every page came, and the ids match the total."""
    pages: int = 1

    @property
    def complete(self) -> bool:
        """Whether the list has everything."""
        return self.gap is None


Answer = tuple["TaskFacts", ...] | CloudError
"""What was learnt of one task: facts, or why there are none (`TaskGoneError`: it does not exist)."""


@dataclass(eq=False, slots=True)
class Source:
    """An operation that tells facts about single tasks.

    Args:
        operation: what it calls.
        kinds: the facts that it brings. Of their collectors, the one with the shortest interval makes the calls.
        batch: task ids in one call; falls to one where the cloud says that it takes no more.
        fetch: one call; answers by task id. A task that is missing in them is an error of that task.
        only: narrows the tasks that its collectors poll to those that the operation serves.
        max_age: seconds since its creation after which a task is not asked for any more.
        lacks: what its generation documents no field for, as `facts.field`; the documentation of metrics needs it.
    """

    operation: Operation
    kinds: tuple[type[TaskFacts], ...]
    batch: int
    fetch: Callable[[Sequence[str]], Awaitable[Mapping[str, Answer]]]
    only: Callable[[Listed], bool] = bool
    max_age: float = math.inf
    lacks: frozenset[str] = frozenset()
    probed: int = 0
    """How often an id of a refused batch was queried by itself, to find out whether the error is about an id."""

    @property
    def name(self) -> str:
        """The label `source`."""
        return self.operation.name

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
        young = self.max_age == math.inf or (listed.created_by is not None and now - listed.created_by < self.max_age)
        return young and self._contains(listed, kind)


@dataclass(frozen=True, slots=True)
class ProjectSource:
    """An operation that tells facts about the project as a whole; `fetch` raises `CloudError`."""

    operation: Operation
    collector: str
    fetch: Callable[[], Awaitable[Quota | AsyncJobs]]


class Api(Protocol):
    """One API generation of one project."""

    @property
    def name(self) -> str:
        """`v3` or `v5`: the label `api`."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """What it tells about single tasks."""

    @property
    def project_sources(self) -> tuple[ProjectSource, ...]:
        """What it tells about the project."""

    async def list_tasks(self, job_type: str) -> TaskList:
        """Every task of a job type, through all pages."""
        ...


class Sorted(NamedTuple):
    """One call's answers by kind."""

    facts: Mapping[str, tuple[TaskFacts, ...]]
    gone: list[str]
    refused: list[CloudError]
    """Errors that speak of a single task."""
    failed: list[CloudError]
    """Errors that speak of the call."""


def sort_answers(answers: Mapping[str, Answer]) -> Sorted:
    """Answers by kind."""
    errors = {task_id: answer for task_id, answer in answers.items() if isinstance(answer, CloudError)}
    return Sorted(
        facts={task_id: answer for task_id, answer in answers.items() if not isinstance(answer, CloudError)},
        gone=[task_id for task_id, error in errors.items() if isinstance(error, TaskGoneError)],
        refused=[error for error in errors.values() if isinstance(error, TaskRefusedError)],
        failed=[error for error in errors.values() if not isinstance(error, TaskGoneError | TaskRefusedError)],
    )


async def fetch_all(source: Source, ids: Iterable[str]) -> AsyncGenerator[Mapping[str, Answer], None]:
    """Fetch the facts of all tasks, some calls at a time, and give each call's answers as they come.

    A batch that is refused as a whole because of one id is split until that id is found, and at once into single
    ids where the cloud takes no more. Any other failure becomes the answer of each task in the batch. The other
    batches go on, unless nothing else is to be expected of them: then the tasks in them get no answer at all.
    """
    batches = _cut(list(ids), source.batch)
    splitter = Splitter(source, len(batches))
    running: set[asyncio.Task[Mapping[str, Answer]]] = set()
    failures: int | None = 0  # since the beginning; None once there was an answer
    try:
        while batches or running:
            while batches and len(running) < _IN_FLIGHT:
                running.add(asyncio.create_task(splitter.fetch(batches.pop(0))))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            answered = [task.result() for task in done]
            errors = [error for answers in answered if (error := _failure(answers)) is not None]
            if len(errors) < len(answered):
                failures = None
            elif failures is not None:
                failures += len(errors)
            if _hopeless(errors, failures):
                batches.clear()
            for answers in answered:
                yield answers
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _failure(answers: Mapping[str, Answer]) -> CloudError | None:
    """The error of a call that told nothing about any of its tasks."""
    errors = [answer for answer in answers.values() if isinstance(answer, CloudError)]
    told = len(errors) < len(answers) or any(isinstance(error, TaskGoneError | TaskRefusedError) for error in errors)
    return None if told else errors[0]


def _hopeless(errors: Sequence[CloudError], failures: int | None) -> bool:
    """Whether the other calls of a round would fare no better: who is asked says so, or never answers."""
    if any(isinstance(error, NotPublishedError | AccessError | ThrottledError) for error in errors):
        return True
    refused = any(isinstance(error, RefusedError) for error in errors)
    return failures is not None and (refused or failures >= _IN_FLIGHT)


def _cut(ids: Sequence[str], size: int) -> list[Sequence[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
