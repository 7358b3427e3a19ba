"""Finding the ids of projects, and polling none of them twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog

from exporter.cloud.connect import SharedCredentials
from exporter.simulator import faults
from tests.lib.accounts import DAY, FIND, LISTS, PASSWORD, REGION, SIGN_IN, cloud_of, connected, outcome, requests
from tests.lib.cloud import PROJECT, Script
from tests.lib.settings import AK_SK

NO_PROJECT = "iam_list_projects: project: IAM shows no project of the name cn-north-4: set project_id, or let the user"


def project_list(*projects: Any) -> dict[str, Any]:
    return {"projects": list(projects), "links": {}}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (project_list(), NO_PROJECT),
        (project_list({"id": PROJECT, "name": "cn-north-4_test"}), NO_PROJECT),
        (project_list({"id": PROJECT, "name": "CN-NORTH-4"}), NO_PROJECT),
        (project_list({"name": REGION}, {"id": {}, "name": REGION}), NO_PROJECT),
        (
            project_list({"id": PROJECT, "name": REGION}, {"id": "f" * 32, "name": REGION}),
            "iam_list_projects: project: IAM shows more than one project of the name cn-north-4: set project_id",
        ),
        ({"projects": None}, "iam_list_projects: decode"),
        ({}, "iam_list_projects: decode"),
    ],
)
async def test_the_default_project_is_the_one_with_exactly_the_regions_name(body: dict[str, Any], error: str) -> None:
    async with connected(Script(body), AK_SK) as project:
        assert (await outcome(project)).startswith(error)


async def test_among_projects_with_similar_names_the_right_one_is_taken() -> None:
    others = ({"id": "e" * 32, "name": f"{REGION}_test"}, 5, {"id": PROJECT, "name": REGION, "enabled": True})
    again = {"id": PROJECT, "name": REGION}  # two pages that overlap

    script = Script(project_list(*others, again), LISTS)
    async with connected(script, AK_SK) as project:
        assert await outcome(project) == "fine"
    assert (script.requests[0].url.query, script.requests[1].url.path) == (b"name=cn-north-4", f"/v3/{PROJECT}/jobs")


async def test_a_project_that_is_not_found_is_looked_for_with_the_next_poll_and_once_found_it_stays() -> None:
    cloud = cloud_of()
    cloud.faults.append(faults.broken("v3/projects", times=3))
    async with connected(cloud, AK_SK) as project:
        assert await outcome(project) == "iam_list_projects: 500 DRS.M00004"
        await asyncio.sleep(30)
        assert await outcome(project) == "fine"
        cloud.faults.append(faults.broken("v3/projects"))
        await asyncio.sleep(30 * DAY)
        assert await outcome(project) == "fine"
    assert requests(cloud) == {FIND: 4, "lists": 2}


async def test_many_calls_look_for_a_project_once_and_share_the_failure() -> None:
    cloud = cloud_of()
    slow = faults.Fault(match="v3/projects", kind="slow", seconds=1)
    cloud.faults += [slow, faults.unauthorized("v3/projects", times=1)]
    async with connected(cloud, AK_SK) as project:
        assert set(await asyncio.gather(*(outcome(project) for _ in range(20)))) == {
            "iam_list_projects: 401 APIGW.0301"
        }
        assert requests(cloud) == {FIND: 1}
        await asyncio.sleep(30)
        assert set(await asyncio.gather(*(outcome(project) for _ in range(20)))) == {"fine"}
    assert requests(cloud) == {FIND: 2, "lists": 20}


BY_ID = {"projects": [{"region": REGION, "project_id": PROJECT, "name": "payments"}]}


@pytest.mark.parametrize("first_keys", [{}, BY_ID], ids=["found", "given"])
async def test_a_project_that_two_accounts_reach_is_refused_for_the_second(first_keys: dict[str, Any]) -> None:
    label = "payments" if first_keys else REGION

    cloud, shared = cloud_of(), SharedCredentials()
    async with (
        connected(cloud, AK_SK, shared=shared, name="a", **first_keys) as first,
        connected(cloud, PASSWORD, shared=shared, name="b") as second,
    ):
        assert await outcome(first) == "fine"
        with structlog.testing.capture_logs() as logged:
            for _ in range(3):
                assert await outcome(second) == f"iam_list_projects: project: {PROJECT} is polled by account a"
                assert await outcome(first) == "fine"
    assert (requests(cloud)["lists"], requests(cloud)[SIGN_IN]) == (4, 1)
    assert logged == [
        {
            "event": "this project is polled already, it is refused here; remove one of the two from the configuration",
            "log_level": "error",
            "account": "b",
            "region": REGION,
            "project": REGION,
            "project_id": PROJECT,
            "polled_by_account": "a",
            "polled_as_project": label,
        }
    ]


async def test_the_same_id_in_another_region_is_another_project() -> None:
    cloud, shared = cloud_of(), SharedCredentials()
    elsewhere = {"projects": [{"region": "cn-east-3", "project_id": PROJECT}]}
    async with (
        connected(cloud, AK_SK, shared=shared, name="a") as first,
        connected(cloud, AK_SK, shared=shared, name="b", **elsewhere) as second,
    ):
        assert [await outcome(first), await outcome(second)] == ["fine", "fine"]
