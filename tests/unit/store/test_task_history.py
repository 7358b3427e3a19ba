"""The history of tasks in a store: what is recorded, and when it is removed."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from exporter.config import TaskRule, Tasks
from exporter.model.details import Detail
from exporter.model.facts import Node, Progress
from exporter.model.filters import TaskFilter
from exporter.model.task import Phase
from exporter.model.timeline import HOUR, Point
from tests.lib.daemon import Scrape, StoreFixture, listed_task
from tests.lib.virtual_time import EPOCH, now

CATCH_UP = "drs_task_predicted_catch_up_seconds"
LOAD_END = "drs_task_predicted_full_load_end_timestamp_seconds"


def points(fixture: StoreFixture, task_id: str = "a") -> list[Point]:
    timeline = fixture.store.timeline(task_id)
    return [] if timeline is None else [point._replace(at=point.at - EPOCH) for point in timeline.points(HOUR)]


async def poll(fixture: StoreFixture, seconds: float) -> None:
    """Receive lists and progress every 30 seconds."""
    for _ in range(int(seconds // 30)):
        await asyncio.sleep(30)
        await fixture.lists(listed_task())
        progress = Progress(delay_seconds=1, full_ratio=1, apply_rows_per_second=7)
        await fixture.page_with({"a": [progress]})


async def test_the_values_of_a_task_are_recorded_once_a_minute() -> None:
    fixture = StoreFixture()
    await poll(fixture, 300)
    # The first list precedes the first progress.
    assert points(fixture)[0] == Point(30, phase=Phase.INCREMENTAL, ready=False)
    assert points(fixture)[1:] == [Point(at, 1, 1, 7, Phase.INCREMENTAL, ready=True) for at in (90, 150, 210, 270)]


async def test_a_delay_is_recorded_with_the_time_at_which_it_was_received() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    for _ in range(4):
        await asyncio.sleep(150)
        await fixture.page_with({"a": [Progress(delay_seconds=1)]})
        for _ in range(3):
            await asyncio.sleep(50)
            await fixture.lists(listed_task())
    assert [point.at for point in points(fixture) if point.delay_seconds is not None] == [150, 450, 750, 1050]


async def test_nothing_is_recorded_while_nothing_is_received() -> None:
    fixture = StoreFixture()
    await poll(fixture, 300)
    for _ in range(120):
        await fixture.scrape(5)
    await poll(fixture, 300)
    known = [point.at for point in points(fixture) if point.delay_seconds is not None]
    assert known == [90, 150, 210, 270, 990, 1050, 1110, 1170]
    assert [point.at for point in points(fixture) if point.phase is None and point.delay_seconds is None] == []


@pytest.mark.parametrize(("delay", "known"), [(1, True), (5, True), (40, False)])
async def test_a_delay_that_has_just_jumped_has_no_trend(delay: float, known: bool) -> None:  # noqa: FBT001
    fixture = StoreFixture()
    await poll(fixture, 600)
    await asyncio.sleep(10)
    await fixture.page_with({"a": [Progress(delay_seconds=delay)]})
    (task,) = fixture.store.tasks()
    assert (task.predicted.delay_slope is not None) is known


async def test_a_delay_that_has_expired_is_unknown_while_the_lists_go_on() -> None:
    fixture = StoreFixture()
    await poll(fixture, 300)
    for _ in range(20):
        await asyncio.sleep(30)
        await fixture.lists(listed_task())
        await fixture.scrape()
    shown = points(fixture)
    assert [point.at for point in shown if point.delay_seconds is not None][-1] == 270
    unknown = [point for point in shown[5:] if point.delay_seconds is None]
    assert [point.at for point in unknown] == [630, 690, 750, 810, 870]
    assert {point.phase for point in unknown} == {Phase.INCREMENTAL}


async def test_the_rows_are_those_of_the_facts_that_missed_no_poll() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    await asyncio.sleep(60)
    await fixture.page_with({"a": [Node(apply_rows_per_second=5), Progress()]})
    await asyncio.sleep(60)
    await fixture.page_with({"a": [Progress(apply_rows_per_second=6)]})
    assert [point.rows_per_second for point in points(fixture)] == [None, 5, 6]


async def test_a_task_that_has_ended_or_was_never_started_has_no_history() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    assert fixture.store.timeline("a")
    await fixture.lists(listed_task(status="RELEASE_RESOURCE_COMPLETE"))
    assert fixture.store.timeline("a") is None
    await fixture.lists(listed_task("b", status="CONFIGURATION"))
    assert fixture.store.timeline("b") is None


async def test_the_history_of_a_removed_task_is_removed() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    assert fixture.store.timeline("a")
    for _ in range(2):
        await asyncio.sleep(30)
        await fixture.lists(listed_task("b"))
    assert fixture.store.timeline("a") is None
    await asyncio.sleep(30)
    await fixture.lists(listed_task())
    assert [point.at for point in points(fixture)] == [90]


@pytest.mark.parametrize("seconds", [0.0, 600.0])
async def test_the_history_names_the_time_of_its_first_point(seconds: float) -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    await asyncio.sleep(seconds)
    timeline = fixture.store.timeline("a")
    assert timeline
    assert timeline.since == EPOCH


async def shrink(fixture: StoreFixture, minutes: int, start: float = 3600.0, **listed: Any) -> Scrape:
    """The page after n minutes in each of which the delay shrinks by a minute, and the load advances by a percent."""
    for minute in range(minutes):
        await asyncio.sleep(60)
        await fixture.lists(listed_task(**listed))
        await fixture.page_with({"a": [Progress(delay_seconds=start - 60 * minute, full_ratio=0.2 + minute / 100)]})
    return await fixture.scrape()


async def test_predictions_are_made_once_the_history_is_long_enough() -> None:
    fixture = StoreFixture()
    page = await shrink(fixture, 6)
    assert (page.value(CATCH_UP), page.value(LOAD_END)) == (None, None)
    page = await shrink(fixture, 3, 3240)
    assert page.value(CATCH_UP) == 3120 - 5
    (task,) = fixture.store.tasks()
    assert task.predicted.delay_slope == -1


async def test_the_end_of_a_load_is_a_unix_time_also_after_a_step_of_the_clock() -> None:
    fixture = StoreFixture()
    page = await shrink(fixture, 12, status="FULL_TRANSFER_STARTED")
    assert page.value(CATCH_UP) is None  # a delay has no meaning in this phase
    end = page.value(LOAD_END)
    assert end is not None
    assert end == pytest.approx(EPOCH + 60 * 81, abs=30)
    fixture.store.context.clock.step = 7200.0
    assert (await fixture.scrape()).value(LOAD_END) == end + 7200


@pytest.mark.parametrize("stale", ["progress", "list"])
async def test_predictions_are_absent_while_the_list_or_the_progress_is_stale(stale: str) -> None:
    fixture = StoreFixture()
    page = await shrink(fixture, 12)
    assert page.value(CATCH_UP) is not None
    assert page.value(LOAD_END) is not None
    await asyncio.sleep(200)
    if stale == "progress":
        await fixture.lists(listed_task())
    else:
        await fixture.page_with({"a": [Progress(delay_seconds=2000, full_ratio=0.5)]})
    page = await fixture.scrape(200)
    assert (page.value(CATCH_UP), page.value(LOAD_END)) == (None, None)


@pytest.mark.parametrize("facts", [{}, {"node_role": "standby"}], ids=["judged", "standby"])
async def test_a_task_is_not_caught_up_while_its_delay_is_older_than_max_age(facts: dict[str, Any]) -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task(**facts))
    for _ in range(2):
        assert (await fixture.page_with({"a": [Progress(delay_seconds=1)]})).value(CATCH_UP) == 0
        assert (await fixture.scrape(80)).value(CATCH_UP) == 0
        page = await fixture.scrape(20)
        assert (page.value(CATCH_UP), page.value("drs_task_incremental_delay_seconds")) == (None, 1)


async def test_a_delay_that_has_just_jumped_is_not_predicted_from_the_values_before() -> None:
    fixture = StoreFixture()
    assert (await shrink(fixture, 12)).value(CATCH_UP) is not None
    for delay in (9000, 9030):
        await asyncio.sleep(60)
        await fixture.lists(listed_task())
        assert (await fixture.page_with({"a": [Progress(delay_seconds=delay)]})).value(CATCH_UP) is None
        assert fixture.store.tasks()[0].predicted.delay_slope is None


async def test_a_catch_up_is_not_predicted_any_more_once_its_time_has_passed() -> None:
    fixture = StoreFixture()
    await shrink(fixture, 12, 880)
    page = await fixture.page_with({"a": [Progress(delay_seconds=205)]})
    assert page.value(CATCH_UP) == 200
    for after, value in ((190, 200), (20, None)):
        await fixture.lists(listed_task())
        page = await fixture.scrape(after)
        assert (page.value(CATCH_UP), page.value("drs_task_incremental_delay_seconds")) == (value, 205)


async def test_a_trend_from_before_an_outage_predicts_nothing_after_it() -> None:
    fixture = StoreFixture()
    assert (await shrink(fixture, 12)).value(CATCH_UP) is not None
    await fixture.scrape(3600)
    assert (await shrink(fixture, 1)).value(CATCH_UP) is None


async def test_a_trend_from_before_a_rule_excluded_the_task_predicts_nothing_after_it() -> None:
    fixture = StoreFixture()
    fixture.store.context.filter = TaskFilter(Tasks(exclude=(TaskRule(tag="hidden"),)))
    assert (await shrink(fixture, 12)).value(CATCH_UP) is not None
    hidden, shown = Detail(tags=(("hidden", "yes"),)), Detail()
    assert (await fixture.page_with({"a": [hidden]})).tasks() == set()
    await asyncio.sleep(30)
    page = await fixture.page_with({"a": [shown, Progress(delay_seconds=2000)]})
    assert page.value("drs_task_incremental_delay_seconds") == 2000
    assert page.value(CATCH_UP) is None


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"current_action": "NODE_FLAVOR_MODIFY"}, False),
        ({"status": "CHANGE_JOB_STARTED"}, False),
        ({"current_action": ""}, True),
        ({"available_actions": frozenset({"RETRY"})}, True),
    ],
    ids=["action", "phase", "no action", "available actions"],
)
async def test_only_a_change_of_phase_or_action_starts_the_history_of_predictions_again(
    changed: dict[str, Any], *, kept: bool
) -> None:
    fixture = StoreFixture()
    assert (await shrink(fixture, 12)).value(CATCH_UP) is not None
    page = await fixture.page_of(listed_task(**changed))
    assert (page.value(CATCH_UP) is not None) is kept
    page = await shrink(fixture, 8, 2880, **changed)
    assert page.value(CATCH_UP) == 2880 - 7 * 60 - 5
    assert len(points(fixture)) == 20


@pytest.mark.parametrize("seed", range(8))
async def test_predictions_are_never_negative_or_infinite_and_zero_only_within_the_limit(seed: int) -> None:
    chance, fixture, delay, ratio = random.Random(seed), StoreFixture(), 1000.0, 0.0  # noqa: S311 - no secret
    statuses = ("INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED", "FULL_TRANSFER_STARTED", "PAUSING")
    drift, status = 0.0, statuses[0]
    for _ in range(150):
        await asyncio.sleep(chance.choice([10, 30, 30, 60, 400]))
        drift = chance.choice([drift, drift, drift, drift, -40.0, -5.0, 0.0, 30.0, 1e6, -1e6])
        delay, ratio = max(delay + drift, 0.0), chance.choice([min(ratio + 0.02, 1.0)] * 9 + [0.0])
        status = chance.choice([status] * 20 + [*statuses])
        if chance.random() < 0.9:
            await fixture.lists(listed_task(status=status))
        known = chance.choice([delay, delay, delay, None])
        page = await fixture.page_with({"a": [Progress(delay_seconds=known, full_ratio=ratio)]})
        shown = page.value("drs_task_incremental_delay_seconds")
        value, end = page.value(CATCH_UP), page.value(LOAD_END)
        assert value is None or (shown is not None and 0 <= value <= 86_400)
        assert (value == 0) == (shown is not None and shown <= 5)
        assert end is None or (ratio < 1 and now() < end <= now() + 86_400 + 1800)
