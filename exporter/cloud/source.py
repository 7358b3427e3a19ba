"""What an adapter of one API generation offers: task lists, and sources of facts about single tasks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from exporter.cloud.errors import BadRequestError, CloudError, TaskGoneError, TaskRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence

    from exporter.model import Listed, Part

_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True)
class TaskList:
    """One answered list of one job type; subtasks stand beside their parents."""

    tasks: tuple[Listed, ...]
    complete: bool
    """Every page came and the ids match the total. An incomplete list proves no absence."""


Answer = tuple["Part", ...] | CloudError
"""What was learnt of one task: facts, or why there are none (`TaskGoneError`: it does not exist)."""


@dataclass(frozen=True, slots=True)
class Source:
    """An operation that tells facts about single tasks.

    Args:
        name: the operation's name.
        collectors: whose facts it brings, the one that it is called for first.
        batch: task ids in one call.
        fetch: one call; answers by task id. A task that is missing in them is an error of that task.
    """

    name: str
    collectors: tuple[str, ...]
    batch: int
    fetch: Callable[[Sequence[str]], Awaitable[Mapping[str, Answer]]]


class Api(Protocol):
    """One API generation of one project."""

    @property
    def name(self) -> str:
        """`v3` or `v5`: the label `api`."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """What it tells about single tasks."""

    async def list_tasks(self, job_type: str) -> TaskList:
        """Every task of a job type, through all pages."""
        ...


class Sorted(NamedTuple):
    """One call's answers by kind."""

    parts: Mapping[str, tuple[Part, ...]]
    gone: list[str]
    refused: list[CloudError]
    """Errors that speak of a single task."""
    failed: list[CloudError]
    """Errors that speak of the call."""


def sort_answers(answers: Mapping[str, Answer]) -> Sorted:
    """Answers by kind."""
    errors = {task_id: answer for task_id, answer in answers.items() if isinstance(answer, CloudError)}
    return Sorted(
        parts={task_id: answer for task_id, answer in answers.items() if not isinstance(answer, CloudError)},
        gone=[task_id for task_id, error in errors.items() if isinstance(error, TaskGoneError)],
        refused=[error for error in errors.values() if isinstance(error, TaskRefusedError)],
        failed=[error for error in errors.values() if not isinstance(error, TaskGoneError | TaskRefusedError)],
    )


async def fetch_all(source: Source, ids: Iterable[str]) -> AsyncGenerator[Mapping[str, Answer], None]:
    """Fetch the facts of all tasks, some calls at a time, and give each call's answers as they come.

    A batch that is refused as a whole because of one id is split until that id is found. Any other failure
    becomes the answer of each task in the batch, and the other batches go on.
    """
    pending = list(ids)
    batches = [pending[start : start + source.batch] for start in range(0, len(pending), source.batch)]
    running: set[asyncio.Task[Mapping[str, Answer]]] = set()
    try:
        while batches or running:
            while batches and len(running) < _IN_FLIGHT:
                running.add(asyncio.create_task(_fetch(source, batches.pop(0))))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _fetch(source: Source, ids: Sequence[str]) -> Mapping[str, Answer]:
    try:
        answers = await source.fetch(ids)
    except (BadRequestError, TaskGoneError) as error:
        if len(ids) > 1:
            middle = len(ids) // 2
            return {**await _fetch(source, ids[:middle]), **await _fetch(source, ids[middle:])}
        refused = TaskRefusedError(error.operation, error.code, error.error_code)
        return {ids[0]: error if isinstance(error, TaskGoneError) else refused}
    except CloudError as error:
        return dict.fromkeys(ids, error)
    return {task_id: answers.get(task_id, TaskRefusedError(source.name, "missing")) for task_id in ids}
