"""The part of the tasks that a process polls, by the option `--shard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exporter.commands import main as cli
from exporter.config import ConfigError
from exporter.model.shard import ALL, SHARDS, Shard, shard_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_the_hash_is_the_same_everywhere() -> None:
    """It is the remainder of what `printf NAME | sha256sum` begins with, 16 digits."""
    assert [Shard(number, 7).contains_name("abc") for number in range(7)].index(True) == 0xBA7816BF8F01CFEA % 7


def test_the_default_is_a_single_shard() -> None:
    assert shard_of("0/1", "", {}) == ALL == (0, 1)


@pytest.mark.parametrize(
    ("text", "hostname", "environment", "shard"),
    [
        ("2/3", "", {}, (2, 3)),
        ("auto", "drs-exporter-4", {SHARDS: "5"}, (4, 5)),
        ("auto", "drs-2-exporter-0.drs.svc-9", {SHARDS: "1"}, (0, 1)),
    ],
)
def test_a_shard_is_parsed(text: str, hostname: str, environment: Mapping[str, str], shard: tuple[int, int]) -> None:
    assert shard_of(text, hostname, environment) == shard


@pytest.mark.parametrize(
    ("text", "hostname", "count", "fault"),
    [
        ("3/3", "", "", "'3/3' is neither auto nor I/N, I from 0 to N - 1, such as 0/3"),
        ("0/0", "", "", "'0/0' is neither"),
        ("-1/2", "", "", "'-1/2' is neither"),
        ("1", "", "", "'1' is neither"),
        ("٣/٤", "", "", "is neither"),
        ("auto", "exporter", "3", "auto needs a host name that ends in a number"),
        ("auto", "exporter-1", "", f"auto needs the number of shards in the environment variable {SHARDS}"),
        ("auto", "exporter-1", "0", "auto needs the number of shards"),
        ("auto", "exporter-1", "two", "auto needs the number of shards"),
        ("auto", "exporter-3", "3", f"auto finds shard 3 of 3, from 0 on: correct {SHARDS}"),
    ],
)
def test_an_invalid_shard_is_refused_with_the_remedy(text: str, hostname: str, count: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        shard_of(text, hostname, {SHARDS: count} if count else {})
    assert str(caught.value).startswith("--shard: ")
    assert fault in str(caught.value)


def test_bad_usage_ends_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--shard=2/2"]) == 2
    assert (
        capsys.readouterr().err
        == "drs-exporter: --shard: '2/2' is neither auto nor I/N, I from 0 to N - 1, such as 0/3\n"
    )
