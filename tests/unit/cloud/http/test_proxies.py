"""A real proxy that opens tunnels, and asks for a user and password."""

from __future__ import annotations

import asyncio
import base64
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exporter.cloud.http.errors import AccessDeniedError, CloudError
from exporter.cloud.http.proxies import environment_proxy, variable_for
from exporter.config import Config, from_mapping
from tests.lib.certificates import Authority
from tests.lib.settings import fault_of, otc_account
from tests.lib.sockets import answer, saying, served
from tests.lib.tools import needs
from tests.lib.tunnels import USER, TunnelProxy
from tests.lib.virtual_time import in_real_time
from tests.unit.cloud.http.test_network import EMPTY, listed

pytestmark = [needs("openssl"), pytest.mark.usefixtures("no_pause")]
PASSWORD = "sécret:1"
LOGIN = {"user": USER, "password": PASSWORD}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@asynccontextmanager
async def cloud(authority: Authority) -> AsyncIterator[int]:
    """The port of a cloud with TLS, and no task."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("server"))
    async with served(saying(*[answer(EMPTY)] * 10), context) as port:
        yield port


async def through(proxy: Any, port: int, authority: Authority) -> None:
    """One list through a proxy; raises `CloudError`."""
    assert (await listed(f"https://127.0.0.1:{port}", proxy=proxy, ca_file=str(authority.cert))).complete


@pytest.mark.parametrize("login", [None, LOGIN], ids=["open", "with a password"])
@in_real_time
async def test_calls_reach_the_cloud_through_a_tunnel(authority: Authority, login: dict[str, Any] | None) -> None:
    proxy = TunnelProxy(PASSWORD if login else None)
    async with cloud(authority) as port, served(proxy) as way:
        url = f"http://127.0.0.1:{way}"
        await through({"url": url, **login} if login else url, port, authority)
    assert (proxy.tunnels, proxy.refusals) == (1, 0)


@pytest.mark.parametrize("login", [{}, {"user": USER, "password": "wrong"}], ids=["none", "wrong"])
@in_real_time
async def test_a_proxy_that_refuses_the_password_is_named(authority: Authority, login: dict[str, str]) -> None:
    async with cloud(authority) as port, served(TunnelProxy(PASSWORD)) as way:
        with pytest.raises(CloudError) as raised:
            await through({"url": f"http://127.0.0.1:{way}", **login}, port, authority)
    error = raised.value
    assert error.code == "network"
    assert error.reason == (
        "the proxy requires a user and password, or refuses the configured ones (407): "
        "set proxy: {url: http://HOST:PORT, user: NAME, password: {env: NAME}}, "
        "or correct HTTPS_PROXY if it is used"
    )


@in_real_time
async def test_a_refused_password_is_sent_once_for_all_calls_until_it_is_renewed(authority: Authority) -> None:
    proxy = TunnelProxy(PASSWORD)

    async with cloud(authority) as port, served(proxy) as way:
        setting = {"url": f"http://127.0.0.1:{way}", "user": USER}
        calls = [through({**setting, "password": "wrong"}, port, authority) for _ in range(6)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [getattr(outcome, "reason", "")[:9] for outcome in outcomes] == ["the proxy"] * 6
        with pytest.raises(CloudError):
            await through({**setting, "password": "wrong"}, port, authority)
        assert proxy.refusals == 1
        await through({**setting, "password": PASSWORD}, port, authority)
    assert (proxy.tunnels, proxy.refusals) == (1, 1)


@in_real_time
async def test_a_proxy_that_does_not_let_the_cloud_through_is_named(authority: Authority) -> None:
    async with cloud(authority) as port, served(TunnelProxy("x", "403 Forbidden")) as way:
        with pytest.raises(CloudError) as raised:
            await through(f"http://127.0.0.1:{way}", port, authority)
    assert raised.value.reason == (
        "the proxy does not connect to the endpoint (403): check the endpoint and the rules of the proxy"
    )


@in_real_time
async def test_a_renewed_password_is_used_and_an_unusable_user_is_named(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old")
    proxy = TunnelProxy("old")

    async with cloud(authority) as port, served(proxy) as way:
        setting = {"url": f"http://127.0.0.1:{way}", "user": USER, "password": {"file": str(file)}}
        await through(setting, port, authority)
        file.write_text("renewed")
        proxy.password = "renewed"
        await through(setting, port, authority)
        user = tmp_path / "user"
        user.write_text("me:you")
        with pytest.raises(AccessDeniedError, match=r"proxy\.user holds a colon"):
            await through({**setting, "user": {"file": str(user)}}, port, authority)
    assert (proxy.tunnels, proxy.refusals) == (2, 0)


@in_real_time
async def test_no_error_holds_the_password(authority: Authority) -> None:
    async with cloud(authority) as port, served(TunnelProxy("other")) as way:
        setting = {"url": f"http://127.0.0.1:{way}", **LOGIN, "password": "hush-hush"}
        with pytest.raises(CloudError) as raised:
            await through(setting, port, authority)
    told = "".join(traceback.format_exception(raised.value))
    assert "407" in told
    assert "hush-hush" not in told
    assert base64.b64encode(f"{USER}:hush-hush".encode()).decode() not in told


def config_with(proxy: Any) -> Config:
    return from_mapping({"accounts": [otc_account(proxy=proxy)]})


_URL = "expected http://HOST:PORT, such as http://proxy.example:3128, without a path"
_SPLIT = (
    "expected http://HOST:PORT without a user; write proxy: {url: http://HOST:PORT, user: NAME, password: {env: NAME}}"
)


@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        ("proxy.example:3128", f"proxy: {_URL}"),
        ("socks5://proxy.example:1080", f"proxy: {_URL}"),
        ("http://proxy.example:3128/path", f"proxy: {_URL}"),
        ("http://me:hush@proxy.example:3128", f"proxy: {_SPLIT}"),
        ({"url": "http://me:hush@proxy.example:3128"}, f"proxy.url: {_SPLIT}"),
        ({"url": "proxy.example"}, f"proxy.url: {_URL}"),
        ({}, "proxy: needs url: http://HOST:PORT, or from_environment: true"),
        ({"url": "http://p:1", "user": "me"}, "proxy: needs user and password, or neither"),
        ({"url": "http://p:1", "password": "hush"}, "proxy: needs user and password, or neither"),
        (
            {"url": "http://p:1", "from_environment": True},
            "proxy: from_environment: true excludes url, user and password: remove them, or from_environment",
        ),
    ],
)
def test_a_setting_that_is_no_proxy(proxy: Any, fault: str) -> None:
    assert fault_of(config_with, proxy) == f"accounts[0].{fault}"


def test_the_password_is_in_no_text_of_the_setting() -> None:
    config = config_with({"url": "http://p:1", "user": "me", "password": "hush"})
    assert "hush" not in repr(config) + str(config) + config.model_dump_json()


@in_real_time
async def test_the_environment_names_a_proxy_on_request(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = TunnelProxy(PASSWORD)
    async with cloud(authority) as port, served(proxy) as way:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{USER}:s%C3%A9cret%3A1@127.0.0.1:{way}")
        await through({"from_environment": True}, port, authority)
        assert (proxy.tunnels, proxy.refusals) == (1, 0)
        monkeypatch.setenv("NO_PROXY", "example.test,127.0.0.1")
        await through({"from_environment": True}, port, authority)
        monkeypatch.delenv("NO_PROXY")
        await through(None, port, authority)
        assert (proxy.tunnels, proxy.refusals) == (1, 0)


@pytest.mark.parametrize(
    ("variables", "variable"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, "HTTPS_PROXY"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "https_proxy"),
        ({"ALL_PROXY": "http://p:1"}, "ALL_PROXY"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example.com, *.x"}, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.example.com"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "drs.example.com:8443"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "drs.example.com:443"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other.com"}, "HTTPS_PROXY"),
    ],
)
def test_the_variable_used(variables: dict[str, str], variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert variable_for("https://drs.example.com:8443") == variable


def test_no_proxy_may_name_the_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    monkeypatch.setenv("NO_PROXY", "drs.example.com:443, other.com")
    assert (variable_for("https://drs.example.com"), variable_for("https://iam.example.com")) == (None, "HTTPS_PROXY")


def test_a_variable_may_leave_the_scheme_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    proxy = environment_proxy("https://drs.example.com")
    assert proxy
    assert str(proxy.url) == "http://proxy.example:3128"


@pytest.mark.parametrize("value", ["socks5://p:1", "http://", "http://p:x", "http://p:99999", "http://[::1"])
def test_a_variable_that_names_no_proxy_is_a_fault(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    expected = "expected the URL of a proxy, such as http://HOST:3128; SOCKS is not supported"
    assert fault_of(environment_proxy, "https://drs.example.com") == f"environment variable HTTPS_PROXY: {expected}"
