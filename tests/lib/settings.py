"""Configurations of the exporter for the simulated cloud."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from exporter.config import Collectors

AK_SK = {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"}


def account(name: str, *projects: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    """An account with the key of the simulated cloud."""
    return {"name": name, "cloud": "huaweicloud", "credentials": AK_SK, "projects": projects, **keys}


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
