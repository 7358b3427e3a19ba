"""The cloud's ways to write a time (all five of them), and invented but lasting identifiers."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache

UTC8_OFFSET = 8 * 3600

_remembered = lru_cache(maxsize=200_000)
"""Invented facts never change, and a page of a list has hundreds of them."""


@lru_cache(maxsize=1000)
def utc(epoch: float) -> str:
    """``2022-11-07T16:15:18Z``: v5, and the newer v3 list."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def micros(epoch: float) -> str:
    """``2015-11-09T01:42:57.527363Z``: IAM and the metadata service."""
    whole, part = divmod(epoch, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(part * 1_000_000):06d}Z"


def naive(epoch: float) -> str:
    """``2020-12-21 10:57:49`` without a zone, and yet UTC+8 in every region: the older v3 list, RPO, RTO."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(epoch + UTC8_OFFSET))


def millis(epoch: float) -> str:
    """Epoch milliseconds as a string: times of v3 details, comparisons and progress."""
    return str(int(epoch * 1000))


def signing(epoch: float) -> str:
    """``20260102T030405Z``: X-Sdk-Date."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(epoch))


def digest(*parts: object) -> str:
    """64 hexadecimal digits that depend on the parts alone."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


@_remembered
def uuid(*parts: object) -> str:
    """A UUID-like id that depends on the parts alone."""
    text = digest(*parts)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def task_id(seed: str, generation: int, suffix: str) -> str:
    """A task id: 36 characters like a UUID, of which the last say what the task is (``jb101``, ``jb20r``)."""
    return uuid(seed, generation)[: 36 - len(suffix)] + suffix


@_remembered
def instance_id(seed: str, suffix: str = "in01") -> str:
    """A database instance id: 32 hexadecimal digits and ``inNN``."""
    return digest("instance", seed)[:32] + suffix


@_remembered
def address(*parts: object) -> str:
    """An IPv4 address from the documentation's private ranges."""
    text = digest("address", *parts)
    return f"192.168.{int(text[:2], 16)}.{1 + int(text[2:4], 16) % 254}"


@_remembered
def pick(seed: str, low: float, high: float) -> float:
    """A number between the two that depends on the seed alone."""
    return low + (high - low) * int(digest("pick", seed)[:8], 16) / 0xFFFFFFFF
