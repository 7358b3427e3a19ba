"""`check` names what is wrong on the way to the cloud."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.lib.accounts import OTHER, REGION, account, cloud_of, config_of
from tests.lib.commands import WHERE, Dated, checked, config_for, fleet, project
from tests.lib.daemon import PROJECT_ID
from tests.lib.settings import AK_SK

PROXY = "http://hush:hush@proxy.test:3128"
IGNORED = f"warn  {WHERE}  HTTPS_PROXY is set and ignored: to use it, set proxy: {{from_environment: true}}"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def lines(config: Any, cloud: Any) -> list[str]:
    return checked(cloud, config)[1].splitlines()


async def unreachable(_transport: Dated, _request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("")


def test_an_ignored_proxy_variable_is_named_where_the_cloud_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert IGNORED not in lines(config_for(), fleet())
    monkeypatch.setattr(Dated, "handle_async_request", unreachable)
    assert IGNORED in lines(config_for(), fleet())
    monkeypatch.setenv("NO_PROXY", ".myhuaweicloud.com")
    assert IGNORED not in lines(config_for(), fleet())


def test_a_proxy_of_the_environment_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = (
        "warn  acme/cn-north-4/payments  proxy.from_environment is true, but the environment names no proxy for the "
        "endpoint: check HTTPS_PROXY, ALL_PROXY and NO_PROXY"
    )
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    config = config_of(account(AK_SK, projects=[project()], proxy={"from_environment": True}))
    assert missing not in lines(config, fleet())
    monkeypatch.setattr(Dated, "handle_async_request", unreachable)
    assert missing in lines(config, fleet())
    assert missing not in lines(config_for(), fleet())


def test_a_region_that_looks_mistyped_is_named() -> None:
    endpoint = "https://drs.cn-north-4.myhuaweicloud.com"
    found = lines(config_for({**project(endpoint=endpoint), "region": "cn-nort-4"}), fleet())
    hint = "region is cn-nort-4, but the endpoint is in cn-north-4: write region: cn-north-4"
    assert f"warn  acme/cn-nort-4/payments  {hint}" in found


def test_a_project_that_iam_does_not_show_by_its_name() -> None:
    config = config_of(account(AK_SK, projects=[{"region": REGION, "name": f"{REGION}_payments"}]))
    found = lines(config, cloud_of())
    assert f"fail  acme/{REGION}/{REGION}_payments  iam_list_projects failed: " in found[-1]
    assert f"IAM shows no project of the name {REGION}_payments: correct name, set project_id, or let" in found[-1]
    assert PROJECT_ID not in "".join(found)
    assert OTHER not in "".join(found)
