"""The kinds of faults of a call, each with a canary in every text of the cloud or the network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from exporter.simulator import Fault, faults
from tests.faults.transport import Failure, Forward

CANARY = "kanari"
"""Part of each secret and each text of the cloud or the network; no output may contain it."""
MESSAGE = f"jdbc:mysql://{CANARY}-user:{CANARY}-password@{CANARY}-host:3306/{CANARY}: access denied for {CANARY}"
_ID_KEYS = ("id", "job_id", "precheck_id")


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: what goes wrong.
        failure: how.
        code: the code under which a failing call is counted.
        throttles: whether it slows down all calls of the account in the region, which is right.
    """

    name: str
    failure: Failure
    code: str
    throttles: bool = False


class _Torn(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"jobs": ['
        raise httpx.ReadError(MESSAGE)


class _Huge(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        blanks = b" " * 2**20
        for _ in range(50):
            yield blanks


def _always(make: Callable[[], httpx.Response]) -> Failure:
    async def failure(_request: httpx.Request, _forward: Forward) -> httpx.Response:
        return make()

    return failure


def text(body: str, status: int = 200) -> Failure:
    """Respond with this body to any request."""
    return _always(lambda: httpx.Response(status, content=body))


def _refusal(fault: Fault) -> Failure:
    answer = fault.answer()
    body = json.dumps({**_object(fault.body), "error_msg": f"{_object(fault.body)['error_msg']} {MESSAGE}"})
    return _always(lambda: httpx.Response(answer.status, content=body, headers=answer.headers))


def _object(body: object) -> dict[str, Any]:
    assert isinstance(body, dict)
    return body


async def _refuse_connection(request: httpx.Request, _forward: Forward) -> httpx.Response:
    raise httpx.ConnectError(MESSAGE, request=request)


async def _time_out(_request: httpx.Request, forward: Forward) -> httpx.Response:
    await asyncio.sleep(600)
    return await forward()


async def _break_items(request: httpx.Request, forward: Forward) -> httpx.Response:
    """Return an error in place of each task of a good response; an error response where it is about one task."""
    answer = await forward()
    content = await answer.aread()
    if answer.headers["content-type"] == "text/plain":
        return httpx.Response(answer.status_code, content=content)
    body = json.loads(content)
    if isinstance(results := body.get("results"), list):
        error = {"status": "failed", "error_code": "DRS.M01504", "error_msg": MESSAGE, "error_message": MESSAGE}
        broken = [{**{key: item[key] for key in _ID_KEYS if key in item}, **error} for item in results]
        broken = [{**item, "error_code": f"DRS.{CANARY}"} if odd % 2 else item for odd, item in enumerate(broken)]
        return httpx.Response(200, json={**body, "results": broken})
    if isinstance(jobs := body.get("jobs"), list):
        nameless = [{**item, "id": None, "async_job_id": None, "error_msg": MESSAGE} for item in jobs]
        return httpx.Response(200, json={**body, "jobs": nameless})
    return httpx.Response(400, json={"error_code": "DRS.10000001", "error_msg": MESSAGE})


KINDS = (
    Kind("connection refused", _refuse_connection, "network"),
    Kind("time-out", _time_out, "timeout"),
    Kind("reset in mid-body", _always(lambda: httpx.Response(200, stream=_Torn())), "network"),
    Kind("401", _refusal(faults.unauthorized("")), "401"),
    Kind("403", _refusal(faults.forbidden("")), "403"),
    Kind("404", text(json.dumps({"error_code": f"{CANARY}-host", "error_msg": MESSAGE}), 404), "404"),
    Kind("429", _refusal(faults.throttled("")), "429", throttles=True),
    Kind("400 too frequent", _refusal(faults.too_frequent("")), "400", throttles=True),
    Kind("500", _refusal(faults.broken("")), "500"),
    Kind("502", _refusal(faults.unavailable("", 502)), "502"),
    Kind("another object", text(json.dumps({CANARY: [MESSAGE], "message": MESSAGE})), "200"),
    Kind("an array", text(json.dumps([MESSAGE])), "decode"),
    Kind("HTML", text(f"<html><title>{MESSAGE}</title></html>"), "decode"),
    Kind("empty body", text(""), "decode"),
    Kind("50 MB", _always(lambda: httpx.Response(200, stream=_Huge())), "decode"),
    Kind("errors in place of items", _break_items, ""),
)
"""Kinds that make any call fail."""
UNPUBLISHED = Kind("404 not published", _refusal(faults.unpublished("")), "404")
