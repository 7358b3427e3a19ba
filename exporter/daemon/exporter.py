"""Wires it all: configuration to the fleet and the board; the server beside them; signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog

from exporter.config.load import ConfigError, NotReadyError
from exporter.daemon.projects import Fleet
from exporter.metrics.board import Board
from exporter.metrics.own import BAD_REQUESTS, LOGINS_FAILED, RELOADED, RELOADED_AT, SHARD, Telemetry
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.model.shard import ALL
from exporter.runtime.clock import Clock
from exporter.runtime.threads import DaemonPool
from exporter.runtime.watchdog import Watchdog
from exporter.web.app import application
from exporter.web.auth import Guard
from exporter.web.bad_requests import KINDS, BadRequests
from exporter.web.server import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    import httpx

    from exporter.config.load import Config
    from exporter.model.shard import Shard
    from exporter.polling.poller import Poller
    from exporter.store.store import Store
    from exporter.web.settings import WebFile

__all__ = ["Exporter", "Reloader", "serve"]

_TICK_SECONDS = 5.0
"""A page is published at least this often, so that what has aged out goes."""
_COLLECTIONS = (700, 10, 1000)
"""When the garbage collector runs; it seldom looks at all objects, for which it stops everything for 100 to 200 ms
where there are 10,000 tasks: next to nothing of them is ever in a cycle."""
_GAP_SECONDS = 1.0
"""And at most this often, however many polls end."""
_CONFIGURATIONS = DaemonPool("config", threads=4, timeout=30.0)
"""Reads configurations, with all files that they name."""
_log = structlog.get_logger()


class Exporter:
    """All accounts of one configuration, polled onto one board.

    Args:
        config: validated.
        transport: stands in for the network: the simulated cloud.
        clock: makes the clock of ages and timestamps.
        shard: the part of all tasks that is asked for and shown.
    """

    def __init__(
        self,
        config: Config,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], Clock] = Clock,
        shard: Shard = ALL,
    ) -> None:
        self._clock = clock()
        self.telemetry = Telemetry()
        self.board = Board((*PROJECT_FAMILIES, *TASK_FAMILIES), self.telemetry.render)
        self._wanted = asyncio.Event()
        self._turn = asyncio.Lock()
        """Held while a page is made, and while projects come and go."""
        self.adopting = asyncio.Lock()
        """Held while another configuration replaces the projects."""
        self._was_ready = False
        self.telemetry.gauge(SHARD, *map(str, shard)).set(1)
        self._fleet = Fleet(
            self.board, self.telemetry, transport=transport, publish=self._wanted.set, clock=self._clock, shard=shard
        )
        self._fleet.open(config)
        self._loaded(successful=True)

    def now(self) -> float:
        """Unix time; ages of what is shown are differences to it."""
        return self._clock.now()

    @property
    def pollers(self) -> list[Poller]:
        """One for each project, in the order of the configuration."""
        return [line.poller for line in self._fleet.lines.values()]

    @property
    def stores(self) -> list[Store]:
        """One for each project."""
        return [poller.store for poller in self.pollers]

    @property
    def ready(self) -> bool:
        """Whether the first poll of every project has ended; projects that came later don't count."""
        return self._was_ready or all(store.facts.ready for store in self.stores)

    @property
    def healthy(self) -> bool:
        """Whether every poll loop makes progress; the cloud's health is another matter."""
        return all(poller.alive() for poller in self.pollers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._fleet.close()

    async def run(self) -> None:
        """Poll and publish for ever."""
        await self.publish()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish_loop())
            self._fleet.start(group)

    async def poll_once(self) -> bool:
        """Poll every collector of every project once, and publish; whether all of it succeeded."""
        outcomes = await asyncio.gather(*(poller.poll_all() for poller in self.pollers))
        await self.publish()
        return all(outcomes)

    async def publish(self) -> None:
        """Let go of what is too old, and put a new page in place."""
        async with self._turn:
            self._clock.follow()
            for store in self.stores:
                await store.sweep()
            await self.board.publish()
        # Facts that replace others do not count as new for the collector: they would wait for it in their thousands.
        gc.collect(1)

    async def reload(self, load: Callable[[], Config]) -> None:
        """Poll what the configuration that `load` gives asks for; the page is served, and stays ready, all along.

        Raises:
            ConfigError: it can't be used, and nothing has changed.
        """
        self._was_ready = self.ready
        try:
            config = await _read(load)
            async with self.adopting, self._turn:
                changes = await self._fleet.replace(config)
        except ConfigError as error:
            _log.error(
                "the configuration can't be used; the old one stays in use", fault="; ".join(str(error).splitlines())
            )
            self._loaded(successful=False)
            raise
        else:
            _log.info("the configuration has been read again", **changes._asdict())
            self._loaded(successful=True)
        finally:
            await self.publish()

    def _loaded(self, *, successful: bool) -> None:
        self.telemetry.gauge(RELOADED).set(successful)
        if successful:
            self.telemetry.gauge(RELOADED_AT).set_function(partial(self._clock.unix, self._clock.steady()))

    async def _publish_loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()
            await self.publish()
            await asyncio.sleep(_GAP_SECONDS)


async def _read(load: Callable[[], Config]) -> Config:
    """The configuration, read off the event loop; raises `ConfigError`."""
    try:
        return await _CONFIGURATIONS.run(load)
    except TimeoutError as error:
        raise NotReadyError(
            f"the configuration was not read within {_CONFIGURATIONS.timeout:g} s: a file does not respond"
        ) from error
    except OSError as error:
        raise NotReadyError(f"the configuration cannot be read: {error.strerror or error}") from error


class Reloader:
    """Reads the configuration again when it is told to, once at a time.

    Args:
        exporter: polls what it says.
        load: reads it; raises `ConfigError`.
    """

    def __init__(self, exporter: Exporter, load: Callable[[], Config]) -> None:
        self._exporter = exporter
        self._load = load
        self._turn = asyncio.Lock()

    async def reload(self) -> None:
        """Raises `ConfigError`: it can't be used, the old one stays in use, and all of that has been told."""
        async with self._turn:
            await self._exporter.reload(self._load)

    async def follow(self, told: asyncio.Event) -> None:
        """Do so each time that the event is set."""
        while True:
            await told.wait()
            told.clear()
            with contextlib.suppress(ConfigError):
                await self.reload()


async def serve(
    exporter: Exporter,
    load: Callable[[], Config],
    sockets: Sequence[socket.socket],
    started: Callable[[], None],
    web: WebFile,
    *,
    lifecycle: bool,
) -> None:
    """Poll and serve until SIGTERM or SIGINT; a crash of either part raises an ExceptionGroup.

    After either, the process has to end within seconds: see `Watchdog`.

    SIGHUP lets `load` read the configuration again; with `lifecycle` so does a POST.
    """
    gc.set_threshold(*_COLLECTIONS)
    reloader = Reloader(exporter, load)
    app = application(exporter, reloader.reload if lifecycle else None)
    bad_requests = BadRequests({kind: exporter.telemetry.counter(BAD_REQUESTS, kind).inc for kind in KINDS})
    server = Server(Guard(app, web, exporter.telemetry.counter(LOGINS_FAILED).inc), web, bad_requests)
    stop, again = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, again.set)
    watchdog = Watchdog()
    watchdog.on_signal(stop.set)
    try:
        async with exporter, asyncio.TaskGroup() as group:
            watching = group.create_task(watchdog.watch())
            polling = group.create_task(exporter.run())
            serving = group.create_task(server.serve(list(sockets)))
            following = group.create_task(reloader.follow(again))
            started()
            await stop.wait()
            _log.info("stopping")
            async with exporter.adopting:  # no project is added or removed from now on
                for task in (watching, following, polling):
                    task.cancel()
                server.should_exit = True
                await serving
    finally:
        watchdog.end()  # also where the end was a crash
