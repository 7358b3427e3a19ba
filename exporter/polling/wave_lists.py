"""The poll loop that reads the status of the tasks of running waves, between two polls of the lists."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from exporter.cloud.connect import Api
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Turn
from exporter.config import TASKS
from exporter.polling.context import PollContext
from exporter.polling.list_reader import ListReader
from exporter.polling.loop import PollLoop
from exporter.polling.wave_tasks import Intervals


class WaveListLoop(PollLoop):
    """Reads the entries of tasks in the lists by their ids.

    It removes no task, and its success is not that of the lists: these prove what exists.

    Args:
        context: the project.
        reader: of its lists.
    """

    fed = frozenset[str]()

    def __init__(self, context: PollContext, reader: ListReader) -> None:
        super().__init__(context, TASKS)
        self._reader = reader
        self._ids: Mapping[tuple[Api, str], tuple[str, ...]] = {}
        self._usual = self._interval = context.intervals[TASKS]
        self._due = math.inf
        self._rests_until = -math.inf

    def succeeds(self) -> None:
        return None

    def assign(self, lists: Mapping[tuple[Api, str], Intervals]) -> None:
        """Read these tasks from now on."""
        self._ids = {key: tuple(intervals) for key, intervals in lists.items() if intervals}
        self._interval = min((min(lists[key].values()) for key in self._ids), default=self._usual)
        self._due = min(self._due, self._clock() + self._interval) if self._ids else math.inf
        self.wake()

    def due(self) -> float:
        return math.inf if self._running else max(self._due, self._rests_until)

    def demand(self) -> float:
        return sum(math.ceil(len(ids) / api.most_ids) for (api, _), ids in self._ids.items()) / self._interval

    def turn(self) -> Turn:
        return Turn(TASKS, self._due, self._interval, wave=True)

    async def poll(self, client: Client) -> None:
        now = self._clock()
        self._due = now + self._interval
        reads = [self._read(client, *key, ids) for key, ids in self._ids.items()]
        if not all(await asyncio.gather(*reads)):
            self._rests_until = now + self._usual

    async def _read(self, client: Client, api: Api, job_type: str, ids: tuple[str, ...]) -> bool:
        """Return whether the list succeeded."""
        failed: CloudError | None = None
        try:
            await self._reader.read_tasks(api, client, job_type, ids)
        except CloudError as error:
            failed = error
        self._context.failures.record(f"{api.name} list of {job_type} by id", failed)
        return failed is None
