"""Sharding: several processes, each with a part of the tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from exporter.config import ConfigError
from exporter.model.task import Listed

SHARDS = "DRS_EXPORTER_SHARDS"
"""The environment variable with the number of shards, for `--shard=auto`."""
_ORDINAL = re.compile(r"-([0-9]{1,6})$")
_PART = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
_COUNT = re.compile(r"[0-9]{1,6}")


class Shard(NamedTuple):
    """A part of all tasks. Each task belongs to exactly one shard.

    Attributes:
        number: from 0 on.
        total: the number of shards.
    """

    number: int = 0
    total: int = 1

    def contains(self, listed: Listed) -> bool:
        """Return whether a task belongs to this shard; subtasks belong to that of their outermost parent."""
        return self.contains_name(listed.root_id or listed.parent_id or listed.id)

    def contains_name(self, name: str) -> bool:
        """Return whether a name belongs to this shard, by the first 8 bytes of its SHA-256."""
        return self.total == 1 or int.from_bytes(sha256(name.encode()).digest()[:8]) % self.total == self.number


ALL = Shard()
"""The only shard of an unsharded exporter."""


def shard_of(text: str, hostname: str, environment: Mapping[str, str]) -> Shard:
    """Parse `I/N`, or `auto`: the ordinal of a StatefulSet's pod, and the number of shards from the environment.

    Raises:
        ConfigError: the text is neither; the message contains the remedy.
    """
    if text == "auto":
        return _from_hostname(hostname, environment.get(SHARDS, ""))
    match = _PART.fullmatch(text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ConfigError(f"--shard: {text!r} is neither auto nor I/N, I from 0 to N - 1, such as 0/3")
    return Shard(int(match[1]), int(match[2]))


def _from_hostname(hostname: str, count: str) -> Shard:
    ordinal = _ORDINAL.search(hostname.partition(".")[0])
    if ordinal is None:
        raise ConfigError("--shard: auto needs a host name that ends in a number, as in a StatefulSet: give I/N")
    if not _COUNT.fullmatch(count) or not int(count):
        raise ConfigError(f"--shard: auto needs the number of shards in the environment variable {SHARDS}")
    if int(ordinal[1]) >= int(count):
        raise ConfigError(f"--shard: auto finds shard {int(ordinal[1])} of {int(count)}, from 0 on: correct {SHARDS}")
    return Shard(int(ordinal[1]), int(count))
