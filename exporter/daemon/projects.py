"""The projects that are polled; those of another configuration can take their place while a page is served."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud.access.project_id import Owner
from exporter.cloud.connect import Shared, connect
from exporter.cloud.http.budget import Budget
from exporter.cloud.http.errors import CloudError
from exporter.cloud.wire.fields import DecodeErrors
from exporter.config.collectors import COLLECTORS, Scope
from exporter.config.load import ConfigError
from exporter.metrics.own import ApiMeter, ProjectMeter
from exporter.metrics.tasks import tag_labels, task_families
from exporter.model.filters import TaskFilter
from exporter.model.project import ProjectKey
from exporter.polling.poller import Poller
from exporter.store.project_memory import Ages
from exporter.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import httpx

    from exporter.config.load import Account, Config, Project
    from exporter.metrics.board import Board
    from exporter.metrics.own import Telemetry
    from exporter.model.shard import Shard
    from exporter.runtime.clock import Clock


class Settings(NamedTuple):
    """All that the polls of a project depend on: while it is equal, they go on as they are."""

    account: Account
    project: Project

    @classmethod
    def of(cls, account: Account, project: Project) -> Settings:
        """Without the account's other projects."""
        alone = account.model_copy(update={"regions": (), "projects": ()})
        return cls(alone, project)

    @property
    def place(self) -> tuple[object, ...]:
        """What is polled: while it is equal, facts stay true, however they were asked for."""
        account, project = self.account, self.project
        return account.cloud, account.endpoint_for(project), project.project_id or project.iam_name, project.api


@dataclass(slots=True)
class Line:
    """One project that is polled."""

    settings: Settings
    http: httpx.AsyncClient
    poller: Poller
    task: asyncio.Task[None] | None = None


class Changes(NamedTuple):
    """How many projects a new configuration lets be, polls in another way, adds and removes."""

    unchanged: int
    changed: int
    added: int
    removed: int


class Fleet:
    """All projects of one configuration, on one board.

    Args:
        board: where samples go.
        telemetry: our own metrics.
        transport: stands in for the network.
        publish: called when a poll has ended.
        clock: of ages, and of the calls' dates.
        shard: the part of all tasks that is asked for and shown.
    """

    def __init__(
        self,
        board: Board,
        telemetry: Telemetry,
        *,
        transport: httpx.AsyncBaseTransport | None,
        publish: Callable[[], None],
        clock: Clock,
        shard: Shard,
    ) -> None:
        self._board = board
        self._telemetry = telemetry
        self._transport = transport
        self._publish = publish
        self._clock = clock
        self._shard = shard
        self._shared = Shared()
        self._tags: dict[str, str] = {}
        """By key: the labels of all tags that ever were allowed; the names that are known stay."""
        self._budgets: dict[tuple[str, str], tuple[tuple[float, int], Budget, ApiMeter]] = {}
        """By account and region, with its limits."""
        self._group: asyncio.TaskGroup | None = None
        self.lines: dict[ProjectKey, Line] = {}

    def open(self, config: Config) -> None:
        """Connect all projects; raises `ConfigError`."""
        self.lines = self._connect_all(_wanted(config))

    def start(self, group: asyncio.TaskGroup) -> None:
        """Poll them; who crashes ends the group."""
        self._group = group
        for line in self.lines.values():
            line.task = group.create_task(line.poller.run())

    async def close(self) -> None:
        """Close all connections; nobody polls any more."""
        for line in self.lines.values():
            await line.http.aclose()

    async def replace(self, config: Config) -> Changes:
        """Poll what another configuration asks for; between two pages.

        A project whose settings are equal is not touched. One that is polled in another way keeps its facts and its
        past, so that no series of it goes and no counter begins anew.

        Raises:
            ConfigError: it can't be used, and nothing has changed.
        """
        wanted = _wanted(config)
        kept = {key: line for key, line in self.lines.items() if wanted.get(key) == line.settings}
        stopped = {key: line for key, line in self.lines.items() if key not in kept}
        opened = await self._connected({key: wanted[key] for key in wanted if key not in kept}, stopped)
        async with self._board.lock:  # no list is shown by half when its poller is stopped
            await _stop(stopped.values())
            self._shared.claims.free(_owned(stopped.keys() - wanted.keys()))  # one may have found its id meanwhile
            for line in stopped.values():
                await line.poller.store.leave()
            for key, line in opened.items():
                if key in stopped and stopped[key].settings.place == line.settings.place:
                    await line.poller.adopt(stopped[key].poller)
        self.lines = {key: kept.get(key) or opened[key] for key in wanted}
        for line in stopped.values():
            await line.http.aclose()
        self._forget(stopped)
        if self._group is not None:
            for line in opened.values():
                line.task = self._group.create_task(line.poller.run())
        changed = len(opened.keys() & stopped.keys())
        return Changes(len(kept), changed, len(opened) - changed, len(stopped) - changed)

    async def _connected(
        self, wanted: Mapping[ProjectKey, Settings], stopped: Mapping[ProjectKey, Line]
    ) -> dict[ProjectKey, Line]:
        """New lines in place of the `stopped` ones; raises `ConfigError`, and then nothing has changed."""
        budgets = dict(self._budgets)
        opened: dict[ProjectKey, Line] = {}
        try:
            with self._shared.claims.handover(_owned(stopped)):
                self._connect_all(wanted, opened)
        except (CloudError, ConfigError) as error:
            self._budgets = budgets
            for place, (_, budget, _) in budgets.items():
                ApiMeter(self._telemetry, *place, budget)  # which is shown again
            for line in opened.values():
                await line.http.aclose()
            self._forget(wanted)
            raise ConfigError(str(error)) from None
        return opened

    def _connect_all(
        self, wanted: Mapping[ProjectKey, Settings], opened: dict[ProjectKey, Line] | None = None
    ) -> dict[ProjectKey, Line]:
        opened = {} if opened is None else opened
        allowed = (one.account.tasks.tag_labels for one in wanted.values())
        self._tags = tag_labels(chain(self._tags, *allowed))
        projects, seen = Counter(key.account for key in wanted), Counter[str]()
        for key, settings in wanted.items():
            opened[key] = self._line(key, settings, seen[key.account] / projects[key.account])
            seen[key.account] += 1
        return opened

    def _line(self, key: ProjectKey, settings: Settings, offset: float) -> Line:
        account, project = settings
        budget, meter = self._budget(account, project.region)
        decode_errors = {name: DecodeErrors() for name in COLLECTORS}
        wanted = TaskFilter(account.tasks)
        http, apis = connect(
            account,
            project,
            transport=self._transport,
            budget=budget,
            meter=meter,
            decode_errors=decode_errors,
            query=wanted.query(project.enterprise_project_ids),
            now=self._clock.wall,
            shared=self._shared,
        )
        counts = ProjectMeter(self._telemetry, *key, collectors=COLLECTORS)
        store = Store(
            key,
            self._board,
            task_families({tag: self._tags[tag] for tag in account.tasks.tag_labels}),
            ages=Ages(account.poll.stale_after),
            job_types=wanted.job_types,
            ended_for=account.tasks.ended_for,
            hide_for=account.poll.stale_after,
            settings=account.cutover,
            wanted=wanted,
            tags=account.tasks.tag_labels,
            dropped=counts.dropped,
            clock=self._clock,
            shard=self._shard,
        )
        poller = Poller(
            store,
            apis,
            decode_errors=decode_errors,
            intervals={name: account.interval(name) for name in self._collectors(key, account)},
            job_types=wanted.job_types,
            demand=budget.demand,
            offset=offset,
            meter=counts,
            publish=self._publish,
            clock=self._clock,
        )
        return Line(settings, http, poller)

    def _collectors(self, key: ProjectKey, account: Account) -> list[str]:
        """The enabled ones; one shard asks for what is known of the project as a whole."""
        owned = self._shard.owns(key.text)
        return [
            collector.name
            for collector in COLLECTORS.values()
            if account.enabled(collector.name) and (owned or collector.scope is not Scope.PROJECT)
        ]

    def _budget(self, account: Account, region: str) -> tuple[Budget, ApiMeter]:
        """The allowance that all projects of an account in a region share; it lasts while its limits do.

        All shards together stay within the rate that is allowed; each may begin with one call at least.
        """
        place, total = (account.name, region), self._shard.total
        limits = account.poll.rate_limit / total, ceil(account.poll.burst / total)
        if place not in self._budgets or self._budgets[place][0] != limits:
            budget = Budget(*limits)
            self._budgets[place] = limits, budget, ApiMeter(self._telemetry, *place, budget)
        return self._budgets[place][1:]

    def _forget(self, keys: Iterable[ProjectKey]) -> None:
        """Drop our own series of projects that are not polled, and of accounts that have none in a region."""
        gone = set(keys) - self.lines.keys()
        for key in gone:
            self._telemetry.forget(**key._asdict())
        for account, region in {key[:2] for key in gone} - {key[:2] for key in self.lines}:
            self._telemetry.forget(account=account, region=region)
            self._budgets.pop((account, region), None)


def _wanted(config: Config) -> dict[ProjectKey, Settings]:
    return {
        ProjectKey(account.name, project.region, project.label): Settings.of(account, project)
        for account in config.accounts
        for project in account.all_projects()
    }


def _owned(keys: Iterable[ProjectKey]) -> set[tuple[Owner, str]]:
    return {(Owner(key.account, key.project), key.region) for key in keys}


async def _stop(lines: Iterable[Line]) -> None:
    tasks = [line.task for line in lines if line.task is not None]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
