"""Pages of lists: page numbers in v3, record offsets in v5, and the ways in which pages go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from exporter.simulator.protocol import Refusal
from exporter.simulator.world.formats import uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.simulator.protocol import Json, Request

Item = TypeVar("Item")


def page(
    request: Request,
    items: Sequence[Item],
    *,
    start: int,
    size: int,
    render: Callable[[Item], Any],
    keys: tuple[str, str] = ("jobs", "total_count"),
) -> Json:
    """A page of the list from record ``start`` on, with the total of all pages beside it.

    A page fault of the request (see faults) makes it short, the first one again, or one of endlessly many, or its total
    wrong.

    Raises:
        Refusal: a fault wants pages beyond the end refused.
    """
    fault = request.page_fault
    if fault == "page_past_end" and start >= len(items) > 0:
        raise Refusal(400, "DRS.M00210", "Invalid page number.")
    begin = 0 if fault in {"repeat_page", "endless_pages"} else start
    shown = [render(item) for item in items[begin : begin + size]]
    total = len(items)
    if fault == "short_page":
        shown = shown[: max(len(shown) // 2, 1)]
    if fault == "endless_pages":
        shown = [_renamed(item, start) for item in shown]
        total = start + 2 * max(size, 1)
    if fault in {"wrong_total", "page_past_end"}:
        total += 1
    return {keys[0]: shown, keys[1]: total}


def _renamed(item: Any, start: int) -> Any:
    # Every page is full of tasks never seen before.
    if not isinstance(item, dict) or "id" not in item:
        return item
    return {**item, "id": uuid(item["id"], start)[:31] + str(item["id"])[31:]}
