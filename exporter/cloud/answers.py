"""What answers have in common: an array of results with an error for each item, or one object `job`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from exporter.cloud.errors import DecodeError, TaskGoneError, TaskRefusedError, is_gone, is_wrong_state
from exporter.cloud.fields import Text, Wire
from exporter.model import DELETED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.client import Client
    from exporter.cloud.fields import Losses
    from exporter.cloud.operations import Operation
    from exporter.cloud.source import Answer

W = TypeVar("W", bound=Wire)

_FAILED = "failed"  # of an item, not of a task


def read_results(
    operation: str, body: Mapping[str, Any], model: type[W], losses: Losses, keys: Sequence[str] = ("results",)
) -> list[W]:
    """The decoded items of a v3 batch answer; raises `DecodeError` where there is no array."""
    for key in keys:
        if isinstance(items := body.get(key), list):
            return model.read_all(items, losses)
    losses.count += 1
    raise DecodeError(operation, "decode")


def item_error(operation: str, error_code: str | None, *statuses: str | None) -> Answer | None:
    """What an item of a good answer says against its task: that it is gone, or an error in place of facts.

    A failed task shows the code of its failure beside its facts, with its status; that is no error of the answer.
    """
    if is_gone(error_code) or DELETED in statuses:
        return TaskGoneError(operation, "200", error_code)
    if is_wrong_state(error_code):
        return ()
    known = any(status is not None and status != _FAILED for status in statuses)
    refused = _FAILED in statuses or (error_code is not None and not known)
    return TaskRefusedError(operation, "200", error_code) if refused else None


class _Status(Wire):
    status: Text = None


async def read_job(
    client: Client,
    operation: Operation,
    job_id: str,
    model: type[W],
    losses: Losses,
    *query: tuple[str, str | int],
) -> W:
    """The object `job` of v5 "Querying Task Details", which wraps every type.

    Raises:
        CloudError: of the call; `TaskGoneError` where the task was just deleted; `DecodeError`.
    """
    answer = await client.call(operation, job_id=job_id, query=query)
    wrapped = answer.get("job")
    job = model.read(wrapped, losses)
    if job is None:
        raise DecodeError(operation.name, "decode")
    status = _Status.read(wrapped, losses)
    if status is not None and status.status == DELETED:
        raise TaskGoneError(operation.name, "200")
    return job
