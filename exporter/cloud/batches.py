"""Fetches the facts of tasks in batches. One that the cloud refuses because of one task is split, within bounds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud.http.error_codes import SINGLE_ID, WRONG_STATE, Split, documented, meaning_of_error
from exporter.cloud.http.errors import (
    BadRequestError,
    CloudError,
    EmptyResultError,
    TaskError,
    TaskGoneError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from exporter.cloud.source import Source, TaskResult, TaskResults
    from exporter.model.facts import TaskFacts

_FEWEST_EXTRA_CALLS = 16
"""Two bad ids in a batch of ten are found within these."""


class CallResults(NamedTuple):
    """The results of one batch by kind."""

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


@dataclass(slots=True)
class Round:
    """What the calls of a source within one of its intervals have in common.

    Args:
        extra_calls: that splitting may still make: as many as there are batches, at least 16.
    """

    extra_calls: int = _FEWEST_EXTRA_CALLS
    succeeded: bool = False
    """True if any call succeeded."""
    no_split_for: set[tuple[str, str | None]] = field(default_factory=set)
    """The errors, by status and code, for which splitting did not help."""
    splitting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One batch after the other: what is found for the first holds for the others."""

    @classmethod
    def of(cls, batches: int) -> Round:
        return cls(max(_FEWEST_EXTRA_CALLS, batches))


class Splitter:
    """Fetches a batch, and splits it where the cloud refuses it because of one of its ids.

    For an error that is not documented to be about an id, a batch is split only where some call of the round succeeds:
    if both halves fail in the same way, and one id of them by itself as well, the error is not about an id.

    Args:
        source: its `batch` falls to one where the cloud accepts no more ids.
        call: makes one call of the source.
        calls: the round that the batch belongs to.
    """

    def __init__(self, source: Source, call: Callable[[Sequence[str]], Awaitable[TaskResults]], calls: Round) -> None:
        self._source = source
        self._fetch = call
        self._round = calls

    async def fetch(self, ids: Sequence[str]) -> TaskResults:
        """Return the results of a batch: facts, the error of a task, or for all of them the error of the call."""
        if len(ids) > self._source.batch:
            return await self._each(ids)
        outcome = await self._call(ids)
        if not isinstance(outcome, CloudError):
            return outcome
        if len(ids) == 1:
            return {ids[0]: _of_task(outcome)}
        async with self._round.splitting:
            found = await self._split(ids, outcome)
        return {**found, **await self._each([task_id for task_id in ids if task_id not in found])}

    async def _each(self, ids: Sequence[str]) -> TaskResults:
        return {task_id: result for single in ids for task_id, result in (await self.fetch([single])).items()}

    async def _call(self, ids: Sequence[str]) -> TaskResults | BadRequestError | TaskGoneError:
        """One call; an error is returned where the batch may be split for it."""
        results: TaskResults = {}
        try:
            results = await self._fetch(ids)
            self._round.succeeded = True
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
        if meaning_of_error(error) is SINGLE_ID and key not in self._round.no_split_for:
            return {} if self._source.batch == 1 else await self._single(ids, key)
        if _split(error) is Split.NEVER or key in self._round.no_split_for:
            return _of_call(ids, error)
        return await self._halve(ids, error)

    async def _single(self, ids: Sequence[str], key: tuple[str, str | None]) -> TaskResults:
        """Try a single id; if it is accepted, all later calls have one id."""
        outcome = await self._call(ids[:1])
        if isinstance(outcome, CloudError) and meaning_of_error(outcome) is SINGLE_ID:
            self._round.no_split_for.add(key)
            return _of_call(ids, outcome)
        self._source.batch = 1
        return {ids[0]: _of_task(outcome)} if isinstance(outcome, CloudError) else outcome

    async def _halve(self, ids: Sequence[str], error: CloudError) -> TaskResults:
        if len(ids) == 1:
            return {ids[0]: _of_task(error)}
        half = (len(ids) + 1) // 2
        outcomes = [(part, await self._extra(part, error)) for part in (ids[:half], ids[half:])]
        if not await self._about_an_id(ids, error, [outcome for _, outcome in outcomes]):
            self._round.no_split_for.add((error.code, error.error_code))
            return _of_call(ids, error)
        found: dict[str, TaskResult] = {}
        for part, outcome in outcomes:
            found |= await self._halve(part, outcome) if isinstance(outcome, CloudError) else outcome
        return found

    async def _about_an_id(self, ids: Sequence[str], error: CloudError, outcomes: Sequence[object]) -> bool:
        """Return whether splitting further helps."""
        if (
            _split(error) is Split.ALWAYS
            or self._round.succeeded
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
        if not self._round.extra_calls:
            return _of_call(ids, error)
        self._round.extra_calls -= 1
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
