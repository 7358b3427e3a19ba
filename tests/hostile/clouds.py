"""A simulated cloud over TCP in the process of the test, which can break it at any time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from exporter.simulator import DEMO_ACCESS_KEY, DEMO_PROJECTS, DEMO_SECRET_KEY, SimTask, SimulatedCloud, World
from tests.e2e.programs import until

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        config = uvicorn.Config(self.simulated, port=0, log_level="critical", lifespan="off", timeout_keep_alive=75)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self._server.started, lambda: "the simulated cloud listens")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        """The endpoint, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def config(self, **sections: Any) -> dict[str, Any]:
        """A configuration of the exporter for this cloud, with quick polls; further sections may be given."""
        region, project, project_id = DEMO_PROJECTS[0]
        return {
            "accounts": [
                {
                    "name": "prod",
                    "cloud": "huaweicloud",
                    "credentials": {"type": "ak_sk", "access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY},
                    "projects": [
                        {"region": region, "name": project, "project_id": project_id, "endpoint": self.url, "api": "v3"}
                    ],
                }
            ],
            **sections,
            "poll": {
                "interval": "1s",
                "rate_limit": 200,
                "burst": 50,
                "timeout": "3s",
                "stale_after": "5s",
                **sections.get("poll", {}),
            },
        }
