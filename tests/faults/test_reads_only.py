"""Only operations of the table are sent: none of the vendor's writes, and no request to where a response points."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from huaweicloudsdkdrs.v3.drs_client import DrsClient as VendorV3
from huaweicloudsdkdrs.v5.drs_client import DrsClient as VendorV5

from exporter.cloud.http.client import Client
from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.operations import DETAIL_V5, LIST_PROJECTS, LIST_V3, LIST_V5, OPERATIONS, SIGN_IN
from tests.faults.fleet import FAILING, account, cloud, config, id_of, polling, until, view
from tests.faults.transport import Failure, FaultyTransport, Forward
from tests.lib.accounts import PASSWORD
from tests.lib.cloud import PROJECT, CallLog, Script, connected
from tests.lib.settings import AK_SK
from tests.lib.virtual_time import now, simulated

pytestmark = pytest.mark.usefixtures("frequent_polls")

OURS = {(operation.method, operation.path) for operation in OPERATIONS}
UNPLAIN = ("", "..", ".", "../jobs", "a/b", "%2e%2e", "x?y", "x#y", "é", "x\ny", "x" * 65)
CHECKS = {("POST", "/v3/{project_id}/jobs/batch-precheck-result")}
"""The one read that the vendor calls by another word than list or show: it lists results of checks."""


class _Nothing:
    attribute_map: dict[str, str] = {}  # noqa: RUF012 - as the vendor's requests have it


def vendors() -> dict[tuple[str, str], str]:
    """The vendor's name of each operation, by method and path."""
    found = {}
    for client in (VendorV3, VendorV5):
        for name in dir(client):
            if name.endswith("_http_info"):
                info: dict[str, Any] = getattr(client, name)(_Nothing())
                found[info["method"], info["resource_path"]] = name
    return found


OTHERS = {key: name for key, name in vendors().items() if key not in OURS}
WRITES = {name for (method, _), name in OTHERS.items() if method != "GET"}


def test_the_vendor_has_writes_and_all_of_ours_are_its_reads() -> None:
    assert len(WRITES) > 50
    for operation in OPERATIONS:
        if operation.service == "drs":
            name = vendors()[operation.method, operation.path]
            reads = any(word in name.split("_") for word in ("list", "show"))
            assert reads or (operation.method, operation.path) in CHECKS, name


@simulated
async def test_no_other_operation_of_the_vendors_sdk_can_be_sent() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    async def project_id() -> str:
        return PROJECT

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        parts: dict[str, Any] = {"endpoint": "https://drs.test", "meter": CallLog(), "timeout": 10}
        client = Client(http, service="drs", project_id=project_id, scheduler=Scheduler(rate=3, burst=5), **parts)
        # Under its own name, and with the other attributes of each operation that may be sent.
        for (method, path), name in OTHERS.items():
            for like in (*OPERATIONS, replace(LIST_V3, name=name)):
                with pytest.raises(ValueError, match="not one of the reads"):
                    await client.call(replace(like, method=method, path=path), job_id="1", body={"jobs": ["1"]})
        assert not sent
        await client.call(LIST_V5)
        assert len(sent) == 1


@pytest.mark.parametrize("task_id", UNPLAIN)
async def test_no_task_id_leads_to_another_path(task_id: str) -> None:
    script = Script({})
    async with connected(script) as cloud:
        with pytest.raises(ValueError, match="job_id is no plain id"):
            await cloud.client.call(DETAIL_V5, job_id=task_id)
    assert not script.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["/v3/{}/jobs/batch-creation", "https://drs.elsewhere.test/v5/{}/jobs", "http://169.254.169.254/"]
)
@simulated
async def test_no_redirect_is_followed(status: int, location: str) -> None:
    project = id_of("acme", FAILING)

    async def elsewhere(_request: httpx.Request, _forward: Forward) -> httpx.Response:
        return httpx.Response(status, headers={"Location": location.format(project)})

    transport = FaultyTransport({"acme.test": cloud("acme", ["sync"])}, now)
    transport.failures = {("//acme.test/", operation): elsewhere for operation in OPERATIONS}
    async with polling(transport, config([account("acme", ["progress"], ["sync"])])) as exporter:
        await until(65)
        page = await view(exporter)
    assert page.value("acme", FAILING, "drs_up") == 0
    codes = page.by("code", "acme", "", "drs_exporter_api_requests_total", operation=LIST_V3.name)
    assert {code for code, count in codes.items() if count} == {str(status)}
    assert {request.operation for request in transport.sent} == {LIST_V3, LIST_V5}


def naming(project_id: str) -> Failure:
    """An IAM that gives projects this id."""

    async def failure(_request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = await forward()
        body = json.loads(await answer.aread())
        if "token" in body:
            body["token"]["project"]["id"] = project_id
        else:
            body["projects"] = [{"id": project_id, "name": FAILING}]
        headers = {name: value for name, value in answer.headers.items() if name == "x-subject-token"}
        return httpx.Response(answer.status_code, json=body, headers=headers)

    return failure


@pytest.mark.parametrize("credentials", [PASSWORD, AK_SK], ids=["password", "keys"])
@pytest.mark.parametrize("project_id", UNPLAIN[1:])
async def test_no_project_id_leads_to_another_path(project_id: str, credentials: dict[str, str]) -> None:
    transport = FaultyTransport({"acme.test": cloud("acme", ["sync"])}, now)
    transport.failures = {("//acme.test/", operation): naming(project_id) for operation in (SIGN_IN, LIST_PROJECTS)}
    written = account("acme", ["progress"], ["sync"], credentials=credentials)
    del written["projects"][1], written["projects"][0]["project_id"]
    async with polling(transport, config([written])) as exporter:
        await asyncio.sleep(65)
        assert (await view(exporter)).value("acme", FAILING, "drs_up") == 0
    assert {request.operation for request in transport.sent} <= {SIGN_IN, LIST_PROJECTS}
