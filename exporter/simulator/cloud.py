"""The simulated cloud: an ASGI app in front of its worlds."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.simulator import gateway, iam, metadata
from exporter.simulator.accounts import Accounts
from exporter.simulator.faults import HUGE_CHUNK, PAGE_KINDS, Fault
from exporter.simulator.protocol import Answer, Refusal, Request, Route
from exporter.simulator.v3 import batch_routes as v3_more
from exporter.simulator.v3 import lists as v3
from exporter.simulator.v5 import monitor as v5_more
from exporter.simulator.v5 import routes as v5
from exporter.simulator.world.formats import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import Receive, Scope, Send

    from exporter.simulator.world.world import World

_DRS: tuple[Route[World], ...] = (*v3.ROUTES, *v3_more.ROUTES, *v5.ROUTES, *v5_more.ROUTES)


class Call(NamedTuple):
    """A request that came, for assertions.

    Attributes:
        path: without the query, as sent.
        query: parameters by name, of a repeated one the last.
        body: decoded JSON, None when there was none, bytes when it was something else.
        status: of the answer.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int


class SimulatedCloud(Accounts):
    """Speaks DRS v3 and v5, IAM and the metadata service for any number of projects, over one clock.

    Attributes:
        calls: all requests, the newest last.
        faults: checked in order; the first that matches applies.
    """

    def __init__(self, *, worlds: Iterable[World], keys: Mapping[str, str], now: Callable[[], float]) -> None:
        super().__init__(worlds, keys, now)
        self.calls: deque[Call] = deque(maxlen=100_000)
        self.faults: list[Fault] = []
        self._served = 0

    def world(self, project_id: str) -> World:
        """The project of this id.

        Raises:
            KeyError: there is none.
        """
        for world in self.worlds:
            if world.project_id == project_id:
                return world
        raise KeyError(project_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the server's start and end (ASGI 3)."""
        if scope["type"] == "http":
            await self._serve(_request(scope, await _body(receive), self.now()), send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)

    async def _serve(self, request: Request, send: Send) -> None:
        fault = await self._suffer(request)
        answer = fault.answer() if fault else self._answer(request)
        self.calls.append(Call(request.method, request.path, request.query, request.decoded, answer.status))
        headers = self._headers(answer)
        if fault and fault.kind == "huge":
            await _stream(send, fault, headers)
        elif fault and fault.kind == "reset":
            await _break(send, fault, headers)
        else:
            await _send(send, answer, headers)

    async def _suffer(self, request: Request) -> Fault | None:
        """The fault that answers instead of the cloud, if any; others change the request."""
        line = f"{request.method} {request.path}" + (f"?{request.raw_query}" if request.raw_query else "")
        for fault in self.faults:
            if not fault.fires(line):
                continue
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            elif fault.kind in PAGE_KINDS:
                request.page_fault = fault.kind
                break
            else:
                return fault
        return None

    def _answer(self, request: Request) -> Answer:
        try:
            return self._route(request)
        except Refusal as refusal:
            return refusal.answer

    def _route(self, request: Request) -> Answer:
        # First IAM and metadata: /v3/auth/tokens would pass for a project called auth.
        for site in (*iam.ROUTES, *metadata.ROUTES):
            if site.match(request.method, request.path) is not None:
                return site.handler(self, request)
        found = _drs_route(request.method, request.path)
        if found is None:
            raise _not_published()
        route, request.args = found
        return self._drs(route, request)

    def _drs(self, route: Route[World], request: Request) -> Answer:
        project = request.args["project"]
        world = next((world for world in self.worlds if world.project_id == project), None)
        # The gateway looks for the API before it looks at the credentials.
        if world and route.path[1:3] not in world.published:
            raise _not_published()
        scope = gateway.authenticate(self, request)
        claimed = request.headers.get("x-project-id", project)
        if world is None or scope not in {None, project} or claimed != project:
            raise Refusal(403, "DRS.M00261", "The project ID in the URL is different from that of the credentials.")
        if world.now:
            request.now = world.now()
        return route.handler(world, request)

    def _headers(self, answer: Answer) -> dict[str, str]:
        self._served += 1
        kind = "application/json;charset=UTF-8"
        return {"Content-Type": kind, "X-Request-Id": digest("request", self._served)[:32], **answer.headers}


@lru_cache(maxsize=10_000)
def _drs_route(method: str, path: str) -> tuple[Route[World], Mapping[str, str]] | None:
    """The operation of DRS that a request is, and the parts of its path; a client repeats most of its requests."""
    matches = ((route, route.match(method, path)) for route in _DRS)
    return next(((route, args) for route, args in matches if args is not None), None)


def _not_published() -> Refusal:
    return Refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


def _request(scope: Scope, body: bytes, now: float) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in scope["headers"]}
    # The server has decoded scope["path"]; the signature wants what was sent.
    raw = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        path=raw.partition(b"?")[0].decode("latin-1"),
        raw_query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers,
        body=body,
        now=now,
    )


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _send(send: Send, answer: Answer, headers: dict[str, str]) -> None:
    body = answer.body
    if isinstance(body, dict) and str(body.get("error_code", "")).startswith("APIGW."):
        # The gateway names the request in its error bodies, the services do not.
        answer = replace(answer, body={**body, "request_id": headers["X-Request-Id"]})
    encoded = answer.encoded()
    await _start(send, answer.status, {"Content-Length": str(len(encoded)), **headers})
    await send({"type": "http.response.body", "body": encoded})


async def _stream(send: Send, fault: Fault, headers: dict[str, str]) -> None:
    await _start(send, fault.status, headers)
    for left in range(fault.size, 0, -HUGE_CHUNK):
        await send({"type": "http.response.body", "body": b" " * min(left, HUGE_CHUNK), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _break(send: Send, fault: Fault, headers: dict[str, str]) -> None:
    await _start(send, fault.status, {"Content-Length": "1000", **headers})
    await send({"type": "http.response.body", "body": b'{"jobs": [', "more_body": True})
    raise fault.error
