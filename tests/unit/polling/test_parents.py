"""Parents are queried like other tasks, but for virtual ones: the cloud refuses these, which must cost few calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from exporter.cloud.http.errors import (
    BadRequestError,
    CloudError,
    DecodeError,
    EmptyResultError,
    TaskError,
    TaskGoneError,
    UnavailableError,
)
from exporter.cloud.operations import PROGRESS_V3
from exporter.cloud.source import Source
from exporter.model.facts import Progress
from tests.lib.daemon import listed_task
from tests.lib.polling import running, task_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.cloud.source import TaskResult, TaskResults
    from tests.lib.polling import FakeClient, LoopFixture

CODE = "DRS.M00307"
ONLY_SUBTASKS = BadRequestError("v3_batch_progress", "400", CODE)
PLAIN = [f"id-{number}" for number in range(9)]


class Cloud:
    """Returns the delay of each task but those that it refuses.

    Args:
        refusal: the result in place of the facts of a refused task; an error of a call if `whole`.
        whole: whether a refused task refuses the whole batch.
    """

    def __init__(self, *refused: str, refusal: TaskResult = ONLY_SUBTASKS, whole: bool = True) -> None:
        self.refused = {*refused}
        self.made: list[list[str]] = []
        self._refusal = refusal
        self._whole = whole

    async def fetch(self, client: FakeClient, _errors: object, ids: Sequence[str]) -> TaskResults:
        await client.call()
        self.made.append(list(ids))
        refused = self.refused & {*ids}
        if refused and self._whole and isinstance(self._refusal, CloudError):
            raise self._refusal
        return {key: self._refusal if key in refused else (Progress(delay_seconds=3600.0),) for key in ids}

    def with_id(self, task_id: str) -> list[int]:
        """The sizes of the batches with a task."""
        return [len(ids) for ids in self.made if task_id in ids]


async def loop_of(cloud: Cloud, *parents: str, batch: int = 10) -> LoopFixture:
    fetch: Any = cloud.fetch
    fixture = await task_loop(Source(PROGRESS_V3, (Progress,), batch, fetch), PLAIN)
    await fixture.store.lists(*map(listed_task, PLAIN), *(listed_task(key, is_parent=True) for key in parents))
    fixture.loop.assign(dict.fromkeys([*PLAIN, *parents], (Progress,)), ())
    return fixture


async def after(fixture: LoopFixture, seconds: float) -> None:
    async with running(fixture.loop):
        await asyncio.sleep(seconds)


async def test_a_parent_with_facts_is_queried_alone_once_and_then_in_the_batch_of_the_others() -> None:
    cloud = Cloud()
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    assert cloud.with_id("p") == [1, 10, 10]
    assert len(cloud.made) == 4
    assert fixture.store.store.state.tasks["p"].facts["progress"] == Progress(delay_seconds=3600.0)


@pytest.mark.parametrize(
    ("refusal", "whole"),
    [
        (ONLY_SUBTASKS, True),
        (BadRequestError("v3_batch_progress", "400", "DRS.M00200"), True),  # about no id, by the documents
        (BadRequestError("v3_batch_progress", "400", "DRS.M00306"), True),
        (BadRequestError("v3_batch_progress", "400"), True),
        (TaskGoneError("v3_batch_progress", "400", "DRS.M05004"), True),
        (EmptyResultError("v3_batch_progress", "422", "DRS.M00002"), True),
        (TaskError("v3_batch_progress", "200", CODE), False),
        (TaskError("v3_batch_progress", "missing"), False),
        (TaskGoneError("v3_batch_progress", "200", "DRS.M05004"), False),
        ((), False),  # what an error about the status of the task leads to
    ],
)
async def test_a_refused_parent_costs_a_call_an_hour_and_is_no_failure(refusal: TaskResult, *, whole: bool) -> None:
    cloud = Cloud("p", "q", refusal=refusal, whole=whole)
    fixture = await loop_of(cloud, "p", "q")
    await after(fixture, 3 * 3600 - 1)
    # Unless the code says that it is virtual, it is queried again after an interval.
    times = 3 if getattr(refusal, "error_code", None) == CODE else 4
    assert cloud.with_id("p") == cloud.with_id("q") == [1] * times
    assert len(cloud.made) == 2 * times + 3 * 120  # no batch was split
    loop, tasks = fixture.loop, fixture.store.store.state.tasks
    assert (loop.succeeds(), loop.error) == (True, None)
    assert not fixture.context.failures.faults
    assert {*loop.tasks("progress")} == {*PLAIN}
    assert loop.demand() == pytest.approx(1 / 30 + 2 / 3600)
    assert {"p", "q"} < tasks.keys()
    assert {key for key, task in tasks.items() if task.refused} == {"p", "q"}
    assert tasks["p"].refused == {"progress"}
    assert tasks["p"].assumed_virtual == ({"progress"} if times == 4 else set())


async def test_parents_that_are_all_refused_are_no_failure_either() -> None:
    cloud = Cloud("p")
    fixture = await loop_of(cloud, "p")
    fixture.loop.assign({"p": (Progress,)}, ())
    await after(fixture, 65)
    assert (fixture.loop.succeeds(), fixture.loop.error, len(cloud.made)) == (True, None, 1)


async def test_a_parent_that_is_refused_only_later_splits_one_batch() -> None:
    cloud = Cloud()
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    cloud.refused, cloud.made = {"p"}, []
    await after(fixture, 3600)
    assert cloud.with_id("p")[0] == 10
    assert sum(size > 1 for size in cloud.with_id("p")) <= 4  # 10, 5, 3, 2
    assert cloud.with_id("p")[-1] == 1
    assert len(cloud.made) <= 3600 / 30 + 10
    assert fixture.loop.succeeds()


async def test_a_single_refusal_without_its_code_does_not_make_a_parent_virtual() -> None:
    cloud = Cloud("p", refusal=BadRequestError("v3_batch_progress", "400", "DRS.10000001"))
    fixture = await loop_of(cloud, "p")
    fetch = cloud.fetch

    async def once(client: Any, errors: object, ids: Sequence[str]) -> TaskResults:
        try:
            return await fetch(client, errors, ids)
        finally:
            cloud.refused.difference_update(ids)

    fixture.loop.source.fetch = once
    await after(fixture, 29)
    assert (cloud.with_id("p"), fixture.store.store.state.tasks["p"].refused) == ([1], frozenset())
    await after(fixture, 2)
    assert cloud.with_id("p") == [1, 1]
    assert fixture.store.store.state.tasks["p"].facts["progress"] == Progress(delay_seconds=3600.0)
    assert (fixture.loop.succeeds(), fixture.loop.error) == (True, None)


@pytest.mark.parametrize("error", [BadRequestError("x", "400", "DRS.M00200"), TaskError("x", "200", "DRS.M01504")])
async def test_another_error_about_a_parent_with_facts_is_a_failure_and_splits_one_batch(error: CloudError) -> None:
    cloud = Cloud(refusal=error, whole=isinstance(error, BadRequestError))
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    cloud.refused, cloud.made = {"p"}, []
    await after(fixture, 600)
    assert sum(size > 1 for size in cloud.with_id("p")) <= 4  # 10, 5, 3, 2
    assert cloud.with_id("p").count(1) >= 600 / 30 - 2
    assert isinstance(fixture.loop._errors["p"], TaskError)
    assert fixture.store.store.state.tasks["p"].refused == frozenset()
    cloud.refused, cloud.made = set(), []
    await after(fixture, 95)
    assert cloud.with_id("p")[:2] == [1, 10]
    assert fixture.loop._errors == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda fixture: fixture.loop.assign(dict.fromkeys([*PLAIN, "p"], (Progress,)), {"p"}),
        lambda fixture: fixture.loop.assign(dict.fromkeys([*PLAIN, "p"], (Progress,)), ()),
    ],
    ids=["another status", "no subtasks any more"],
)
async def test_a_refused_parent_that_changes_is_queried_at_once(change: Callable[[LoopFixture], None]) -> None:
    cloud = Cloud("p")
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    cloud.refused.clear()
    await fixture.store.lists(*map(listed_task, PLAIN), listed_task("p"))
    change(fixture)
    await after(fixture, 1)
    assert len(cloud.with_id("p")) == 2
    assert fixture.store.store.state.tasks["p"].refused == frozenset()


async def test_a_virtual_parent_whose_subtasks_are_deleted_is_virtual_still() -> None:
    cloud = Cloud("p")
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    await fixture.store.lists(*map(listed_task, [*PLAIN, "p"]))
    cloud.made.clear()
    for _ in range(4):
        fixture.loop.assign(dict.fromkeys([*PLAIN, "p"], (Progress,)), ())
        await after(fixture, 1800)
    assert cloud.with_id("p") == [1] * 2  # at once, and after an hour
    assert (fixture.loop.succeeds(), fixture.loop.error) == (True, None)


@pytest.mark.parametrize("error", [UnavailableError("v3_batch_progress", "503"), DecodeError("x", "decode")])
async def test_a_parent_is_not_refused_by_a_failure_of_the_cloud(error: CloudError) -> None:
    cloud = Cloud("p", refusal=error)
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    assert cloud.with_id("p") == [1, 1, 1]
    assert fixture.loop.error is error
    assert fixture.store.store.state.tasks["p"].refused == frozenset()


@pytest.mark.parametrize("code", ["DRS.M00004", "M00004", "DRS.M01503", "APIGW.0308"])
async def test_an_item_of_a_batch_that_says_that_the_cloud_failed_is_no_refusal(code: str) -> None:
    cloud = Cloud("p", refusal=TaskError("v3_batch_progress", "200", code), whole=False)
    fixture = await loop_of(cloud, "p")
    await after(fixture, 65)
    assert cloud.with_id("p") == [1, 1, 1]
    assert fixture.store.store.state.tasks["p"].refused == frozenset()
    cloud.refused.clear()
    await after(fixture, 30)
    assert "progress" in fixture.store.store.state.tasks["p"].facts


async def test_a_parent_with_facts_that_is_deleted_is_removed() -> None:
    cloud = Cloud(refusal=TaskGoneError("v3_batch_progress", "200", "DRS.M05004"), whole=False)
    fixture = await loop_of(cloud, "p")
    await after(fixture, 5)
    cloud.refused.add("p")
    await after(fixture, 30)
    assert "p" not in fixture.store.store.state.tasks


async def test_a_parent_of_a_status_deleted_is_removed() -> None:
    cloud = Cloud("p", refusal=TaskGoneError("v3_batch_progress", "200"), whole=False)
    fixture = await loop_of(cloud, "p")
    await after(fixture, 5)
    assert "p" not in fixture.store.store.state.tasks


async def test_a_refused_batch_that_was_not_split_makes_no_task_virtual() -> None:
    cloud = Cloud("p")
    fixture = await loop_of(cloud)
    refusals = dict.fromkeys([*PLAIN, "p"], ONLY_SUBTASKS)
    fixture.loop._parents.assign(refusals, ["p"])
    assert fixture.loop._parents.without_virtual(refusals) == refusals
    assert fixture.loop._parents.virtual == set()


async def test_a_task_without_subtasks_is_not_taken_for_a_virtual_one() -> None:
    cloud = Cloud("id-3", refusal=TaskError("v3_batch_progress", "200", "DRS.M01504"), whole=False)
    fixture = await loop_of(cloud)
    await after(fixture, 65)
    assert cloud.with_id("id-3") == [9, 9, 9]
    assert fixture.store.store.state.tasks["id-3"].refused == frozenset()
