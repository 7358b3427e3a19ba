"""`drs-exporter explain`: all facts of one task with their ages, and what speaks against its cut-over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exporter.commands.explain_text import explanation
from exporter.commands.failures import failures, gaps
from exporter.commands.lookup import Outcome, Place, find, missing, several
from exporter.config.collectors import COLLECTORS, TASKS, Scope
from exporter.daemon.exporter import Exporter
from exporter.runtime.clock import Clock
from exporter.runtime.terminal import Waiting
from exporter.store.subject import subject_of
from exporter.views.findings import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from exporter.config.load import Account, Config
    from exporter.model.task import Task
    from exporter.polling.poller import Poller
    from exporter.store.store import Store

_GONE = "the task is gone, or a rule of tasks.include or tasks.exclude leaves it out"
_LEFT_OUT = "a rule of tasks.include or tasks.exclude may leave it out"


async def explain(
    config: Config,
    wanted: str,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> Outcome:
    """What is known of the task with the id, or else the name, `wanted`.

    Lists are asked for in every project, facts only of this task and its subtasks.
    """
    accounts = {account.name: account for account in config.accounts}
    async with Exporter(config, transport=transport, clock=clock) as exporter:
        pollers = exporter.pollers
        async with Waiting(lambda: f"{plural(len(pollers), 'project')}, {sum(one.calls for one in pollers)} calls"):
            await asyncio.gather(*(poller.poll(TASKS) for poller in pollers))
            places = {place: poller for poller in pollers for place in _places(poller.store)}
            found = find(wanted, places)
            if len(found) > 1:
                return Outcome(2, "", (several(wanted, found),))
            text, notes = "", list[str]()
            if found:
                account = accounts[found[0].account]
                text, notes = await _explained(places[found[0]], account, found[0].task_id, exporter.now)
            else:
                rules = any(account.tasks.include or account.tasks.exclude for account in config.accounts)
                notes = [missing(wanted, places), *([_LEFT_OUT] if rules else [])]
        failed = [line for poller in pollers for line in failures(poller)]
        incomplete = [line for poller in pollers for line in gaps(poller)]
        return Outcome(0 if text and not failed else 1, text, (*failed, *incomplete, *notes))


def _places(store: Store) -> list[Place]:
    return [Place(*store.key, listed.id, listed.name) for listed in store.listed_tasks(unwanted=True)]


async def _explained(poller: Poller, account: Account, task_id: str, now: Callable[[], float]) -> tuple[str, list[str]]:
    """The text about a task whose project has been listed, and what is to be said beside it."""
    parents = {one.id: one.parent_id for one in poller.store.listed_tasks(unwanted=True)}
    poller.focus((task_id, *_below(task_id, parents)))
    for collector in COLLECTORS.values():
        if collector.scope not in {Scope.LISTS, Scope.PROJECT} and account.enabled(collector.name):
            await poller.poll(collector.name)
    await poller.store.sweep()
    known = {task.identity.task_id: task for task in poller.store.tasks()}
    if task_id not in known:
        return "", [_GONE]
    task = known[task_id]
    below = _below(task_id, {key: one.identity.parent_id for key, one in known.items()})
    subtasks = sorted((known[key] for key in below), key=_name)
    parent = known.get(task.identity.parent_id or "")
    subject = subject_of(poller.store, task, parent, now())
    parts = [subject_of(poller.store, one, known[one.identity.parent_id or ""], now()) for one in subtasks]
    return explanation(subject, parts, poller.store.project(), account, now()), []


def _below(task_id: str, parents: Mapping[str, str | None]) -> set[str]:
    """The ids of a task's subtasks, theirs included; `parents` by id."""
    below, level = set[str](), {task_id}
    while level := {key for key, parent in parents.items() if parent in level} - below - {task_id}:
        below |= level
    return below


def _name(task: Task) -> tuple[str, str]:
    return task.identity.task_name, task.identity.task_id
