"""Tasks that move from one page of a list to another while the list is read: none of them is removed."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from exporter.daemon.exporter import Exporter
from exporter.simulator import SimTask, SimulatedCloud
from tests.lib.daemon import HOUR, cloud_of, config_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import EPOCH, clock

TASKS = 150


class Meddling(httpx.AsyncBaseTransport):
    """Deletes a task of the first page, and creates one, before the second page of the list of one poll is read."""

    def __init__(self, cloud: SimulatedCloud, api: str, victim: SimTask, created: SimTask | None) -> None:
        self._inner = InProcess(cloud)
        self._tasks = cloud.worlds[0].tasks
        self._api = api
        self._victim, self._created = victim, created
        self.armed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        second = b'"cur_page": 2' in request.content or b'"cur_page":2' in request.content
        second = second or request.url.params.get("offset") == "100"
        if self.armed and second and f"/{self._api}/" in request.url.path:
            self.armed = False
            self._tasks.remove(self._victim)
            self._tasks += [self._created] if self._created else []
        return await self._inner.handle_async_request(request)


def shown(exporter: Exporter) -> set[str]:
    """The names of the tasks that are shown."""
    return {task.identity.task_name for store in exporter.stores for task in store.tasks()}


@pytest.mark.parametrize("api", ["v3", "v5"])
@pytest.mark.parametrize("creates", [True, False])
async def test_a_task_that_moved_to_a_page_that_was_read_already_is_not_removed(api: str, creates: bool) -> None:  # noqa: FBT001
    tasks = [sim_task(f"task-{number:03}", born=EPOCH - 40 * HOUR + number) for number in range(TASKS)]
    victim = tasks[10 if api == "v5" else TASKS - 10]  # v5 lists the oldest first, v3 the newest
    created = sim_task("created", born=EPOCH - 30 * HOUR) if creates else None
    cloud = cloud_of(*tasks, published={api})
    transport = Meddling(cloud, api, victim, created)
    async with Exporter(config_of(api, ["tasks"]), transport=transport, clock=clock) as exporter:
        running = asyncio.create_task(exporter.run())
        await asyncio.sleep(10)
        everybody = shown(exporter)
        assert len(everybody) == TASKS
        transport.armed = True
        for _ in range(12):  # two minutes, four polls
            await asyncio.sleep(10)
            assert everybody - {victim.name} <= shown(exporter)
        assert not transport.armed
        assert shown(exporter) == everybody - {victim.name} | ({"created"} if creates else set())
        running.cancel()
