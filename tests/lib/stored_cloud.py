"""A simulated cloud whose tasks change while an exporter with a storage runs, and while none does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exporter.config import Config
from exporter.daemon.exporter import Exporter
from exporter.simulator import SimTask
from tests.lib.daemon import cloud_of, config_of, polling, sim_task

COLLECTORS = ("tasks", "progress", "node")
MINUTE = 60.0
WAVE = {"name": "weekend", "include": [{"name": "orders|sales"}]}


def configuration(folder: Path | None, **sections: Any) -> Config:
    storage = {} if folder is None else {"storage": {"path": str(folder)}}
    return config_of("v3", COLLECTORS, **{"poll": {"interval": "30s"}, "waves": [WAVE], **storage, **sections})


class Cloud:
    """Tasks that change while an exporter runs and while none does."""

    def __init__(self) -> None:
        self.orders, self.sales = sim_task("orders", delay=1), sim_task("sales", delay=1)
        self.full, self.paused = sim_task("full", status="FULL_TRANSFER_STARTED"), sim_task("paused", delay=1)
        self.ended = sim_task("ended", delay=1)
        tasks: list[SimTask] = [self.orders, self.sales, self.full, self.paused, self.ended]
        self.simulated = cloud_of(*tasks)

    @asynccontextmanager
    async def polling(self, folder: Path | None, **sections: Any) -> AsyncIterator[Exporter]:
        async with polling(self.simulated, configuration(folder, **sections)) as exporter:
            yield exporter

    async def live(self, folder: Path | None) -> None:
        """Ten minutes of an exporter, in which one task is paused and one ends."""
        async with self.polling(folder):
            await asyncio.sleep(4 * MINUTE)
            self.paused.pin("PAUSING")
            self.ended.pin("RELEASE_RESOURCE_COMPLETE")
            await asyncio.sleep(6 * MINUTE)
