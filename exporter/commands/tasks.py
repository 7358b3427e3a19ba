"""Print a table of all tasks as the cloud reports them now, the worst first.

The columns: phase, progress of the full load, delay of the target, age of both,
and whether anything known blocks a cut-over; beside `ready`, what was not
checked. `-` is unknown, or does not apply to such a task. The calls
count against the rate limit of the account; with --url there are none.

Examples:
  drs-exporter tasks --demo
  drs-exporter tasks --config.file=config.yaml
  drs-exporter tasks --url=http://localhost:10826   what a running exporter has
  drs-exporter tasks --config.file=config.yaml --output=json |
    jq -r '.tasks[] | select(.cutover == "ready").task_name'

Exit codes: 0 fine, 1 any project failed (what is known is printed all the
same) or no response from --url, 2 bad usage or configuration.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from exporter.commands.documents import TaskTable
from exporter.commands.options import Parser, add_cloud, add_url, cloud_of
from exporter.commands.outcome import Outcome, failures, gaps, reported_failures, reported_gaps
from exporter.commands.remote import Remote, remote_of
from exporter.commands.task_table import as_table
from exporter.config import COLLECTORS, TASKS
from exporter.daemon.exporter import Exporter
from exporter.model.cutover import REASONS
from exporter.runtime import interrupts
from exporter.runtime.clock import Clock
from exporter.runtime.escape import json_text
from exporter.runtime.terminal import ProgressLine, Screen
from exporter.views.summary import project_json, task_json
from exporter.views.text import plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    import httpx

    from exporter.config import Account, Config
    from exporter.polling.poller import Poller


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_url(parser)
    parser.add_argument("--output", choices=("table", "json"), default="table", help="output format; default: table")


def run(options: argparse.Namespace) -> Outcome:
    screen = Screen.of(sys.stdout) if options.output == "table" else None
    if remote := remote_of(options):
        return interrupts.run(tasks_at(remote, screen))
    config, transport = cloud_of(options)
    return interrupts.run(tasks(config, screen, transport=transport))


async def tasks(
    config: Config,
    screen: Screen | None = None,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> Outcome:
    """Return all tasks: a table for a `screen`, JSON without one. Only what they show is polled."""
    accounts = {account.name: account for account in config.accounts}
    async with Exporter(config, transport=transport, clock=clock) as exporter:
        pollers = exporter.pollers

        async def survey(poller: Poller) -> None:
            await poller.poll_lists()
            await poller.poll_facts(_needed(accounts[poller.store.key.account]))
            await poller.store.sweep()

        def progress() -> str:
            done, calls = sum(task.done() for task in running), sum(poller.calls for poller in pollers)
            return f"{done} of {plural(len(pollers), 'project')}, {calls} calls"

        running = [asyncio.create_task(survey(poller)) for poller in pollers]
        async with ProgressLine(progress):
            await asyncio.gather(*running)
        failed = failures(pollers)
        return Outcome(1 if failed else 0, as_text(document_of(exporter), screen), (*failed, *gaps(pollers)))


async def tasks_at(remote: Remote, screen: Screen | None = None) -> Outcome:
    """Return all tasks of a running exporter, as `tasks` does; raises `ConfigError`."""
    async with remote, ProgressLine(lambda: str(remote.url)):
        document, missing = await remote.tasks()
        projects = remote.parsed(TaskTable, document).projects
    failed = reported_failures(projects)
    notes = (*failed, *reported_gaps(projects), *missing)
    return Outcome(1 if failed or missing else 0, as_text(document, screen), notes)


def _needed(account: Account) -> list[str]:
    """Return the collectors whose facts are shown, or decide the verdict."""
    judged = {reason.collector for reason in REASONS if not reason.ignored(account.cutover)}
    return [
        collector.name
        for collector in COLLECTORS.values()
        if account.enabled(collector.name)
        and collector.name != TASKS
        and (collector.in_overview or collector.name in judged)
    ]


def document_of(exporter: Exporter) -> dict[str, Any]:
    """Return all tasks with the names and units of /api/v1/tasks."""
    return {
        "now_timestamp_seconds": exporter.now(),
        "projects": [project_json(store.project()) for store in exporter.stores],
        "tasks": [task_json(task) for store in exporter.stores for task in store.tasks()],
    }


def as_text(document: Mapping[str, Any], screen: Screen | None) -> str:
    """Return the document as a table for a `screen`, as JSON without one."""
    if screen is None:
        return json_text(document, indent=2)
    return as_table(TaskTable.model_validate(document), screen)
