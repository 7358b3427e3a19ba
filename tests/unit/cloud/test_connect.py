from __future__ import annotations

import ssl
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest

from exporter.cloud.connect import Connection, connect
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler
from exporter.config import from_mapping
from exporter.runtime.tls_context import CurrentContext
from tests.lib import virtual_time as virtual
from tests.lib.cloud import PROJECT, CallLog, Script

EMPTY = {"jobs": [], "total_record": 0, "total_count": 0}


def opened(
    transport: httpx.AsyncBaseTransport | None, project: dict[str, Any] | None = None, **account: Any
) -> Connection:
    """The connection of the only project of the only account."""
    written = {
        "name": "prod",
        "cloud": "huaweicloud",
        "credentials": {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"},
        "projects": [{"region": "cn-north-4", "project_id": PROJECT, **(project or {})}],
        **account,
    }
    (configured,) = from_mapping({"accounts": [written]}).accounts
    return connect(
        configured,
        configured.all_projects()[0],
        transport=transport,
        scheduler=Scheduler(1e6, 1000),
        meter=CallLog(),
        now=virtual.now,
    )


@pytest.mark.parametrize(("api", "names"), [("auto", ["v3", "v5"]), ("v3", ["v3"]), ("v5", ["v5"])])
async def test_the_generations_that_are_asked_the_one_that_decides_first(api: str, names: list[str]) -> None:
    connection = opened(Script(EMPTY), {"api": api})
    async with connection.http:
        assert [generation.name for generation in connection.apis] == names


@pytest.mark.parametrize(
    ("project", "base"),
    [
        ({}, "https://drs.cn-north-4.myhuaweicloud.com"),
        ({"endpoint": "https://drs.example.test:8443"}, "https://drs.example.test:8443"),
    ],
)
async def test_calls_go_signed_to_the_endpoint_of_the_project(project: dict[str, Any], base: str) -> None:
    script = Script(EMPTY)

    http, client, apis, decode_errors, _ = opened(script, project)
    async with http:
        for api in apis:
            await api.list_tasks(client, decode_errors, "sync")
    assert [str(request.url).partition("?")[0] for request in script.requests] == [
        f"{base}/v3/{PROJECT}/jobs",
        f"{base}/v5/{PROJECT}/jobs",
    ]
    for request in script.requests:
        assert request.headers["X-Project-Id"] == PROJECT
        assert request.headers["Host"] == base.removeprefix("https://")
        assert request.headers["Authorization"].startswith(
            "SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-language;x-project-id;x-sdk-date, "
        )


async def test_a_cookie_of_the_cloud_is_not_sent_back() -> None:
    script = Script(httpx.Response(200, json=EMPTY, headers={"Set-Cookie": "session=1; Path=/"}), EMPTY)

    http, client, apis, decode_errors, _ = opened(script)
    async with http:
        for api in apis:
            await api.list_tasks(client, decode_errors, "sync")
    assert [request.headers.get("cookie") for request in script.requests] == [None, None]


def trusted(http: httpx.AsyncClient) -> ssl.SSLContext:
    transport: Any = http._transport
    context = transport.ssl_context
    current: ssl.SSLContext = context.current() if isinstance(context, CurrentContext) else context
    return current


async def test_a_ca_file_replaces_the_usual_authorities(tmp_path: Path) -> None:
    pem, end = certifi.contents(), "-----END CERTIFICATE-----\n"
    own = tmp_path / "own.pem"
    own.write_text(pem[pem.index("-----BEGIN") : pem.index(end) + len(end)])

    usual, *_ = opened(None)
    http, *_ = opened(None, ca_file=str(own))
    async with usual, http:
        context = trusted(http)
        assert len(trusted(usual).get_ca_certs()) > 10
        assert (len(context.get_ca_certs()), context.verify_mode) == (1, ssl.CERT_REQUIRED)


async def test_the_environment_names_no_proxy_without_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.test:3128")

    plain, *_ = opened(None)
    proxied, *_ = opened(None, proxy="http://proxy.test:3128")
    async with plain, proxied:
        assert [len(plain._mounts), len(proxied._mounts)] == [0, 1]


DATE = {"date": formatdate(virtual.EPOCH - 90, usegmt=True)}
REFUSED = {"error_code": "APIGW.0301", "error_msg": "signature expired"}


@pytest.mark.parametrize(
    ("reply", "endpoint", "skew"),
    [
        (httpx.Response(200, json=EMPTY, headers=DATE), {}, 90),
        (httpx.Response(401, json=REFUSED, headers=DATE), {}, 90),
        (httpx.Response(200, json=EMPTY), {}, None),
        (httpx.Response(200, json=EMPTY, headers={**DATE, "age": "7"}), {}, None),
        (httpx.Response(502, text="<html>", headers=DATE), {}, None),  # of whatever is in between
        (httpx.Response(200, text="<html>", headers=DATE), {}, None),
        (httpx.Response(200, json=EMPTY, headers=DATE), {"endpoint": "https://gateway.example.test"}, None),
        (httpx.Response(200, json=EMPTY, headers=DATE), {"endpoint": "https://myhuaweicloud.com.example.test"}, None),
        (httpx.Response(200, json=EMPTY, headers=DATE), {"endpoint": "https://drs.eu-de.otc.t-systems.com"}, 90),
    ],
)
async def test_only_responses_of_the_api_from_the_hosts_of_the_cloud_show_its_clock(
    reply: httpx.Response, endpoint: dict[str, str], skew: float | None
) -> None:
    connection = opened(Script(reply), endpoint)
    async with connection.http:
        assert connection.access().clock_skew_seconds is None
        with suppress(CloudError):
            await connection.apis[0].list_tasks(connection.client, connection.decode_errors, "sync")
        shown = connection.access().clock_skew_seconds
    assert shown == (skew if skew is None else pytest.approx(skew, abs=5))
