"""Accounts with each kind of credentials, and the connection of one project."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from exporter.cloud.connect import Connection, SharedCredentials, connect
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler, limits_of
from exporter.cloud.source import TaskList
from exporter.config import Config, from_mapping
from exporter.simulator import DEMO_DOMAIN, DEMO_PASSWORD, DEMO_USER, SimulatedCloud, World
from tests.lib import virtual_time as virtual
from tests.lib.cloud import PROJECT, CallLog
from tests.lib.daemon import sim_task
from tests.lib.settings import AK_SK, settings
from tests.lib.transport import InProcess

REGION = "cn-north-4"
OTHER = "5237e10fe9aa4ad5b16b6a5245248314"
PASSWORD = {"type": "password", "domain": DEMO_DOMAIN, "user": DEMO_USER, "password": DEMO_PASSWORD}
AGENCY = {"type": "ecs_agency"}
DAY = 86_400.0
MINUTE = 60.0

SIGN_IN = "POST /v3/auth/tokens"
FIND = "GET /v3/projects"
SESSION = "PUT /meta-data/latest/api/token"
KEYS = "GET /openstack/latest/securitykey"


LISTS = {"jobs": [], "total_record": 0}
BY_ID: dict[str, Any] = {"projects": [{"region": REGION, "project_id": PROJECT}]}
IAM, DRS = "https://iam.cn-north-4.myhuaweicloud.com", "https://drs.cn-north-4.myhuaweicloud.com"
BASES = {"drs": DRS, "iam": IAM, "metadata": "http://169.254.169.254"}
KINDS = {
    "ak_sk": {FIND: 1},
    "temporary": {FIND: 1},
    "password": {SIGN_IN: 1},
    "token": {FIND: 1},
    "ecs_agency": {SESSION: 1, KEYS: 1, FIND: 1},
}
"""The requests before the first list if the project's id is not given, by kind of credentials."""


def cloud_of(*worlds: World) -> SimulatedCloud:
    """A cloud with these projects, else with the default project of cn-north-4, which has one task."""
    usual = World(project_id=PROJECT, region=REGION, tasks=[sim_task("orders")])
    return SimulatedCloud(worlds=worlds or [usual], keys={"AK": "SK"}, now=virtual.now)


def account(credentials: Mapping[str, Any], name: str = "acme", **keys: Any) -> dict[str, Any]:
    """An account; without `regions` and `projects` it polls the default project of cn-north-4."""
    places = {} if {"regions", "projects"} & keys.keys() else {"regions": [REGION]}
    return {"name": name, "cloud": "huaweicloud", "credentials": dict(credentials), **places, **keys}


def config_of(*accounts: Mapping[str, Any], interval: str = "30s", **sections: Any) -> Config:
    """These accounts with lists alone, of one job type and over v3, and a rate limit that delays no call."""
    given = {"poll": {"interval": interval, "stale_after": "1d"}, "tasks": {"job_types": ["sync"]}, **sections}
    return from_mapping(settings(*accounts, collectors={"tasks"}, cutover={"max_age": "1d"}, **given))


def requests(cloud: SimulatedCloud) -> Counter[str]:
    """The number of requests by METHOD PATH; requests to DRS count as `lists`."""
    return Counter(
        f"{call.method} {call.path}" if f"{call.method} {call.path}" in {SIGN_IN, FIND, SESSION, KEYS} else "lists"
        for call in cloud.calls
    )


def end_tokens(cloud: SimulatedCloud, *tokens: str) -> None:
    """Let these IAM tokens, or all, expire now."""
    for token in tokens or tuple(cloud.auth_tokens):
        cloud.auth_tokens[token] = replace(cloud.auth_tokens[token], expires=cloud.now())


class Recorder(httpx.AsyncBaseTransport):
    """The transport to a simulated cloud, which records all requests."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._cloud = InProcess(cloud)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return await self._cloud.handle_async_request(request)


@dataclass(frozen=True)
class Connected:
    """The connection of one project, and its meter."""

    connection: Connection
    meter: CallLog

    async def list(self) -> TaskList:
        """The tasks of type sync over v3; raises `CloudError`."""
        _, client, apis, decode_errors, _ = self.connection
        return await apis[0].list_tasks(client, decode_errors, "sync")


@asynccontextmanager
async def connected(
    transport: httpx.AsyncBaseTransport | SimulatedCloud | None,
    credentials: Mapping[str, Any],
    *,
    shared: SharedCredentials | None = None,
    name: str = "acme",
    **keys: Any,
) -> AsyncIterator[Connected]:
    """Connect the first project of an account with these credentials and keys."""
    config = config_of(account(credentials, name, **keys)).accounts[0]
    meter = CallLog()
    connection = connect(
        config,
        config.all_projects()[0],
        transport=InProcess(transport) if isinstance(transport, SimulatedCloud) else transport,
        scheduler=Scheduler(*limits_of(config.poll)),
        meter=meter,
        now=virtual.now,
        shared=shared,
    )
    async with connection.http:
        yield Connected(connection, meter)


async def outcome(project: Connected) -> str:
    """Return "fine", or the error of a list."""
    try:
        await project.list()
    except CloudError as error:
        return str(error)
    return "fine"


def token_of(cloud: SimulatedCloud) -> dict[str, str]:
    return {"type": "token", "token": cloud.issue_token(lifetime=1e9)}


def kinds(cloud: SimulatedCloud) -> dict[str, Mapping[str, str]]:
    """Valid credentials of each kind for this cloud."""
    cloud.keys["HST"], cloud.tokens["TEMPORARY"] = "TSK", "HST"
    temporary = {**AK_SK, "access_key": "HST", "secret_key": "TSK", "security_token": "TEMPORARY"}
    return {
        "ak_sk": AK_SK,
        "temporary": temporary,
        "password": PASSWORD,
        "token": token_of(cloud),
        "ecs_agency": AGENCY,
    }


async def listed(cloud: SimulatedCloud, kind: str, times: int = 1, **keys: Any) -> list[httpx.Request]:
    """The requests of some lists, one after the other, all of which succeed."""
    recorder = Recorder(cloud)
    async with connected(recorder, kinds(cloud)[kind], **keys) as project:
        for _ in range(times):
            assert [task.name for task in (await project.list()).tasks] == ["orders"]
    return recorder.requests
