"""Splits a batch of task ids that the cloud refuses because of one of them, within a bounded number of calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exporter.cloud.http.error_codes import SINGLE_ID, Split
from exporter.cloud.http.errors import (
    BadRequestError,
    CloudError,
    EmptyResultError,
    TaskGoneError,
    TaskRefusedError,
    is_wrong_state,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.source import Answer, Source

_FEWEST_EXTRA_CALLS = 16
"""Two bad ids in a batch of ten are found within these."""


class Splitter:
    """The calls of one round of a source.

    Splitting adds at most as many calls as the round has batches, and 16 in small rounds. For an error that is not
    documented to be about an id, a batch is split only where some call of the round succeeds: if both halves fail in
    the same way, and one id of them by itself as well, the error is not about an id.

    Args:
        source: makes the calls; its `batch` falls to one where the cloud accepts no more ids.
        batches: how many there are in the round.
    """

    def __init__(self, source: Source, batches: int) -> None:
        self._source = source
        self._extra_calls = max(_FEWEST_EXTRA_CALLS, batches)
        self._succeeded = False
        self._pointless: set[tuple[str, str | None]] = set()
        """The errors, by status and code, for which splitting did not help."""
        self._splitting = asyncio.Lock()
        """One batch after the other: what is found for the first holds for the others."""

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, Answer]:
        """The answers for a batch: facts, the error of a task, or for all of them the error of the call."""
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

    async def _each(self, ids: Sequence[str]) -> Mapping[str, Answer]:
        return {task_id: answer for one in ids for task_id, answer in (await self.fetch([one])).items()}

    async def _call(self, ids: Sequence[str]) -> Mapping[str, Answer] | BadRequestError | TaskGoneError:
        """One call; an error is returned where the batch may be split for it."""
        answers: Mapping[str, Answer] = {}
        try:
            answers = await self._source.fetch(ids)
            self._succeeded = True
        except (BadRequestError, TaskGoneError) as error:
            return error
        except EmptyResultError:
            pass
        except CloudError as error:
            return dict.fromkeys(ids, error)
        return {one: answers.get(one, TaskRefusedError(self._source.name, "missing")) for one in ids}

    async def _split(self, ids: Sequence[str], error: CloudError) -> Mapping[str, Answer]:
        """The answers for a batch that was refused; those that are missing are to be fetched one by one."""
        key = error.code, error.error_code
        if error.meaning is SINGLE_ID and key not in self._pointless:
            return {} if self._source.batch == 1 else await self._single(ids, key)
        if _split(error) is Split.NEVER or key in self._pointless:
            return _of_call(ids, error)
        return await self._halve(ids, error)

    async def _single(self, ids: Sequence[str], key: tuple[str, str | None]) -> Mapping[str, Answer]:
        """Whether single ids are accepted, by trying one."""
        outcome = await self._call(ids[:1])
        if isinstance(outcome, CloudError) and outcome.meaning is SINGLE_ID:
            self._pointless.add(key)
            return _of_call(ids, outcome)
        self._source.batch = 1
        return {ids[0]: _of_task(outcome)} if isinstance(outcome, CloudError) else outcome

    async def _halve(self, ids: Sequence[str], error: CloudError) -> Mapping[str, Answer]:
        if len(ids) == 1:
            return {ids[0]: _of_task(error)}
        half = (len(ids) + 1) // 2
        outcomes = [(part, await self._extra(part, error)) for part in (ids[:half], ids[half:])]
        if not await self._about_an_id(ids, error, [outcome for _, outcome in outcomes]):
            self._pointless.add((error.code, error.error_code))
            return _of_call(ids, error)
        found: dict[str, Answer] = {}
        for part, outcome in outcomes:
            found |= await self._halve(part, outcome) if isinstance(outcome, CloudError) else outcome
        return found

    async def _about_an_id(self, ids: Sequence[str], error: CloudError, outcomes: Sequence[object]) -> bool:
        """Whether it helps to split further."""
        if _split(error) is Split.ALWAYS or self._succeeded or not all(_alike(one, error) for one in outcomes):
            return True
        if len(ids) <= 2:  # noqa: PLR2004 - both were called by themselves
            return False
        # The bad ids may be in both halves. Another id each time, so that in the end a good one is among them.
        self._source.probed += 1
        return not _alike(await self._extra([ids[self._source.probed % len(ids)]], error), error)

    async def _extra(self, ids: Sequence[str], error: CloudError) -> Mapping[str, Answer] | CloudError:
        """One call more, as long as some are left."""
        if not self._extra_calls:
            return _of_call(ids, error)
        self._extra_calls -= 1
        return await self._call(ids)


def _split(error: CloudError) -> Split:
    return Split.NEVER if error.meaning is None else error.meaning.split


def _alike(outcome: object, error: CloudError) -> bool:
    return isinstance(outcome, CloudError) and (outcome.code, outcome.error_code) == (error.code, error.error_code)


def _of_call(ids: Sequence[str], error: CloudError) -> Mapping[str, Answer]:
    """The error of a call, which says nothing about any of these tasks."""
    return dict.fromkeys(ids, BadRequestError(error.operation, error.code, error.error_code))


def _of_task(error: CloudError) -> Answer:
    """The answer for the only id of a call."""
    if isinstance(error, TaskGoneError) or _split(error) is Split.NEVER:
        return error
    if is_wrong_state(error.error_code):
        return ()
    return TaskRefusedError(error.operation, error.code, error.error_code)
