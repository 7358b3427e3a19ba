from __future__ import annotations

import asyncio
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest

from exporter.cloud.batches import split_results
from exporter.cloud.http.errors import (
    AccessDeniedError,
    BadRequestError,
    CloudError,
    EmptyResultError,
    TaskError,
    TaskGoneError,
    ThrottledError,
    UnavailableError,
)
from exporter.cloud.operations import PROGRESS_V3
from exporter.cloud.source import Source, TaskResults
from exporter.model.facts import Progress
from tests.lib.cloud import fetch_all

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from exporter.cloud.source import TaskResult

FACTS = (Progress(full_ratio=1.0),)
TEN = [f"id-{number}" for number in range(10)]
HUNDRED = [f"id-{number}" for number in range(100)]


class Batches:
    """A source of ten a call, of which some ids are bad; remembers each call's ids."""

    def __init__(self, error: CloudError | None = None, *bad: str, seconds: float = 0.0) -> None:
        self.calls: list[list[str]] = []
        self._error = error
        self._bad = set(bad)
        self._seconds = seconds

    async def fetch(self, ids: Sequence[str]) -> TaskResults:
        self.calls.append(list(ids))
        await asyncio.sleep(self._seconds)
        if self._error is not None and self._bad & set(ids):
            raise self._error
        return dict.fromkeys(ids, FACTS)


class OneOnly(Batches):
    """A source of one id a call."""

    async def fetch(self, ids: Sequence[str]) -> TaskResults:
        if len(ids) == 1:
            return await super().fetch(ids)
        self.calls.append(list(ids))
        await asyncio.sleep(self._seconds)
        raise bad_request("DRS.M00299")


def source(fetch: Callable[[Sequence[str]], Awaitable[TaskResults]], batch: int = 10) -> Source:
    return Source(PROGRESS_V3, (Progress,), batch, lambda _client, _errors, ids: fetch(ids))


async def fetch_results(fetched: Source, ids: Sequence[str]) -> dict[str, TaskResult]:
    client: Any = None  # no call is made
    return await fetch_all(fetched, partial(fetched.fetch, client, {}), ids)


def bad_request(code: str = "DRS.M00200") -> BadRequestError:
    return BadRequestError("operation", "400", code)


async def test_ids_are_fetched_in_batches_in_their_order() -> None:
    batches = Batches()
    ids = [f"id-{number}" for number in range(23)]
    answers = await fetch_results(source(batches.fetch), ids)
    assert answers == dict.fromkeys(ids, FACTS)
    assert batches.calls == [ids[:10], ids[10:20], ids[20:]]


@pytest.mark.parametrize("error", [bad_request(), TaskGoneError("operation", "400", "DRS.M05004")])
async def test_one_bad_id_is_found_by_halving(error: CloudError) -> None:
    batches = Batches(error, "id-7")
    answers = await fetch_results(source(batches.fetch), TEN)
    assert [len(call) for call in batches.calls] == [10, 5, 5, 3, 2, 2, 1]
    assert [task_id for task_id, answer in answers.items() if answer != FACTS] == ["id-7"]
    assert answers.keys() == set(TEN)
    bad = answers["id-7"]
    expected = error if isinstance(error, TaskGoneError) else TaskError("operation", "400", "DRS.M00200")
    assert (type(bad), getattr(bad, "args", None)) == (type(expected), expected.args)


async def test_a_task_in_the_wrong_state_has_no_facts_and_no_error() -> None:
    batches = Batches(bad_request("DRS.M00304"), "id-7")
    answers = await fetch_results(source(batches.fetch), TEN)
    assert answers == {**dict.fromkeys(TEN, FACTS), "id-7": ()}


async def test_splitting_stops_if_both_halves_and_a_single_id_fail_alike() -> None:
    batches = Batches(bad_request(), *HUNDRED)
    answers = await fetch_results(source(batches.fetch), HUNDRED)
    assert sorted(len(call) for call in batches.calls) == [1, 5, 5, *[10] * 10]
    assert {type(answer) for answer in answers.values()} == {BadRequestError}


@pytest.mark.parametrize("ids", [[*TEN, "id-10"], TEN])
async def test_bad_ids_in_both_halves_are_found_where_a_call_or_one_good_id_succeeds(ids: list[str]) -> None:
    batches = Batches(bad_request(), "id-2", "id-7")
    answers = await fetch_results(source(batches.fetch), ids)
    assert [name for name, answer in answers.items() if isinstance(answer, TaskError)] == ["id-2", "id-7"]
    assert len(batches.calls) == 12


async def test_another_id_is_tried_in_each_round_until_a_good_one_shows_that_ids_matter() -> None:
    batches = Batches(bad_request(), *(name for name in TEN if name != "id-4"))
    fetched = source(batches.fetch)
    rounds = [await fetch_results(fetched, TEN) for _ in range(10)]
    assert {type(answer) for answer in rounds[0].values()} == {BadRequestError}
    assert any(not isinstance(answers["id-4"], BadRequestError) for answers in rounds)


async def test_two_ids_that_fail_alike_are_an_error_of_the_call() -> None:
    batches = Batches(bad_request(), *TEN)
    answers = await fetch_results(source(batches.fetch), TEN[:2])
    assert [len(call) for call in batches.calls] == [2, 1, 1]
    assert {type(answer) for answer in answers.values()} == {BadRequestError}


async def test_an_error_that_is_not_about_an_id_splits_nothing() -> None:
    batches = Batches(bad_request("DRS.M00301"), "id-7")
    answers = await fetch_results(source(batches.fetch), [*TEN, "id-10"])
    assert len(batches.calls) == 2
    assert {type(answers[name]) for name in TEN} == {BadRequestError}
    assert answers["id-10"] == FACTS
    alone = await fetch_results(source(batches.fetch), ["id-7"])
    assert type(alone["id-7"]) is BadRequestError


@pytest.mark.parametrize("count", [100, 1000])
async def test_missing_ids_cost_at_most_twice_the_batches_and_are_all_found(count: int) -> None:
    ids = [f"id-{number}" for number in range(count)]
    batches = Batches(TaskGoneError("operation", "400", "DRS.M05004"), *ids)
    fetched = source(batches.fetch)
    rounds = 0
    while ids:
        batches.calls.clear()
        answers = await fetch_results(fetched, ids)
        assert len(batches.calls) <= ceil(len(ids) / 10) + max(16, ceil(len(ids) / 10))
        gone = {name for name, answer in answers.items() if isinstance(answer, TaskGoneError)}
        assert gone
        assert {type(answer) for answer in answers.values()} <= {TaskGoneError, BadRequestError}
        ids = [name for name in ids if name not in gone]
        rounds += 1
    assert rounds < 60


async def test_a_cloud_that_refuses_single_ids_as_well_is_not_queried_for_each() -> None:
    batches = Batches(bad_request("DRS.M00299"), *HUNDRED)
    refused = source(batches.fetch)
    answers = await fetch_results(refused, HUNDRED)
    assert (len(batches.calls), refused.batch) == (11, 10)
    assert {type(answer) for answer in answers.values()} == {BadRequestError}


async def test_the_single_id_that_is_tried_may_be_deleted() -> None:
    answers = await fetch_results(source(OneOnly(TaskGoneError("operation", "400", "DRS.M05004"), "id-0").fetch), TEN)
    assert isinstance(answers["id-0"], TaskGoneError)
    assert [answers[name] for name in TEN[1:]] == [FACTS] * 9


async def test_all_later_calls_have_one_id_if_the_cloud_accepts_no_more() -> None:
    batches = OneOnly()
    single = source(batches.fetch)
    assert await fetch_results(single, TEN) == dict.fromkeys(TEN, FACTS)
    assert [len(call) for call in batches.calls] == [10, *[1] * 10]
    assert await fetch_results(single, TEN) == dict.fromkeys(TEN, FACTS)
    assert [len(call) for call in batches.calls[11:]] == [1] * 10
    many = OneOnly(seconds=1)
    assert await fetch_results(source(many.fetch), HUNDRED) == dict.fromkeys(HUNDRED, FACTS)
    assert sorted(len(call) for call in many.calls) == [*[1] * 100, *[10] * 8]  # those that were under way


@pytest.mark.parametrize("kind", [UnavailableError, ThrottledError, AccessDeniedError, CloudError])
async def test_any_other_failure_is_the_result_of_its_batch_and_is_not_split(kind: type[CloudError]) -> None:
    error = kind("operation", "503")
    batches = Batches(error, "id-3")
    ids = [*TEN, "id-10", "id-11"]
    answers = await fetch_results(source(batches.fetch), ids)
    assert answers == {**dict.fromkeys(TEN, error), "id-10": FACTS, "id-11": FACTS}
    assert len(batches.calls) == 2


async def test_a_missing_task_is_an_error_and_an_unrequested_one_is_ignored() -> None:
    async def fetch(ids: Sequence[str]) -> TaskResults:
        return {ids[0]: FACTS, "stranger": FACTS}

    answers = await fetch_results(source(fetch), ["a", "b"])
    assert answers.keys() == {"a", "b"}
    assert (answers["a"], type(answers["b"])) == (FACTS, TaskError)


async def test_an_empty_result_is_no_failure_of_the_call() -> None:
    batches = Batches(EmptyResultError("operation", "422", "DRS.M00002"), "id-3")
    call = split_results(await fetch_results(source(batches.fetch), TEN))
    assert (len(call.refused), call.failed, len(batches.calls)) == (10, [], 1)


def test_results_by_kind() -> None:
    gone, refused = TaskGoneError("operation", "400"), TaskError("operation", "400")
    failed, throttled = UnavailableError("operation", "503"), ThrottledError("operation", "429")
    call = split_results({"a": FACTS, "b": gone, "c": refused, "d": failed, "e": throttled, "f": ()})
    assert call.facts == {"a": FACTS, "f": ()}
    assert (call.gone, call.refused, call.failed) == (["b"], [refused], [failed, throttled])
