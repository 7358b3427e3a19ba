"""When the entries of the tasks of waves are read, and what follows from a failure."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from exporter.cloud.http.errors import UnavailableError
from exporter.polling.list_reader import ListReader
from exporter.polling.wave_lists import WaveListLoop
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.polling import poll_context, running
from tests.unit.polling.test_list_reader import FakeApi, ids


class Lists:
    """A loop for the tasks a and b of a list, which are read every ten seconds."""

    def __init__(self) -> None:
        self.api = FakeApi("v3", listed_task("a"), listed_task("b"))
        self.context = poll_context(StoreFixture())
        self.loop = WaveListLoop(self.context, ListReader(self.context))

    def assign(self, *task_ids: str, interval: float = 10.0) -> None:
        key = cast("Any", (self.api, "sync"))
        self.loop.assign({key: dict.fromkeys(task_ids, interval)})


async def test_tasks_are_read_once_an_interval() -> None:
    lists = Lists()
    lists.assign("a", "b")
    async with running(lists.loop):
        await asyncio.sleep(35)
    assert lists.api.asked == [ids("a", "b")] * 3
    assert lists.loop.demand() == 1 / 10
    assert lists.loop.turn().wave


async def test_without_tasks_nothing_is_read() -> None:
    lists = Lists()
    lists.assign()
    async with running(lists.loop):
        await asyncio.sleep(100)
        lists.assign("a")
        await asyncio.sleep(11)
        lists.assign()
        await asyncio.sleep(100)
    assert (lists.api.asked, lists.loop.demand()) == ([ids("a")], 0)


async def test_a_shorter_interval_counts_at_once() -> None:
    lists = Lists()
    lists.assign("a", interval=30.0)
    async with running(lists.loop):
        await asyncio.sleep(1)
        lists.assign("a", interval=5.0)
        await asyncio.sleep(6)
    assert lists.api.asked == [ids("a")]


async def test_a_failure_is_logged_and_the_lists_are_read_at_their_usual_interval() -> None:
    lists = Lists()
    lists.assign("a")
    lists.api.error = UnavailableError("operation", "500")
    async with running(lists.loop):
        await asyncio.sleep(39)
        assert len(lists.api.asked) == 1
        assert list(lists.context.failures.faults) == [lists.api.error]
        lists.api.error = None
        await asyncio.sleep(20)
    assert len(lists.api.asked) == 3
    assert list(lists.context.failures.faults) == []
