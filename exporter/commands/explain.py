"""Print whether a task can be cut over, what blocks it, and all its facts.

Each fact has its age. With --url also the trend of the delay, when it is caught
up or loaded, its history and its changes, as far as the exporter has observed
them. Only the lists and this task are polled; with --url, nothing is.

Examples:
  drs-exporter explain orders-to-rds --config.file=config.yaml
  drs-exporter explain warehouse-sync --demo
  drs-exporter explain orders-to-rds --config.file=config.yaml --exit-code &&
    echo "cut over now"
  drs-exporter explain orders-to-rds --url=http://localhost:10826
  drs-exporter tasks --config.file=config.yaml        lists the names

Exit codes: 0 fine, 1 no such task, a project failed (what is known is printed
all the same) or no response from --url, 2 several tasks have that name, or bad
usage or configuration, 5 with --exit-code: the task is not ready (it is
blocked, or has no verdict).
"""

from __future__ import annotations

import asyncio
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.commands.documents import ExplainedTask, TaskTable, Value
from exporter.commands.lookup import Place, ambiguous, columns, hints, matches, no_match
from exporter.commands.options import Parser, add_cloud, add_task, add_url, cloud_of
from exporter.commands.outcome import Outcome, failures, gaps, reported_failures, reported_gaps
from exporter.commands.remote import Remote, remote_of
from exporter.config import COLLECTORS, Scope
from exporter.daemon.exporter import Exporter
from exporter.runtime import interrupts
from exporter.runtime.clock import Clock
from exporter.runtime.escape import json_text, printable
from exporter.runtime.terminal import ProgressLine
from exporter.store.explain import explain_with_subtasks
from exporter.views.explanation import explanation_json
from exporter.views.text import UNKNOWN, lasting, moment, plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import httpx

    from exporter.commands.documents import FactGroup, JudgedTask
    from exporter.config import Account, Config
    from exporter.polling.poller import Poller

_GONE = "the task is gone, or a rule of tasks.include or tasks.exclude leaves it out"
_NOT_READY = 5
"""The exit code."""
_WIDTH = 88
_MOST_EVENTS = 20


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_url(parser)
    add_task(parser)
    parser.add_argument("--output", choices=("text", "json"), default="text", help="output format; default: text")
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 0 only if nothing known blocks the cut-over, else with 5; text and JSON name what was not "
        "checked",
    )


def run(options: argparse.Namespace) -> Outcome:
    form = Form(options.output == "json", options.exit_code)
    if remote := remote_of(options):
        return interrupts.run(explain_at(remote, options.task, form))
    config, transport = cloud_of(options)
    return interrupts.run(explain(config, options.task, form, transport=transport))


class Form(NamedTuple):
    """The options that select what is printed.

    Attributes:
        as_json: whether it is JSON, in place of text.
        exit_code: whether the exit code shows that a task is not ready.
    """

    as_json: bool = False
    exit_code: bool = False

    def outcome(
        self, document: Mapping[str, Any], task: ExplainedTask, notes: Sequence[str], *, failed: bool
    ) -> Outcome:
        """Return the end of a command that has found the task; `failed` is true if any project failed."""
        code = _NOT_READY if self.exit_code and task.cutover_blockers != [] else 0
        text = json_text(document, indent=2) if self.as_json else as_text(task)
        return Outcome(1 if failed else code, text, tuple(notes))


TEXT = Form()


async def explain(
    config: Config,
    wanted: str,
    form: Form = TEXT,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> Outcome:
    """Explain the task with the id, or else the name, `wanted`.

    Lists are requested for every project, facts only of this task and its subtasks.
    """
    accounts = {account.name: account for account in config.accounts}
    async with Exporter(config, transport=transport, clock=clock) as exporter:
        pollers = exporter.pollers
        async with ProgressLine(
            lambda: f"{plural(len(pollers), 'project')}, {sum(poller.calls for poller in pollers)} calls"
        ):
            await asyncio.gather(*(poller.poll_lists() for poller in pollers))
            places = {
                Place(*poller.store.key, listed.id, listed.name): poller
                for poller in pollers
                for listed in poller.store.listed_tasks(unwanted=True)
            }
            found = matches(wanted, places)
            if len(found) > 1:
                return Outcome(2, notes=(ambiguous(wanted, found),))
            document, notes, unread = None, list[str](), (*failures(pollers), *gaps(pollers))
            if found:
                account = accounts[found[0].account]
                document = await _explained(exporter, places[found[0]], account, found[0].task_id)
                notes = [] if document else [_GONE]
            else:
                notes = [no_match(wanted, places, all_read=not unread), *hints(config)]
        failed = failures(pollers)
        notes = [*failed, *gaps(pollers), *notes]
        if document is None:
            return Outcome(1, notes=tuple(notes))
        return form.outcome(document, ExplainedTask.model_validate(document), notes, failed=bool(failed))


async def explain_at(remote: Remote, wanted: str, form: Form = TEXT) -> Outcome:
    """Explain a task of a running exporter, as `explain` does; raises `ConfigError`."""
    async with remote, ProgressLine(lambda: str(remote.url)):
        document, missing = await remote.tasks(wanted)
        table = remote.parsed(TaskTable, document)
        found = matches(printable(wanted), _places(table))
        if len(found) > 1:
            return Outcome(2, notes=(ambiguous(wanted, found),))
        if not found:
            return await _not_found(remote, wanted)
        document = await remote.task(found[0].task_id)
        task = remote.parsed(ExplainedTask, document)
    projects = [project for project in table.projects if project.key == task.key]
    failed = reported_failures(projects)
    return form.outcome(document, task, (*failed, *reported_gaps(projects), *missing), failed=bool(failed))


async def _not_found(remote: Remote, wanted: str) -> Outcome:
    """Return the end of a command whose task a running exporter does not have."""
    document, missing = await remote.tasks()
    table = remote.parsed(TaskTable, document)
    unread = [*reported_failures(table.projects), *reported_gaps(table.projects), *missing]
    return Outcome(1, notes=(*unread, no_match(printable(wanted), _places(table), all_read=not unread)))


def _places(table: TaskTable) -> list[Place]:
    return [Place(*task.key, task.task_id, task.task_name) for task in table.tasks]


async def _explained(exporter: Exporter, poller: Poller, account: Account, task_id: str) -> dict[str, Any] | None:
    """Return all about a task of a project whose lists have been polled; None if the task is gone."""
    about_tasks = [name for name, collector in COLLECTORS.items() if collector.scope is not Scope.PROJECT]
    await poller.poll_facts(about_tasks, only=(task_id, *poller.store.state.subtasks.below(task_id)))
    await poller.store.sweep()
    found = explain_with_subtasks(poller.store, task_id)
    if not found:
        return None
    return explanation_json(
        found[0],
        found[1:],
        poller.store.project(),
        enabled=account.enabled,
        now=exporter.now(),
        timeline=poller.store.timeline(task_id),
        log=exporter.events,
    )


def as_text(task: ExplainedTask) -> str:
    """Return the verdict of a task, its facts in aligned groups with their ages, and the reasons against a cut-over."""
    blocks = [_summary(task), *_recent(task), *map(_block, task.facts)]
    whole = "cut-over" if task.parent_id is None else f"cut-over as a part of {task.parent_id}"
    blocks.append([f"{whole}: {task.cutover_verdict}", *_reasons(task)])
    for part in task.subtasks:
        heading = f"cut-over of subtask {part.task_name} ({part.task_id}): {part.cutover_verdict}"
        blocks.append([heading, *_reasons(part)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _summary(task: ExplainedTask) -> list[str]:
    """Return the verdict, the state in sentences, what blocks, what to do, and what was not checked."""
    rows = [(reason.reason, reason.fact, reason.age) for reason in task.blocking]
    rows += [(part.task_name, part.cutover_verdict, "") for part in task.subtasks if part.blocking]
    texts = [f"{reason.reason}: {reason.advice}" for reason in task.blocking]
    texts += filter(None, [task.cutover_not_checked])
    lasts = lasting(task.cutover_ready_since_timestamp_seconds, task.now_timestamp_seconds)
    heading = f"{task.task_name}: {task.cutover_verdict}{lasts}"
    state = [line for statement in task.state for line in _wrapped(statement.text)]
    return [heading, *columns(rows), *state, *(line for text in texts for line in _wrapped(text))]


def _recent(task: ExplainedTask) -> Iterator[list[str]]:
    """Return the history and the events; nothing if the exporter has just begun to observe the task."""
    if task.history is not None and task.history.summaries:
        yield [f"history since {moment(task.history.since_timestamp_seconds)}", *_rows(task.history.summaries)]
    since = task.events_since_timestamp_seconds
    if task.events:
        newest = task.events[:_MOST_EVENTS]
        rows = [Value(name=moment(event.at_timestamp_seconds), text=event.sentence) for event in newest]
        more = f", the newest {_MOST_EVENTS}" if len(task.events) > _MOST_EVENTS else ""
        yield [f"events since {moment(since)}, the newest first{more}", *_rows(rows)]
    elif lasting(since, task.now_timestamp_seconds):
        yield [f"events: none since {moment(since)}"]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _block(group: FactGroup) -> list[str]:
    if group.unknown is not None:
        return [f"{group.group}: {UNKNOWN}, {group.unknown}"]
    return [group.group if group.age is None else f"{group.group}, {group.age}", *_rows(group.values)]


def _rows(values: Iterable[Value]) -> list[str]:
    """Return names and values as lines; a long value takes several."""
    rows = []
    for value in values:
        first, *rest = textwrap.wrap(value.text, _WIDTH) or [""]
        rows += [(value.name, first), *(("", line) for line in rest)]
    return columns(rows)


def _reasons(task: JudgedTask) -> list[str]:
    """Return a line for each reason that applies: whether it blocks, the fact that decides, and its age."""
    rows = [(reason.reason, reason.verdict, reason.fact, reason.age) for reason in task.cutover_reasons]
    return columns([("reason", "blocks", "fact", "age"), *rows]) if rows else []
