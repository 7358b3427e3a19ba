"""The rules of all v3 batches: which ids are valid, and the response for one invalid id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from exporter.simulator.protocol import Answer, Json, Refusal, RefusalWithBody
from exporter.simulator.world.figures import RELEASED

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.simulator.protocol import Request
    from exporter.simulator.world.world import Found, World

# Not quite a UUID: the last group ends in letters that say what the task is.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-z]{12}")


class Batch(NamedTuple):
    """The format of the items of one operation.

    Attributes:
        success: 202 for some reads.
        id_key, message_key: ``job_id`` and ``error_msg`` here, ``id`` and ``error_message`` there.
        item: the item of a task that was found, or why it has none.
        parents: whether virtual parents may be asked for.
        released: whether tasks whose node is gone may be asked for.
        deleted: whether tasks that were deleted a moment ago may be asked for.
    """

    success: int
    id_key: str
    message_key: str
    item: Callable[[World, Found], Json | Problem]
    parents: bool = False
    released: bool = False
    deleted: bool = False


class Problem(NamedTuple):
    """The reason why an item has no facts."""

    code: str
    message: str


MISSING = Problem("DRS.M05004", "The task does not exist, or has been deleted or released.")
ONLY_SUBTASKS = Problem("DRS.M00307", "Only subtasks can call this API.")


def requested_ids(world: World, body: Json) -> list[str]:
    """The ids of the body's ``jobs``.

    Raises:
        Refusal: empty, malformed, repeated, or too many.
    """
    ids = body.get("jobs")
    if not isinstance(ids, list) or not ids or not all(isinstance(i, str) and _ID.fullmatch(i) for i in ids):
        raise Refusal(400, "DRS.M00200", "Parameter error: jobs must be a list of task ids in the UUID format.")
    if len(set(ids)) < len(ids):
        raise Refusal(400, "DRS.M00301", "Duplicate task ids.")
    if world.single_id_only and len(ids) > 1:
        raise Refusal(400, "DRS.M00299", "Only one jobId is allowed.")
    if len(ids) > world.batch_limit:
        raise Refusal(400, "DRS.M00300", f"The number of tasks exceeds {world.batch_limit}.")
    return ids


def run(world: World, request: Request, batch: Batch) -> list[Json]:
    """One item for each id.

    Raises:
        RefusalWithBody: the only id of the batch is bad, or one of many where the world refuses the whole;
            the code then stands in ``results[0]`` of a 400 and nowhere else.
    """
    ids = requested_ids(world, request.json())
    outcomes = [_outcome(world, identity, request.now, batch) for identity in ids]
    items = [_item(identity, outcome, batch) for identity, outcome in zip(ids, outcomes, strict=True)]
    bad = [item for item, outcome in zip(items, outcomes, strict=True) if isinstance(outcome, Problem)]
    if bad and (len(ids) == 1 or world.mixed_batches == "whole"):
        raise RefusalWithBody(400, {"count": len(bad), "results": bad})
    return items


def _outcome(world: World, identity: str, now: float, batch: Batch) -> Json | Problem:
    found = world.find(identity, now)
    return MISSING if found is None else _refused(found, batch) or batch.item(world, found)


def _item(identity: str, outcome: Json | Problem, batch: Batch) -> Json:
    if isinstance(outcome, Problem):
        return {batch.id_key: identity, "error_code": outcome.code, batch.message_key: outcome.message}
    return outcome


def _refused(found: Found, batch: Batch) -> Problem | None:
    status = found.moment.status
    if not found.task.words.v3 or (status == "DELETED" and not batch.deleted):
        return MISSING
    if status in RELEASED and not batch.released:
        return MISSING
    return ONLY_SUBTASKS if found.task.is_virtual and not batch.parents else None


def answer(world: World, request: Request, batch: Batch, endpoint: str) -> Answer:
    """The whole answer of a batch without pages."""
    items = run(world, request, batch)
    return Answer(batch.success, world.wire(endpoint, {"count": len(items), "results": items}))
