"""The parts of the benchmark; each runs in a process of its own, whose memory no other part has touched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.bench import calls, cycle, history, live, needs, pages, paper, start

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.bench.measure import Result

PARTS: dict[str, tuple[Callable[..., Coroutine[None, None, Result]], tuple[Any, ...], tuple[Any, ...]]] = {
    "needs": (needs.measure, ((100, 1000, 10_000), 60.0), ((2, 6, 12), 1.0)),
    "pages": (pages.measure, (10_000, 3), (20, 1)),
    "calls": (calls.measure, (200, 3), (2, 1)),
    "cycle": (cycle.measure, (10_000, 2), (12, 1)),
    "history": (history.measure, (10_000, 40), (5, 3)),
    "live": (live.measure, (10_000, 30), (12, 1)),
    "start": (start.measure, (5,), (1,)),
    "paper": (paper.measure, (10_000, 400.0), (60, 60.0)),
}
"""By part: the function that measures, its arguments, and smaller arguments for a test."""


def run(part: str, *, small: bool = False) -> Result:
    """One part."""
    measure, much, little = PARTS[part]
    return asyncio.run(measure(*(little if small else much)))
