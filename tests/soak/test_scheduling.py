"""A day of the scheduler alone: how old facts become when there are more calls than are allowed."""

from __future__ import annotations

from statistics import fmean, quantiles

import pytest

from exporter.config import Poll
from tests.lib.daemon import DAY
from tests.lib.scheduling import simulation, work_of


@pytest.mark.parametrize("tasks", [5, 100, 1000, 10_000])
@pytest.mark.parametrize("api", ["v3", "auto", "v5"])
async def test_a_day_of_calls(api: str, tasks: int) -> None:
    works = work_of(api, tasks)
    overload = sum(work.demand for work in works) / Poll().rate_limit
    for work, gaps in zip(works, await simulation(works, DAY), strict=True):
        if overload < 1:
            assert quantiles(gaps, n=20)[-1] <= work.interval + 10, work
        elif gaps:
            growth = fmean(gaps) / work.interval
            assert growth <= 1.02 * max(1, overload) * (1 if work.collector in {"progress", "tasks"} else 4), work
        if work.collector == "quota":
            assert max(gaps) <= 1.1 * 3600
