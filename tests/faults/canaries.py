"""Accounts whose credentials are canaries, for each kind of credentials, on clouds with canaries in all texts."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterable
from typing import Any

import httpx

from exporter.cloud.operations import OPERATIONS, Operation
from exporter.config import Collectors
from exporter.simulator import SimulatedCloud
from tests.faults.fleet import account, cloud
from tests.faults.kinds import CANARY, MESSAGE
from tests.faults.transport import Failure, FaultyTransport, Forward
from tests.lib.daemon import sim_task
from tests.lib.virtual_time import now

DOMAIN, USER = "somebodys-domain", "somebodys-name"
"""No secrets, but never on a page or in a log line."""
CREDENTIALS: dict[str, dict[str, Any]] = {
    "ak_sk": {"type": "ak_sk", "access_key": f"{CANARY}AK", "secret_key": f"{CANARY}SK"},
    "temporary": {
        "type": "ak_sk",
        "access_key": f"{CANARY}HST",
        "secret_key": f"{CANARY}SK",
        "security_token": f"{CANARY}TOKEN",
    },
    "password": {"type": "password", "domain": DOMAIN, "user": USER, "password": f"{CANARY}-password"},
    "token": {"type": "token", "token": f"{CANARY}-auth-token"},
    "agency": {"type": "ecs_agency"},
}
_CONFIDENTIAL = re.compile(
    "msg|message|description|ip$|user|password|host|domain|inst_name|reason|data|ssl|raw|azcode|url"
)
"""Keys of texts, hosts and users, whose values are never output."""


def accounts(
    kind: str, names: Iterable[str], collectors: Iterable[str] = Collectors.model_fields
) -> list[dict[str, Any]]:
    """Accounts of these names with one kind of credentials, which have to find their project."""
    made = []
    for name in names:
        credentials = dict(CREDENTIALS[kind])
        if kind == "agency":
            credentials["metadata_endpoint"] = f"https://{name}.test"
        made.append(account(name, collectors, ["sync"], credentials=credentials))
        del made[-1]["projects"][1]
        if kind != "token":
            del made[-1]["projects"][0]["project_id"]
    return made


def cloud_with_canaries(name: str) -> SimulatedCloud:
    """The cloud of an account, which knows its credentials, and has a failed task with a message."""
    made = cloud(name, ["sync"])
    made.worlds[0].tasks.append(sim_task("broken", status="INCRE_TRANSFER_FAILED", error=MESSAGE, description=MESSAGE))
    made.keys |= {f"{CANARY}{name}": f"{CANARY}SK" for name in ("AK", "HST")}
    made.tokens[f"{CANARY}TOKEN"] = f"{CANARY}HST"
    made.users[USER] = f"{CANARY}-password"
    made.domain = DOMAIN
    made.auth_tokens[f"{CANARY}-auth-token"] = made.auth_tokens[made.issue_token()]
    return made


def with_canaries(value: Any, key: str = "") -> Any:
    """Return the object with a canary in each text, host and user, and under an unknown key."""
    if isinstance(value, dict):
        items = {name: with_canaries(inner, name) for name, inner in value.items()}
        return {**items, f"{CANARY}_key": {CANARY: [MESSAGE]}}
    if isinstance(value, list):
        return [with_canaries(item, key) for item in value]
    return MESSAGE if isinstance(value, str) and _CONFIDENTIAL.search(key) else value


async def answer_with_canaries(_request: httpx.Request, forward: Forward) -> httpx.Response:
    """Return the real response, with canaries in it."""
    answer = await forward()
    content = await answer.aread()
    try:
        body = with_canaries(json.loads(content))
    except ValueError:
        return httpx.Response(answer.status_code, content=content, headers=answer.headers)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return httpx.Response(answer.status_code, json=body, headers={**headers, "X-Canary": MESSAGE})


def for_every_operation(name: str, failure: Failure) -> dict[tuple[str, Operation], Failure]:
    """Return the same failure for each operation of an account."""
    return {(f"//{name}.test/", operation): failure for operation in OPERATIONS}


def transport_with_canaries(names: Iterable[str]) -> FaultyTransport:
    """Return a transport to the clouds of accounts of these names."""
    return FaultyTransport({f"{name}.test": cloud_with_canaries(name) for name in names}, now)


def secrets(transport: FaultyTransport) -> set[str]:
    """Return all secrets, tokens and keys that are valid now."""
    found = {CANARY}
    for simulated in transport.clouds.values():
        found |= {*simulated.auth_tokens, *simulated.tokens, *simulated.metadata.sessions}
        found |= {key for pair in simulated.keys.items() for key in pair} - {"AK", "SK"}
    return found


def shown_by_objects() -> str:
    """The representation of every object of the exporter that lives."""
    living = gc.get_objects()
    ours = {
        kind
        for kind in {type(thing) for thing in living}
        if re.match(r"exporter\.(?!simulator\b)", str(kind.__module__))
    }
    assert ours
    return "\n".join({repr(thing) for thing in living if type(thing) in ours})
