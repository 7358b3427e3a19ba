"""The HTTP client: one call in, one decoded object or one `CloudError` out."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar, runtime_checkable
from urllib.parse import quote

import aiohttp
import httpx
import structlog

from exporter.cloud.http.call_context import CallContext
from exporter.cloud.http.cloud_clock import CloudClock
from exporter.cloud.http.error_codes import invalid_token
from exporter.cloud.http.errors import (
    NO_CREDENTIALS,
    AccessDeniedError,
    CloudError,
    DecodeError,
    NotSentError,
    ThrottledError,
    UnavailableError,
)
from exporter.cloud.http.pauses import Pauses
from exporter.cloud.http.proxy_login import ProxyLoginError
from exporter.cloud.http.response import parse_body, read_object, receive_body
from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.http.unreachable import header_too_long, reason_of
from exporter.cloud.operations import BY_NAME, Operation, Service
from exporter.config import ConfigError

T = TypeVar("T")

_RETRIES = 2
_SHORT_PAUSE = 5.0
"""The rest of a pause that a call waits for: pauses begin a while after a poll does, and would cost another poll."""
_HEADERS = {"Content-Type": "application/json", "X-Language": "en-us"}
_log = structlog.get_logger()


class Meter(Protocol):
    """Counts the calls."""

    def request(self, operation: str, code: str, seconds: float) -> None:
        """One call has ended."""

    def retry(self, operation: str) -> None:
        """A call is tried again."""

    def throttled(self, operation: str) -> None:
        """The cloud refused a call because there were too many."""


class Observer(Protocol):
    """Receives the responses."""

    def __call__(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """Record a response, good or not; `body` is decoded, None where it is no JSON."""


@runtime_checkable
class Renewable(Protocol):
    """Credentials that expire and can be fetched again."""

    async def ready(self) -> None:
        """Fetch credentials if they are missing or expire soon; raises `CloudError`."""

    def forget(self, refused: httpx.Request) -> bool:
        """Drop the credentials of a refused request; returns whether there are, or will be, others to try."""


class Client:
    """Sends the operations of one service for one project.

    Args:
        http: carries the transport.
        service: the service whose operations this client sends.
        endpoint: the address of the service: `https://HOST[:PORT]`.
        auth: the credentials; None sends none.
        project_id: returns the id for the paths, queried if it is not known yet; raises `CloudError`.
        scheduler: shared by all projects of the account in the region.
        meter: counts the calls.
        timeout: seconds for one call in all, from connecting to the last byte.
        observer: receives the responses.
        clock: compares the host's clock with the dates of the responses; None: they are not those of the cloud.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        service: Service,
        endpoint: str,
        auth: httpx.Auth | None = None,
        project_id: Callable[[], Awaitable[str]] | None = None,
        scheduler: Scheduler,
        meter: Meter,
        timeout: float,
        observer: Observer | None = None,
        clock: CloudClock | None = None,
    ) -> None:
        self._http = http
        host = httpx.URL(endpoint).netloc.decode()  # signed; httpx adds it only to requests without a stream
        self._headers = httpx.Headers({"Host": host, **http.headers, **_HEADERS})
        self._service = service
        self._endpoint = endpoint
        self._auth = auth
        self._renewable: Renewable | None = None
        if isinstance(auth, Renewable):
            self._renewable = auth
        self._project_id = project_id
        self._scheduler = scheduler
        self._meter = meter
        self._timeout = timeout
        self._observer = observer
        self._clock = clock
        self._pauses = Pauses()
        self._log = _log.bind()
        self.context = CallContext()

    def in_context(self, context: CallContext) -> Client:
        """Return a client that makes its calls in another context, and has everything else in common with this one."""
        client = copy.copy(self)
        client.context = context
        return client

    async def call(
        self,
        operation: Operation,
        *,
        job_id: str = "",
        query: Sequence[tuple[str, str | int]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object in the response to a call, after a few jittered retries where another try may help.

        Raises:
            CloudError: its class says what to do about it.
        """
        return await self.exchange(operation, read_object, job_id=job_id, query=query, body=body)

    async def exchange(
        self,
        operation: Operation,
        read: Callable[[str, int, httpx.Headers, bytes], T],
        *,
        job_id: str = "",
        query: Sequence[tuple[str, str | int]] = (),
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Return what `read` makes of operation, status, headers and body of the response; it may raise `CloudError`.

        Otherwise like `call`.
        """
        if BY_NAME.get(operation.name) is not operation or operation.service != self._service:
            raise ValueError(f"{operation.method} {operation.path} is not one of the reads that may be sent")
        retries, renewed = 0, False
        while True:
            path = await self._path(operation, job_id)
            request = self._request(operation, path, query, body, headers)
            try:
                return await self._attempt(operation, request, read, retries)
            except UnavailableError:
                if retries == _RETRIES:
                    raise
                await asyncio.sleep(random.uniform(0.5, 1.5) * 2**retries)  # noqa: S311 - jitter, no secret
                retries += 1
            except AccessDeniedError as error:
                if renewed or not invalid_token(error) or self._renewable is None:
                    raise
                if not self._renewable.forget(request):
                    raise
                renewed = True
            self._meter.retry(operation.name)

    async def _path(self, operation: Operation, job_id: str) -> str:
        """Return the path of a call, once credentials and project id are there: calls with retries of their own."""
        project_id = ""
        try:
            with self.context.waiting():
                if self._renewable is not None:
                    await self._renewable.ready()
                if self._project_id is not None:
                    project_id = await self._project_id()
        except CloudError as error:
            raise NotSentError(*error.args) from error
        return operation.path_of(project_id=project_id, job_id=job_id)

    def _request(
        self,
        operation: Operation,
        path: str,
        query: Sequence[tuple[str, str | int]],
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        # Joined here and not by httpx, whose blanks would become "+", which the gateway's signature check doesn't know.
        typed = query if operation.type is None else (("type", operation.type), *query)
        pairs = "&".join(f"{quote(key, safe='')}={quote(str(value), safe='')}" for key, value in typed)
        content = b"" if body is None else json.dumps(body).encode()
        url = self._endpoint + (f"{path}?{pairs}" if pairs else path)
        request = httpx.Request(operation.method, _url(url), headers=self._headers, stream=httpx.ByteStream(content))
        request.read()  # of a request without a stream, httpx would copy the headers again
        request.headers.update(headers)
        return request

    async def _attempt(
        self,
        operation: Operation,
        request: httpx.Request,
        read: Callable[[str, int, httpx.Headers, bytes], T],
        retries: int,
    ) -> T:
        if rest := self._pauses.rest(operation.name):
            if rest > _SHORT_PAUSE:
                raise ThrottledError(operation.name, "paused")
            await asyncio.sleep(rest)
        with self.context.waiting():
            await self._scheduler.wait_for(operation.name)
        await self.context.take(self._scheduler, retries)
        if self._pauses.paused(operation.name):  # an earlier call was throttled while this one waited
            self._scheduler.give_back()
            raise ThrottledError(operation.name, "paused")
        loop = asyncio.get_running_loop()
        started = loop.time()
        code = "cancelled"
        try:
            status, headers, content = await self._send(operation, request)
            code = str(status)
            if self._observer is not None:
                self._observer(operation.name, status, headers, parse_body(content), loop.time() - started)
            return self._decode(operation, read, status, headers, content)
        except CloudError as error:
            code = error.code
            if isinstance(error, ThrottledError):
                self._meter.throttled(operation.name)
                if not self._pauses.paused(operation.name):  # of the calls that were under way, the first one counts
                    self._scheduler.throttled(operation.name, error.per_minute)
                self._pauses.pause(operation.name, error.retry_after)
            raise
        finally:
            self.context.called(retries)
            seconds = loop.time() - started
            self._meter.request(operation.name, code, seconds)
            self._log.debug("API call", operation=operation.name, code=code, seconds=round(seconds, 3))

    def _decode(
        self,
        operation: Operation,
        read: Callable[[str, int, httpx.Headers, bytes], T],
        status: int,
        headers: httpx.Headers,
        content: bytes,
    ) -> T:
        """Return what `read` makes of a response. One of the API, good or not, shows the clock of the cloud."""
        is_of_api = True
        try:
            return read(operation.name, status, headers, content)
        except CloudError as error:
            is_of_api = error.error_code is not None
            raise
        finally:
            if is_of_api and self._clock is not None:
                self._clock.observe(headers)

    async def _send(self, operation: Operation, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.send(request, auth=self._auth, stream=True)
                try:
                    return response.status_code, response.headers, await receive_body(operation, response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise UnavailableError(operation.name, "timeout") from error
        except ConfigError as error:  # the secret can't be read, or no header can contain it
            raise AccessDeniedError(operation.name, NO_CREDENTIALS, reason=str(error)) from error
        except httpx.DecodingError as error:
            raise DecodeError(operation.name, "decode") from error
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            if header_too_long(error):
                raise DecodeError(operation.name, "decode", reason=reason_of(error)) from error
            reason = reason_of(error, request.url.host)
            kind = NotSentError if isinstance(error, ProxyLoginError) else UnavailableError
            raise kind(operation.name, "network", reason=reason) from error
        except (ValueError, LookupError) as error:  # what the libraries do not foresee, such as an odd status line
            raise DecodeError(operation.name, "decode") from error


@lru_cache(maxsize=1024)
def _url(url: str) -> httpx.URL:
    """Return a parsed URL: most calls are repeated, and parsing takes longer than signing."""
    return httpx.URL(url)
