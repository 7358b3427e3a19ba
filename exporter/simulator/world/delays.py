"""Shapes of the replication delay: seconds behind, as a function of life seconds of incremental replication."""

from __future__ import annotations

from collections.abc import Callable
from math import sin
from typing import TypeAlias

from exporter.simulator.world.life import HOUR, MINUTE

DelayShape: TypeAlias = Callable[[float], float]


def in_sync(_: float) -> float:
    """Never behind."""
    return 0.0


def steady(age: float) -> float:
    """A second or so, the usual thing."""
    return 1.0 + 0.8 * sin(age / (10 * MINUTE))


def recovering(age: float) -> float:
    """Hundreds of seconds behind after the full load, and slowly catching up."""
    return max(1500.0 - age / 48.0, 0.0) + steady(age)


def growing(age: float) -> float:
    """Loses ground for ten hours, then the source's peak load ends and it starts over."""
    return (age % (10 * HOUR)) / 30.0


def bursty(age: float) -> float:
    """In sync, but for a batch job on the source every other hour."""
    into = age % (2 * HOUR)
    return steady(age) + (40.0 * sin(into / (20 * MINUTE) * 3.14159) if into < 20 * MINUTE else 0.0)
