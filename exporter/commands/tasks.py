"""Print a table of all tasks as the cloud reports them now, the worst first.

The columns: phase, progress of the full load, delay of the target, age of both,
and whether anything known blocks a cut-over; beside `ready`, what was not
checked. `-` is unknown, or does not apply to such a task. With --url or --watch
also the trend of the delay, and when it is caught up or loaded. The calls
count against the rate limit of the account; with --url there are none.

Examples:
  drs-exporter tasks --demo
  drs-exporter tasks --config.file=config.yaml
  drs-exporter tasks --url=http://localhost:10826   what a running exporter has
  drs-exporter tasks --url=http://localhost:10826 --watch
  drs-exporter tasks --url=http://localhost:10826 --wave=weekend-1
  drs-exporter tasks --config.file=config.yaml --output=json |
    jq -r '.tasks[] | select(.cutover == "ready").task_name'

Exit codes: 0 fine, or Ctrl-C with --watch, 1 any project failed (what is known
is printed all the same) or no response from --url, 2 bad usage or
configuration.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from exporter.commands.documents import TaskTable
from exporter.commands.live import first_poll, while_polling
from exporter.commands.options import Parser, add_cloud, add_url, add_wave, cloud_of
from exporter.commands.outcome import Outcome, failures, gaps, reported_failures, reported_gaps
from exporter.commands.remote import Remote, remote_of
from exporter.commands.task_table import as_table
from exporter.commands.watch import DEFAULT, interval, watch
from exporter.commands.waves import of_wave, wave_at, wave_of
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
    from collections.abc import Callable, Container, Mapping

    import httpx

    from exporter.config import Config
    from exporter.polling.poller import Poller
    from exporter.store.project_context import ProjectContext


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_url(parser)
    add_wave(parser, "print only the tasks of this wave, and its verdict")
    parser.add_argument("--output", choices=("table", "json"), default="table", help="output format; default: table")
    parser.add_argument(
        "--watch",
        nargs="?",
        type=interval,
        const=interval(DEFAULT),
        metavar="INTERVAL",
        help=f"print the tasks again and again until Ctrl-C, in place on a terminal; default: {DEFAULT}; without "
        "--url, the cloud is polled as by the command run, at the intervals of the configuration",
    )


def run(options: argparse.Namespace) -> Outcome:
    as_json = options.output == "json"
    screen = None if as_json else Screen.of(sys.stdout)
    remote = remote_of(options)
    if options.watch is not None:
        return _watched(options, remote, as_json=as_json)
    if remote is not None:
        return interrupts.run(tasks_at(remote, screen, wave=options.wave))
    config, transport = cloud_of(options)
    return interrupts.run(tasks(config, screen, wave=options.wave, transport=transport))


def _watched(options: argparse.Namespace, remote: Remote | None, *, as_json: bool) -> Outcome:
    """Print the tasks again and again; Ctrl-C is the end."""
    if remote is not None:
        watching = watch(partial(tasks_at, remote, indent=None, wave=options.wave), options.watch, as_json=as_json)
    else:
        config, transport = cloud_of(options)
        watching = watch_cloud(config, options.watch, as_json=as_json, wave=options.wave, transport=transport)
    try:
        interrupts.run(watching)
    except KeyboardInterrupt:
        return Outcome(0)
    raise AssertionError


async def tasks(
    config: Config,
    screen: Screen | None = None,
    *,
    wave: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> Outcome:
    """Return all tasks: a table for a `screen`, JSON without one. Only what they show is polled."""
    async with Exporter(config, transport=transport, clock=clock) as exporter:
        pollers = exporter.pollers

        async def survey(poller: Poller) -> None:
            await poller.poll_lists()
            await poller.store.sweep()  # which finds the tasks of running waves
            await poller.poll_facts(_needed(poller.store.context))
            await poller.store.sweep()

        def progress() -> str:
            done, calls = sum(task.done() for task in running), sum(poller.calls for poller in pollers)
            return f"{done} of {plural(len(pollers), 'project')}, {calls} calls"

        running = [asyncio.create_task(survey(poller)) for poller in pollers]
        async with ProgressLine(progress):
            await asyncio.gather(*running)
        return _outcome(exporter, screen, wave)


async def watch_cloud(
    config: Config,
    seconds: float,
    *,
    as_json: bool = False,
    wave: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> None:
    """Poll as the command `run` does, and print all tasks again and again, see `watch`."""
    async with Exporter(config, transport=transport, clock=clock) as exporter:

        async def poll(screen: Screen | None) -> Outcome:
            async with ProgressLine(lambda: f"{sum(poller.calls for poller in exporter.pollers)} calls"):
                await first_poll(exporter)
            return _outcome(exporter, screen, wave, indent=None)

        await while_polling(exporter, watch(poll, seconds, as_json=as_json, now=exporter.now))


def _outcome(exporter: Exporter, screen: Screen | None, wave: str | None, indent: int | None = 2) -> Outcome:
    pollers, document = exporter.pollers, document_of(exporter)
    document = document if wave is None else of_wave(document, wave_of(exporter, wave))
    failed, text = failures(pollers), as_text(document, TaskTable.model_validate(document), screen, indent)
    return Outcome(1 if failed else 0, text, (*failed, *gaps(pollers)))


async def tasks_at(
    remote: Remote, screen: Screen | None = None, *, indent: int | None = 2, wave: str | None = None
) -> Outcome:
    """Return all tasks of a running exporter, or those of a wave, as `tasks` does; raises `ConfigError`."""
    async with remote, ProgressLine(lambda: str(remote.url)):
        document, missing = await remote.tasks()
        found = remote.parsed(TaskTable, document)
        if wave is not None:
            document = of_wave(document, await wave_at(remote, wave))
            found = remote.parsed(TaskTable, document)
    failed = reported_failures(found.projects)
    notes = (*failed, *reported_gaps(found.projects), *missing)
    return Outcome(1 if failed or missing else 0, as_text(document, found, screen, indent), notes)


def _needed(context: ProjectContext) -> list[str]:
    """Return the collectors whose facts are shown, or decide a verdict."""
    account, settings = context.account, context.waves.strictest
    judged = {reason.collector for reason in REASONS if not reason.ignored(settings)}
    return [
        collector.name
        for collector in COLLECTORS.values()
        if account.enabled(collector.name)
        and collector.name != TASKS
        and (collector.in_overview or collector.name in judged)
    ]


def document_of(exporter: Exporter, ids: Container[str] | None = None) -> dict[str, Any]:
    """Return all tasks, or those with these ids, with the names and units of /api/v1/tasks."""
    return {
        "now_timestamp_seconds": exporter.now(),
        "projects": [project_json(store.project()) for store in exporter.stores],
        "tasks": [
            task_json(task)
            for store in exporter.stores
            for task in store.tasks()
            if ids is None or task.identity.task_id in ids
        ],
    }


def as_text(document: Mapping[str, Any], found: TaskTable, screen: Screen | None, indent: int | None = 2) -> str:
    """Return a document, and the same parsed, as a table for a `screen`, as JSON without one."""
    if screen is None:
        return json_text(document, indent)
    head = [f"{found.wave.name}, {found.wave.timing}\n{found.wave.verdict}"] if found.wave else []
    return "\n\n".join((*head, as_table(found, screen)))
