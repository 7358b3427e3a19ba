"""The ages of facts by tasks, rate limit and API: the scheduler alone, in virtual time."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from tests.bench.measure import Table
from tests.lib.daemon import DAY, HOUR
from tests.lib.scheduling import simulation, work_of
from tests.lib.virtual_time import simulate

_SIZES = (
    *((tasks, 3.0, DAY) for tasks in (5, 100, 1000, 10_000)),
    *((tasks, 20.0, 6 * HOUR) for tasks in (1000, 10_000)),
)
"""Tasks, calls a second, and simulated seconds."""
_PARTS = 10
"""Moments of each gap at which an age is looked at."""
_COLUMNS = ("progress", "node", "detail", "comparison", "quota")


def ages_by_rate_limit() -> Table:
    """The ages by rate limit."""
    rows = [
        (f"{tasks:,}", f"{rate:g}", api, *_ages(api, tasks, rate, seconds))
        for tasks, rate, seconds in _SIZES
        for api in ("v3", "auto", "v5")
    ]
    head = ("active tasks", "calls/s", "api", "calls a minute", "delay", "node load", "details", "comparison", "quota")
    return Table("Ages by rate limit", head, rows)


def _ages(api: str, tasks: int, rate: float, seconds: float) -> list[str]:
    works, found = work_of(api, tasks), dict[str, str]()
    for work, gaps in zip(works, simulate(simulation(works, seconds, rate)), strict=True):
        found.setdefault(work.collector, _quantiles(gaps))
    if api == "v5":
        found["node"] = found["progress"]  # one call returns both
    calls = min(60 * rate, 60 * sum(work.demand for work in works))
    return [f"{calls:.0f}", *(found.get(name, "-") for name in _COLUMNS)]


def _quantiles(gaps: list[float]) -> str:
    """Median, 95th percentile and the oldest of the ages at any moment: between two updates an age grows to the gap."""
    if not gaps:
        return "over a day"
    weighted = sorted((gap * (part + 0.5) / _PARTS, gap) for gap in gaps for part in range(_PARTS))
    shares = list(accumulate(gap for _, gap in weighted))
    middle, most = (weighted[bisect_left(shares, share * shares[-1])][0] for share in (0.5, 0.95))
    return " / ".join(f"{seconds:,.0f}" for seconds in (middle, most, max(gaps)))
