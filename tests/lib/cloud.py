"""A client of the cloud over any transport, and its counters."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import httpx

from exporter.cloud.access.signing import Keys, SigningAuth
from exporter.cloud.batches import Round, Splitter
from exporter.cloud.http.client import Client, Observer
from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.operations import Service
from exporter.cloud.source import DecodeErrors, ErrorsByCollector, Source, TaskList, TaskResult, TaskResults
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.model.filters import ListQuery
from tests.lib import virtual_time as virtual
from tests.lib.paths import DATA
from tests.lib.virtual_time import simulated

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
KEYS = Keys("AK", "SK")

Reply: TypeAlias = "dict[str, Any] | httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]"


def document(name: str) -> Any:
    """An example body of the vendor's documentation."""
    return json.loads((DATA / f"{name}.json").read_text())


class Script(httpx.AsyncBaseTransport):
    """Answers in turn, the last one for ever: an object is a 200 with that JSON, an exception is raised."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = replies
        self.requests: list[httpx.Request] = []

    @property
    def bodies(self) -> list[Any]:
        """The decoded JSON of every request."""
        return [json.loads(request.content) for request in self.requests]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self._replies[min(len(self.requests), len(self._replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            return reply
        return reply(request) if callable(reply) else httpx.Response(200, content=json.dumps(reply))


class Stream(httpx.AsyncByteStream):
    """A body in pieces, each `wait` seconds after the one before; counts what was taken."""

    def __init__(self, *chunks: bytes, wait: float = 0.0, error: Exception | None = None) -> None:
        self._chunks = chunks
        self._wait = wait
        self._error = error
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            await asyncio.sleep(self._wait)
            self.taken += 1
            yield chunk
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


def refusal(status: int, code: str = "DRS.M00004", message: str = "Failed.", **headers: str) -> httpx.Response:
    """An error body as DRS and the gateway write it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error_code": code, "error_msg": message}, headers=named)


class CallLog:
    """A meter that records all calls."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, float]] = []
        self.retries: list[str] = []
        self.throttles: list[str] = []

    @property
    def codes(self) -> list[str]:
        """Of all ended calls."""
        return [code for _, code, _ in self.requests]

    def request(self, operation: str, code: str, seconds: float) -> None:
        self.requests.append((operation, code, seconds))

    def retry(self, operation: str) -> None:
        self.retries.append(operation)

    def throttled(self, operation: str) -> None:
        self.throttles.append(operation)


@dataclass(frozen=True)
class Cloud:
    """One project's client and adapters."""

    client: Client
    scheduler: Scheduler
    meter: CallLog
    decode_errors: ErrorsByCollector
    v3: V3
    v5: V5

    @property
    def lost(self) -> int:
        """The number of fields, items and responses that could not be decoded."""
        return sum(decode_errors.count for decode_errors in self.decode_errors.values())

    async def list_tasks(self, api: str, job_type: str = "sync") -> TaskList:
        """Return the tasks that an API generation lists."""
        return await (self.v3 if api == "v3" else self.v5).list_tasks(self.client, self.decode_errors, job_type)

    async def fetch(self, source: Source, ids: Sequence[str]) -> TaskResults:
        """Make one call of a source."""
        return await source.fetch(self.client, self.decode_errors, ids)

    async def fetch_all(self, source: Source, ids: Sequence[str]) -> dict[str, TaskResult]:
        """Fetch the facts of all tasks in one round."""
        return await fetch_all(source, partial(source.fetch, self.client, self.decode_errors), ids)


@asynccontextmanager
async def connected(
    transport: httpx.AsyncBaseTransport,
    *,
    rate: float = 1e6,
    burst: int = 1_000_000,
    timeout: float = 10.0,  # noqa: ASYNC109 - the client's own
    keys: Callable[[], Keys] = lambda: KEYS,
    service: Service = "drs",
    observer: Observer | None = None,
) -> AsyncIterator[Cloud]:
    """A client over this transport; by default its rate limit delays no call."""
    meter, decode_errors, scheduler = CallLog(), defaultdict[str, DecodeErrors](DecodeErrors), Scheduler(rate, burst)
    auth = SigningAuth(keys, project_id=lambda: PROJECT, now=virtual.now)

    async def project_id() -> str:
        return PROJECT

    async with httpx.AsyncClient(transport=transport) as http:
        client = Client(
            http,
            service=service,
            endpoint="https://drs.test",
            auth=auth,
            project_id=project_id,
            scheduler=scheduler,
            meter=meter,
            timeout=timeout,
            observer=observer,
        )
        yield Cloud(client, scheduler, meter, decode_errors, V3(ListQuery()), V5(ListQuery()))


def source(api: V3 | V5, name: str) -> Source:
    """The source of this name."""
    return next(source for source in api.sources if source.name == name)


def progress(api: V3 | V5) -> Source:
    """The source of progress."""
    return source(api, "v3_batch_progress" if api.name == "v3" else "v5_job_progress")


@simulated
async def listed(body: dict[str, Any], api: str = "v3", job_type: str = "sync") -> tuple[TaskList, int]:
    """The list in a body that is all there is, and what was lost in it."""

    async with connected(Script(body, {"jobs": [], "total_record": 0, "total_count": 0})) as cloud:
        return await cloud.list_tasks(api, job_type), cloud.lost


async def fetch_all(
    source: Source, call: Callable[[Sequence[str]], Awaitable[TaskResults]], ids: Sequence[str]
) -> dict[str, TaskResult]:
    """Fetch the facts of all tasks in one round, eight batches at a time."""
    batches = [ids[start : start + source.batch] for start in range(0, len(ids), source.batch)]
    calls, most = Round.of(len(batches)), asyncio.Semaphore(8)

    async def fetch(batch: Sequence[str]) -> TaskResults:
        async with most:
            return await Splitter(source, call, calls).fetch(batch)

    fetched = await asyncio.gather(*map(fetch, batches))
    return {task_id: result for results in fetched for task_id, result in results.items()}
