"""Print whether a task can be cut over, what blocks it, and all its facts.

Each fact has its age. Only the lists and this task are polled.

Examples:
  drs-exporter explain orders-to-rds --config.file=config.yaml
  drs-exporter explain warehouse-sync --demo
  drs-exporter tasks --config.file=config.yaml        lists the names

Exit codes: 0 fine, 1 no such task or a project failed (what is known is printed
all the same), 2 several tasks have that name, or bad usage or configuration.
"""

from __future__ import annotations

import asyncio
import textwrap
from typing import TYPE_CHECKING

from exporter.commands.lookup import Place, ambiguous, columns, matches, no_match
from exporter.commands.options import Parser, add_cloud, add_task, cloud_of
from exporter.commands.outcome import Outcome, failures, gaps
from exporter.config import COLLECTORS, Scope
from exporter.daemon.exporter import Exporter
from exporter.runtime import interrupts
from exporter.runtime.clock import Clock
from exporter.runtime.escape import printable
from exporter.runtime.terminal import ProgressLine
from exporter.views.cutover import not_checked, reasons, verdict
from exporter.views.task import groups
from exporter.views.text import UNKNOWN, plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import httpx

    from exporter.config import Account, Config
    from exporter.model.explanation import TaskExplanation
    from exporter.model.task import Project, Task
    from exporter.polling.poller import Poller
    from exporter.views.task import Group

_GONE = "the task is gone, or a rule of tasks.include or tasks.exclude leaves it out"
_LEFT_OUT = "a rule of tasks.include or tasks.exclude may leave it out"
_WIDTH = 88


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_task(parser)


def run(options: argparse.Namespace) -> Outcome:
    config, transport = cloud_of(options)
    return interrupts.run(explain(config, options.task, transport=transport))


async def explain(
    config: Config,
    wanted: str,
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
            text, notes, unread = "", list[str](), (*failures(pollers), *gaps(pollers))
            if found:
                account = accounts[found[0].account]
                text = await _explained(places[found[0]], account, found[0].task_id, exporter.now)
                notes = [] if text else [_GONE]
            else:
                rules = any(account.tasks.include or account.tasks.exclude for account in config.accounts)
                notes = [no_match(wanted, places, all_read=not unread), *([_LEFT_OUT] if rules else [])]
        failed = failures(pollers)
        return Outcome(0 if text and not failed else 1, text, (*failed, *gaps(pollers), *notes))


async def _explained(poller: Poller, account: Account, task_id: str, now: Callable[[], float]) -> str:
    """Return the text about a task of a project whose lists have been polled; empty if the task is gone."""
    parents = {listed.id: listed.parent_id for listed in poller.store.listed_tasks(unwanted=True)}
    about_tasks = [name for name, collector in COLLECTORS.items() if collector.scope is not Scope.PROJECT]
    await poller.poll_facts(about_tasks, only=(task_id, *_below(task_id, parents)))
    await poller.store.sweep()
    known = {task.identity.task_id: task for task in poller.store.tasks()}
    if task_id not in known:
        return ""

    def subject(task: Task) -> TaskExplanation:
        return poller.store.explain(task, known.get(task.identity.parent_id or ""))

    below = _below(task_id, {key: task.identity.parent_id for key, task in known.items()})
    by_name = sorted(below, key=lambda key: (known[key].identity.task_name, key))
    subtasks = [subject(known[key]) for key in by_name]
    return explanation(subject(known[task_id]), subtasks, poller.store.project(), account, now())


def _below(task_id: str, parents: Mapping[str, str | None]) -> set[str]:
    """Return the ids of a task's subtasks and of theirs; `parents` by id."""
    below, level = set[str](), {task_id}
    while level := {key for key, parent in parents.items() if parent in level} - below - {task_id}:
        below |= level
    return below


def explanation(
    subject: TaskExplanation, subtasks: Sequence[TaskExplanation], project: Project, account: Account, now: float
) -> str:
    """Return the verdict of a task, its facts in aligned groups with their ages, and the reasons against a cut-over.

    Args:
        subject: the task.
        subtasks: of the task, and theirs.
        project: shows why a fact is unknown, as `account` does.
        account: settings.
        now: Unix time.
    """
    blocks = [_summary(subject, subtasks)]
    blocks += [_block(group) for group in groups(subject, project, account.enabled, now)]
    whole = "cut-over" if subject.parent is None else f"cut-over as a part of {subject.parent.identity.task_id}"
    blocks.append([f"{whole}: {verdict(subject)}", *_reasons(subject)])
    for part in subtasks:
        identity = part.task.identity
        heading = f"cut-over of subtask {printable(identity.task_name)} ({identity.task_id}): {verdict(part)}"
        blocks.append([heading, *_reasons(part)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _summary(subject: TaskExplanation, subtasks: Sequence[TaskExplanation]) -> list[str]:
    """Return the verdict, what blocks, with the blocked subtasks, what to do, and what was not checked."""
    blocking = [reason for reason in reasons(subject) if reason.blocks]
    rows = [(reason.name, printable(reason.fact), reason.age) for reason in blocking]
    rows += [
        (printable(part.task.identity.task_name), verdict(part), "")
        for part in subtasks
        if any(reason.blocks for reason in reasons(part))
    ]
    texts = [f"{reason.name}: {reason.advice}" for reason in blocking]
    texts += filter(None, [not_checked(subject)])
    heading = f"{printable(subject.task.identity.task_name)}: {verdict(subject)}"
    return [heading, *columns(rows), *(line for text in texts for line in _wrapped(text))]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _block(group: Group) -> list[str]:
    if group.unknown is not None:
        return [f"{group.title}: {UNKNOWN}, {group.unknown}"]
    return [group.title if group.age is None else f"{group.title}, {group.age}", *_rows(group.rows)]


def _rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return labels and values as lines; a long value takes several."""
    rows = []
    for name, value in pairs:
        first, *rest = textwrap.wrap(printable(value), _WIDTH) or [""]
        rows += [(name, first), *(("", line) for line in rest)]
    return columns(rows)


def _reasons(subject: TaskExplanation) -> list[str]:
    """Return a line for each reason that applies: whether it blocks, the fact that decides, and its age."""
    rows = [(reason.name, reason.verdict, printable(reason.fact), reason.age) for reason in reasons(subject)]
    return columns([("reason", "blocks", "fact", "age"), *rows]) if rows else []
