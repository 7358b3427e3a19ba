"""Polls all projects of a configuration, and publishes a page of metrics."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from functools import partial
from typing import Self

import httpx
import structlog

from exporter.config import Config, ConfigError, NotReadyError
from exporter.daemon.projects import Projects
from exporter.metrics.exposition import Exposition
from exporter.metrics.meters import StorageMeter
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import RELOADED, RELOADED_AT, SHARD, Telemetry
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES, WaveSamples
from exporter.model.events import EventLog, Kind
from exporter.model.shard import ALL, Shard
from exporter.polling.poller import Poller
from exporter.runtime.clock import Clock
from exporter.runtime.threads import DaemonPool
from exporter.storage import SqliteStorage, Storage
from exporter.store.store import Store
from exporter.store.waves import Waves

_TICK_SECONDS = 5.0
"""A page is published at least this often, so that expired values are removed."""
_GAP_SECONDS = 1.0
"""A page is published at most this often, however many polls end."""
_CONFIGURATIONS = DaemonPool("config", threads=4, timeout=30.0)
"""Reads the configuration with all files that it names."""
_log = structlog.get_logger()


class Exporter:
    """Polls all accounts of one configuration, and publishes the page of metrics.

    Args:
        config: validated.
        transport: replaces the network: the simulated cloud.
        clock: makes the clock of ages and timestamps.
        shard: the part of all tasks that is polled and shown.
        uses_storage: true for the daemon; only one process may use the directory of the storage.
    """

    def __init__(
        self,
        config: Config,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], Clock] = Clock,
        shard: Shard = ALL,
        uses_storage: bool = False,
    ) -> None:
        self._clock = clock()
        self.telemetry = Telemetry()
        self.storage = Storage()
        if uses_storage and config.storage.path is not None:
            self.storage = SqliteStorage(config.storage, self._clock, StorageMeter(self.telemetry))
        self.events = EventLog(self._clock, self.storage.add_event)
        self.exposition = Exposition((*PROJECT_FAMILIES, *WAVE_FAMILIES, *TASK_FAMILIES), self.telemetry.render)
        self._due = asyncio.Event()
        self._turn = asyncio.Lock()
        """Held while a page is made, and while projects are added and removed."""
        self._reloads = asyncio.Lock()
        """Held during a reload, which may wait for files."""
        self.reloading = asyncio.Lock()
        """Held while another configuration replaces the projects."""
        self._was_ready = False
        self.telemetry.series(SHARD, *map(str, shard)).set(1)
        self._projects = Projects(
            self.exposition,
            self.telemetry,
            transport=transport,
            publish=self._due.set,
            clock=self._clock,
            shard=shard,
            events=self.events,
            storage=self.storage,
        )
        self.waves = Waves(lambda: self.stores, self._clock, shard, self.storage, events=self.events)
        self._wave_samples = WaveSamples(self.exposition)
        self._projects.open(config)
        self._adopt(config)
        self._loaded(successful=True)

    def now(self) -> float:
        """Unix time, of which the ages of all values are differences."""
        return self._clock.now()

    @property
    def pollers(self) -> list[Poller]:
        """One for each project, in the order of the configuration."""
        return [project.poller for project in self._projects.polled.values()]

    @property
    def stores(self) -> list[Store]:
        """One for each project."""
        return [poller.store for poller in self.pollers]

    @property
    def ready(self) -> bool:
        """True if the first poll of every project has ended; projects that a reload adds don't count."""
        return self._was_ready or all(store.state.ready for store in self.stores)

    @property
    def healthy(self) -> bool:
        """True if every poll loop makes progress; the cloud's health is another matter."""
        return all(poller.alive() for poller in self.pollers)

    async def __aenter__(self) -> Self:
        await self.storage.open()
        self._restore()
        self.waves.restore()
        await self.publish()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._projects.close()
        await self.storage.close()

    def _restore(self) -> None:
        """Restore the events of an earlier process, and record for which projects it has stored tasks."""
        restored = self.storage.restored
        self.events.restore(restored.events)
        if restored.alive_at is None:
            return
        away = max(0.0, self.now() - restored.alive_at)
        for store in self.stores:
            if store.key in restored.times:
                self.events.add(store.key, Kind.RESTARTED, seconds=f"{away:.0f}")
        tasks = sum(map(len, restored.times.values()))
        _log.info("restored", events=len(restored.events), tasks=tasks, seconds_since=round(away))

    async def run(self) -> None:
        """Poll and publish for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish_loop())
            group.create_task(self.storage.run())
            self._projects.start(group)

    async def poll_once(self) -> bool:
        """Poll every collector of every project once, and publish. Return whether all of it succeeded."""
        outcomes = await asyncio.gather(*(poller.poll_once() for poller in self.pollers))
        await self.publish()
        return all(outcomes)

    async def publish(self) -> None:
        """Remove what has expired, and replace the page."""
        async with self._turn:
            self._clock.update_step()
            for store in self.stores:
                await store.sweep()
            await self.exposition.publish(lambda: self._wave_samples.show(self.waves.observe()))
        # Facts that replace others do not count as new for the garbage collector: thousands would wait for it.
        gc.collect(1)

    async def reload(self, load: Callable[[], Config] | None) -> None:
        """Poll what the configuration that `load` returns contains; the exporter stays ready, and serves its page.

        Without `load` there is no configuration file, and a reload has no effect.

        Raises:
            ConfigError: it can't be used, and nothing has changed.
        """
        if load is None:
            _log.info("no configuration file: nothing to reload")
            return
        async with self._reloads:
            self._was_ready = self.ready
            try:
                config = await _read(load)
                async with self.reloading, self._turn:
                    changes = await self._projects.replace(config)
                    self.storage.limit(config.storage)
                    self._adopt(config)
                _log.info("configuration reloaded", **changes._asdict())
                self._loaded(successful=True)
            except ConfigError as error:
                text = "; ".join(str(error).splitlines())
                _log.error("the configuration can't be used; the old one stays in use", error=text)
                self._loaded(successful=False)
                raise
            finally:
                await self.publish()

    def _adopt(self, config: Config) -> None:
        self.links = config.links
        self.waves.configure(config.waves)

    def _loaded(self, *, successful: bool) -> None:
        self.telemetry.series(RELOADED).set(successful)
        if successful:
            self.telemetry.series(RELOADED_AT).set_function(partial(self._clock.unix, self._clock.steady()))

    async def _publish_loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS - _GAP_SECONDS):
                    await self._due.wait()
            self._due.clear()
            await self.publish()
            await asyncio.sleep(_GAP_SECONDS)


async def _read(load: Callable[[], Config]) -> Config:
    """Read the configuration in a thread; raises `ConfigError`."""
    try:
        return await _CONFIGURATIONS.run(load)
    except TimeoutError as error:
        raise NotReadyError(
            f"the configuration was not read within {_CONFIGURATIONS.timeout:g} s: a file does not respond"
        ) from error
    except OSError as error:
        raise NotReadyError(f"the configuration cannot be read: {error.strerror or error}") from error
