"""Connections to every project of a configuration, for commands that ask the cloud without polling it."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from exporter.cloud.connect import Shared, connect
from exporter.cloud.http.budget import Budget
from exporter.cloud.http.errors import CloudError
from exporter.cloud.wire.fields import DecodeErrors
from exporter.config.collectors import COLLECTORS
from exporter.model.filters import TaskFilter
from exporter.model.project import ProjectKey
from exporter.views.text import project_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import httpx

    from exporter.cloud.source import Api
    from exporter.config.load import Account, Config, Project


class CallObserver:
    """Looks at the calls of one project: a meter that sees the answers as well. This one does nothing about them."""

    def request(self, operation: str, code: str, seconds: float) -> None:
        """One call has ended."""

    def retry(self, operation: str) -> None:
        """A call is tried again."""

    def throttled(self, operation: str) -> None:
        """The cloud refused a call because there were too many."""

    def observe(self, operation: str, status: int, headers: Mapping[str, str], body: Any, seconds: float) -> None:
        """One answer came; `body` is None where it is no JSON."""


T = TypeVar("T")
W = TypeVar("W", bound=CallObserver)


@dataclass(frozen=True, slots=True)
class Connection(Generic[W]):
    """One project.

    Args:
        account: who asks.
        project: as it is configured.
        apis: both API generations, whatever the project's setting `api` says.
        job_types: which lists to ask for.
        decode_errors: what could not be decoded, by collector.
        watch: looks at the calls.
    """

    account: Account
    project: Project
    apis: tuple[Api, ...]
    job_types: tuple[str, ...]
    decode_errors: Mapping[str, DecodeErrors]
    watch: W

    @property
    def label(self) -> str:
        """Account, region and project, for people."""
        return where(self.account, self.project)


def where(account: Account, project: Project) -> str:
    """Account, region and project, for people."""
    return project_text(ProjectKey(account.name, project.region, project.label))


async def attempt(work: Awaitable[T]) -> T | CloudError:
    """What comes of it, or why nothing does."""
    try:
        return await work
    except CloudError as error:
        return error


@asynccontextmanager
async def connections(
    config: Config,
    watch: Callable[[Account, Project], W],
    *,
    transport: httpx.AsyncBaseTransport | None,
    now: Callable[[], float],
) -> AsyncIterator[list[Connection[W]]]:
    """All of them, in the order of the configuration, until the end of the context.

    Raises:
        ConfigError: an account can't be used.
    """
    shared, budgets = Shared(), dict[tuple[str, str], Budget]()
    async with AsyncExitStack() as stack:
        opened = []
        for account in config.accounts:
            for project in account.all_projects():
                budget = budgets.setdefault(
                    (account.name, project.region), Budget(account.poll.rate_limit, account.poll.burst)
                )
                line = partial(connect, transport=transport, budget=budget, shared=shared, now=now)
                http, connection = _open(account, project, watch(account, project), line)
                stack.push_async_callback(http.aclose)
                opened.append(connection)
        yield opened


def _open(
    account: Account, project: Project, watch: W, line: Callable[..., tuple[httpx.AsyncClient, tuple[Api, ...]]]
) -> tuple[httpx.AsyncClient, Connection[W]]:
    """The connection of one project, and what is to be closed; `line` makes it of what differs between projects."""
    wanted = TaskFilter(account.tasks)
    decode_errors = {name: DecodeErrors() for name in COLLECTORS}
    http, apis = line(
        account,
        project.model_copy(update={"api": "auto"}),
        meter=watch,
        decode_errors=decode_errors,
        query=wanted.query(project.enterprise_project_ids),
        observer=watch.observe,
    )
    return http, Connection(account, project, apis, wanted.job_types, decode_errors, watch)
