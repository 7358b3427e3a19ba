"""The whole daemon for hours: how many calls a minute it makes, and how old facts become, with the default settings."""

from __future__ import annotations

import os

import pytest

from tests.lib.updates import Fleet, Polls, below, grows_with_demand, polls_of

HOURS = float(os.environ.get("SOAK_HOURS", "0"))
"""Of each simulation of at most 100 tasks on v3 or v5; without it, three hours, or none at all for 100 tasks."""
LONGEST = {
    "tasks": 30,
    "progress": 30,
    "recovery": 30,
    "switchover": 30,
    "node": 120,
    "monitor": 300,
    "async_jobs": 300,
    "detail": 600,
    "objects": 10 * 120,
    "comparison": 10 * 300,
    "quota": 3600,
    "writable": 10 * 600,
}
"""Seconds between two queries of the same facts of a task, once they have settled."""

LATE = {"node": 60, "tasks": 20}
"""Seconds by which facts may be late, other than 10, in a project with lists of 100 pages: these are read as a whole
every five minutes, and the rest of the statuses waits for that."""
MAX_AGE = 90
"""The default of `cutover.max_age`: older delays and statuses make no task ready."""


def holds_always(polls: Polls, fleet: Fleet) -> None:
    """Assert that each task has a delay, that the daemon plans no query too late, and that quotas are on time."""
    assert len(polls.page.samples("drs_task_incremental_delay_seconds")) == fleet.active
    assert len(polls.last["progress"]) == len(polls.last["tasks"]) == fleet.active
    for facts in polls.last:
        assert max(gap.planned for gap in polls.all_gaps(facts)) <= LONGEST[facts], facts
    assert ("quota" in polls.last) == (fleet.api != "v5")  # v5 has no such operation
    assert all(gap.seconds <= 1.1 * 3600 for facts in ("quota", "async_jobs") for gap in polls.all_gaps(facts))


@pytest.mark.parametrize(
    ("fleet", "calls"),
    [
        (Fleet(5, "v3", HOURS or 3), 12),
        (Fleet(5, "auto", 24), 16),
        (Fleet(5, "v5", HOURS or 3), 20),
        (Fleet(100, "auto", 24), 110),
        *([(Fleet(100, "v3", HOURS), 45)] if HOURS else []),
        (Fleet(100, "auto", 1, ended=9900), 130),
    ],
    ids=str,
)
async def test_facts_of_a_known_project_are_on_time_and_take_few_calls(fleet: Fleet, calls: float) -> None:
    polls = await polls_of(fleet)
    holds_always(polls, fleet)
    assert polls.calls_a_minute <= calls, polls.calls
    assert polls.demand < 1
    assert len(polls.last["detail"]) == len(polls.last["comparison"]) == fleet.active
    for facts in polls.last:
        late = below(0.95, [gap.seconds - gap.planned for gap in polls.all_gaps(facts)])
        assert late <= (LATE.get(facts, 10) if fleet.ended else 10), facts
    for facts in ("tasks", "progress", "recovery"):
        assert max((gap.seconds for gap in polls.all_gaps(facts)), default=0.0) < MAX_AGE, facts
    intervals = polls.page.by("collector", "drs_exporter_collector_interval_seconds")
    oldest = polls.page.by("collector", "drs_exporter_collector_oldest_seconds")
    assert all(age <= 10.5 * intervals[collector] + 10 for collector, age in oldest.items())


@pytest.mark.parametrize(
    "fleet",
    [
        Fleet(1000, "v5", 1),
        *([Fleet(100, "v5", HOURS), Fleet(1000, "v3", 1), Fleet(1000, "auto", 1)] if HOURS else []),
    ],
    ids=str,
)
async def test_facts_of_a_project_with_too_many_calls_age_with_their_number(fleet: Fleet) -> None:
    polls = await polls_of(fleet)
    holds_always(polls, fleet)
    assert polls.demand > 1
    for facts in polls.last:
        growth = [gap.growth for gap in polls.all_gaps(facts)]
        assert max(growth) <= 4 * polls.demand, facts
        if grows_with_demand(facts):
            assert below(0.95, growth) <= polls.demand, facts
    if fleet.hours * 3600 > 4 * polls.demand * LONGEST["detail"]:
        assert len(polls.last["detail"]) == fleet.active
