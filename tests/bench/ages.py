"""The ages of facts by tasks, rate limit and API, in virtual time: of the scheduler alone, and of the whole daemon."""

from __future__ import annotations

import multiprocessing
from bisect import bisect_left
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate

from exporter.runtime import logs
from tests.bench.measure import Table
from tests.lib.daemon import DAY, HOUR
from tests.lib.scheduling import simulation, work_of
from tests.lib.updates import Fleet, Polls, below, grows_with_demand, polls_of
from tests.lib.virtual_time import simulate

_APIS = ("v3", "auto", "v5")
_SIZES = (
    *((tasks, 3.0, DAY) for tasks in (5, 100, 1000, 10_000)),
    *((tasks, 20.0, 6 * HOUR) for tasks in (1000, 10_000)),
)
"""Tasks, calls a second, and simulated seconds."""
_PARTS = 10
"""Moments of each gap at which an age is looked at."""
_COLUMNS = ("progress", "node", "detail", "comparison", "quota")
_FLEETS = (
    *(Fleet(5, api, 24) for api in _APIS),
    *(Fleet(100, api, hours) for api, hours in zip(_APIS, (8, 8, 6), strict=True)),
    *(Fleet(1000, api, 1) for api in _APIS),
)


def ages_by_rate_limit() -> Table:
    """The ages by rate limit."""
    rows = [
        (f"{tasks:,}", f"{rate:g}", api, *_ages(api, tasks, rate, seconds))
        for tasks, rate, seconds in _SIZES
        for api in _APIS
    ]
    head = ("active tasks", "calls/s", "api", "calls a minute", "delay", "node load", "details", "comparison", "quota")
    return Table("Ages by rate limit", head, rows)


def ages_of_daemon() -> Table:
    """The ages of facts of the whole daemon."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        rows = [*pool.map(_measured, _FLEETS)]
    head = (
        *("active tasks", "api", "hours", "calls a minute", "calls needed / allowed"),
        *("delay", "node load", "growth of delays", "growth of other facts"),
    )
    return Table("Ages with the whole daemon", head, rows)


def _measured(fleet: Fleet) -> list[str]:
    logs.configure("error", "logfmt")
    return daemon_row(fleet, simulate(polls_of(fleet)))


def daemon_row(fleet: Fleet, polls: Polls) -> list[str]:
    """Return the row of a simulation."""
    ages = (_quantiles([gap.seconds for gap in polls.gaps.get(name, ())]) for name in ("progress", "node"))
    growth = {True: 1.0, False: 1.0}
    for facts in polls.last:
        of_delays, ratios = grows_with_demand(facts), [gap.growth for gap in polls.all_gaps(facts)]
        growth[of_delays] = max(growth[of_delays], below(0.95, ratios))
    return [
        *(f"{fleet.active:,}", fleet.api, f"{fleet.hours:g}", f"{polls.calls_a_minute:.0f}", f"{polls.demand:.2f}"),
        *(text.replace("over a day", "-") for text in ages),
        *(f"{growth[of_delays]:.2f}" for of_delays in (True, False)),
    ]


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
