"""Which tasks a source is queried for, in what order, and how a source that fails is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from exporter.cloud.http.errors import (
    AccessDeniedError,
    CloudError,
    NotPublishedError,
    NotSentError,
    TaskError,
    ThrottledError,
    UnavailableError,
)
from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.operations import PROGRESS_V3
from exporter.cloud.source import Source, TaskResults
from exporter.model.facts import Progress
from exporter.polling.task_loop import TaskLoop
from tests.lib.polling import FakeClient, running, task_loop

FAR = 3600.0
"""Delay of a task that is far from its cut-over."""


class Calls:
    """A source that takes n seconds a call, and fails for some tasks."""

    def __init__(self, *bad: str, error: CloudError | None = None, seconds: float = 0.0, delay: float = FAR) -> None:
        self.made: list[tuple[float, list[str]]] = []
        self.bad = {*bad}
        self.error = error
        self.delays: dict[str, float] = {}
        self.running = self.most = 0
        self._seconds = seconds
        self._delay = delay

    async def fetch(self, client: FakeClient, _errors: object, ids: Sequence[str]) -> TaskResults:
        await client.call()
        self.made.append((asyncio.get_running_loop().time(), list(ids)))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.running -= 1
        if self.error is not None and self.bad & {*ids}:
            raise self.error
        return {key: (Progress(delay_seconds=self.delays.get(key, self._delay)),) for key in ids}

    def source(self, batch: int = 10) -> Source:
        fetch: Any = self.fetch
        return Source(PROGRESS_V3, (Progress,), batch, fetch)

    def at(self, task_id: str) -> list[float]:
        """When a task was queried."""
        return [round(at, 6) for at, ids in self.made if task_id in ids]


def ids(count: int) -> list[str]:
    return [f"id-{number:03}" for number in range(count)]


async def test_each_task_is_queried_once_an_interval_in_full_batches() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(), ids(23))
    async with running(loop):
        await asyncio.sleep(65)
    assert [(at, len(queried)) for at, queried in calls.made] == [(at, n) for at in (0, 30, 60) for n in (10, 10, 3)]
    assert all(calls.at(task_id) == [0, 30, 60] for task_id in ids(23))


async def test_a_batch_is_filled_with_the_tasks_that_are_due_next() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(), ids(8))
    async with running(loop):
        await asyncio.sleep(10)
        loop.assign(dict.fromkeys(ids(12), (Progress,)), ())
        await asyncio.sleep(25)
    assert [(at, len(queried)) for at, queried in calls.made] == [(0, 8), (10, 10), (30, 10)]


async def test_without_tasks_there_is_no_call() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(), [])
    async with running(loop):
        await asyncio.sleep(100)
    await loop.run_once()
    assert (calls.made, loop.succeeds(), loop.demand()) == ([], None, 0)


async def test_eight_calls_at_a_time_are_under_way() -> None:
    calls = Calls(seconds=1)
    loop, *_ = await task_loop(calls.source(1), ids(20))
    await loop.run_once()
    assert ([at for at, _ in calls.made], calls.most) == ([0] * 8 + [1] * 8 + [2] * 4, 8)


async def test_a_short_rate_limit_serves_the_tasks_that_wait_longest() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(1), ids(60), scheduler=Scheduler(1.0, 1))
    async with running(loop):
        await asyncio.sleep(600)
    assert all(8 <= len(calls.at(task_id)) <= 11 for task_id in ids(60))
    assert loop.demand() == pytest.approx(2)


async def test_new_and_changed_tasks_come_first() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(1), ids(60), scheduler=Scheduler(1.0, 1))
    async with running(loop):
        await asyncio.sleep(200.5)
        tasks = dict.fromkeys([*ids(60), "new"], (Progress,))
        waited = max(ids(60), key=lambda task_id: calls.at(task_id)[-1])  # it would be the last
        loop.assign(tasks, {waited})
        await asyncio.sleep(2)
        assert {queried for _, (queried,) in calls.made[-2:]} == {waited, "new"}


async def test_tasks_near_their_cut_over_are_queried_more_often_and_the_others_are_not_starved() -> None:
    calls = Calls()
    calls.delays = dict.fromkeys(ids(10), 1.0)
    loop, *_ = await task_loop(calls.source(1), ids(100), scheduler=Scheduler(1.0, 1))
    async with running(loop):
        await asyncio.sleep(1000)
    assert all(len(calls.at(task_id)) >= 15 for task_id in ids(10))
    assert all(len(calls.at(task_id)) >= 8 for task_id in ids(100))  # ten if none was near


async def test_a_task_that_is_not_assigned_any_more_is_not_queried() -> None:
    calls = Calls("id-001", error=UnavailableError("operation", "500"))
    loop, *_ = await task_loop(calls.source(1), ids(2))
    async with running(loop):
        await asyncio.sleep(1)
        assert loop.succeeds() is False
        loop.assign({"id-000": (Progress,)}, ())
        await asyncio.sleep(60)
        assert (calls.at("id-001"), len(calls.at("id-000"))) == ([0], 3)
        assert loop.succeeds()


async def test_an_assignment_that_returns_is_queried_when_its_facts_are_an_interval_old() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(), ["a"])
    async with running(loop):
        await asyncio.sleep(10)
        loop.assign({}, ())
        await asyncio.sleep(5)
        loop.assign({"a": (Progress,)}, ())
        await asyncio.sleep(30)
    assert calls.at("a") == [0, 30]


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (NotPublishedError("operation", "404", "APIGW.0101"), 8),
        (ThrottledError("operation", "429"), 8),
        (NotSentError("operation", "401"), 8),
        (AccessDeniedError("operation", "403"), 8),
        (UnavailableError("operation", "500"), 8),
    ],
)
async def test_a_source_that_fails_rests_for_an_interval_and_then_one_call_tries_it(
    error: CloudError, calls: int
) -> None:
    made = Calls(*ids(100), error=error, seconds=1)
    loop, *_ = await task_loop(made.source(1), ids(100))
    async with running(loop):
        await asyncio.sleep(29)
        assert len(made.made) == calls
        assert loop.succeeds() is (None if isinstance(error, NotPublishedError) else False)
        await asyncio.sleep(3)
        assert len(made.made) == calls + 1
        made.error = None
        await asyncio.sleep(330)  # a refusal may hold for minutes
        assert {task_id for _, queried in made.made for task_id in queried} == {*ids(100)}
        assert loop.succeeds()


@pytest.mark.parametrize("error", [AccessDeniedError("operation", "403"), UnavailableError("operation", "500")])
async def test_a_few_tasks_that_fail_do_not_stop_the_others(error: CloudError) -> None:
    made = Calls("id-050", error=error)
    loop, *_ = await task_loop(made.source(1), ids(100))
    async with running(loop):
        await asyncio.sleep(125)
    assert all(len(made.at(task_id)) == 5 for task_id in ids(100))
    assert loop.succeeds() is False


async def test_errors_of_single_tasks_are_no_failure_of_the_source_unless_all_have_them() -> None:
    made = Calls("id-000", error=TaskError("operation", "200"))
    loop, *_ = await task_loop(made.source(1), ids(2))
    await loop.run_once()
    assert loop.succeeds()
    made.bad.add("id-001")
    await asyncio.sleep(31)
    await loop.run_once()
    assert loop.succeeds() is False


async def test_an_unexpected_exception_costs_one_poll() -> None:
    made = Calls("id-000", error=None)

    async def crash(*_: object) -> TaskResults:
        made.made.append((0.0, []))
        raise ZeroDivisionError

    source = made.source()
    source.fetch = crash
    loop, *_ = await task_loop(source, ids(2))
    async with running(loop):
        await asyncio.sleep(1)
        assert loop.raised
        source.fetch = made.source().fetch
        await asyncio.sleep(30)
        assert not loop.raised
        assert loop.succeeds()


@pytest.mark.parametrize("once", [True, False])
async def test_nothing_runs_on_when_the_loop_is_cancelled(once: bool) -> None:  # noqa: FBT001
    calls, before = Calls(seconds=60), asyncio.all_tasks()
    loop, *_ = await task_loop(calls.source(1), ids(10))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await (loop.run_once() if once else loop.run())
    assert (asyncio.all_tasks(), calls.running, len(calls.made)) == (before, 0, 8)


async def test_a_source_is_logged_as_failing_until_none_of_its_loops_fails() -> None:
    """On auto, `v5_job_progress` is queried on behalf of progress for some tasks, of node for others."""
    failing = UnavailableError("operation", "500")
    calls = Calls("id-000", error=failing)
    first, context, _ = await task_loop(calls.source(1), ids(1))
    second = TaskLoop(context, "progress", calls.source(1))
    second.assign({"id-001": (Progress,)}, ())
    await first.run_once()
    await second.run_once()
    assert list(context.failures.faults) == [failing]
    calls.error = None
    await asyncio.sleep(31)
    await first.run_once()
    assert list(context.failures.faults) == []


async def test_a_task_that_changes_during_its_query_is_queried_again_at_once() -> None:
    calls = Calls(seconds=5)
    loop, *_ = await task_loop(calls.source(), ids(1))
    async with running(loop):
        await asyncio.sleep(2)
        loop.assign({"id-000": (Progress,)}, {"id-000"})
        await asyncio.sleep(10)
    assert calls.at("id-000") == [0, 2]


async def test_tasks_that_change_with_every_list_leave_their_turn_to_nobody() -> None:
    calls = Calls()
    loop, *_ = await task_loop(calls.source(1), ids(90), scheduler=Scheduler(1.0, 1))
    async with running(loop):
        for _ in range(40):
            await asyncio.sleep(30)
            loop.assign(dict.fromkeys(ids(90), (Progress,)), set(ids(90)))
    assert all(len(calls.at(task_id)) >= 12 for task_id in ids(90))  # 1,200 calls


async def test_a_throttled_source_with_a_long_interval_is_tried_again_after_the_pause() -> None:
    calls = Calls("id-000", error=ThrottledError("operation", "429"))
    loop, context, _ = await task_loop(calls.source(), ids(1))
    loop._interval = 600.0
    async with running(loop):
        await asyncio.sleep(10)
        calls.error = None
        await asyncio.sleep(25)
    assert calls.at("id-000") == [0, 30]
    assert list(context.failures.faults) == []


async def test_a_loop_of_waves_polls_each_task_at_its_own_interval() -> None:
    calls = Calls()
    _, context, _ = await task_loop(calls.source(), [])
    loop = TaskLoop(context, "progress", calls.source(1), wave=True)
    loop.assign(dict.fromkeys(ids(2), (Progress,)), (), {"id-000": 10.0, "id-001": 20.0})
    async with running(loop):
        await asyncio.sleep(45)
    assert (calls.at("id-000"), calls.at("id-001")) == ([0, 10, 20, 30, 40], [0, 20, 40])
    assert (loop.turn().wave, loop.turn().interval) == (True, 10)
    loop.assign({}, ())
    assert loop.turn().interval == 30
