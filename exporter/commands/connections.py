"""Connections to every project of a configuration, for commands that query the cloud without polling it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from exporter.cloud.connect import Api, SharedCredentials, connect
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import CloudError
from exporter.cloud.http.scheduler import Scheduler, limits_of
from exporter.cloud.source import ErrorsByCollector, TaskList
from exporter.config import Account, Config, Project
from exporter.model.facts import Access
from exporter.model.filters import TaskFilter
from exporter.model.task import ProjectKey


class CallObserver:
    """Gets each call of one project, and each response; this one ignores them."""

    def request(self, operation: str, code: str, seconds: float) -> None: ...

    def retry(self, operation: str) -> None: ...

    def throttled(self, operation: str) -> None: ...

    def observe(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """Get a response; `body` is None where it is no JSON."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProjectConnection:
    """The connection to one project.

    Args:
        account: whose credentials are used.
        project: as it is configured.
        client: sends the calls.
        apis: both API generations, whatever the project's setting `api` says.
        job_types: the lists to request.
        decode_errors: counts, by collector.
        access: returns the facts about clock and credentials.
    """

    account: Account
    project: Project
    client: Client
    apis: tuple[Api, ...]
    job_types: tuple[str, ...]
    decode_errors: ErrorsByCollector
    access: Callable[[], Access]

    @property
    def key(self) -> ProjectKey:
        return key_of(self.account, self.project)

    async def list_tasks(self, api: Api, job_type: str) -> TaskList | CloudError:
        """Return the tasks of a job type that an API generation lists, or the error in their place."""
        return await attempt(api.list_tasks(self.client, self.decode_errors, job_type))


def key_of(account: Account, project: Project) -> ProjectKey:
    return ProjectKey(account.name, project.region, project.label)


async def attempt(work: Awaitable[T]) -> T | CloudError:
    """Return the result, or the error of the cloud in its place."""
    try:
        return await work
    except CloudError as error:
        return error


@asynccontextmanager
async def connections(
    config: Config,
    observers: Iterator[CallObserver],
    *,
    transport: httpx.AsyncBaseTransport | None,
    now: Callable[[], float],
) -> AsyncIterator[list[ProjectConnection]]:
    """Connect all projects, in the order of the configuration, until the end of the context.

    Args:
        config: the configuration.
        observers: the next one gets the calls of the next project.
        transport: in place of the network.
        now: Unix time.

    Raises:
        ConfigError: an account can't be used.
    """
    shared, schedulers = SharedCredentials(), dict[tuple[str, str], Scheduler]()
    opened = []
    async with AsyncExitStack() as stack:
        for account in config.accounts:
            job_types, limits = TaskFilter(account.tasks).job_types, limits_of(account.poll)
            for project in account.all_projects():
                observer = next(observers)
                http, client, apis, decode_errors, access = connect(
                    account,
                    project.model_copy(update={"api": "auto"}),
                    transport=transport,
                    scheduler=schedulers.setdefault((account.name, project.region), Scheduler(*limits)),
                    shared=shared,
                    now=now,
                    meter=observer,
                    observer=observer.observe,
                )
                stack.push_async_callback(http.aclose)
                opened.append(ProjectConnection(account, project, client, apis, job_types, decode_errors, access))
        yield opened
