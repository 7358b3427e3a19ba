"""Print a table of all tasks as the cloud reports them now, the worst first.

The columns: phase, progress of the full load, delay of the target, age of both,
and whether anything known blocks a cut-over; beside `ready`, what was not
checked. `-` is unknown, or does not apply to such a task. The calls
count against the rate limit of the account.

Examples:
  drs-exporter tasks --demo
  drs-exporter tasks --config.file=config.yaml
  drs-exporter tasks --config.file=config.yaml --output=json |
    jq -r '.tasks[] | select(.cutover == "ready").task_name'

Exit codes: 0 fine, 1 any project failed (what is known is printed all the
same), 2 bad usage or configuration.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

from exporter.commands.options import Parser, add_cloud, cloud_of
from exporter.commands.outcome import Outcome, failures, gaps
from exporter.config import COLLECTORS, TASKS
from exporter.daemon.exporter import Exporter
from exporter.model.cutover import REASONS
from exporter.model.task import Phase
from exporter.runtime import interrupts
from exporter.runtime.clock import Clock
from exporter.runtime.escape import json_text, printable
from exporter.runtime.terminal import Cell, ProgressLine, Screen, table
from exporter.views.cutover import unchecked_of
from exporter.views.summary import (
    NO_BLOCKER,
    READY,
    WORST_FIRST,
    blockers_of,
    full_ratio_of,
    phase_of,
    project_json,
    read_at,
    task_json,
)
from exporter.views.text import UNKNOWN, age, duration, percent, plural, project_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import httpx

    from exporter.config import Account, Config
    from exporter.model.task import Project, Task
    from exporter.polling.poller import Poller

    _Listing = tuple[Project, Sequence[Task]]

_DASH = "-"
_STYLES: Mapping[str, str] = {
    UNKNOWN: "warn",
    Phase.FAILED: "bad",
    Phase.OTHER: "warn",
    Phase.PAUSED: "warn",
    Phase.ENDING: "dim",
    Phase.ENDED: "dim",
}
_HEAD = ("TASK", "PROJECT", "PHASE", "PROGRESS", "DELAY", "AGE", "CUT-OVER")
_PROJECT, _AGE, _FLEXIBLE = 1, 5, (6, 1, 0)
_ROOMY, _TIGHT = 120, 70
"""Columns of a terminal: from the first width on, the table has the project; below the second, it lacks the age."""


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    parser.add_argument("--output", choices=("table", "json"), default="table", help="output format; default: table")


def run(options: argparse.Namespace) -> Outcome:
    config, transport = cloud_of(options)
    screen = Screen.of(sys.stdout) if options.output == "table" else None
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
        found = [(store.project(), store.tasks()) for store in exporter.stores]
        text = as_json(found, exporter.now()) if screen is None else as_table(found, exporter.now(), screen)
        failed = failures(pollers)
        return Outcome(1 if failed else 0, text, (*failed, *gaps(pollers)))


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


def as_table(projects: Sequence[_Listing], now: float, screen: Screen) -> str:
    """Return a line for each task, the worst over all projects first, subtasks below their parents.

    A terminal that is too narrow for a column of projects gets a table for each, then the counts.
    """
    if screen.width is None or screen.width >= _ROOMY:
        rows = list(_rows([task for _, tasks in projects for task in tasks], now))
        blocks = [_lines(rows, screen, hidden=())] if rows else []
    else:
        blocks = [
            [screen.paint(project_text(project), "bold"), *_block(project, tasks, now, screen)]
            for project, tasks in projects
        ]
    if screen.width is not None or not blocks:
        blocks.append([_counts(projects)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _block(project: Project, tasks: Sequence[Task], now: float, screen: Screen) -> list[str]:
    rows = list(_rows(tasks, now))
    hidden = (_PROJECT, _AGE) if screen.width is not None and screen.width < _TIGHT else (_PROJECT,)
    return _lines(rows, screen, hidden) if rows else ["no tasks" if project.up else "tasks unknown"]


def _lines(rows: Sequence[Sequence[Cell]], screen: Screen, hidden: Sequence[int]) -> list[str]:
    head = [Cell(name, "bold") for name in _HEAD]
    kept = [column for column in range(len(_HEAD)) if column not in hidden]
    flexible = [kept.index(column) for column in _FLEXIBLE if column in kept]
    return table([[row[column] for column in kept] for row in (head, *rows)], screen, flexible)


def _rows(tasks: Sequence[Task], now: float) -> Iterator[list[Cell]]:
    """Return a row for each task, the worst first, each followed by its subtasks."""
    ordered = sorted(tasks, key=_urgency, reverse=True)
    known = {task.identity.task_id for task in tasks}
    below: dict[str | None, list[Task]] = {}
    for task in ordered:
        below.setdefault(task.identity.parent_id if task.identity.parent_id in known else None, []).append(task)
    waiting = [(task, 0) for task in below.pop(None, ())]
    while waiting:
        task, depth = waiting.pop()
        yield _row(task, "  " * (depth - 1) + "+ " if depth else "", now)
        waiting += [(subtask, depth + 1) for subtask in below.pop(task.identity.task_id, ())]
    for rest in below.values():  # parents in a circle, from lists that contradict each other
        yield from (_row(task, "+ ", now) for task in rest)


def _urgency(task: Task) -> tuple[object, ...]:
    return WORST_FIRST.index(phase_of(task)), -(task.delay_seconds or 0), task.identity.task_name, task.identity.task_id


def _row(task: Task, prefix: str, now: float) -> list[Cell]:
    identity = task.identity
    ratio, read = full_ratio_of(task), read_at(task)
    return [
        Cell(prefix + printable(identity.task_name)),
        Cell(project_text(identity), "dim"),
        Cell(phase_of(task), _STYLES.get(phase_of(task), "")),
        Cell(_DASH if ratio is None else percent(ratio)),
        Cell(_DASH if task.delay_seconds is None else duration(task.delay_seconds)),
        Cell(_DASH if read is None else age(read, now)),
        _cutover(task),
    ]


def _cutover(task: Task) -> Cell:
    blockers = blockers_of(task)
    if blockers is None:
        return Cell(_DASH)
    if blockers:
        return Cell(f"blocked: {', '.join(blockers)}", "warn")
    unchecked = unchecked_of(task)
    word = READY if task.ready else NO_BLOCKER
    return Cell(f"{word}; {unchecked}" if unchecked else word, "good")


def _counts(projects: Sequence[_Listing]) -> str:
    """Return the numbers of tasks without subtasks, and of projects whose lists failed or are incomplete."""
    tasks = [task for _, found in projects for task in found if task.identity.parent_id is None]
    phases = Counter(WORST_FIRST.index(phase_of(task)) for task in tasks)
    ready = [task for task in tasks if task.ready]
    unchecked = sum(bool(task.unchecked) for task in ready)
    unknown = sum(
        not project.up or any(facts.gap is not None for facts in project.lists.values()) for project, _ in projects
    )
    words = [f"{count} {WORST_FIRST[rank]}" for rank, count in sorted(phases.items())]
    whole = [plural(len(tasks), "task") + (f": {', '.join(words)}" if words else "")]
    beside = f" ({unchecked} not fully checked)" if unchecked else ""
    whole += [f"{len(ready)} ready to cut over{beside}"] if tasks else []
    whole += [f"those of {plural(unknown, 'project')} unknown or incomplete"] if unknown else []
    return "; ".join(whole)


def as_json(projects: Sequence[_Listing], now: float) -> str:
    """Return all tasks with the names and units of /api/v1/tasks."""
    document = {
        "now_timestamp_seconds": now,
        "projects": [project_json(project) for project, _ in projects],
        "tasks": [task_json(task) for _, tasks in projects for task in tasks],
    }
    return json_text(document, indent=2)
