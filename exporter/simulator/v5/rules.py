"""Rules of all v5 operations: offsets, the only error, and tasks that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.simulator.protocol import Refusal

if TYPE_CHECKING:
    from exporter.simulator.protocol import Request
    from exporter.simulator.world.world import Found, World

DEFAULT_LIMIT = 10
LARGEST_LIMIT = 1000


def window(request: Request, *, default: int = DEFAULT_LIMIT) -> tuple[int, int]:
    """Offset (records, not pages) and limit.

    Raises:
        Refusal: not a number, or out of range.
    """
    try:
        offset, limit = (int(request.query.get(key) or usual) for key, usual in (("offset", 0), ("limit", default)))
    except ValueError:
        raise failed() from None
    if offset < 0 or not 1 <= limit <= LARGEST_LIMIT:
        raise failed()
    return offset, limit


def failed() -> Refusal:
    """All that v5 says about a bad request."""
    return Refusal(400, "DRS.10000001", "Failed.")


def found_task(world: World, request: Request, *, deleted: bool = False) -> Found:
    """The task of the path; the detail also answers for one that was deleted a moment ago.

    Raises:
        Refusal: it does not exist, which v5 answers with 400, never 404.
    """
    found = world.find(request.args["job"], request.now)
    if found is None or (found.moment.status == "DELETED" and not deleted):
        raise Refusal(400, "DRS.10000010", "Job does not exist, please check job ID.")
    return found
