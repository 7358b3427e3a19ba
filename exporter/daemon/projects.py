"""The projects that are polled. A reload replaces those whose settings have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import httpx

from exporter.cloud.connect import SharedCredentials, connect
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler, limits_of
from exporter.config import COLLECTORS, Account, Config, ConfigError, Project, Scope
from exporter.metrics.exposition import Exposition
from exporter.metrics.meters import ApiMeter, ProjectMeter
from exporter.metrics.self_metrics import Telemetry
from exporter.metrics.tasks import tag_labels, task_families
from exporter.model.events import EventLog
from exporter.model.shard import Shard
from exporter.model.task import ProjectKey
from exporter.polling.poller import Poller
from exporter.runtime.clock import Clock
from exporter.storage import Storage
from exporter.store.project_context import ProjectContext
from exporter.store.project_state import ProjectState
from exporter.store.store import Store


class Settings(NamedTuple):
    """All settings that the polls of a project depend on."""

    account: Account
    project: Project

    @classmethod
    def of(cls, account: Account, project: Project) -> Settings:
        """Leave out the account's other projects."""
        return cls(account.model_copy(update={"regions": (), "projects": ()}), project)

    @property
    def place(self) -> tuple[object, ...]:
        """What identifies the project in the cloud, however it is polled."""
        account, project = self.account, self.project
        return account.cloud, account.endpoint_for(project), project.project_id or project.iam_name, project.api


@dataclass(slots=True)
class PolledProject:
    """A project with its poller, and the task that runs it."""

    settings: Settings
    http: httpx.AsyncClient
    poller: Poller
    task: asyncio.Task[None] | None = None


_Polled = dict[ProjectKey, PolledProject]


class Changes(NamedTuple):
    """How many projects a new configuration leaves as they are, polls in another way, adds and removes."""

    unchanged: int
    changed: int
    added: int
    removed: int


class Projects:
    """All projects of one configuration.

    Args:
        exposition: takes the samples of all projects.
        telemetry: our own metrics.
        transport: replaces the network.
        publish: called when a poll has ended.
        clock: of ages, and of the dates of calls.
        shard: the part of all tasks that is polled and shown.
        events: takes the events of all projects.
        storage: keeps what survives a restart.
    """

    def __init__(
        self,
        exposition: Exposition,
        telemetry: Telemetry,
        *,
        transport: httpx.AsyncBaseTransport | None,
        publish: Callable[[], None],
        clock: Clock,
        shard: Shard,
        events: EventLog,
        storage: Storage,
    ) -> None:
        self._exposition = exposition
        self._telemetry = telemetry
        self._transport = transport
        self._publish = publish
        self._clock = clock
        self._shard = shard
        self._events = events
        self._storage = storage
        self._shared = SharedCredentials()
        self._tags: dict[str, str] = {}
        """The labels of all tags that ever were configured, by key: a label never changes its key."""
        self._schedulers: dict[tuple[str, str], tuple[Scheduler, ApiMeter]] = {}
        """By account and region."""
        self._group: asyncio.TaskGroup | None = None
        self.polled: _Polled = {}

    def open(self, config: Config) -> None:
        """Connect all projects; raises `ConfigError`."""
        self._connect_all(_settings_of(config), {}, self.polled)
        _configure_waves(self.polled, config)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Poll them; a crash ends the group."""
        self._group = group
        _start(group, self.polled)

    async def close(self) -> None:
        """Close all connections once nothing polls any more."""
        for project in self.polled.values():
            await project.http.aclose()

    async def replace(self, config: Config) -> Changes:
        """Poll the projects of another configuration; between two pages.

        A project whose settings are equal is not touched. A project that is polled in another way keeps its state, so
        that no series of it is removed and no counter is reset.

        Raises:
            ConfigError: it can't be used, and nothing has changed.
        """
        wanted = _settings_of(config)
        kept = {key: project for key, project in self.polled.items() if wanted.get(key) == project.settings}
        stopped = {key: project for key, project in self.polled.items() if key not in kept}
        opened = await self._connect({key: wanted[key] for key in wanted if key not in kept}, stopped)
        _configure_waves(kept, config)
        _configure_waves(opened, config)
        async with self._exposition.lock:  # no list is shown by half when its poller is stopped
            await _stop(stopped.values())
            # A removed project may have found its id meanwhile.
            self._shared.claims = self._shared.claims.without(stopped.keys() - wanted.keys())
            for project in stopped.values():
                await project.poller.store.remove_series()
            for key in opened.keys() & stopped.keys():
                await opened[key].poller.resume()
        self.polled = {key: kept.get(key) or opened[key] for key in wanted}
        for project in stopped.values():
            await project.http.aclose()
        self._forget(stopped)
        if self._group is not None:
            _start(self._group, opened)
        changed = len(opened.keys() & stopped.keys())
        return Changes(len(kept), changed, len(opened) - changed, len(stopped) - changed)

    async def _connect(self, wanted: Mapping[ProjectKey, Settings], stopped: _Polled) -> _Polled:
        """Open projects that replace the `stopped` ones; after a `ConfigError` nothing has changed."""
        schedulers, claims = dict(self._schedulers), self._shared.claims
        opened: _Polled = {}
        try:
            self._shared.claims = claims.without(stopped)
            self._connect_all(wanted, stopped, opened)
        except (CloudError, ConfigError) as error:
            self._schedulers, self._shared.claims = schedulers, claims
            for place, (scheduler, _) in schedulers.items():
                ApiMeter(self._telemetry, *place, scheduler)  # which is shown again
            for project in opened.values():
                await project.http.aclose()
            self._forget(wanted)
            raise ConfigError(str(error)) from None
        return opened

    def _connect_all(self, wanted: Mapping[ProjectKey, Settings], stopped: _Polled, opened: _Polled) -> None:
        allowed = (settings.account.tasks.tag_labels for settings in wanted.values())
        self._tags = tag_labels(chain(self._tags, *allowed))
        for key, settings in wanted.items():
            before = stopped.get(key)
            state = before.poller.store.state if before and before.settings.place == settings.place else None
            opened[key] = self._open(key, settings, state)

    def _open(self, key: ProjectKey, settings: Settings, state: ProjectState | None) -> PolledProject:
        account, project = settings
        scheduler, meter = self._scheduler(account, project.region)
        connection = connect(
            account,
            project,
            transport=self._transport,
            scheduler=scheduler,
            meter=meter,
            now=self._clock.wall,
            shared=self._shared,
        )
        context = ProjectContext(
            account,
            state or ProjectState(key, self._clock, account.poll.stale_after),
            ProjectMeter(self._telemetry, *key, collectors=COLLECTORS),
            self._clock,
            self._shard,
            events=self._events,
            storage=self._storage,
            access=connection.access,
        )
        tags = {tag: self._tags[tag] for tag in account.tasks.tag_labels}
        families = task_families(tags, audit=account.audit)
        intervals = {
            collector.name: account.interval(collector.name)
            for collector in COLLECTORS.values()
            if account.enabled(collector.name) and (context.owned or collector.scope is not Scope.PROJECT)
        }
        store = Store(context, self._exposition, families)
        poller = Poller(store, connection, intervals, scheduler=scheduler, publish=self._publish)
        return PolledProject(settings, connection.http, poller)

    def _scheduler(self, account: Account, region: str) -> tuple[Scheduler, ApiMeter]:
        """The rate limit that all projects of an account in a region share."""
        place, limits = (account.name, region), limits_of(account.poll, self._shard.total)
        if place not in self._schedulers or self._schedulers[place][0].limits != limits:
            scheduler = Scheduler(*limits)
            self._schedulers[place] = scheduler, ApiMeter(self._telemetry, *place, scheduler)
        return self._schedulers[place]

    def _forget(self, keys: Iterable[ProjectKey]) -> None:
        """Drop our own series of projects that are not polled, and of accounts that have none in a region."""
        removed = set(keys) - self.polled.keys()
        for key in removed:
            self._telemetry.forget(**key._asdict())
        for account, region in {key[:2] for key in removed} - {key[:2] for key in self.polled}:
            self._telemetry.forget(account=account, region=region)
            self._schedulers.pop((account, region), None)


def _settings_of(config: Config) -> dict[ProjectKey, Settings]:
    return {
        ProjectKey(account.name, project.region, project.label): Settings.of(account, project)
        for account in config.accounts
        for project in account.all_projects()
    }


def _configure_waves(projects: _Polled, config: Config) -> None:
    """Use the waves of a configuration. They may change without new polls of the projects that continue."""
    for project in projects.values():
        project.poller.store.context.waves.configure(config.waves)


def _start(group: asyncio.TaskGroup, projects: _Polled) -> None:
    for project in projects.values():
        project.task = group.create_task(project.poller.run())


async def _stop(projects: Iterable[PolledProject]) -> None:
    tasks = [project.task for project in projects if project.task is not None]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
