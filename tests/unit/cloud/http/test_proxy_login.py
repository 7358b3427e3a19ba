from __future__ import annotations

import asyncio

import aiohttp
import httpx
import pytest
from yarl import URL

from exporter.cloud.http.proxy_login import ProxyLogin, ProxyLoginError, login_at


class Calls:
    """Calls through a proxy: each takes a time, then succeeds, or fails with the status of the proxy."""

    def __init__(self, status: int = 200, seconds: float = 0.1) -> None:
        self.status = status
        self.seconds = seconds
        self.began: list[float] = []

    async def __call__(self) -> str:
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.seconds)
        if self.status == 200:
            return "response"
        info = aiohttp.RequestInfo(URL("http://proxy:3128"), "CONNECT", {}, URL("http://proxy:3128"))  # type: ignore[arg-type]
        raise httpx.ProxyError("refused") from aiohttp.ClientHttpProxyError(info, (), status=self.status)


async def outcomes(login: ProxyLogin, calls: Calls, count: int) -> list[str]:
    found = await asyncio.gather(*(login.send(calls) for _ in range(count)), return_exceptions=True)
    return [outcome if isinstance(outcome, str) else type(outcome).__name__ for outcome in found]


@pytest.mark.parametrize(
    ("seconds", "rounds", "began"), [(0.1, 2, [0, 0.1, 0.1, 0.2, 0.2, 0.2]), (60, 1, [0, 2, 2])], ids=["fast", "slow"]
)
async def test_the_first_call_goes_ahead_of_the_others_until_the_login_is_accepted_but_two_seconds_at_most(
    seconds: float, rounds: int, began: list[float]
) -> None:
    login, calls = ProxyLogin(), Calls(seconds=seconds)
    for _ in range(rounds):
        assert await outcomes(login, calls, 3) == ["response"] * 3
    assert calls.began == pytest.approx(began)


async def test_a_refused_login_is_not_sent_for_five_minutes() -> None:
    login, calls = ProxyLogin(), Calls(407)
    assert await outcomes(login, calls, 6) == ["ProxyLoginError"] * 6
    await asyncio.sleep(299)
    assert await outcomes(login, calls, 6) == ["ProxyLoginError"] * 6
    await asyncio.sleep(2)
    calls.status = 200
    assert await outcomes(login, calls, 2) == ["response"] * 2
    calls.status = 407
    assert await outcomes(login, calls, 1) == ["ProxyLoginError"]
    assert await outcomes(login, calls, 3) == ["ProxyLoginError"] * 3
    assert len(calls.began) == 1 + 2 + 1


@pytest.mark.parametrize("status", [403, 503])
async def test_other_errors_of_a_proxy_are_raised_as_they_are(status: int) -> None:
    login, calls = ProxyLogin(), Calls(status)
    assert await outcomes(login, calls, 3) == ["ProxyError"] * 3
    assert await outcomes(login, calls, 1) == ["ProxyError"]
    assert len(calls.began) == 4


async def test_errors_without_a_proxy_are_raised_as_they_are() -> None:
    async def broken() -> str:
        raise httpx.ConnectError("broken")

    with pytest.raises(httpx.ConnectError, match="broken"):
        await ProxyLogin().send(broken)


async def test_a_login_is_shared_by_url_and_password() -> None:
    first, same = (httpx.Proxy("http://proxy:3128", headers={"Proxy-Authorization": "Basic YTpi"}) for _ in "ab")
    assert login_at(first) is login_at(same)
    assert login_at(first) is not login_at(httpx.Proxy("http://proxy:3128"))
    assert issubclass(ProxyLoginError, httpx.ProxyError)
