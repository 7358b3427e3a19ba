"""Fetches the facts of many tasks in batches, some calls at a time.

A batch that the cloud refuses because of one task is split, within a bounded number of calls.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud.http.error_codes import SINGLE_ID, WRONG_STATE, Split, documented, meaning_of_error
from exporter.cloud.http.errors import (
    AccessDeniedError,
    BadRequestError,
    CloudError,
    EmptyResultError,
    NotPublishedError,
    NotSentError,
    TaskError,
    TaskGoneError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import ErrorsByCollector, Source, TaskResult, TaskResults
    from exporter.model.facts import TaskFacts

_IN_FLIGHT = 8
_FEWEST_EXTRA_CALLS = 16
"""Two bad ids in a batch of ten are found within these."""


class CallResults(NamedTuple):
    """The results of one call by kind."""

    facts: Mapping[str, tuple[TaskFacts, ...]]
    gone: list[str]
    refused: list[CloudError]
    """Errors about a single task."""
    failed: list[CloudError]
    """Errors about the call."""


def split_results(results: TaskResults) -> CallResults:
    errors = {task_id: result for task_id, result in results.items() if isinstance(result, CloudError)}
    return CallResults(
        facts={task_id: result for task_id, result in results.items() if not isinstance(result, CloudError)},
        gone=[task_id for task_id, error in errors.items() if isinstance(error, TaskGoneError)],
        refused=[error for error in errors.values() if isinstance(error, TaskError)],
        failed=[error for error in errors.values() if not isinstance(error, TaskGoneError | TaskError)],
    )


async def fetch_all(
    source: Source, client: Client, errors: ErrorsByCollector, ids: Iterable[str]
) -> AsyncGenerator[TaskResults, None]:
    """Fetch the facts of all tasks, some calls at a time; yields the results of each call as they arrive.

    A batch that is refused because of one id is split until that id is found, or into single ids if the cloud accepts
    no more. Any other failure becomes the result of each task in the batch. The other batches are still fetched,
    unless they would fail as well: then their tasks get no result.
    """
    waiting = list(ids)
    batches = [waiting[start : start + source.batch] for start in range(0, len(waiting), source.batch)]
    splitter = Splitter(source, partial(source.fetch, client, errors), len(batches))
    running: set[asyncio.Task[TaskResults]] = set()
    failures: int | None = 0  # since the beginning; None once a call has succeeded
    try:
        while batches or running:
            while batches and len(running) < _IN_FLIGHT:
                running.add(asyncio.create_task(splitter.fetch(batches.pop(0))))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            done_calls = [task.result() for task in done]
            failed = [error for results in done_calls if (error := _failure(results)) is not None]
            if len(failed) < len(done_calls):
                failures = None
            elif failures is not None:
                failures += len(failed)
            if _others_would_fail(failed, failures):
                batches.clear()
            for results in done_calls:
                yield results
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _failure(results: TaskResults) -> CloudError | None:
    """Return the error of a call that brought nothing about any of its tasks; None if it brought something."""
    errors = [result for result in results.values() if isinstance(result, CloudError)]
    useful = len(errors) < len(results) or any(isinstance(error, TaskGoneError | TaskError) for error in errors)
    return None if useful else errors[0]


def _others_would_fail(errors: Sequence[CloudError], failures: int | None) -> bool:
    """Return whether the other calls of a round would fail as well."""
    if any(isinstance(error, NotPublishedError | NotSentError | ThrottledError) for error in errors):
        return True
    refused = any(isinstance(error, AccessDeniedError) for error in errors)
    return failures is not None and (refused or failures >= _IN_FLIGHT)


class Splitter:
    """The calls of one round of a source.

    Splitting adds at most as many calls as the round has batches, and 16 in small rounds. For an error that is not
    documented to be about an id, a batch is split only where some call of the round succeeds: if both halves fail in
    the same way, and one id of them by itself as well, the error is not about an id.

    Args:
        source: its `batch` falls to one where the cloud accepts no more ids.
        call: makes one call of the source.
        batches: how many there are in the round.
    """

    def __init__(self, source: Source, call: Callable[[Sequence[str]], Awaitable[TaskResults]], batches: int) -> None:
        self._source = source
        self._fetch = call
        self._extra_calls = max(_FEWEST_EXTRA_CALLS, batches)
        self._succeeded = False
        self._no_split_for: set[tuple[str, str | None]] = set()
        """The errors, by status and code, for which splitting did not help."""
        self._splitting = asyncio.Lock()
        """One batch after the other: what is found for the first holds for the others."""

    async def fetch(self, ids: Sequence[str]) -> TaskResults:
        """Return the results of a batch: facts, the error of a task, or for all of them the error of the call."""
        if len(ids) > self._source.batch:
            return await self._each(ids)
        outcome = await self._call(ids)
        if not isinstance(outcome, CloudError):
            return outcome
        if len(ids) == 1:
            return {ids[0]: _of_task(outcome)}
        async with self._splitting:
            found = await self._split(ids, outcome)
        return {**found, **await self._each([task_id for task_id in ids if task_id not in found])}

    async def _each(self, ids: Sequence[str]) -> TaskResults:
        return {task_id: result for single in ids for task_id, result in (await self.fetch([single])).items()}

    async def _call(self, ids: Sequence[str]) -> TaskResults | BadRequestError | TaskGoneError:
        """One call; an error is returned where the batch may be split for it."""
        results: TaskResults = {}
        try:
            results = await self._fetch(ids)
            self._succeeded = True
        except (BadRequestError, TaskGoneError) as error:
            return error
        except EmptyResultError:
            pass
        except CloudError as error:
            return dict.fromkeys(ids, error)
        missing = TaskError(self._source.name, "missing")
        return {task_id: results.get(task_id, missing) for task_id in ids}

    async def _split(self, ids: Sequence[str], error: CloudError) -> TaskResults:
        """Return the results of a refused batch; missing ones are then fetched one by one."""
        key = error.code, error.error_code
        if meaning_of_error(error) is SINGLE_ID and key not in self._no_split_for:
            return {} if self._source.batch == 1 else await self._single(ids, key)
        if _split(error) is Split.NEVER or key in self._no_split_for:
            return _of_call(ids, error)
        return await self._halve(ids, error)

    async def _single(self, ids: Sequence[str], key: tuple[str, str | None]) -> TaskResults:
        """Try a single id; if it is accepted, all later calls have one id."""
        outcome = await self._call(ids[:1])
        if isinstance(outcome, CloudError) and meaning_of_error(outcome) is SINGLE_ID:
            self._no_split_for.add(key)
            return _of_call(ids, outcome)
        self._source.batch = 1
        return {ids[0]: _of_task(outcome)} if isinstance(outcome, CloudError) else outcome

    async def _halve(self, ids: Sequence[str], error: CloudError) -> TaskResults:
        if len(ids) == 1:
            return {ids[0]: _of_task(error)}
        half = (len(ids) + 1) // 2
        outcomes = [(part, await self._extra(part, error)) for part in (ids[:half], ids[half:])]
        if not await self._about_an_id(ids, error, [outcome for _, outcome in outcomes]):
            self._no_split_for.add((error.code, error.error_code))
            return _of_call(ids, error)
        found: dict[str, TaskResult] = {}
        for part, outcome in outcomes:
            found |= await self._halve(part, outcome) if isinstance(outcome, CloudError) else outcome
        return found

    async def _about_an_id(self, ids: Sequence[str], error: CloudError, outcomes: Sequence[object]) -> bool:
        """Return whether splitting further helps."""
        if (
            _split(error) is Split.ALWAYS
            or self._succeeded
            or not all(_same_error(outcome, error) for outcome in outcomes)
        ):
            return True
        if len(ids) <= 2:  # noqa: PLR2004 - both were called by themselves
            return False
        # The bad ids may be in both halves. Another id each time, so that in the end a good one is among them.
        self._source.probed += 1
        return not _same_error(await self._extra([ids[self._source.probed % len(ids)]], error), error)

    async def _extra(self, ids: Sequence[str], error: CloudError) -> TaskResults | CloudError:
        """Make one more call, if any is left."""
        if not self._extra_calls:
            return _of_call(ids, error)
        self._extra_calls -= 1
        return await self._call(ids)


def _split(error: CloudError) -> Split:
    meaning = meaning_of_error(error)
    return Split.NEVER if meaning is None else meaning.split


def _same_error(outcome: object, error: CloudError) -> bool:
    return isinstance(outcome, CloudError) and (outcome.code, outcome.error_code) == (error.code, error.error_code)


def _of_call(ids: Sequence[str], error: CloudError) -> TaskResults:
    """Return the error of a call, which proves nothing about any of these tasks."""
    return dict.fromkeys(ids, BadRequestError(error.operation, error.code, error.error_code))


def _of_task(error: CloudError) -> TaskResult:
    """Return the result for the only id of a call."""
    if isinstance(error, TaskGoneError) or _split(error) is Split.NEVER:
        return error
    if documented(error.error_code) is WRONG_STATE:
        return ()
    return TaskError(error.operation, error.code, error.error_code)
