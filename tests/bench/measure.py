"""The results of a part of the benchmark, and their measurement."""

from __future__ import annotations

import cProfile
import gc
import pstats
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tests.lib.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

_PACKAGES, _FUNCTIONS = 6, 3
_HOME = str(ROOT)


@dataclass(frozen=True, slots=True)
class Row:
    """One measured goal.

    Args:
        what: the quantity.
        unit: of the values; `times` for ratios.
        values: one a round; the goal is for their median.
        goal: that value may have at most, or at least.
        least: the goal is a lower bound.
        figures: the values of a ratio, in absolute units.
        why: what was measured of the cause, for a missed goal.
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
        """The median, which is compared with the goal."""
        return median(self.values)

    @property
    def met(self) -> bool:
        """True if the goal is reached."""
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
    """The result of a part."""

    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """Sentences for users."""


class Spent(NamedTuple):
    """Seconds of this process, and of the wall."""

    cpu: float
    wall: float


def spent(work: Callable[[], object]) -> Spent:
    """The time that a piece of work takes, after a garbage collection."""
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
    """Run each of the works once a round, so that a change of the machine's load affects all of them."""
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
    """Three significant digits without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


async def shares(work: Callable[[], Awaitable[object]]) -> str:
    """The packages in which a piece of work spends most time, and the functions that take most of it by themselves."""
    profile = cProfile.Profile(time.process_time)
    with profile:
        await work()
    own = {_name(*where): entry[2] for where, entry in pstats.Stats(profile).stats.items()}  # type: ignore[attr-defined]
    total = sum(own.values())
    packages = Counter[str]()
    for name, seconds in own.items():
        packages[re.split(r"[/:]", name)[0] if ".py:" in name else "built-in"] += seconds / total
    dearest = ", ".join(f"{name} {share:.0%}" for name, share in packages.most_common(_PACKAGES))
    functions = ", ".join(f"{seconds / total:.0%} {name}" for name, seconds in Counter(own).most_common(_FUNCTIONS))
    return f"{dearest}; profile: {functions}"


def _name(file: str, line: int, function: str) -> str:
    if file == "~":
        return function.strip("<>")
    short = file.removeprefix(f"{_HOME}/")
    return f"{short.rpartition('site-packages/')[2].rpartition('/lib/')[2]}:{line} {function}"
