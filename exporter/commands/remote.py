"""Reads tasks from a running exporter, the one at --url: no call to the cloud."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import quote

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import BaseModel, ValidationError

from exporter.cloud.http.resolver import Resolver
from exporter.cloud.http.sessions import new_session
from exporter.commands.http_config import HttpConfig, authorization_of, context_of, proxy_of, read
from exporter.commands.remote_faults import FILE_OPTION, reason_of, reason_of_status
from exporter.config import ConfigError, NotReadyError
from exporter.runtime.escape import printable

T = TypeVar("T", bound=BaseModel)

_SECONDS = 60.0
"""The longest time for all responses that a command needs."""
_LARGEST_BODY, _LARGEST_SUM = 16 << 20, 256 << 20
"""Bytes of one response, and of all that a command needs."""
_MOST_TASKS = 100_000
_PAGE, LONGEST_QUERY = 2000, 200
"""Tasks on a page, and letters of a query: as many as an exporter allows."""
_LONGEST_REASON = 500
_MOST_REDIRECTIONS = 5
_TRIES = 3
"""How often all pages are read until no task has appeared or ended between two of them."""
_KEYS = ("now_timestamp_seconds", "projects", "tasks")
"""Of the document that `tasks --output=json` prints."""
NOT_READY = "the first poll of the exporter has not ended: tasks may be missing"
_CHANGED = "tasks appeared or ended while the list was read: some may be missing"


class RemoteError(NotReadyError):
    """The exporter gave no usable response; the text contains its URL, and what to do."""


class NotFoundError(RemoteError):
    """The exporter has no such task or wave; the text contains its reason."""


_WITH_REASON: Mapping[int, type[RemoteError]] = {404: NotFoundError, 503: RemoteError}
"""The statuses of a response whose body contains the reason."""


def base_of(url: str) -> httpx.URL:
    """Return the URL of an exporter, without a slash at its end; raises `ConfigError`."""
    try:
        parsed = httpx.URL(url)
        usable = parsed.scheme in {"http", "https"} and bool(parsed.host) and not (parsed.query or parsed.fragment)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise ConfigError("--url: expected http://HOST:PORT, or https://HOST:PORT/PREFIX, without a query")
    if parsed.userinfo:
        raise ConfigError(f"--url: write the user and password into the file of {FILE_OPTION}, as basic_auth")
    return parsed.copy_with(path=parsed.path.rstrip("/"))


def remote_of(options: argparse.Namespace) -> Remote | None:
    """Return the exporter that the options of `add_url` select; None if they select none.

    Raises:
        UsageError: options contradict each other.
        ConfigError: the URL can't be used.
    """
    if options.url is None:
        if options.http_config_file is not None:
            options.parser.error(f"{FILE_OPTION} is about the exporter at --url, which is missing")
        return None
    if options.demo or (options.config_file, options.cloud, options.region) != (None, None, None):
        options.parser.error(
            "--url reads from a running exporter: leave --config.file, --demo, --cloud and --region out"
        )
    return Remote(options.url, options.http_config_file)


class Remote:
    """A running exporter. Used as an async context, which reads the file and opens connections.

    Args:
        url: of its status page.
        file: of --http.config.file.
        transport: in place of the network.

    Raises:
        ConfigError: the URL or the file can't be used.
        RemoteError: it gave no usable response.
    """

    def __init__(self, url: str, file: Path | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = base_of(url)
        self._file = file
        self._transport = transport
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            config = HttpConfig() if self._file is None else read(self._file)
            proxy = proxy_of(config, str(self.url))
            transport = self._transport or _transport(config, proxy)
            headers = {"Accept": "application/json", "Accept-Encoding": "identity", **authorization_of(config)}
        except ConfigError as error:
            named = self._file is None or str(error).startswith(str(self._file))
            raise error if named else type(error)(f"{self._file}: {error}") from None
        self._redirects = config.follow_redirects
        self._name = config.tls_config.server_name
        if proxy is not None and self.url.scheme == "http":  # else aiohttp sends it with CONNECT
            headers |= proxy.headers
        client = httpx.AsyncClient(transport=transport, headers=headers, trust_env=False, timeout=None)  # noqa: S113
        self._http = await self._stack.enter_async_context(client)
        self._room = _LARGEST_SUM
        self._deadline = asyncio.get_running_loop().time() + _SECONDS
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def tasks(self, query: str = "") -> tuple[dict[str, Any], list[str]]:
        """Return the document of the tasks whose id or name contains a text, and why some may be missing."""
        for _ in range(_TRIES):
            document, totals = await self._pages(query)
            changed = totals != {len(document["tasks"])}
            if not changed:
                break
        missing = [text for text, missing in ((NOT_READY, document["ready"] is False), (_CHANGED, changed)) if missing]
        return {key: document[key] for key in _KEYS}, missing

    async def _pages(self, query: str) -> tuple[dict[str, Any], set[int]]:
        """Return the document, and the numbers of its tasks according to each page."""
        tasks: dict[str, Any] = {}
        totals, number, document = set[int](), 0, dict[str, Any]()
        while number < document.get("pages", 1) and len(tasks) < _MOST_TASKS:
            number += 1
            # By name: the other orders change with each poll.
            parameters = {"q": query[:LONGEST_QUERY], "sort": "task_name", "limit": _PAGE, "page": number}
            document = await self._get("/api/v1/tasks", parameters)
            page = self.parsed(_Page, document)
            totals.add(page.matched)
            tasks |= {task.task_id: raw for task, raw in zip(page.tasks, document["tasks"], strict=True)}
        return {**document, "tasks": list(tasks.values())}, totals

    async def task(self, task_id: str) -> dict[str, Any]:
        """Return the document of one task; raises `NotFoundError`."""
        return await self._get(f"/api/v1/tasks/{quote(task_id, safe='')}")

    async def wave(self, name: str) -> dict[str, Any]:
        """Return the document of one wave with its members; raises `NotFoundError`."""
        return await self._get(f"/api/v1/waves/{quote(name, safe='')}")

    async def waves(self) -> dict[str, Any]:
        """Return the document of all waves, without members; raises `NotFoundError` with shards."""
        return await self._get("/api/v1/waves")

    async def wave_report(self, name: str) -> dict[str, Any]:
        """Return the document of the report of a wave; raises `NotFoundError` without it."""
        return await self._get(f"/api/v1/waves/{quote(name, safe='')}/report")

    async def events(self, task_id: str) -> dict[str, Any]:
        """Return the document of the newest events of a task and its subtasks."""
        return await self._get("/api/v1/events", {"task": task_id})

    def parsed(self, model: type[T], document: Mapping[str, Any]) -> T:
        """Return the parts of a document that a command needs; keys that only a newer exporter has are ignored."""
        try:
            return model.model_validate(document)
        except ValidationError as error:
            loc = error.errors(include_url=False, include_input=False)[0]["loc"]
            place = printable(".".join(map(str, loc)))[:LONGEST_QUERY]
            raise self._error(f"not a drs-exporter, or an older one: {place} is not as expected") from None

    async def _get(self, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            async with asyncio.timeout_at(self._deadline):
                status, kind, content = await self._read(f"{self.url}{path}", parameters)
        except ConfigError:
            raise
        except TimeoutError:
            raise self._error(f"no response within {_SECONDS:g} s: check --url, firewall and proxy") from None
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
            raise self._error(reason_of(error, self.url.scheme)) from error
        document = _decoded(content)
        if status in _WITH_REASON and parameters is None and isinstance(document.get("errors"), list):
            reason = printable(", ".join(map(str, document["errors"])))[:_LONGEST_REASON]
            raise _WITH_REASON[status](f"{self.url}: {reason}")
        if status != httpx.codes.OK:
            raise self._error(reason_of_status(status))
        if not document:
            raise self._error(
                f"the response is no JSON object{kind}: --url is the URL of the status page of drs-exporter"
            )
        return document

    async def _read(self, url: str, parameters: Mapping[str, Any] | None) -> tuple[int, str, bytes]:
        """Return status, media type and body of a response, after redirections within the host."""
        extensions = {"sni_hostname": self._name} if self._name else {}
        request = self._http.build_request("GET", url, params=parameters, extensions=extensions)
        for _ in range(_MOST_REDIRECTIONS):
            response = await self._http.send(request, stream=True)
            try:
                if response.next_request is None:
                    return response.status_code, _kind(response), await self._body(response)
                self._check_redirection(request.url, response.next_request.url)
                request = response.next_request
                if request.url.scheme == "https":
                    request.headers.pop("Proxy-Authorization", None)
            finally:
                await response.aclose()
        raise self._error("it redirects again and again")

    def _check_redirection(self, before: httpx.URL, after: httpx.URL) -> None:
        if not self._redirects:
            raise self._error("it redirects, and follow_redirects is false")
        if after.host != before.host or before.scheme == "https" != after.scheme:
            origin = printable(f"{after.scheme}://{after.host}")
            raise self._error(f"it redirects to {origin}: if you trust that, name it in --url")

    async def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
            raise self._error("the response is compressed, which was not requested")
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            self._room -= len(chunk)
            if len(content) > _LARGEST_BODY or self._room < 0:
                raise self._error(f"the response is larger than {_LARGEST_BODY >> 20} MiB")
        return bytes(content)

    def _error(self, text: str) -> RemoteError:
        return RemoteError(f"{self.url}: {text}")


class _Id(BaseModel):
    task_id: str


class _Page(BaseModel):
    now_timestamp_seconds: float
    ready: bool
    matched: int
    pages: int
    projects: list[Any]
    tasks: list[_Id]


def _transport(config: HttpConfig, proxy: httpx.Proxy | None) -> AiohttpTransport:
    context = context_of(config.tls_config)
    return AiohttpTransport(
        verify=context,
        proxy=proxy,
        client=lambda: new_session(ssl=context, resolver=Resolver()),
    )


def _kind(response: httpx.Response) -> str:
    """Return the media type of a response, in brackets; empty if it has none."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    return f" ({printable(kind[:80])})" if kind else ""


def _decoded(content: bytes) -> dict[str, Any]:
    """Return the object in JSON; empty without one."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(word)

    try:
        document = json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
