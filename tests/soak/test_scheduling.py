"""A day of the scheduler alone: how old facts become when there are more calls than are allowed, and during a wave."""

from __future__ import annotations

from statistics import fmean, quantiles

import pytest

from exporter.config import Poll
from tests.lib.daemon import DAY, HOUR
from tests.lib.scheduling import simulation, wave_of, work_of


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


@pytest.mark.parametrize("interval", [1.0, 10.0])
@pytest.mark.parametrize(("api", "rate"), [("v3", 0.6), ("v3", 1.5), ("auto", 1.5), ("v5", 3.0)])
async def test_a_wave_of_twelve_among_three_hundred_tasks(api: str, rate: float, interval: float) -> None:
    wave, others = wave_of(api, 12, interval, rate), work_of(api, 288)
    overload = sum(work.demand for work in others) / (rate / 2)
    gaps = await simulation([*wave, *others], 6 * HOUR, rate)
    assert overload > 1
    for work, each in zip(wave, gaps, strict=False):
        assert max(each) <= work.interval + 2 / rate, work  # never later than after a call of the others
    for work, each in zip(others, gaps[len(wave) :], strict=True):
        growth = max(each, default=0.0) / work.interval
        assert growth <= 1.1 * overload * (1 if work.collector in {"progress", "tasks"} else 4), work
        if work.collector == "quota":
            assert max(each) <= 1.1 * HOUR
