from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx

from exporter.cloud.http.errors import CloudError
from exporter.cloud.operations import LIST_V5
from tests.lib.cloud import Reply, Script, Stream, connected, refusal
from tests.lib.virtual_time import simulated


@simulated
async def observed(*replies: Reply) -> list[tuple[Any, ...]]:
    """Return what an observer receives of one call."""
    received: list[tuple[Any, ...]] = []

    def observer(operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        received.append((operation, status, headers.get("date"), body, seconds))

    async with connected(Script(*replies), observer=observer) as cloud:
        with suppress(CloudError):
            await cloud.client.call(LIST_V5)
    return received


def test_an_observer_receives_every_response_decoded() -> None:
    error = {"error_code": "DRS.M00102", "error_msg": "Failed."}
    assert observed({"jobs": []}) == [("v5_list_jobs", 200, None, {"jobs": []}, 0.0)]
    assert observed(refusal(403, "DRS.M00102", date="today")) == [("v5_list_jobs", 403, "today", error, 0.0)]


def test_what_is_no_json_is_none() -> None:
    assert observed(httpx.Response(200, content=b"<html>")) == [("v5_list_jobs", 200, None, None, 0.0)]
    assert observed(httpx.Response(200, content=b"[" * 100_000))[0][3] is None


def test_an_observer_receives_each_try_and_its_duration() -> None:
    def slow(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Stream(b"{}", wait=2.5))

    assert [(status, seconds) for _, status, _, _, seconds in observed(refusal(503), slow)] == [(503, 0.0), (200, 2.5)]


def test_an_observer_receives_nothing_without_a_response() -> None:
    assert observed(httpx.ConnectError("refused")) == []
