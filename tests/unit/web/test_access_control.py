"""What stands before the pages: passwords, sizes, a rate; and headers for every response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from exporter.metrics.self_metrics import LOGINS_FAILED, Telemetry
from exporter.web.auth import HEADER_BYTES, HEALTH_PATHS, AccessControl, Bucket, Passwords, TooManyLoginsError
from exporter.web.schema import RateLimit
from exporter.web.settings import WebFile
from tests.lib.certificates import hashed
from tests.lib.virtual_time import in_real_time

ALICE, BOB = hashed("apple"), hashed("banana")
LOGIN = f"basic_auth_users: {{alice: {ALICE}}}\n"


class Front:
    """A guard before an app that says where it was asked, and a client for it."""

    def __init__(self, folder: Path, text: str = "", *, open_paths: tuple[str, ...] = ()) -> None:
        self.file = folder / "web.yml"
        self.file.write_text(text)
        self.asked: list[str] = []
        self._failed = Telemetry().series(LOGINS_FAILED)
        self._web = WebFile(self.file, open_paths=open_paths)
        self._guard: Any = AccessControl(self._app, self._web, self._failed.inc)
        transport = httpx.ASGITransport(app=self._guard)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://exporter.test")

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await PlainTextResponse("fine", headers={"X-Frame-Options": "sameorigin"})(scope, receive, send)

    def rewrite(self, text: str) -> None:
        self.file.write_text(text)
        self._web.check()
        self._web.check()

    @property
    def passwords(self) -> Passwords:
        found: Passwords = self._guard._passwords
        return found

    @property
    def failed(self) -> float:
        ((sample,),) = (family.samples for family in self._failed.collect())
        return sample.value

    async def get(self, path: str = "/metrics", method: str = "GET", **options: Any) -> httpx.Response:
        return await self._client.request(method, path, **options)

    async def start_of(self, scope: dict[str, Any]) -> Any:
        """The start of the response to a request that no client would send."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        plain = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
        await self._guard(plain | scope, None, send)
        return sent[0]


@in_real_time
async def test_without_users_all_requests_are_served_and_an_empty_body_is_none(tmp_path: Path) -> None:
    front = Front(tmp_path)
    for headers in ({}, {"Authorization": "Basic nonsense"}):
        assert (await front.get(headers=headers)).status_code == 200
    assert (await front.get(method="POST", headers={"Content-Length": "0"})).status_code == 200
    assert front.failed == 0


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/nothing"])
@in_real_time
async def test_every_path_requires_a_password(tmp_path: Path, path: str) -> None:
    front = Front(tmp_path, LOGIN)
    got = await front.get(path)
    assert (got.status_code, got.text) == (401, "Authentication required: user and password.\n")
    assert (got.headers["www-authenticate"], front.asked) == ('Basic realm="drs-exporter", charset="UTF-8"', [])
    assert (await front.get(path, auth=("alice", "apple"))).status_code == 200
    assert front.asked == [path]
    assert front.failed == 0  # who gives no password has not failed


@in_real_time
async def test_health_can_be_left_open(tmp_path: Path) -> None:
    front = Front(tmp_path, LOGIN, open_paths=HEALTH_PATHS)
    paths = ["/-/healthy", "/-/ready", "/-/healthy/", "/-/", "/metrics", "/", "/-/healthy/../../metrics"]
    assert [(await front.get(path)).status_code for path in paths] == [200, 200, 401, 401, 401, 401, 401]


@in_real_time
async def test_failed_logins_are_counted(tmp_path: Path) -> None:
    front = Front(tmp_path, LOGIN)
    for name, password in (("alice", "pear"), ("alice", "pear"), ("nobody", "apple")):
        assert (await front.get(auth=(name, password))).status_code == 401
    assert (await front.get(headers={"Authorization": "Bearer token"})).status_code == 401
    assert front.failed == 4
    assert (await front.get(auth=("alice", "apple"))).status_code == 200
    assert front.failed == 4


@in_real_time
async def test_a_login_that_was_not_checked_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> bool:
        raise TooManyLoginsError

    front = Front(tmp_path, LOGIN)
    monkeypatch.setattr(front.passwords, "verify", refuse)
    got = await front.get(auth=("alice", "apple"))
    assert (got.status_code, got.headers["retry-after"], front.failed, front.asked) == (429, "10", 0, [])


@in_real_time
async def test_users_change_with_the_file(tmp_path: Path) -> None:
    front = Front(tmp_path, LOGIN)
    assert (await front.get(auth=("alice", "apple"))).status_code == 200
    front.rewrite(f"basic_auth_users: {{bob: {BOB}}}  # and not alice\n")
    assert (await front.get(auth=("alice", "apple"))).status_code == 401
    assert (await front.get(auth=("bob", "banana"))).status_code == 200


@in_real_time
async def test_headers_are_added_to_every_response_that_has_not_its_own(tmp_path: Path) -> None:
    text = "http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=5}}\n"
    front = Front(tmp_path, text + LOGIN)
    refused, fine = await front.get(), await front.get(auth=("alice", "apple"))
    assert [got.status_code for got in (refused, fine)] == [401, 200]
    assert {got.headers["strict-transport-security"] for got in (refused, fine)} == {"max-age=5"}
    assert refused.headers.get_list("x-frame-options") == ["deny"]
    assert fine.headers.get_list("x-frame-options") == ["sameorigin"]


@pytest.mark.parametrize(
    "body",
    [{"content": b"x"}, {"headers": {"Transfer-Encoding": "chunked"}}, {"headers": {"Content-Length": "9" * 20}}],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@in_real_time
async def test_a_body_is_refused_before_it_is_read(tmp_path: Path, body: dict[str, Any], method: str) -> None:
    front = Front(tmp_path, LOGIN)
    got = await front.get(method=method, **body)
    assert (got.status_code, got.headers["connection"], front.asked) == (413, "close", [])


@pytest.mark.parametrize(
    "scope_of",
    [
        lambda size: {"headers": [(b"x-long", b"x" * size)]},
        lambda size: {"headers": [(b"x", b"y")] * (size // 6)},
        lambda size: {"raw_path": b"/" + b"x" * size},
        lambda size: {"query_string": b"name[]=" + b"x" * size},
    ],
    ids=["long header", "many headers", "path", "query"],
)
@in_real_time
async def test_a_header_is_bounded(tmp_path: Path, scope_of: Callable[[int], dict[str, Any]]) -> None:
    front = Front(tmp_path)
    assert (await front.start_of(scope_of(HEADER_BYTES - 20)))["status"] == 200
    got = await front.start_of(scope_of(HEADER_BYTES + 10))
    assert got["status"] == 431
    assert (b"connection", b"close") in got["headers"]
    assert len(front.asked) == 1


def test_a_bucket_allows_a_burst_and_then_its_rate() -> None:
    bucket = Bucket(RateLimit(interval="2s", burst=2), now=100)  # type: ignore[arg-type]
    let_in = [bucket.take(now) for now in (100, 100, 100, 101, 102, 103, 104, 1000, 1000, 1000)]
    assert let_in == [True, True, False, False, True, False, True, True, True, False]
    unlimited = Bucket(RateLimit(), now=0)
    assert all(unlimited.take(0) for _ in range(1000))


async def test_more_requests_than_allowed_are_refused(tmp_path: Path) -> None:
    front = Front(tmp_path, "rate_limit: {interval: 10s, burst: 3}")
    assert [(await front.get()).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    await asyncio.sleep(10)
    assert [(await front.get()).status_code for _ in range(2)] == [200, 429]
    front.rewrite("rate_limit: {interval: 0}")
    assert [(await front.get()).status_code for _ in range(5)] == [200] * 5
