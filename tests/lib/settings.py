"""Configurations of the exporter, most of them for the simulated cloud, and the errors of wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from exporter.config import Collectors, ConfigError, load

AK_SK = {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"}


def account(name: str, *projects: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    """An account with the key of the simulated cloud."""
    return {"name": name, "cloud": "huaweicloud", "credentials": AK_SK, "projects": projects, **keys}


def otc_account(name: str = "a", **keys: Any) -> dict[str, Any]:
    """An account with a token, which polls a region by default."""
    usual = {"cloud": "otc", "credentials": {"type": "token", "token": "t"}, "regions": ["eu-de"]}
    return {"name": name, **usual, **keys}


def fault_of(function: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """The text of the `ConfigError` that a function raises."""
    with pytest.raises(ConfigError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def fault_in(content: str | bytes) -> str:
    """The error of a configuration file with this content, which is written into the current folder."""
    Path("config.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return fault_of(load, Path("config.yaml"))


def settings(
    *accounts: Mapping[str, Any], collectors: Collection[str] | None = None, **sections: Any
) -> dict[str, Any]:
    """The sections of a configuration whose rate limit delays no call.

    Args:
        accounts: its accounts.
        collectors: those that are enabled, in place of the default ones.
        sections: further sections.
    """
    if collectors:
        sections["collectors"] = {name: {"enabled": name in collectors} for name in Collectors.model_fields}
    poll = {"rate_limit": 1000.0, "burst": 1000, **sections.get("poll", {})}
    return {"accounts": accounts, **sections, "poll": poll}
