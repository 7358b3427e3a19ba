"""Wires it all: configuration to pollers, stores and the board; the server beside them; signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from typing import TYPE_CHECKING, Self

import structlog

from exporter.catalogue import PROJECT_FAMILIES, tag_labels, task_families
from exporter.cloud import Shared, connect
from exporter.cloud.budget import Budget
from exporter.cloud.fields import Losses
from exporter.config import Collectors
from exporter.exposition import Board
from exporter.filters import TaskFilter
from exporter.poller import Poller
from exporter.project_facts import Ages, ProjectKey
from exporter.store import Store
from exporter.telemetry import LOGINS_FAILED, ApiMeter, ProjectMeter, Telemetry
from exporter.web import application
from exporter.web_auth import Guard
from exporter.web_server import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    import httpx

    from exporter.config import Account, Config, Project
    from exporter.web_watch import WebFile

COLLECTORS = tuple(Collectors.model_fields)
_TICK_SECONDS = 5.0
"""A page is published at least this often, so that what has aged out goes."""
_COLLECTIONS = (700, 10, 1000)
"""When the garbage collector runs; it seldom looks at all objects, for which it stops everything for 100 to 200 ms
where there are 10,000 tasks: next to nothing of them is ever in a cycle."""
_GAP_SECONDS = 1.0
"""And at most this often, however many polls end."""
_log = structlog.get_logger()


class Exporter:
    """All accounts of one configuration, polled onto one board.

    Args:
        config: validated.
        transport: stands in for the network: the simulated cloud.
        now: Unix time.
    """

    def __init__(
        self,
        config: Config,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self.telemetry = Telemetry()
        self._families = task_families(tag_labels(key for one in config.accounts for key in one.tasks.tag_labels))
        self.board = Board((*PROJECT_FAMILIES, *self._families), self.telemetry.render)
        self._transport = transport
        self._wanted = asyncio.Event()
        self._budgets: dict[tuple[str, str], tuple[Budget, ApiMeter]] = {}
        self._connections: list[httpx.AsyncClient] = []
        self._shared = Shared()
        self.pollers = [
            self._poller(account, project, number / len(projects))
            for account in config.accounts
            for projects in (account.all_projects(),)
            for number, project in enumerate(projects)
        ]

    def now(self) -> float:
        """Unix time, as this exporter knows it."""
        return self._now()

    @property
    def stores(self) -> list[Store]:
        """One for each project."""
        return [poller.store for poller in self.pollers]

    @property
    def ready(self) -> bool:
        """Whether the first poll of every project has ended."""
        return all(store.facts.ready for store in self.stores)

    @property
    def healthy(self) -> bool:
        """Whether every poll loop makes progress; the cloud's health is another matter."""
        return all(poller.alive() for poller in self.pollers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for http in self._connections:
            await http.aclose()

    async def run(self) -> None:
        """Poll and publish for ever."""
        await self.publish()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish_loop())
            for poller in self.pollers:
                group.create_task(poller.run())

    async def poll_once(self) -> bool:
        """Poll every collector of every project once, and publish; whether all of it succeeded."""
        outcomes = await asyncio.gather(*(poller.poll_all() for poller in self.pollers))
        await self.publish()
        return all(outcomes)

    async def publish(self) -> None:
        """Let go of what is too old, and put a new page in place."""
        for store in self.stores:
            await store.sweep()
        await self.board.publish()

    async def _publish_loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()
            await self.publish()
            await asyncio.sleep(_GAP_SECONDS)

    def _poller(self, account: Account, project: Project, offset: float) -> Poller:
        key = ProjectKey(account.name, project.region, project.label)
        intervals = {name: account.interval(name) for name in COLLECTORS if account.enabled(name)}
        losses = {name: Losses() for name in COLLECTORS}
        wanted = TaskFilter(account.tasks)
        budget, meter = self._budget(account, project.region)
        http, apis = connect(
            account,
            project,
            transport=self._transport,
            budget=budget,
            meter=meter,
            losses=losses,
            query=wanted.query(project.enterprise_project_ids),
            now=self.now,
            shared=self._shared,
        )
        self._connections.append(http)
        store = Store(
            key,
            self.board,
            self._families,
            ages=Ages(account.poll.stale_after),
            job_types=wanted.job_types,
            ended_for=account.tasks.ended_for,
            hide_for=account.poll.stale_after,
            settings=account.cutover,
            wanted=wanted,
            tags=account.tasks.tag_labels,
            now=self.now,
        )
        return Poller(
            store,
            apis,
            losses=losses,
            intervals=intervals,
            job_types=wanted.job_types,
            demand=budget.demand,
            offset=offset,
            meter=ProjectMeter(self.telemetry, *key, collectors=COLLECTORS),
            publish=self._wanted.set,
            now=self.now,
        )

    def _budget(self, account: Account, region: str) -> tuple[Budget, ApiMeter]:
        """The allowance that all projects of an account in a region share."""
        where = (account.name, region)
        if where not in self._budgets:
            budget = Budget(account.poll.rate_limit, account.poll.burst)
            meter = ApiMeter(self.telemetry, *where, budget)
            self._budgets[where] = budget, meter
        return self._budgets[where]


async def serve(
    exporter: Exporter, sockets: Sequence[socket.socket], started: Callable[[], None], web: WebFile
) -> None:
    """Poll and serve until SIGTERM or SIGINT; a crash of either part raises an ExceptionGroup."""
    gc.set_threshold(*_COLLECTIONS)
    server = Server(Guard(application(exporter), web, exporter.telemetry.counter(LOGINS_FAILED).inc), web)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with exporter, asyncio.TaskGroup() as group:
        polling = group.create_task(exporter.run())
        serving = group.create_task(server.serve(list(sockets)))
        started()
        await stop.wait()
        _log.info("stopping")
        polling.cancel()
        server.should_exit = True
        await serving
