from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import httpx
import pytest

from exporter.cloud.access.signing import Keys
from exporter.cloud.http.errors import CloudError, DecodeError, UnavailableError
from exporter.cloud.operations import LIST_V3, LIST_V5, OPERATIONS, PROGRESS_V5, SIGN_IN, Operation
from exporter.config import ConfigError
from exporter.runtime import logs
from tests.lib.cloud import PROJECT, CallLog, Script, Stream, connected, document, refusal
from tests.lib.virtual_time import simulated

GOOD = {"jobs": [], "total_count": 0}
MIB = 2**20


@simulated
async def asked(script: httpx.AsyncBaseTransport, **options: Any) -> tuple[dict[str, Any] | CloudError, CallLog, float]:
    """One call: its answer or error, what the meter was told, and how long it took."""

    async with connected(script, **options) as cloud:
        try:
            answer: dict[str, Any] | CloudError = await cloud.client.call(LIST_V5)
        except CloudError as error:
            answer = error
        return answer, cloud.meter, asyncio.get_running_loop().time()


async def test_a_get_request() -> None:
    script = Script(GOOD)

    async with connected(script) as cloud:
        query = (("name", "a b+c&d=~é"),)
        await cloud.client.call(PROGRESS_V5, job_id="c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r", query=query)
    (request,) = script.requests
    path = f"/v5/{PROJECT}/jobs/c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r"
    assert str(request.url) == f"https://drs.test{path}?type=progress&name=a%20b%2Bc%26d%3D~%C3%A9"
    assert (request.method, request.content) == ("GET", b"")
    assert (request.headers["Content-Type"], request.headers["X-Language"]) == ("application/json", "en-us")


async def test_a_post_request() -> None:
    script = Script(GOOD)

    async with connected(script) as cloud:
        await cloud.client.call(LIST_V3, body={"cur_page": 1, "engine_type": ""})
    (request,) = script.requests
    assert (request.method, str(request.url)) == ("POST", f"https://drs.test/v3/{PROJECT}/jobs")
    assert json.loads(request.content) == {"cur_page": 1, "engine_type": ""}


@pytest.mark.parametrize(
    "operation",
    [
        Operation("delete", "DELETE", "/v3/{project_id}/jobs"),
        Operation("stop", "POST", "/v5/{project_id}/jobs/{job_id}/action"),
        replace(LIST_V5, method="POST"),
        replace(LIST_V5, path="/v5/{project_id}/job"),
        SIGN_IN,  # a read of another service
    ],
)
async def test_what_is_not_in_the_table_of_reads_never_leaves(operation: Operation) -> None:
    script = Script(GOOD)

    async with connected(script, rate=1, burst=1) as cloud:
        with pytest.raises(ValueError, match="not one of the reads"):
            await cloud.client.call(operation)
        await cloud.client.call(LIST_V5)
    assert (len(script.requests), cloud.meter.codes, asyncio.get_running_loop().time()) == (1, ["200"], 0)


def test_the_table_holds_reads_only() -> None:
    # v3 reads with POST; signing in is the only thing that is no read.
    assert {(operation.method, operation.path) for operation in OPERATIONS if operation.method != "GET"} == {
        ("POST", "/v3/{project_id}/jobs"),
        ("POST", "/v3/{project_id}/jobs/batch-status"),
        ("POST", "/v3/{project_id}/jobs/batch-progress"),
        ("POST", "/v3/{project_id}/jobs/batch-detail"),
        ("POST", "/v3/{project_id}/jobs/batch-rpo-and-rto"),
        ("POST", "/v3/{project_id}/jobs/batch-precheck-result"),
        ("POST", "/v3/{project_id}/jobs/disaster-recovery-monitoring-data"),
        ("POST", "/v3/{project_id}/jobs/query-compare-result"),
        ("POST", "/v3/auth/tokens"),
        ("PUT", "/meta-data/latest/api/token"),
    }
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_the_good_statuses_of_a_read(status: int) -> None:
    answer, meter, _ = asked(Script(httpx.Response(status, json=GOOD)))
    assert (answer, meter.codes, meter.retries) == (GOOD, [str(status)], [])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    script = Script(httpx.Response(status, headers={"Location": "https://elsewhere.test/"}))
    answer, meter, _ = asked(script)
    assert (type(answer), len(script.requests), meter.codes) == (CloudError, 1, [str(status)])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    script = Script(refusal(status, "DRS.M00200"))
    answer, meter, took = asked(script)
    assert isinstance(answer, CloudError)
    assert (len(script.requests), meter.codes, meter.retries, took) == (1, [str(status)], [], 0)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx.ConnectError("no route to 10.0.0.1"), "network"),
        *[(httpx.ReadError(""), "network"), (httpx.RemoteProtocolError(""), "network")],
        *[(ConnectionResetError(), "network"), (OSError(101, "unreachable"), "network")],
        (httpx.ConnectTimeout(""), "network"),  # how aiohttp's transport calls a connection that ends
        (aiohttp.ClientPayloadError("from 10.0.0.1"), "network"),
        *[(TimeoutError(), "timeout"), (lambda _: refusal(500), "500")],
        *[(lambda _: refusal(502, "APIGW.0201"), "502"), (lambda _: httpx.Response(503), "503")],
        (lambda _: httpx.Response(408), "408"),
        (lambda _: httpx.Response(200, stream=Stream(b"{", error=httpx.ReadError(""))), "network"),
    ],
)
def test_temporary_errors_are_resent(failure: Exception | Callable[[httpx.Request], httpx.Response], code: str) -> None:
    script = Script(failure)
    answer, meter, took = asked(script)
    assert isinstance(answer, UnavailableError)
    assert answer.code == code
    assert "10.0.0.1" not in str(answer)
    assert (len(script.requests), meter.codes, meter.retries) == (3, [code] * 3, ["v5_list_jobs"] * 2)
    assert 0.5 + 1 <= took <= 1.5 + 3


def test_each_call_is_logged_at_level_debug(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "json")
    asked(Script(refusal(503), GOOD))
    logs.drain(10)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [{key: line[key] for key in line.keys() - {"ts"}} for line in lines] == [
        {"level": "debug", "event": "API call", "operation": "v5_list_jobs", "code": code, "seconds": 0.0}
        for code in ("503", "200")
    ]


def test_a_retry_that_succeeds_is_all_that_the_caller_sees() -> None:
    answer, meter, _ = asked(Script(httpx.ReadError(""), lambda _: refusal(503), GOOD))
    assert (answer, meter.codes) == (GOOD, ["network", "503", "200"])


def test_waits_between_tries_are_jittered() -> None:
    assert len({round(asked(Script(httpx.Response(503)))[2], 3) for _ in range(10)}) > 5


@pytest.mark.parametrize("stream", [Stream(b"{}", wait=60), Stream(*[b" "] * 50, b"{}", wait=1)])
def test_the_time_out_is_for_the_whole_call_drop_by_drop(stream: Stream) -> None:
    answer, meter, took = asked(Script(lambda _: httpx.Response(200, stream=stream)), timeout=10)
    assert isinstance(answer, UnavailableError)
    assert (meter.codes, stream.closed) == (["timeout"] * 3, True)
    assert [seconds for _, _, seconds in meter.requests] == pytest.approx([10] * 3)
    assert 31.5 <= took <= 34.5


async def test_waiting_for_the_budget_is_no_part_of_the_time_out_nor_of_the_duration() -> None:
    async with connected(Script(GOOD), rate=0.01, burst=1, timeout=10) as cloud:
        await asyncio.gather(*(cloud.client.call(LIST_V5) for _ in range(3)))
        assert asyncio.get_running_loop().time() == 200
        assert [seconds for _, _, seconds in cloud.meter.requests] == [0, 0, 0]


@pytest.mark.parametrize(
    ("chunk", "taken"),
    [(b" " * MIB, 5), (b"[]," * 10_000, 27), (b"null," * 10_000, 27), (b"{}," * 10_000, 27)],
    ids=["bytes", "arrays", "nulls", "objects"],
)
def test_a_body_of_too_many_bytes_or_values_is_left_undecoded_and_not_requested_again(chunk: bytes, taken: int) -> None:
    stream = Stream(*[chunk] * 50)
    script = Script(httpx.Response(200, stream=stream))
    answer, meter, _ = asked(script)
    assert isinstance(answer, DecodeError)
    assert (stream.taken, stream.closed, len(script.requests), meter.codes) == (taken, True, 1, ["decode"])
    assert str(answer).startswith("v5_list_jobs: decode: the response has more than 4 MiB or 262144 values: ")


def test_the_limits_of_a_body_leave_room_for_documented_ones() -> None:
    task = json.dumps(document("v3_list_jobs_doc")["jobs"][0])
    assert len(task) < 4096
    for operation in OPERATIONS:
        assert len(task) * 400 < operation.largest_body
        assert task.count(",") * 400 < operation.most_values


def test_a_huge_body_that_was_packed_small_is_no_better() -> None:
    packed = gzip.compress(b" " * 50 * MIB)
    pieces = [packed[start : start + 4096] for start in range(0, len(packed), 4096)]
    stream = Stream(*pieces)
    answer, _, _ = asked(Script(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)))
    assert isinstance(answer, DecodeError)
    assert stream.taken < len(pieces)


@pytest.mark.parametrize(
    "content",
    [b"garbage", gzip.compress(json.dumps(GOOD).encode())[:-12], gzip.compress(b"no json"), b""],
    ids=["no gzip", "cut", "no JSON", "empty"],
)
def test_a_broken_packed_body_is_undecodable(content: bytes) -> None:
    stream = Stream(content)
    answer, meter, _ = asked(Script(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)))
    assert isinstance(answer, DecodeError)
    assert (meter.codes, stream.closed) == (["decode"], True)


def test_a_packed_body_is_unpacked() -> None:
    stream = Stream(gzip.compress(json.dumps(GOOD).encode()))
    assert asked(Script(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)))[0] == GOOD


@pytest.mark.parametrize("fault", [ConfigError("secret file is empty"), None])
def test_without_usable_keys_nothing_is_sent_and_it_is_an_error_of_the_credentials(fault: Exception | None) -> None:
    def keys() -> Keys:
        if fault is not None:
            raise fault
        return Keys("ÄK", "SK")  # no header can carry that

    script = Script(GOOD)
    answer, meter, _ = asked(script, keys=keys)
    assert isinstance(answer, CloudError)
    assert (answer.code, script.requests, meter.codes) == ("credentials", [], ["credentials"])


async def test_a_cancelled_call_stays_cancelled_and_closes_the_connection() -> None:
    stream = Stream(b"{}", wait=5)

    async with connected(Script(httpx.Response(200, stream=stream))) as cloud:
        call = asyncio.create_task(cloud.client.call(LIST_V5))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert cloud.meter.requests == [("v5_list_jobs", "cancelled", 1.0)]
    assert stream.closed
