"""The history of tasks in a store: what is recorded, and when it is removed."""

from __future__ import annotations

import asyncio

import pytest

from exporter.model.facts import Node, Progress
from exporter.model.task import Phase
from exporter.model.timeline import HOUR, Point
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.virtual_time import EPOCH


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
