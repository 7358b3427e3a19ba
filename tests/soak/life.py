"""Clouds whose tasks are created and deleted, faults by the hundred, and the resources in use."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import os
import re
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic_core

from exporter.cloud.operations import OPERATIONS
from exporter.config import Collectors
from exporter.simulator import DEMO_DOMAIN, DEMO_PASSWORD, DEMO_USER, SimTask, SimulatedCloud, World
from exporter.simulator.world.life import FULL, HIDDEN, HOUR, PREPARED, Script, duration, ending
from tests.faults.fleet import account, id_of
from tests.lib.virtual_time import EPOCH, now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from exporter.daemon.exporter import Exporter
    from tests.faults.kinds import Kind
    from tests.faults.transport import FaultyTransport

INTERVAL = HOUR
ENDED_FOR = INTERVAL
LIVES_A_DAY = 3
CREDENTIALS: dict[str, dict[str, Any]] = {
    "password": {"type": "password", "domain": DEMO_DOMAIN, "user": DEMO_USER, "password": DEMO_PASSWORD},
    "agency": {"type": "ecs_agency", "metadata_endpoint": "https://agency.test"},
}
"""By account."""
_LIFE: Script = (*PREPARED, *FULL, ("INCRE_TRANSFER_STARTED", 3.5 * HOUR), *ending(shown=HOUR))
_SPEED = duration(_LIFE) * LIVES_A_DAY / (24 * HOUR)
_CACHED_STRINGS = 16_384
"""Places in the cache of pydantic, which overwrites by hash."""
_PROCESS = Path("/proc/self")
_TASK_ID = re.compile('task_id="([^"]+)"')


def coming_and_going(name: str, **facts: Any) -> SimTask:
    """A task that is deleted and born again with a new id, some times a day, at the same times each day."""
    born = EPOCH - HOUR * (sum(name.encode()) % 24)
    return SimTask(name=name, script=_LIFE, speed=_SPEED, renews=True, born=born, **facts)


def cloud(name: str) -> SimulatedCloud:
    """The cloud of an account."""
    children = [coming_and_going(f"{name} {child}", role="child", comparison="equal") for child in ("north", "south")]
    tasks = [
        SimTask(name="orders", born=EPOCH - 40 * HOUR, comparison="different", tags={"team": "payments"}),
        SimTask(name="dr", born=EPOCH - 40 * HOUR, scenario="cloudDataGuard", engine="cloudDataGuard-mysql"),
        SimTask(name="shops", born=EPOCH - 40 * HOUR, relation="multi_to_single", role="parent", children=children),
        coming_and_going("stock", engine="postgresql", comparison="equal"),
        coming_and_going("cache", engine="redis-to-gaussredis", comparison="equal", writable="success"),
        coming_and_going("pair", scenario="cloudDataGuard", engine="cloudDataGuard-mysql"),
        coming_and_going("docs", scenario="migration", engine="mongodb"),
    ]
    made = SimulatedCloud(worlds=[World(project_id=id_of(name, "all"), tasks=tasks)], keys={"AK": "SK"}, now=now)
    made.calls = deque(maxlen=1)
    return made


def accounts() -> list[dict[str, Any]]:
    """One of each kind of credentials, each of which has to find its project."""
    made = []
    for name, credentials in CREDENTIALS.items():
        made_account = account(name, Collectors.model_fields, ["sync", "migration", "cloudDataGuard"], INTERVAL)
        projects = [{"region": "cn-north-4", "endpoint": f"https://{name}.test"}]
        more = {"ended_for": ENDED_FOR, "tag_labels": ["team"]}
        made.append(
            {
                **made_account,
                "credentials": credentials,
                "projects": projects,
                "tasks": {**made_account["tasks"], **more},
                "cutover": {"max_age": 2 * INTERVAL},
            }
        )
    return made


def living(simulated: SimulatedCloud) -> tuple[set[str], set[str]]:
    """The ids of the tasks that must be shown, and of those that may be, as they are being created or deleted."""
    moments = [(task.at(now() - INTERVAL), task.at(now())) for world in simulated.worlds for task in world.everything()]
    shown = {new.id for old, new in moments if old.id == new.id and not new.status.startswith("RELEASE")}
    return shown, {moment.id for pair in moments for moment in pair if moment.status not in HIDDEN}


def fill_string_cache() -> None:
    """Fill pydantic's cache of the strings in JSON, which would otherwise take weeks, and look like a leak."""
    pydantic_core.from_json(json.dumps([f"string {number}" for number in range(20 * _CACHED_STRINGS)]))


def tidy(transport: FaultyTransport) -> None:
    """Forget what only the simulated cloud remembers, and what the caches do that have a bound."""
    transport.sent.clear()
    gc.unfreeze()  # frozen objects, such as the caches of modules, are not among those that it returns
    for function in gc.get_objects():
        if type(function) is functools._lru_cache_wrapper and function.cache_parameters()["maxsize"]:
            function.cache_clear()
    for simulated in transport.clouds.values():
        for token in [token for token, known in simulated.auth_tokens.items() if known.expires <= now()]:
            del simulated.auth_tokens[token]
        ended = {token for token, end in simulated.expiries.items() if end <= now()}
        for token in ended:
            simulated.keys.pop(simulated.tokens.pop(token))
            del simulated.expiries[token]
        simulated.metadata.sessions = {token: end for token, end in simulated.metadata.sessions.items() if end > now()}


def everything_fails(transport: FaultyTransport, kind: Kind) -> None:
    """Each operation of each account fails in this way."""
    transport.failures = {("", operation): kind.failure for operation in OPERATIONS}


def something_fails(transport: FaultyTransport, kinds: Sequence[Kind], chance: Random) -> None:
    """An operation of an account fails in some way, besides those that fail already."""
    place = f"//{chance.choice(list(transport.clouds))}/", chance.choice(OPERATIONS)
    transport.failures[place] = chance.choice(kinds).failure


@dataclass(frozen=True)
class Count:
    """The resources in use at a quiet moment.

    Attributes:
        blocks: pieces of memory that Python has given out.
        resident: bytes of the process.
        tasks: of asyncio.
        files: open descriptors.
        series: lines of the page, but for those that count calls by code.
    """

    blocks: int
    resident: int
    tasks: int
    files: int
    series: int

    @classmethod
    def now(cls, text: str = "") -> Count:
        """Take it."""
        gc.collect()
        resident = int(_PROCESS.joinpath("statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        lines = [line for line in text.splitlines() if not line.startswith(("#", "drs_exporter_api_"))]
        files = len(list(_PROCESS.joinpath("fd").iterdir()))
        return cls(sys.getallocatedblocks(), resident, len(asyncio.all_tasks()), files, len(lines))


def page(exporter: Exporter) -> str:
    return b"".join(exporter.exposition.page.plain()).decode()


def shown_tasks(text: str, account: str) -> set[str]:
    """The ids of the tasks of an account that any series names."""
    return {
        found[1] for line in text.splitlines() if f'account="{account}"' in line and (found := _TASK_ID.search(line))
    }
