"""A simulated cloud over TCP in the process of the test, which can break it at any time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, SimTask, SimulatedCloud, World
from tests.e2e.programs import account
from tests.lib.serving import served

DAY = 86_400.0


class HostileCloud:
    """One project with some tasks in incremental replication; `faults` and `world` may be changed while it serves.

    Args:
        names: of its tasks.
    """

    def __init__(self, names: Iterable[str] = ("orders", "shops")) -> None:
        tasks = [SimTask(name=name, born=time.time() - DAY) for name in names]
        self.world = World(project_id=DEMO_PROJECTS[0][2], tasks=tasks)
        self.simulated = SimulatedCloud(worlds=[self.world], keys={DEMO_ACCESS_KEY: DEMO_SECRET_KEY}, now=time.time)
        self.faults = self.simulated.faults
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator[HostileCloud]:
        with served(self.simulated) as self.url:
            yield self

    def config(self, **sections: Any) -> dict[str, Any]:
        """A configuration of the exporter for this cloud, with quick polls; further sections may be given."""
        poll = {"interval": "1s", "rate_limit": 200, "burst": 50, "timeout": "3s", "stale_after": "5s"}
        return {"accounts": [account("prod", self.url, 0, api="v3")], "poll": poll, **sections}
