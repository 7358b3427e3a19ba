"""A large simulated project, its configuration, and an exposition of forty families, for all parts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from exporter.config import Collectors, from_mapping
from exporter.metrics.exposition import Exposition
from exporter.metrics.family import TASK_LABELS
from exporter.metrics.self_metrics import Telemetry
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.simulator import SimulatedCloud, fleet_world
from exporter.simulator.world.engines import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exporter.config import Config

PROJECT_ID = "a" * 32
KEYS = ("AK", "SK")
FAMILIES = TASK_FAMILIES[:40]
"""Of a page: one sample a task in each makes 400,000 of 10,000 tasks."""
ALL = tuple(name for name in Collectors.model_fields if name != "logs")
"""The collectors that are on by default."""


def cloud_of(tasks: int, now: Callable[[], float]) -> SimulatedCloud:
    """A project whose tasks all run, and are all listed by both generations."""
    world = fleet_world(tasks, now, project_id=PROJECT_ID, v5_engines=tuple(engine.v5 for engine in ENGINES.values()))
    return SimulatedCloud(worlds=[world], keys=dict([KEYS]), now=now)


def settings(
    api: str, collectors: Iterable[str], *, endpoint: str | None = None, rate: float = 1000.0, **poll: Any
) -> dict[str, Any]:
    """A configuration for that project, to be validated or written to a file."""
    wanted = set(collectors)
    intervals = {"interval": poll["interval"]} if "interval" in poll else {}
    project = {"region": "cn-north-4", "name": "fleet", "project_id": PROJECT_ID, "api": api}
    return {
        "accounts": [
            {
                "name": "bench",
                "cloud": "huaweicloud",
                "credentials": {"type": "ak_sk", "access_key": KEYS[0], "secret_key": KEYS[1]},
                "projects": [project | ({"endpoint": endpoint} if endpoint else {})],
            }
        ],
        "poll": {"rate_limit": rate, "burst": max(5, round(rate)) if rate >= 1000 else 5, **poll},
        "collectors": {name: {"enabled": name in wanted} | intervals for name in Collectors.model_fields},
        "cutover": {"max_age": "1d"},
    }


def config_of(api: str, collectors: Iterable[str], **options: Any) -> Config:
    """The same, validated."""
    return from_mapping(settings(api, collectors, **options))


def identity(number: int) -> tuple[str, ...]:
    """The labels of a task, as long as real ones."""
    task_id = f"{hashlib.sha256(str(number).encode()).hexdigest()[:30]}bjb101"
    return ("production", "cn-north-4", "payments", task_id, f"orders-{number}", "")


class Fleet:
    """Tasks with one sample in each of the families, in an exposition."""

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks
        self.exposition = Exposition(FAMILIES, Telemetry().render)
        for number in range(tasks):
            self.exposition.set_labels(number, zip(TASK_LABELS, identity(number), strict=True))
        self.change(0)

    def change(self, turn: int) -> None:
        """Give every sample another value, as a poll of everything does."""
        for place, family in enumerate(FAMILIES):
            labels = ("x",) * len(family.labels)
            for number in range(self.tasks):
                self.exposition.put(number, family.name, ((labels, value_of(turn, place, number)),))

    @property
    def samples(self) -> int:
        """The number of samples."""
        return self.tasks * len(FAMILIES)


def value_of(turn: int, family: int, number: int) -> float:
    """Half of them whole numbers, the others with a fraction of three digits."""
    value = (number * 7919 + family * 104_729 + turn * 1_299_709) % 1_000_000
    return float(value) if family % 2 else value / 1000


def families_with_samples() -> list[dict[str, Any]]:
    """The families for other libraries: name, help and all labels."""
    return [
        {"name": family.name, "documentation": family.help, "labelnames": (*TASK_LABELS, *family.labels)}
        for family in FAMILIES
    ]
