"""What each kind of credentials sends, when, and what it never sends or says."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from exporter.cloud.connect import SharedCredentials
from exporter.cloud.http.errors import AccessDeniedError
from exporter.cloud.operations import OPERATIONS
from exporter.simulator import DEMO_PASSWORD, DEMO_USER, faults
from tests.lib import virtual_time as virtual
from tests.lib.accounts import (
    AGENCY,
    BASES,
    BY_ID,
    DAY,
    DRS,
    FIND,
    IAM,
    KEYS,
    KINDS,
    LISTS,
    MINUTE,
    PASSWORD,
    REGION,
    SESSION,
    SIGN_IN,
    cloud_of,
    connected,
    end_tokens,
    kinds,
    listed,
    requests,
)
from tests.lib.cloud import PROJECT, Script


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_credentials_finds_the_default_project_once(kind: str) -> None:
    cloud = cloud_of()
    await listed(cloud, kind, times=3)
    assert requests(cloud) == {**KINDS[kind], "lists": 3}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_given_project_id_spares_the_search(kind: str) -> None:
    cloud = cloud_of()
    await listed(cloud, kind, times=2, **BY_ID)
    assert requests(cloud) == {**{what: times for what, times in KINDS[kind].items() if what != FIND}, "lists": 2}


@pytest.mark.parametrize("keys", [{}, BY_ID], ids=["found", "given"])
@pytest.mark.parametrize("kind", KINDS)
async def test_only_the_operations_of_the_table_are_sent_and_only_to_their_host(
    kind: str, keys: dict[str, Any]
) -> None:
    table = {
        (operation.method, BASES[operation.service] + re.sub(r"\{(project_id|job_id)\}", PROJECT, operation.path))
        for operation in OPERATIONS
    }

    for request in await listed(cloud_of(), kind, times=2, **keys):
        assert (request.method, str(request.url.copy_with(query=None))) in table


@pytest.mark.parametrize("kind", ["ak_sk", "ecs_agency"])
async def test_the_project_is_named_and_signed_once_it_is_known(kind: str) -> None:
    for request in await listed(cloud_of(), kind):
        signed = "x-project-id" in request.headers.get("authorization", "")
        assert request.headers.get("x-project-id") == (PROJECT if str(request.url).startswith(DRS) else None)
        assert signed == str(request.url).startswith(DRS)


@pytest.mark.parametrize(("keys", "scope"), [({}, {"name": REGION}), (BY_ID, {"id": PROJECT})], ids=["found", "given"])
async def test_the_sign_in_is_as_documented(keys: dict[str, Any], scope: dict[str, str]) -> None:
    request = (await listed(cloud_of(), "password", **keys))[0]
    assert str(request.url) == f"{IAM}/v3/auth/tokens?nocatalog=true"
    user = {"domain": {"name": PASSWORD["domain"]}, "name": DEMO_USER, "password": DEMO_PASSWORD}
    assert json.loads(request.content) == {
        "auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": scope}}
    }


@pytest.mark.parametrize("kind", ["password", "ecs_agency"])
async def test_a_hundred_calls_at_once_sign_in_once(kind: str) -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.Fault(match="auth/tokens|securitykey", kind="slow", seconds=3))
    async with connected(cloud, kinds(cloud)[kind]) as project:
        await asyncio.gather(*(project.list() for _ in range(100)))
    assert requests(cloud) == {**KINDS[kind], "lists": 100}


async def test_the_projects_of_an_exporter_share_the_keys_of_the_agency() -> None:
    cloud, shared = cloud_of(), SharedCredentials()
    cloud.worlds.append(type(cloud.worlds[0])(project_id="f" * 32, region="cn-east-3"))
    async with (
        connected(cloud, AGENCY, shared=shared) as first,
        connected(cloud, AGENCY, shared=shared, name="b", regions=["cn-east-3"]) as second,
    ):
        await asyncio.gather(first.list(), second.list())
    assert requests(cloud) == {SESSION: 1, KEYS: 1, FIND: 2, "lists": 2}


@pytest.mark.parametrize(
    ("kind", "lasts", "ahead", "what"),
    [("password", DAY, 30 * MINUTE, SIGN_IN), ("ecs_agency", 50 * MINUTE, 8 * MINUTE, KEYS)],
)
async def test_tokens_and_keys_are_renewed_before_they_expire(kind: str, lasts: float, ahead: float, what: str) -> None:
    cloud = cloud_of()
    async with connected(cloud, kinds(cloud)[kind]) as project:
        await project.list()
        await asyncio.sleep(lasts - ahead - 1)
        await project.list()
        assert requests(cloud)[what] == 1
        await asyncio.sleep(1)
        await project.list()
        assert requests(cloud)[what] == 2
        assert project.meter.codes.count("200") + project.meter.codes.count("201") == len(project.meter.codes)


@pytest.mark.parametrize(("status", "code"), [(403, "DRS.M00100"), (401, "APIGW.0301")])
@pytest.mark.parametrize("kind", ["password", "ecs_agency"])
async def test_refused_tokens_and_keys_are_renewed_and_the_call_is_repeated(kind: str, status: int, code: str) -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.refused("/jobs", status, code, "Invalid.", times=1))
    async with connected(cloud, kinds(cloud)[kind]) as project:
        assert (await project.list()).complete
        assert project.meter.retries == ["v3_list_jobs"]
    again = {what: 2 * times for what, times in KINDS[kind].items() if what != FIND}
    assert requests(cloud) == {**KINDS[kind], **again, "lists": 2}


@pytest.mark.parametrize(("kind", "lists"), [("ak_sk", 1), ("token", 1), ("password", 2), ("ecs_agency", 2)])
async def test_a_refusal_never_causes_a_loop_of_sign_ins(kind: str, lists: int) -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.unauthorized("/jobs"))
    async with connected(cloud, kinds(cloud)[kind]) as project:
        with pytest.raises(AccessDeniedError) as caught:
            await project.list()
        assert (caught.value.code, caught.value.operation, requests(cloud)["lists"]) == ("401", "v3_list_jobs", lists)
        for _ in range(9):  # nor in nine further polls
            await asyncio.sleep(30)
            with pytest.raises(AccessDeniedError):
                await project.list()
    assert requests(cloud)["lists"] == lists + 9
    assert requests(cloud)[SIGN_IN] + requests(cloud)[KEYS] == (0 if lists == 1 else 2)


async def test_a_refusal_for_lack_of_a_permission_is_no_reason_to_sign_in() -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.forbidden("/jobs"))
    async with connected(cloud, PASSWORD) as project:
        with pytest.raises(AccessDeniedError):
            await project.list()
    assert requests(cloud) == {SIGN_IN: 1, "lists": 1}


async def test_calls_that_are_refused_together_sign_in_once() -> None:
    cloud = cloud_of()
    async with connected(cloud, PASSWORD) as project:
        await project.list()
        end_tokens(cloud)  # as after a change of the password
        cloud.faults.append(faults.Fault(match="/jobs", kind="slow", seconds=1, times=20))
        await asyncio.gather(*(project.list() for _ in range(20)))
    assert requests(cloud) == {SIGN_IN: 2, "lists": 1 + 2 * 20}


async def test_a_call_that_was_refused_with_the_old_token_is_repeated_with_the_new_one() -> None:
    cloud = cloud_of()
    async with connected(cloud, PASSWORD) as project:
        await project.list()
        end_tokens(cloud)
        cloud.faults.append(faults.Fault(match="/jobs", kind="slow", seconds=8, times=1))
        late = asyncio.create_task(project.list())
        await asyncio.sleep(1)
        await project.list()
        assert (await late).complete
    assert requests(cloud) == {SIGN_IN: 2, "lists": 1 + 2 * 2}


@pytest.mark.parametrize("kind", KINDS)
async def test_all_calls_are_counted_and_cost_budget(kind: str) -> None:
    cloud = cloud_of()
    async with connected(cloud, kinds(cloud)[kind], poll={"rate_limit": 0.1, "burst": 1}) as project:
        await project.list()
        counted = sorted(operation for operation, _, _ in project.meter.requests)
    names = {
        SIGN_IN: "iam_auth_tokens",
        FIND: "iam_list_projects",
        SESSION: "metadata_token",
        KEYS: "metadata_securitykey",
    }
    assert counted == sorted([*(names[what] for what in KINDS[kind]), "v3_list_jobs"])
    assert asyncio.get_running_loop().time() == pytest.approx(10 * len(KINDS[kind]))


async def test_the_time_of_a_sign_in_is_no_part_of_the_calls_time_out() -> None:
    cloud = cloud_of()
    for match in ("auth/tokens", "/jobs"):
        cloud.faults.append(faults.Fault(match=match, kind="slow", seconds=8))
    async with connected(cloud, PASSWORD) as project:
        assert (await project.list()).complete
        assert [round(seconds) for _, _, seconds in project.meter.requests] == [8, 8]
    assert virtual.now() == virtual.EPOCH + 16


@pytest.mark.parametrize(
    ("kind", "lasts"), [("password", DAY), ("ecs_agency", 50 * MINUTE), ("token", None), ("ak_sk", None)]
)
async def test_the_end_of_the_credentials_is_reported_where_it_is_known(kind: str, lasts: float | None) -> None:
    cloud = cloud_of()
    async with connected(cloud, kinds(cloud)[kind]) as project:
        assert project.connection.access().credentials_expire_at is None
        await project.list()
        access = project.connection.access()
    assert access.credentials_type == kind
    assert access.credentials_expire_at == (None if lasts is None else virtual.EPOCH + lasts)


async def test_the_end_of_a_configured_token_is_that_of_the_newest_one(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("none yet")
    async with connected(Script(LISTS), {"type": "token", "token": {"file": str(file)}}, **BY_ID) as project:
        for day in (2, 3):
            file.write_text(base64.b64encode(b'{"expires_at":"2026-01-%02dT00:00:00Z"}' % day).decode())
            await project.list()
            expires_at = project.connection.access().credentials_expire_at
            assert expires_at == virtual.EPOCH + (day - 1) * DAY
            await asyncio.sleep(60)
