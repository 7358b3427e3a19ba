"""The table of documented codes, and every code x operation: class, retries, calls, and the sentence of `check`."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import pytest

from exporter.cloud.http.client import Client
from exporter.cloud.http.error_codes import (
    CODES,
    Documented,
    Meaning,
    documented,
    known_code,
    meaning_of,
    meaning_of_error,
)
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
from tests.lib.cloud import Script, connected, refusal

NAMES: dict[type[CloudError], tuple[str, ...]] = {
    EmptyResultError: ("empty",),
    NotPublishedError: ("not published",),
    UnavailableError: ("unavailable",),
    ThrottledError: ("throttled",),
    AccessDeniedError: ("token", "credentials", "permission", "project", "blocked"),
    TaskGoneError: ("gone",),
    BadRequestError: ("task", "wrong state", "single id", "page", "parameter", "request"),
    CloudError: ("other", "redirected"),
}
CLASSES = {name: kind for kind, names in NAMES.items() for name in names}
UNKNOWN = [("DRS.M99999", status) for status in (302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 502, 503, 504)]
NO_CODE = [("", status) for _, status in UNKNOWN]
MANY = [f"id-{number}" for number in range(100)]


def statuses(row: Documented) -> Iterable[int]:
    """Those that the pages list; other codes decide alone, even against the status."""
    return row.statuses or (400, 500)


CASES = [(row.code, status) for row in CODES for status in statuses(row)] + UNKNOWN + NO_CODE


DOCUMENTED_CODES: dict[str, list[tuple[int, str]]] = {
    "empty": [(422, "DRS.M00002")],
    "unavailable": [
        *[(404, "APIGW.0103"), (504, "APIGW.0201"), (502, "APIGW.0201"), (503, "APIGW.0201"), (500, "DRS-M00004")],
        *[(422, "DRS-M00004"), (422, "DRS.M00004"), (500, "DRS.M00004"), (422, "DRS.M01501"), (500, "DRS.M01501")],
    ],
    "token": [(401, "APIGW.0307"), (403, "DRS.M00100")],
    "permission": [
        *[(404, "DRS.M00101"), (403, "DRS.M00101"), (403, "DRS.M00102"), (401, "DRS.M00103"), (400, "DRS.M00105")],
        (403, "IAM.0003"),
    ],
    "parameter": [
        *[(400, "DRS.10000001"), (400, "DRS.10000024"), (400, "DRS.10030009"), (400, "DRS.10030016")],
        *[(400, "DRS.M00007"), (400, "DRS.M00200"), (404, "DRS.M00200"), (400, "DRS.M00202")],
    ],
    "page": [(400, "DRS.M00210")],
    "project": [(403, "DRS.M00261")],
    "single id": [(400, "DRS.M00299")],
    "request": [(413, "APIGW.0201"), (422, "DRS.M00277"), (400, "DRS.M00301")],
    "wrong state": [(400, "DRS.M00304")],
    "task": [(400, "DRS.M00307"), (202, "DRS.M01504"), (400, "DRS.M05003")],
    "throttled": [(429, "APIG.0308"), (429, "APIGW.0308"), (400, "DRS.M01503")],
    "gone": [(400, "DRS.10000010"), (404, "DRS.10000010"), (400, "DRS.M00289"), (400, "DRS.M05004"), (200, "M05004")],
    "not published": [(404, "APIGW.0101")],
    "credentials": [(401, "APIGW.0301"), (401, "APIGW.0303")],
    "blocked": [(405, "APIGW.0502"), (403, "APIGW.0802")],
}
"""From the error pages of Huawei Cloud and Open Telekom Cloud, about reads and signing in, by meaning."""
BY_STATUS: dict[str, list[tuple[int, str]]] = {
    "parameter": [(400, "APIGW.0101"), (400, "DRS.M00002")],
    "throttled": [(429, "DRS.M00200")],
    "unavailable": [(408, "DRS.M99999"), (599, "DRS.M99999")],
    "other": [(409, "DRS.M99999"), (204, "DRS.M99999")],
    "redirected": [(302, "DRS.M99999")],
}
"""Codes for which the status decides."""


@pytest.mark.parametrize(
    ("status", "code", "name", "by_code"),
    [
        (*row, name, table is DOCUMENTED_CODES)
        for table in (DOCUMENTED_CODES, BY_STATUS)
        for name, rows in table.items()
        for row in rows
    ],
)
def test_the_meaning_and_the_class_of_an_error(status: int, code: str, name: str, *, by_code: bool) -> None:
    meaning = meaning_of(code, status)
    assert (meaning.name, documented(code, status) is meaning) == (name, by_code)
    if status not in {200, 202}:  # which items of a batch have
        error = error_of(code, status)
        assert (type(error), error.operation, error.code, error.error_code) == (
            CLASSES[name],
            "operation",
            str(status),
            code,
        )


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
async def test_every_code_of_every_operation(operation: Operation) -> None:
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

    wrong = []
    for code, status in CASES:
        script = Script(refusal(status, code))
        async with connected(script, service=operation.service) as cloud:
            wrong += await sent(cloud.client, script, code, status)
    assert wrong == []


SOURCES = ["v3_batch_progress", "v3_batch_precheck_result", "v5_job_progress"]
BY_MEANING = list({(meaning_of(code or None, status), status): (code, status) for code, status in CASES}.values())
"""A case of each meaning and status: a poll knows no more of an error."""


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("tasks", "cases"), [(1, CASES), (10, CASES), (100, BY_MEANING)], ids=["1", "10", "100"])
async def test_every_code_in_a_poll_of_tasks(name: str, tasks: int, cases: list[tuple[str, int]]) -> None:
    """A round costs each of its calls once, thrice where repeating helps, and at most 16 more to find bad ids."""
    wrong = []
    for code, status in cases:
        script, meaning = Script(refusal(status, code)), meaning_of(code or None, status)
        async with connected(script) as cloud:
            source = next(source for source in (*cloud.v3.sources, *cloud.v5.sources) if source.name == name)
            batches = ceil(tasks / source.batch)
            kinds = {type(result) for result in (await cloud.fetch_all(source, MANY[:tasks])).values()}
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
    assert wrong == []


@pytest.mark.parametrize("code", ["DRS.M00289", "DRS.M05004", "DRS.10000010"])
def test_a_server_error_never_proves_that_a_task_does_not_exist(code: str) -> None:
    assert meaning_of(code, 400).name == "gone"
    assert meaning_of(code, 500).name == meaning_of(code, 503).name == "unavailable"
