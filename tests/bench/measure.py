"""What a part of the benchmark brings back, and how it is measured."""

from __future__ import annotations

import cProfile
import gc
import pstats
import re
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tests.lib.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

_TOP = 10
_PACKAGES = 6
_HOME = str(ROOT)


@dataclass(frozen=True, slots=True)
class Row:
    """One measured goal.

    Args:
        what: was measured.
        unit: of the values; `times` for ratios.
        values: one a round; of the median the goal speaks.
        goal: that value may have at most, or at least.
        least: the goal is a lower bound.
        figures: what the ratio was made of, in absolute units.
        why: where the goal is missed, what was measured of the cause.
    """

    what: str
    unit: str
    values: Sequence[float]
    goal: float
    least: bool = False
    figures: str = ""
    why: str = ""

    @property
    def value(self) -> float:
        """The one that the goal speaks of."""
        return median(self.values)

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.least else self.value <= self.goal


@dataclass(frozen=True, slots=True)
class Table:
    """Figures without a goal."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(slots=True)
class Result:
    """What a part brings back."""

    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


class Spent(NamedTuple):
    """Seconds of this process, and of the wall."""

    cpu: float
    wall: float


def spent(work: Callable[[], object]) -> Spent:
    """What a piece of work takes; garbage of others is swept before."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


async def spent_async(work: Callable[[], Awaitable[object]]) -> Spent:
    """The same for a coroutine."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


async def interleaved(rounds: int, works: Mapping[str, Callable[[], Awaitable[object]]]) -> dict[str, list[Spent]]:
    """Rounds in which each of the works has its turn, so that a change of the machine's load touches all of them."""
    taken: dict[str, list[Spent]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(await spent_async(work))
    return taken


def cpus(taken: Iterable[Spent]) -> list[float]:
    """Their CPU seconds."""
    return [spent.cpu for spent in taken]


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """Median, least and most of the scaled values."""
    middle, least, most = (number(scale * value) for value in (median(values), min(values), max(values)))
    return f"{middle} ({least} to {most})"


def number(value: float) -> str:
    """Three digits that count, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


class Hot(NamedTuple):
    """A function in a profile: its own seconds, and their share of all."""

    name: str
    calls: int
    seconds: float
    share: float


async def profiled(work: Callable[[], Awaitable[object]], top: int = _TOP) -> list[Hot]:
    """The functions that take most of the time by themselves."""
    profile = cProfile.Profile(time.process_time)
    with profile:
        await work()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(own for _, _, own, _, _ in stats.values())
    hottest = sorted(stats.items(), key=lambda item: -item[1][2])[:top]
    return [Hot(_name(*where), calls, own, own / total) for where, (calls, _, own, _, _) in hottest]


async def shares(work: Callable[[], Awaitable[object]]) -> str:
    """In which packages the time of a piece of work goes, and the functions that take most of it."""
    hot = await profiled(work, top=10**6)
    packages: dict[str, float] = {}
    for entry in hot:
        package = re.split(r"[/:]", entry.name)[0] if ".py:" in entry.name else "built-in"
        packages[package] = packages.get(package, 0.0) + entry.share
    dearest = sorted(packages.items(), key=lambda item: -item[1])[:_PACKAGES]
    return f"{', '.join(f'{name} {share:.0%}' for name, share in dearest)}; {told(hot[:3])}"


def _name(file: str, line: int, function: str) -> str:
    if file == "~":
        return function.strip("<>")
    short = file.removeprefix(f"{_HOME}/")
    return f"{short.rpartition('site-packages/')[2].rpartition('/lib/')[2]}:{line} {function}"


def told(hot: Iterable[Hot]) -> str:
    """A profile in a sentence."""
    return "profile: " + ", ".join(f"{entry.share:.0%} {entry.name}" for entry in hot)
