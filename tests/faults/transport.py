"""A transport to simulated clouds that records requests, and lets operations of single projects fail."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import httpx

from exporter.cloud.operations import OPERATIONS, QUERY_V5, Operation
from exporter.simulator import SimulatedCloud
from tests.lib.transport import InProcess

Forward: TypeAlias = "Callable[[], Awaitable[httpx.Response]]"
"""Sends the request to the cloud and returns the real response."""
Failure: TypeAlias = "Callable[[httpx.Request, Forward], Awaitable[httpx.Response]]"
"""Responds in place of the cloud."""


_PATHS = [(operation, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.path)))) for operation in OPERATIONS]


@lru_cache(maxsize=10_000)
def operation_of(method: str, path: str, query_type: str) -> Operation | None:
    """The operation of the table that a request is; None where it is none of them.

    The operations of v5 "Querying Task Details" share a path and differ by the type; one has any type.
    """
    found = [operation for operation, pattern in _PATHS if method == operation.method and pattern.fullmatch(path)]
    if QUERY_V5 not in found:
        return found[0] if found else None
    return next((operation for operation in found if operation.type == query_type), QUERY_V5)


@dataclass(frozen=True)
class Sent:
    """A request that left: when, and all of it that is text."""

    at: float
    method: str
    path: str
    operation: Operation | None
    text: str


@dataclass
class FaultyTransport(httpx.AsyncBaseTransport):
    """A transport to several clouds.

    Attributes:
        clouds: by host.
        now: the clock.
        failures: faults, by a word that the request contains, such as a project's id or a host, and its operation.
        sent: all requests.
    """

    clouds: Mapping[str, SimulatedCloud]
    now: Callable[[], float]
    failures: dict[tuple[str, Operation], Failure] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._transports = {host: InProcess(cloud) for host, cloud in self.clouds.items()}

    def fail(self, failures: Mapping[tuple[str, Operation], Failure]) -> None:
        """From now on these operations fail, and no others."""
        self.failures = dict(failures)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        operation = operation_of(request.method, url.path, url.params.get("type", ""))
        text = f"{url} {request.content.decode()}"
        self.sent.append(Sent(self.now(), request.method, url.path, operation, text))

        async def forward() -> httpx.Response:
            return await self._transports[url.host].handle_async_request(request)

        for (word, failing), failure in self.failures.items():
            if failing is operation and word in text:
                return await failure(request, forward)
        return await forward()
