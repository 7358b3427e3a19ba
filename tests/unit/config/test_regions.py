from __future__ import annotations

from typing import Any

import pytest

from exporter.config import REGIONS, from_mapping, region_hints
from tests.lib.settings import otc_account


def hints(region: str, endpoint: str | None = None, cloud: str = "huaweicloud") -> list[str]:
    written: dict[str, Any] = {"region": region} | ({"endpoint": endpoint} if endpoint else {})
    account = otc_account(cloud=cloud, regions=[], projects=[written])
    return [hint for _, hint in region_hints(from_mapping({"accounts": [account]}).accounts[0])]


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_a_known_region_is_right(region: str) -> None:
    assert hints(region, f"https://drs.{region}.myhuaweicloud.com") == []
    assert len([cloud for cloud in ("huaweicloud", "huaweicloud_eu", "otc") if not hints(region, cloud=cloud)]) == 1


@pytest.mark.parametrize(
    ("region", "cloud", "right"),
    [
        ("cn-north-4", "otc", "huaweicloud"),
        ("eu-de", "huaweicloud", "otc"),
        ("eu-west-101", "huaweicloud", "huaweicloud_eu"),
    ],
)
def test_a_region_of_another_cloud(region: str, cloud: str, right: str) -> None:
    remedy = "correct cloud or region, or set endpoint"
    assert hints(region, cloud=cloud) == [f"region {region} is of cloud {right}, not {cloud}: {remedy}"]


@pytest.mark.parametrize(
    ("region", "near"),
    [
        *[("cn-nort-4", "cn-north-4"), ("cn-norht-4", "cn-north-4"), ("eu-dee", "eu-de")],
        *[("ap-southest-1", "ap-southeast-1"), ("cnnorth-4", "cn-north-4")],
    ],
)
@pytest.mark.parametrize("endpoint", [None, "https://drs.internal.example"])
def test_a_mistyped_region_has_a_near_one(region: str, near: str, endpoint: str | None) -> None:
    assert hints(region, endpoint) == [f"region {region} is not known: did you mean {near}?"]


def test_a_region_that_is_not_that_of_the_endpoint() -> None:
    for region in ("cn-nort-4", "cn-north-44", "cn-north-1", "payments"):
        assert hints(region, "https://drs.cn-north-4.myhuaweicloud.com:443") == [
            f"region is {region}, but the endpoint is in cn-north-4: write region: cn-north-4"
        ]


@pytest.mark.parametrize("region", ["cn-north-5", "eu-west-102", "my-cloud", "region-1", "test-1"])
@pytest.mark.parametrize("endpoint", [None, "https://drs.internal.example", "https://192.0.2.1"])
def test_new_and_private_regions_are_right(region: str, endpoint: str | None) -> None:
    assert hints(region, endpoint) == []
