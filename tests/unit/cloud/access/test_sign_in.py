"""Signing in, and refusals that must not lock a user out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from exporter.cloud.connect import SharedCredentials
from exporter.cloud.http.errors import EmptyResultError, NotPublishedError, NotSentError
from exporter.simulator import DEMO_USER, SimulatedCloud, World, faults
from tests.lib.accounts import (
    DAY,
    LISTS,
    MINUTE,
    PASSWORD,
    REGION,
    SIGN_IN,
    Connected,
    Recorder,
    cloud_of,
    connected,
    end_tokens,
    outcome,
    requests,
)
from tests.lib.cloud import PROJECT, Script
from tests.lib.settings import AK_SK

WRONG = {**PASSWORD, "password": "wrong"}
SUBJECT = {"X-Subject-Token": "MIIC"}
TIMES = {"issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2026-01-02T00:00:00.000000Z"}
PROJECT_OF_TOKEN = {"project": {"id": PROJECT, "name": REGION}}


def signed_in(
    token: dict[str, Any], headers: dict[str, str] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """A cloud whose IAM answers a sign-in so, and whose DRS has no tasks."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v3/auth/tokens":
            return httpx.Response(200, json=LISTS)
        return httpx.Response(201, json={"token": token}, headers=SUBJECT if headers is None else headers)

    return answer


@pytest.mark.parametrize(
    ("token", "hours"),
    [
        (TIMES, 24),
        ({"issued_at": "2019-01-01T00:00:00Z", "expires_at": "2019-01-01T06:00:00Z"}, 6),  # our clock is wrong
        ({}, 1),
        ({"expires_at": TIMES["expires_at"]}, 1),
        ({"issued_at": "yesterday", "expires_at": {}}, 1),
    ],
)
async def test_a_token_is_renewed_before_the_time_at_which_it_expires(token: dict[str, Any], hours: float) -> None:
    script = Script(signed_in({**token, **PROJECT_OF_TOKEN}))
    async with connected(script, PASSWORD) as project:
        for seconds in (0, hours * 3600 - 1801, 1):
            await asyncio.sleep(seconds)
            await project.list()
        is_assumed = hours == 1
        assert (project.connection.access().credentials_expire_at is None) == is_assumed
    assert [request.url.path for request in script.requests].count("/v3/auth/tokens") == 2


@pytest.mark.parametrize(
    ("token", "headers", "error"),
    [
        ({**TIMES, **PROJECT_OF_TOKEN}, {}, "iam_auth_tokens: decode"),
        ("?", SUBJECT, "iam_auth_tokens: decode"),
        (TIMES, SUBJECT, "iam_auth_tokens: decode: IAM's response lacks the token's project: set project_id"),
        ({**TIMES, "project": {}}, SUBJECT, "iam_auth_tokens: decode: IAM's response lacks"),
        ({**TIMES, "project": {"id": {}}}, SUBJECT, "iam_auth_tokens: decode: IAM's response lacks"),
    ],
)
async def test_a_sign_in_without_token_or_project_is_an_error(token: Any, headers: dict[str, str], error: str) -> None:
    async with connected(Script(signed_in(token, headers)), PASSWORD) as project:
        assert (await outcome(project)).startswith(error)


async def test_a_wrong_password_is_tried_less_and_less_often() -> None:
    cloud = cloud_of()
    tried = []
    async with connected(cloud, WRONG) as project:
        for _ in range(int(6 * 60 * MINUTE / 30)):
            before = requests(cloud)[SIGN_IN]
            assert (await outcome(project)).startswith("iam_auth_tokens: 401: the account, the user, the password")
            if requests(cloud)[SIGN_IN] > before:
                tried.append(asyncio.get_running_loop().time() / MINUTE)
            await asyncio.sleep(30)
    assert tried == [0, 5, 15, 35, 75, 135, 195, 255, 315]


@asynccontextmanager
async def twelve_projects(
    credentials: dict[str, str], seconds: float
) -> AsyncIterator[tuple[SimulatedCloud, list[Connected]]]:
    """Connect twelve projects of an account; a sign-in takes n seconds."""
    regions = [f"region-{number}" for number in range(12)]
    cloud = cloud_of(*(World(project_id=f"{number:032x}", region=region) for number, region in enumerate(regions)))
    cloud.faults.append(faults.Fault(match="auth/tokens", kind="slow", seconds=seconds))
    shared = SharedCredentials()
    async with AsyncExitStack() as stack:
        contexts = [connected(cloud, credentials, shared=shared, regions=[region]) for region in regions]
        yield cloud, [await stack.enter_async_context(context) for context in contexts]


@pytest.mark.parametrize("seconds", [0, 2])
async def test_many_projects_do_not_lock_the_user_out(seconds: float) -> None:
    """IAM locks after 5 refusals within 15 minutes."""
    times: list[float] = []
    async with twelve_projects(WRONG, seconds) as (cloud, projects):
        for _ in range(int(2 * 60 * MINUTE / 30)):
            before = requests(cloud)[SIGN_IN]
            await asyncio.gather(*(outcome(project) for project in projects))
            times += [asyncio.get_running_loop().time()] * (requests(cloud)[SIGN_IN] - before)
            await asyncio.sleep(30)
        assert max(sum(start <= time < start + 15 * MINUTE for time in times) for start in times) == 3
        assert len({str(call.body) for call in cloud.calls}) >= 6  # not always the same projects
        cloud.users[DEMO_USER] = "wrong"  # and then it is right
        await asyncio.sleep(60 * MINUTE)
        assert {await outcome(project) for project in projects} == {"fine"}


async def test_many_projects_sign_in_three_at_a_time() -> None:
    async with twelve_projects(PASSWORD, 2) as (_, projects):
        assert set(await asyncio.gather(*(outcome(project) for project in projects))) == {"fine"}
        assert asyncio.get_running_loop().time() == 12 / 3 * 2


async def test_a_refusal_of_the_old_password_does_not_count_for_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "password"

    cloud, shared = cloud_of(), SharedCredentials()
    cloud.faults.append(faults.Fault(match="auth/tokens", kind="slow", seconds=5, times=1))
    file.write_text("wrong")
    credentials = {**PASSWORD, "password": {"file": str(file)}}
    async with (
        connected(cloud, credentials, shared=shared) as late,
        connected(cloud, credentials, shared=shared, regions=["nowhere"]) as other,
    ):
        refused = asyncio.create_task(outcome(late))
        await asyncio.sleep(1)
        file.write_text(str(PASSWORD["password"]))
        assert "401" in await outcome(other)  # for the project
        assert "401" in await refused
        await asyncio.sleep(30)
        assert await outcome(late) == "fine"


async def test_one_project_that_is_refused_stops_no_other() -> None:
    cloud, shared = cloud_of(), SharedCredentials()
    async with (
        connected(cloud, PASSWORD, shared=shared, regions=["nowhere"]) as bad,
        connected(cloud, PASSWORD, shared=shared) as good,
    ):
        for _ in range(100):
            assert "401" in await outcome(bad)
            assert await outcome(good) == "fine"
            await asyncio.sleep(30)


async def test_a_changed_password_is_tried_at_once(tmp_path: Path) -> None:
    file = tmp_path / "password"

    cloud = cloud_of()
    file.write_text("before\n")
    async with connected(cloud, {**PASSWORD, "password": {"file": str(file)}}) as project:
        for _ in range(3):
            assert "401" in await outcome(project)
            await asyncio.sleep(30)
        cloud.users[DEMO_USER] = "behind"  # of the same length, within the same second
        file.write_text("behind\n")
        assert await outcome(project) == "fine"
        cloud.users[DEMO_USER] = "later"
        await asyncio.sleep(DAY / 2)
        assert await outcome(project) == "fine"  # the token is good, whatever became of the password
        end_tokens(cloud)
        assert "401" in await outcome(project)
        await asyncio.sleep(30)
        file.write_text("later\n")
        assert await outcome(project) == "fine"
    assert requests(cloud)[SIGN_IN] == 4


async def test_after_a_good_sign_in_refusals_are_counted_from_zero(tmp_path: Path) -> None:
    cloud = cloud_of()
    cloud.users[DEMO_USER] = "?"
    tried = []
    async with connected(cloud, PASSWORD) as project:
        for minute in range(60):
            if minute in {6, 30}:
                cloud.users[DEMO_USER] = {6: PASSWORD["password"], 30: "?"}[minute]
                end_tokens(cloud)
            before = requests(cloud)[SIGN_IN]
            await outcome(project)
            if requests(cloud)[SIGN_IN] > before:
                tried.append(minute)
            await asyncio.sleep(MINUTE)
    assert tried == [0, 5, 15, 30, 35, 45]


async def test_the_token_is_used_until_it_expires_while_iam_is_unavailable() -> None:
    cloud = cloud_of()
    async with connected(cloud, PASSWORD) as project:
        assert await outcome(project) == "fine"
        cloud.faults.append(faults.unavailable("auth/tokens", 503))
        await asyncio.sleep(DAY - 10 * MINUTE)
        for _ in range(9):
            assert await outcome(project) == "fine"
            await asyncio.sleep(MINUTE)
        await asyncio.sleep(MINUTE)
        assert await outcome(project) == "iam_auth_tokens: 503 APIGW.0201"
        cloud.faults.clear()
        await asyncio.sleep(30)
        assert await outcome(project) == "fine"
    assert requests(cloud)["lists"] == 11


async def test_a_sign_in_has_retries_of_its_own_and_is_not_retried_by_the_call_that_needs_it() -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.unavailable("auth/tokens", 503))
    async with connected(cloud, PASSWORD) as project:
        await outcome(project)
        assert (project.meter.codes, project.meter.retries) == (["503"] * 3, ["iam_auth_tokens"] * 2)


@pytest.mark.parametrize(
    "fault",
    [
        faults.unpublished("v3/projects"),
        faults.refused("v3/projects", 422, "DRS.M00002", "empty"),
        faults.refused("v3/projects", 400, "DRS.10000010", "gone"),
        faults.throttled("v3/projects"),
    ],
    ids=lambda fault: str(fault.status),
)
async def test_an_error_of_iam_is_no_error_of_drs(fault: faults.Fault) -> None:
    """An IAM that is not published must not look like a DRS that is not published."""

    cloud = cloud_of()
    cloud.faults.append(faults.Fault(match=fault.match, status=fault.status, body=fault.body))
    async with connected(cloud, AK_SK) as project:
        with pytest.raises(NotSentError) as caught:
            await project.list()
        assert not isinstance(caught.value, NotPublishedError | EmptyResultError)
        assert (caught.value.code, caught.value.operation) == (str(fault.status), "iam_list_projects")


@pytest.mark.parametrize("cloud_name", ["huaweicloud", "huaweicloud_eu", "otc"])
@pytest.mark.parametrize("credentials", [AK_SK, PASSWORD], ids=["ak_sk", "password"])
async def test_each_cloud_has_its_own_addresses(cloud_name: str, credentials: dict[str, str]) -> None:
    domain = {"huaweicloud": "myhuaweicloud.com", "huaweicloud_eu": "myhuaweicloud.eu", "otc": "otc.t-systems.com"}

    recorder = Recorder(cloud_of(World(project_id=PROJECT, region="eu-de")))
    async with connected(recorder, credentials, cloud=cloud_name, regions=["eu-de"]) as project:
        assert await outcome(project) == "fine"
    assert {f"{request.url.scheme}://{request.url.host}" for request in recorder.requests} == {
        f"https://{service}.eu-de.{domain[cloud_name]}" for service in ("iam", "drs")
    }


async def test_the_iam_endpoint_is_a_setting() -> None:
    recorder = Recorder(cloud_of())
    async with connected(recorder, PASSWORD, iam_endpoint="https://iam.myhuaweicloud.com") as project:
        assert await outcome(project) == "fine"
    assert {request.url.host for request in recorder.requests if "auth" in request.url.path} == {
        "iam.myhuaweicloud.com"
    }


async def test_no_secret_of_a_sign_in_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        for credentials in (PASSWORD, {**WRONG, "password": "hunter2"}):
            async with connected(cloud_of(), credentials) as project:
                await outcome(project)
    text = f"{caplog.text} {logged}"
    assert not [secret for secret in (PASSWORD["password"], "hunter2", DEMO_USER, "MII") if secret in text]
