"""The calls: what one costs, over which connections, and how long a signature takes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from exporter.cloud.access.signing import Keys, SigningAuth, authorization
from exporter.cloud.connect import Connection, connect
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler
from exporter.commands.connections import CallObserver
from tests.bench.fleet import ALL, KEYS, PROJECT_ID, config_of
from tests.bench.measure import Result, Row, Spent, Table, interleaved, shares, spent, spread
from tests.bench.peers import cloud
from tests.bench.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from exporter.cloud.connect import Api
    from exporter.cloud.source import TaskResults

_BATCH = 10
_IN_FLIGHT = 8
"""As many calls as a poll makes at once; the SDK's are one after the other."""
_CONNECTIONS = 1, 5, 20, 100
_SIGNATURES = 2000


async def measure(calls: int, rounds: int) -> Result:
    """All of it, against the simulated cloud in another process."""
    with tempfile.TemporaryDirectory() as name, cloud(_BATCH * 6, Path(name)) as server:
        url = server.url
        vendor = await asyncio.to_thread(Vendor, url, Path(name))
        async with _connected(url) as connection:
            rows = [await _against_vendor(connection, api, vendor, calls, rounds) for api in connection.apis]
        table = await _transports(url, calls)
    return Result([*(row for pair in rows for row in pair), await _signing(rounds)], [table])


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    (account,) = config_of("auto", ALL, endpoint=url).accounts
    connection = connect(
        account,
        account.all_projects()[0],
        transport=None,
        scheduler=Scheduler(1e6, 10**6),
        meter=CallObserver(),
        now=time.time,
    )
    async with connection.http:
        yield connection


async def _against_vendor(connection: Connection, api: Api, vendor: Vendor, calls: int, rounds: int) -> list[Row]:
    """One call of progress each: on v3 of ten tasks, on v5 of one."""
    tasks = (await api.list_tasks(connection.client, connection.decode_errors, "sync")).tasks
    source = next(
        source
        for source in api.sources
        if source.name == f"{api.name}_{'batch_progress' if api.name == 'v3' else 'job_progress'}"
    )
    ids = [task.id for task in tasks if task.active][: source.batch]
    works: dict[str, Callable[[], Awaitable[object]]] = {
        "ours": partial(_repeat, partial(source.fetch, connection.client, connection.decode_errors, ids), calls),
        "vendor": partial(asyncio.to_thread, vendor.progress, api.name, ids, calls),
    }
    await interleaved(1, works)  # connect, and warm up
    taken = await interleaved(rounds, works)
    ours, theirs = ([1e3 * run.cpu / calls for run in taken[name]] for name in ("ours", "vendor"))
    hot = await shares(works["ours"])
    what = f"{source.name}, {len(ids)} task{'s' if len(ids) > 1 else ''} a call"
    figures = f"ours {spread(ours)} ms, the vendor's SDK {spread(theirs)} ms"
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    return [
        Row(f"CPU of an API call: {what}", "ms", ours, 0.8, figures=figures, why=hot),
        Row(f"the same over the vendor's SDK: {what}", "times", ratios, 0.45, figures=figures, why=hot),
    ]


async def _repeat(fetch: Callable[[], Awaitable[TaskResults]], calls: int) -> None:
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            for answer in (await fetch()).values():
                if isinstance(answer, CloudError):
                    raise answer

    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))


async def _signing(rounds: int) -> Row:
    """The whole of it: date, headers, canonical request, signature."""
    body = b'{"jobs": ["' + b"x" * 36 + b'"]}'
    url = f"https://drs.cn-north-4.myhuaweicloud.com/v3/{PROJECT_ID}/jobs/batch-progress"
    request = httpx.Request("POST", url, content=body, headers={"Content-Type": "application/json"})
    auth = SigningAuth(lambda: Keys(*KEYS), project_id=lambda: PROJECT_ID)

    def sign() -> None:
        for _ in range(_SIGNATURES):
            next(auth.auth_flow(request))

    sign()
    seconds = [1e6 * spent(sign).cpu / _SIGNATURES for _ in range(rounds)]

    async def work() -> None:
        sign()

    signed = {name: request.headers[name] for name in ("content-type", "host", "x-project-id", "x-sdk-date")}

    def signature() -> None:
        for _ in range(_SIGNATURES):
            authorization("POST", request.url, signed, body, Keys(*KEYS))

    alone = [1e6 * spent(signature).cpu / _SIGNATURES for _ in range(rounds)]
    figures = f"{spread(seconds)} us; of it the signature by itself {spread(alone)} us"
    return Row("signing a call, with its headers", "us", seconds, 13, figures=figures, why=await shares(work))


# Connections


async def _transports(url: str, calls: int) -> Table:
    """The CPU of a call over the pools of httpx and of aiohttp, by the number of concurrent calls."""
    limits = httpx.Limits(max_connections=max(_CONNECTIONS), max_keepalive_connections=max(_CONNECTIONS))
    makers: dict[str, Callable[[], httpx.AsyncClient]] = {
        "httpx's own": partial(httpx.AsyncClient, trust_env=False, limits=limits),
        "httpx-aiohttp": partial(HttpxAiohttpClient, trust_env=False, timeout=None),
    }
    rows = []
    for connections in _CONNECTIONS:
        works = {name: partial(_flood, make, f"{url}/nothing", connections, calls) for name, make in makers.items()}
        taken = await interleaved(3, works)
        rows.append((str(connections), *(_each(taken[name], calls) for name in makers)))
    title = "CPU of a bare HTTP call by connections in use at once, ms"
    return Table(title, ("connections", *makers), rows)


def _each(taken: Sequence[Spent], calls: int) -> str:
    return spread([1e3 * run.cpu / calls for run in taken])


async def _flood(make: Callable[[], httpx.AsyncClient], url: str, connections: int, calls: int) -> None:
    left = iter(range(calls))
    async with make() as http:

        async def work() -> None:
            for _ in left:
                async with asyncio.timeout(10):
                    response = await http.send(http.build_request("POST", url, content=b"{}"), stream=True)
                    await response.aread()
                    await response.aclose()

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(work())
