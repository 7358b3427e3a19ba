"""The common parts of responses: an array of results with an error for each item, or one object `job`.

A response, or an item of it, about another task than the requested one is dropped.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import AliasChoices, Field

from exporter.cloud.http.error_codes import GONE, WRONG_STATE, documented
from exporter.cloud.http.errors import DecodeError, TaskError, TaskGoneError
from exporter.cloud.http.response import has_error
from exporter.cloud.operations import Operation
from exporter.cloud.source import DecodeErrors, ErrorsByCollector, TaskResult, TaskResults
from exporter.cloud.wire.fields import ErrorCode, Wire, Word, alias, is_null
from exporter.model.facts import TaskFacts
from exporter.model.task import DELETED

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client


class BatchItemWire(Wire):
    """An item of a v3 batch: what it contains about one task."""

    operation: ClassVar[Operation]
    collector: ClassVar[str]
    arrays: ClassVar[tuple[str, ...]] = ("results",)
    """Names of the array; the first one that the response has counts."""
    job_id: str = Field(min_length=1, max_length=64, validation_alias=AliasChoices("job_id", "id"))
    status: Word = None
    error_code: ErrorCode = None

    def result(self) -> TaskResult:
        """Return the facts, or the error of this task alone."""
        error = self.error()
        return self.facts() if error is None else error

    @classmethod
    async def fetch(cls, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        """Fetch what one call returns about some tasks; raises `CloudError`."""
        return cls.read_results(await client.call(cls.operation, body={"jobs": list(ids)}), errors[cls.collector], ids)

    @classmethod
    def read_results(
        cls,
        body: Mapping[str, Any],
        errors: DecodeErrors,
        ids: Sequence[str],
        result: Callable[[Self], TaskResult] | None = None,
    ) -> dict[str, TaskResult]:
        """Read the results in a response, by task id; `result` replaces the method of the item.

        An item about several tasks, or about a task that was not requested, counts as a decode error. So does a second
        item about a task; if the two differ, both are dropped.

        Raises:
            DecodeError: there is no array, or an error beside it.
        """
        items = next((body[key] for key in cls.arrays if isinstance(body.get(key), list)), None)
        if items is None or has_error(body):
            errors.count += 1
            raise DecodeError(cls.operation.name, "decode")
        result = result or cls.result
        results: dict[str, TaskResult] = {}
        for value in items:
            item = cls.read(value, errors)
            if item is None:
                continue
            known = results.get(item.job_id)
            if item.job_id not in ids or not about(value, item.job_id):
                errors.count += 1
            elif known is None:
                results[item.job_id] = result(item)
            else:
                errors.count += 1
                if known != result(item):
                    results[item.job_id] = TaskError(cls.operation.name, "decode")
        return results

    @abstractmethod
    def facts(self) -> tuple[TaskFacts, ...]:
        """Return the facts of an item without an error."""

    def error(self) -> TaskResult | None:
        """Return the result in place of facts; None: the item has facts."""
        return item_error(self.operation.name, self.error_code, self.status)


_FAILED = "failed"  # of an item, not of a task


def item_error(operation: str, error_code: str | None, *statuses: str | None) -> TaskResult | None:
    """Return the result in place of facts (the task is deleted, or its error); None: the item has facts.

    A failed task shows the code of its failure beside its facts, with its status; that is no error of the response.
    """
    meaning = documented(error_code)
    if meaning is GONE or DELETED in statuses:
        return TaskGoneError(operation, "200", error_code)
    if meaning is WRONG_STATE:
        return ()
    known = any(status is not None and status != _FAILED for status in statuses)
    refused = _FAILED in statuses or (error_code is not None and not known)
    return TaskError(operation, "200", error_code) if refused else None


def about(body: Mapping[str, Any], job_id: str) -> bool:
    """Return whether a response is about a task: each id that it contains is the requested one."""
    first, second = body.get("id"), body.get("job_id")
    return (first == job_id or is_null(first)) and (second == job_id or is_null(second))


def require_about(operation: str, body: Mapping[str, Any], job_id: str, errors: DecodeErrors) -> None:
    """Raise `DecodeError`, and count it, if a response is about another task."""
    if not about(body, job_id):
        errors.count += 1
        raise DecodeError(operation, "decode")


class JobWire(Wire):
    """The object `job` of v5 "Querying Task Details"; each type fills other blocks of it."""

    task_status: Word = alias("status")


J = TypeVar("J", bound=JobWire)


async def read_job(
    client: Client,
    operation: Operation,
    job_id: str,
    model: type[J],
    errors: DecodeErrors,
    *query: tuple[str, str | int],
) -> J:
    """The object `job` of v5 "Querying Task Details", which wraps every type.

    Raises:
        CloudError: of the call; `TaskGoneError` where the task was just deleted; `DecodeError`, also where the response
            is about another task, or contains an error beside the object.
    """
    return job_in(operation, await client.call(operation, job_id=job_id, query=query), job_id, model, errors)


def job_in(operation: Operation, response: Mapping[str, Any], job_id: str, model: type[J], errors: DecodeErrors) -> J:
    """The object `job` of a response; raises what `read_job` does."""
    wrapped = response.get("job")
    job = model.read(wrapped, errors)
    if job is None or not isinstance(wrapped, dict):
        raise DecodeError(operation.name, "decode")
    require_about(operation.name, wrapped, job_id, errors)
    if has_error({key: value for key, value in response.items() if key != "job"}):
        errors.count += 1
        raise DecodeError(operation.name, "decode")
    if job.task_status == DELETED:
        raise TaskGoneError(operation.name, "200")
    return job
