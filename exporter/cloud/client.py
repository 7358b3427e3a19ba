"""The HTTP client: one call in, one decoded object or one `CloudError` out."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import httpx

from exporter.cloud.budget import Pauses
from exporter.cloud.errors import CloudError, DecodeError, ThrottledError, UnavailableError, judge
from exporter.cloud.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.budget import Budget

_RETRIES = 2
_LARGEST_BODY = 16 * 2**20  # bytes; a page of 100 tasks has about 100 kB
_HEADERS = {"Content-Type": "application/json", "X-Language": "en-us"}


class Meter(Protocol):
    """Who counts the calls."""

    def request(self, operation: str, code: str, seconds: float) -> None:
        """One call has ended."""

    def retry(self, operation: str) -> None:
        """A call is tried again."""

    def throttled(self, operation: str) -> None:
        """The cloud refused a call because there were too many."""


class Client:
    """Sends the operations of one project.

    Args:
        http: carries the authentication, the base URL and the transport.
        project_id: fills the paths.
        budget: shared by all projects of the account in the region.
        meter: counts.
        timeout: seconds for one call in all, from connecting to the last byte.
    """

    def __init__(
        self, http: httpx.AsyncClient, *, project_id: str, budget: Budget, meter: Meter, timeout: float
    ) -> None:
        self._http = http
        self._project_id = project_id
        self._budget = budget
        self._meter = meter
        self._timeout = timeout
        self._pauses = Pauses()

    async def call(
        self,
        operation: Operation,
        *,
        job_id: str = "",
        query: Sequence[tuple[str, str | int]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One answered call, after a few jittered retries where another try may help.

        Raises:
            CloudError: of the class that says what to do about it.
        """
        for attempt in range(_RETRIES + 1):
            try:
                return await self._attempt(operation, self._request(operation, job_id, query, body))
            except UnavailableError:
                if attempt == _RETRIES:
                    raise
            await asyncio.sleep(random.uniform(0.5, 1.5) * 2**attempt)  # noqa: S311 - jitter, no secret
            self._meter.retry(operation.name)
        raise AssertionError

    def _request(
        self,
        operation: Operation,
        job_id: str,
        query: Sequence[tuple[str, str | int]],
        body: Mapping[str, Any] | None,
    ) -> httpx.Request:
        if operation not in OPERATIONS:
            raise ValueError(f"{operation.method} {operation.path} is not one of the reads that may be sent")
        path = operation.path.format(project_id=quote(self._project_id, safe=""), job_id=quote(job_id, safe=""))
        # Joined here and not by httpx, whose blanks would become "+", which the gateway's signature check doesn't know.
        pairs = "&".join(f"{quote(key, safe='')}={quote(str(value), safe='')}" for key, value in query)
        content = None if body is None else json.dumps(body).encode()
        url = f"{path}?{pairs}" if pairs else path
        return self._http.build_request(operation.method, url, content=content, headers=_HEADERS)

    async def _attempt(self, operation: Operation, request: httpx.Request) -> dict[str, Any]:
        if self._pauses.paused(operation.name):
            raise ThrottledError(operation.name, "paused")
        await self._budget.take(operation.priority)
        loop = asyncio.get_running_loop()
        started = loop.time()
        code = "cancelled"
        try:
            status, headers, content = await self._send(operation.name, request)
            code = str(status)
            return judge(operation.name, status, headers, content)
        except CloudError as error:
            code = error.code
            if isinstance(error, ThrottledError):
                self._meter.throttled(operation.name)
                self._budget.throttled()
                self._pauses.pause(operation.name, error.retry_after)
            raise
        finally:
            self._meter.request(operation.name, code, loop.time() - started)

    async def _send(self, operation: str, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.send(request, stream=True)
                try:
                    return response.status_code, response.headers, await _body(operation, response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise UnavailableError(operation, "timeout") from error
        except httpx.DecodingError as error:
            raise DecodeError(operation, "decode") from error
        except (httpx.HTTPError, OSError) as error:
            raise UnavailableError(operation, "network") from error


async def _body(operation: str, response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > _LARGEST_BODY:
            raise DecodeError(operation, "decode")
        chunks.append(chunk)
    return b"".join(chunks)
