"""The table of collectors: a collector is one row, and the rest of the exporter follows from it.

The settings, the ages of facts, the shares of the rate limit, the views and the documentation read this table. It
imports nothing, because the configuration, on which all other packages depend, is made from it as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_RUNS = ("active", "only tasks that run have it")


class Scope(Enum):
    """What a collector polls: lists, the project, or the tasks that have all of some properties of `Listed`.

    Each property comes with the reason for which tasks without it are not polled.
    """

    LISTS = ("lists",)
    PROJECT = ("project",)
    RUNNING = "running tasks", _RUNS
    DISASTER_RECOVERY = "disaster-recovery tasks", ("disaster_recovery", "only disaster-recovery tasks have it"), _RUNS
    CONFIGURED = "new tasks", ("configured", "only tasks that are being configured have it")

    def __init__(self, _polled: str, *conditions: tuple[str, str]) -> None:
        self.conditions = conditions


@dataclass(frozen=True, slots=True)
class Collector:
    """One collector.

    Args:
        name: its key in the configuration, and the label `collector`.
        facts: fields of `Task` or `Project` that it provides.
        scope: what it polls.
        interval: default seconds between two polls; None: `poll.interval`.
        enabled: whether it is enabled by default.
        weight: how much its lateness counts while calls wait for the rate limit, see `Scheduler`: 4 for what decides a
            cut-over within minutes, 1 for all else.
        in_overview: whether `drs-exporter tasks` polls it even if no reason against a cut-over needs it.
    """

    name: str
    facts: tuple[str, ...]
    scope: Scope = Scope.RUNNING
    interval: float | None = None
    enabled: bool = True
    weight: int = 1
    in_overview: bool = False

    @property
    def in_waves(self) -> bool:
        """True if it polls tasks of a running wave at the interval of the wave: what decides a cut-over."""
        return self.weight > 1


_TABLE = (
    Collector("tasks", ("listed", "history", "up", "counts"), Scope.LISTS, weight=4),
    Collector("progress", ("progress",), weight=4, in_overview=True),
    Collector("node", ("node", "monitor"), interval=60),
    Collector("recovery", ("recovery", "switchover"), Scope.DISASTER_RECOVERY, weight=4, in_overview=True),
    Collector("objects", ("objects",), interval=120),
    Collector("detail", ("detail", "writable"), interval=600, in_overview=True),
    Collector("comparison", ("comparison",), interval=300),
    Collector("precheck", ("precheck",), Scope.CONFIGURED, interval=600),
    Collector("logs", ("logs",), interval=300, enabled=False),
    Collector("quota", ("quota",), Scope.PROJECT, interval=3600),
    Collector("async_jobs", ("async_jobs",), Scope.PROJECT, interval=300),
)

TASKS = _TABLE[0].name
"""The collector of the task lists, on which all others depend."""
COLLECTORS = {collector.name: collector for collector in _TABLE}
"""All collectors by name."""
COLLECTOR_OF = {facts: collector.name for collector in _TABLE for facts in collector.facts}
"""Names of collectors by the facts that they provide."""
