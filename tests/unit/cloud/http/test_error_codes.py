"""The table of documented codes, and every code x operation: class, retries, calls, and the sentence of `check`."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING

import pytest

from exporter.cloud.http.error_codes import CODES, documented, known_code, meaning_of, meaning_of_error
from exporter.cloud.http.errors import (
    AccessDeniedError,
    BadRequestError,
    CloudError,
    EmptyResultError,
    NotPublishedError,
    TaskError,
    TaskGoneError,
    ThrottledError,
    UnavailableError,
)
from exporter.cloud.http.response import read_object
from exporter.cloud.operations import OPERATIONS, Operation
from exporter.views.errors import Level, advise
from tests.lib.cloud import Script, connected, merged, refusal
from tests.lib.virtual_time import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.cloud.http.client import Client
    from exporter.cloud.http.error_codes import Documented, Meaning

CLASSES = {
    "empty": EmptyResultError,
    "not published": NotPublishedError,
    "unavailable": UnavailableError,
    "throttled": ThrottledError,
    "token": AccessDeniedError,
    "credentials": AccessDeniedError,
    "permission": AccessDeniedError,
    "project": AccessDeniedError,
    "blocked": AccessDeniedError,
    "gone": TaskGoneError,
    "task": BadRequestError,
    "wrong state": BadRequestError,
    "single id": BadRequestError,
    "page": BadRequestError,
    "parameter": BadRequestError,
    "request": BadRequestError,
    "other": CloudError,
    "redirected": CloudError,
}
UNKNOWN = [("DRS.M99999", status) for status in (302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 502, 503, 504)]
NO_CODE = [("", status) for _, status in UNKNOWN]
MANY = [f"id-{number}" for number in range(100)]


def statuses(row: Documented) -> Iterable[int]:
    """Those that the pages list; other codes decide alone, even against the status."""
    return row.statuses or (400, 500)


CASES = [(row.code, status) for row in CODES for status in statuses(row)] + UNKNOWN + NO_CODE


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        # The error pages of Huawei Cloud and Open Telekom Cloud, where they are about reads and signing in.
        (422, "DRS.M00002", "empty"),
        (422, "DRS.M00004", "unavailable"),
        (500, "DRS.M00004", "unavailable"),
        (403, "DRS.M00100", "token"),
        (404, "DRS.M00101", "permission"),
        (403, "DRS.M00102", "permission"),
        (401, "DRS.M00103", "permission"),
        (400, "DRS.M00105", "permission"),
        (400, "DRS.M00202", "parameter"),
        (400, "DRS.M00210", "page"),
        (403, "DRS.M00261", "project"),
        (400, "DRS.M00299", "single id"),
        (400, "DRS.M00301", "request"),
        (400, "DRS.M00304", "wrong state"),
        (400, "DRS.M00307", "task"),
        (422, "DRS.M01501", "unavailable"),
        (400, "DRS.M01503", "throttled"),
        (202, "DRS.M01504", "task"),
        (400, "DRS.M05003", "task"),
        (400, "DRS.M05004", "gone"),
        (400, "DRS.10000010", "gone"),
        (500, "DRS-M00004", "unavailable"),
        (200, "M05004", "gone"),
        (404, "APIGW.0101", "not published"),
        (404, "APIGW.0103", "unavailable"),
        (504, "APIGW.0201", "unavailable"),
        (413, "APIGW.0201", "request"),
        (401, "APIGW.0301", "credentials"),
        (401, "APIGW.0307", "token"),
        (429, "APIG.0308", "throttled"),
        (403, "APIGW.0802", "blocked"),
        (403, "IAM.0003", "permission"),
    ],
)
def test_what_a_code_means(status: int, code: str, name: str) -> None:
    found = documented(code, status)
    assert found is not None
    assert found.name == name
    assert meaning_of(code, status) is found


@pytest.mark.parametrize("code", [None, "", "DRS.M99999", "M99999", "APIGW.0101", "DRS.M00002"])
def test_codes_without_a_meaning_of_their_own(code: str | None) -> None:
    assert documented(code, 400) is None


def test_each_code_has_one_meaning_for_a_status_and_the_shape_of_a_code() -> None:
    found = [(row.code, status) for row in CODES for status in row.statuses or [None]]
    assert len(found) == len(set(found))
    assert all(known_code(row.code) == row.code for row in CODES)


def error_of(code: str, status: int) -> CloudError:
    with pytest.raises(CloudError) as caught:
        read_object("operation", status, {}, refusal(status, code).content)
    return caught.value


def calls_of(meaning: Meaning) -> int:
    return 3 if meaning.name == "unavailable" else 1


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_code_of_every_operation(operation: Operation) -> None:
    """Its class, how often it is sent, and that `check` names a remedy."""

    async def sent(client: Client, script: Script, code: str, status: int) -> list[str]:
        meaning = meaning_of(code or None, status)
        with pytest.raises(CloudError) as caught:
            await client.exchange(operation, read_object, job_id="a")
        error, found = caught.value, advise(caught.value)
        wrong = []
        if type(error) is not CLASSES[meaning.name] or meaning_of_error(error) is not meaning:
            wrong.append(f"{code} {status} is a {type(error).__name__}")
        if len(script.requests) != calls_of(meaning):
            wrong.append(f"{code} {status} costs {len(script.requests)} calls")
        if not found.what or not (found.remedy or found.level is Level.OK) or "{" in f"{found}":
            wrong.append(f"{code} {status} is not explained: {found}")
        return wrong

    async def go() -> list[str]:
        wrong = []
        for code, status in CASES:
            script = Script(refusal(status, code))
            async with connected(script, service=operation.service) as cloud:
                wrong += await sent(cloud.client, script, code, status)
        return wrong

    assert simulate(go()) == []


SOURCES = ["v3_batch_progress", "v3_batch_precheck_result", "v5_job_progress"]


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("tasks", [1, 10, 100])
def test_every_code_in_a_poll_of_tasks(name: str, tasks: int) -> None:
    """A round costs each of its calls once, thrice where repeating helps, and at most 16 more to find bad ids."""

    async def go() -> list[str]:
        wrong = []
        for code, status in CASES:
            script, meaning = Script(refusal(status, code)), meaning_of(code or None, status)
            async with connected(script) as cloud:
                source = next(source for source in (*cloud.v3.sources, *cloud.v5.sources) if source.name == name)
                batches = ceil(tasks / source.batch)
                kinds = {type(result) for result in (await merged(cloud.fetch_all(source, MANY[:tasks]))).values()}
            made = len(script.requests)
            most = batches * calls_of(meaning)
            if source.batch > 1 and meaning.split.name == "ALWAYS":
                most += 16
            elif meaning.split.name != "NEVER" or meaning.name == "single id":
                most += 3
            if made > most:
                wrong.append(f"{code} {status} costs {made} calls, not {most}")
            if meaning.name not in {"gone", "empty", "wrong state", "task", "parameter"} and TaskError in kinds:
                wrong.append(f"{code} {status} is taken for an error of single tasks")
        return wrong

    assert simulate(go()) == []


async def test_refusals_are_about_the_call_and_end_the_round() -> None:
    script = Script(refusal(404, "DRS.M00101"))
    async with connected(script) as cloud:
        source = next(source for source in cloud.v5.sources if source.name == "v5_job_progress")
        results = await merged(cloud.fetch_all(source, MANY))
        await asyncio.sleep(0)
    assert len(script.requests) <= 9
    assert {type(result) for result in results.values()} == {AccessDeniedError}


@pytest.mark.parametrize("code", ["DRS.M00289", "DRS.M05004", "DRS.10000010"])
def test_a_server_error_never_proves_that_a_task_does_not_exist(code: str) -> None:
    assert meaning_of(code, 400).name == "gone"
    assert meaning_of(code, 500).name == meaning_of(code, 503).name == "unavailable"
