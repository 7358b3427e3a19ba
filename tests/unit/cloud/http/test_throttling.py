from __future__ import annotations

import asyncio

import httpx
import pytest

from exporter.cloud.http.errors import CloudError, ThrottledError
from exporter.cloud.operations import LIST_V3, LIST_V5, PROGRESS_V3
from exporter.simulator import faults
from tests.lib.cloud import Cloud, Script, Stream, connected, refusal
from tests.lib.daemon import cloud_of
from tests.lib.transport import InProcess

GOOD = {"jobs": [], "total_record": 0, "total_count": 0}
RATE_LIMITED = "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute"
DAY = "Wed, 07 Jan 2026"
BODY = {"cur_page": 1, "per_page": 100, "db_use_type": "sync", "engine_type": ""}


async def code(cloud: Cloud) -> str:
    """How a v5 list ends: a code, or "fine"."""
    try:
        await cloud.client.call(LIST_V5)
    except CloudError as error:
        return error.code
    return "fine"


@pytest.mark.parametrize(
    ("complaint", "status", "pause"),
    [
        (refusal(429, "APIGW.0308", "too many"), "429", 30),
        (refusal(429, "APIGW.0308", RATE_LIMITED), "429", 60),
        (refusal(429, "APIGW.0308", RATE_LIMITED, Retry_After="7"), "429", 7),
        (refusal(400, "DRS.M01503", "Operation too frequent. Try again later."), "400", 30),
        (httpx.Response(429), "429", 30),
        (refusal(429, Retry_After=f"{DAY} 10:00:42 GMT", Date=f"{DAY} 10:00:00 GMT"), "429", 42),
    ],
)
async def test_the_operation_pauses_as_the_cloud_requests(complaint: httpx.Response, status: str, pause: float) -> None:
    script = Script(complaint, GOOD)

    async with connected(script) as cloud:
        codes = [await code(cloud), await code(cloud)]
        await cloud.client.call(LIST_V3, body=BODY)  # others go on
        await asyncio.sleep(pause - 5.01)
        codes.append(await code(cloud))
        await asyncio.sleep(0.01)
        codes.append(await code(cloud))  # the last seconds are waited for
        assert asyncio.get_running_loop().time() == pytest.approx(pause)
    assert codes == [status, "paused", "paused", "fine"]
    assert (cloud.meter.codes, cloud.meter.throttles) == ([status, "200", "200"], ["v5_list_jobs"])
    assert len(script.requests) == 3


async def test_the_rate_is_halved_and_recovers() -> None:
    async with connected(Script(refusal(429), GOOD), rate=3, burst=5) as cloud:
        await code(cloud)
        seen = [cloud.scheduler.allowed]
        for _ in range(3):
            await asyncio.sleep(75)
            seen.append(cloud.scheduler.allowed)
        assert seen == [1.5, 2.25, 3, 3]


async def test_a_limit_that_the_cloud_names_slows_that_operation_and_no_other() -> None:
    script = Script(refusal(429, "APIGW.0308", RATE_LIMITED, Retry_After="1"), GOOD)
    loop = asyncio.get_running_loop()

    async with connected(script, rate=100, burst=1000) as cloud:
        assert await code(cloud) == "429"
        await asyncio.sleep(1)
        began = loop.time()
        await asyncio.gather(*(cloud.client.call(LIST_V3, body=BODY) for _ in range(50)))
        assert loop.time() == began
        assert await asyncio.gather(*(code(cloud) for _ in range(55))) == ["fine"] * 55
        assert loop.time() - began == pytest.approx(60)
        assert cloud.scheduler.allowed == 100


async def test_calls_that_waited_meanwhile_do_not_leave_and_cost_nothing() -> None:
    script = Script(httpx.Response(429, stream=Stream(b"{}", wait=0.5)), GOOD)

    async with connected(script, rate=1, burst=1) as cloud:
        codes = await asyncio.gather(*(code(cloud) for _ in range(6)))
        sent, began = len(script.requests), asyncio.get_running_loop().time()
        await cloud.client.call(LIST_V3, body=BODY)
        waited = asyncio.get_running_loop().time() - began
    assert (codes, sent) == (["429", *["paused"] * 5], 1)
    assert waited == pytest.approx(0)  # the one right that they handed on serves the next who may call


async def test_calls_under_way_at_once_halve_the_rate_once() -> None:
    script = Script(lambda _: httpx.Response(429, stream=Stream(b"{}", wait=1)))

    async with connected(script, rate=3, burst=8) as cloud:
        codes = await asyncio.gather(*(code(cloud) for _ in range(8)))
        assert (codes, cloud.scheduler.allowed, len(cloud.meter.throttles)) == (["429"] * 8, 1.5, 8)


async def test_a_paused_operation_raises_what_a_throttled_one_does() -> None:
    async with connected(Script(refusal(429))) as cloud:
        await code(cloud)
        with pytest.raises(ThrottledError) as caught:
            await cloud.client.call(LIST_V5)
        assert (caught.type, str(caught.value)) == (ThrottledError, "v5_list_jobs: paused")


async def test_a_simulated_gateway_that_throttles_one_operation() -> None:
    simulated = cloud_of()
    simulated.faults = [faults.throttled("GET /v5", times=1), faults.too_frequent("batch-progress", times=1)]
    codes = []
    async with connected(InProcess(simulated)) as cloud:
        assert (await cloud.list_tasks("v3")).tasks == ()
        for _ in range(2):
            for call in (cloud.list_tasks("v5"), cloud.client.call(PROGRESS_V3, body={"jobs": []})):
                with pytest.raises(ThrottledError) as caught:
                    await call
                codes.append(caught.value.code)
    assert codes == ["429", "400", "paused", "paused"]
