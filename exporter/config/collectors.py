"""The table of collectors: a collector is one row, and the rest of the exporter follows from it.

The settings, the ages of facts, the priority of polls, the views and the documentation read it. It imports nothing,
because the configuration, on which all other packages depend, is made from it as well.
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
    PAIRS = "disaster-recovery tasks", ("disaster_recovery", "only disaster-recovery tasks have it"), _RUNS
    CONFIGURED = "new tasks", ("configured", "only tasks that are being configured have it")

    def __init__(self, _polled: str, *conditions: tuple[str, str]) -> None:
        self.conditions = conditions


@dataclass(frozen=True, slots=True)
class Collector:
    """One collector.

    Args:
        name: its key in the configuration, and the label `collector`.
        about: what it collects, for the documentation of its settings.
        facts: fields of `Task` or `Project` that it brings.
        scope: what it polls.
        interval: default seconds between two polls; None: `poll.interval`.
        enabled: whether it is enabled by default.
        priority: of its calls while the rate limit is short; the lowest number comes first.
        has_timestamp: whether drs_task_collected_timestamp_seconds contains it.
        in_overview: whether `drs-exporter tasks` polls it even if no reason against a cut-over needs it.
    """

    name: str
    about: str
    facts: tuple[str, ...]
    scope: Scope = Scope.RUNNING
    interval: float | None = None
    enabled: bool = True
    priority: int = 3
    has_timestamp: bool = False
    in_overview: bool = False


_TABLE = (
    Collector(
        "tasks",
        "Lists of tasks: what exists, status, phase. Can't be disabled.",
        ("listed", "history", "up", "counts"),
        Scope.LISTS,
        priority=0,
    ),
    Collector(
        "progress",
        "Progress and delay of running tasks.",
        ("progress",),
        priority=0,
        has_timestamp=True,
        in_overview=True,
    ),
    Collector(
        "node",
        "CPU, memory, disk, network and throughput of the task's node.",
        ("node", "monitor"),
        interval=60,
        priority=2,
        has_timestamp=True,
    ),
    Collector(
        "recovery",
        "RPO and RTO of disaster-recovery tasks.",
        ("recovery", "switchover"),
        Scope.PAIRS,
        priority=1,
        has_timestamp=True,
        in_overview=True,
    ),
    Collector("objects", "Objects counted at the source and at the target.", ("objects",), interval=120),
    Collector(
        "detail",
        "Properties that seldom change: types, thresholds, tags, times.",
        ("detail", "writable"),
        interval=600,
        in_overview=True,
    ),
    Collector("comparison", "Results of the newest comparisons.", ("comparison",), interval=300),
    Collector(
        "precheck", "Pre-check of tasks that are being configured (v3).", ("precheck",), Scope.CONFIGURED, interval=600
    ),
    Collector("logs", "Time of the newest log entry per level; a call a task.", ("logs",), interval=300, enabled=False),
    Collector("quota", "Quotas of the project.", ("quota",), Scope.PROJECT, interval=3600),
    Collector("async_jobs", "Asynchronous jobs of the project.", ("async_jobs",), Scope.PROJECT, interval=300),
)

TASKS = _TABLE[0].name
"""The collector of the task lists, on which all others depend."""
COLLECTORS = {collector.name: collector for collector in _TABLE}
"""All collectors by name."""
COLLECTOR_OF = {facts: collector.name for collector in _TABLE for facts in collector.facts}
"""Names of collectors by the facts that they bring."""
