"""`drs-exporter explain`: all facts of one task with their ages, and what speaks against its cut-over."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from exporter.daemon import COLLECTORS, Exporter
from exporter.explain_facts import subject_of
from exporter.explain_text import explanation
from exporter.find import Outcome, Place, find, missing, several
from exporter.listing import LISTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from exporter.config import Account, Config
    from exporter.model import Task
    from exporter.poller import Poller
    from exporter.store import Store

_GONE = "the task is gone, or a rule of tasks.include or tasks.exclude leaves it out"
_LEFT_OUT = "a rule of tasks.include or tasks.exclude may leave it out"


async def explain(
    config: Config,
    wanted: str,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """What is known of the task with the id, or else the name, `wanted`.

    Lists are asked for in every project, facts only where the task is: never more than `once` asks for.
    """
    accounts = {account.name: account for account in config.accounts}
    async with Exporter(config, transport=transport, now=now) as exporter:
        await asyncio.gather(*(poller.poll(LISTS) for poller in exporter.pollers))
        places = {place: poller for poller in exporter.pollers for place in _places(poller.store)}
        found = find(wanted, places)
        if len(found) > 1:
            return Outcome(2, "", (several(wanted, found),))
        text, notes = "", list[str]()
        if found:
            account = accounts[found[0].account]
            text, notes = await _explained(places[found[0]], account, found[0].task_id, now)
        else:
            rules = any(account.tasks.include or account.tasks.exclude for account in config.accounts)
            notes = [missing(wanted, places), *([_LEFT_OUT] if rules else [])]
        failures = [failure for poller in exporter.pollers if (failure := _failure(poller.store))]
        return Outcome(0 if text and not failures else 1, text, (*notes, *failures))


def _places(store: Store) -> list[Place]:
    return [Place(*store.key, listed.id, listed.name) for listed in store.listed_tasks(unwanted=True)]


async def _explained(poller: Poller, account: Account, task_id: str, now: Callable[[], float]) -> tuple[str, list[str]]:
    """The text about a task whose project has been listed, and what is to be said beside it."""
    for collector in COLLECTORS:
        if collector != LISTS and account.enabled(collector):
            await poller.poll(collector)
    await poller.store.sweep()
    known = {task.identity.task_id: task for task in poller.store.tasks()}
    if task_id not in known:
        return "", [_GONE]
    task = known[task_id]
    subtasks = sorted((one for one in known.values() if one.identity.parent_id == task_id), key=_name)
    parent = known.get(task.identity.parent_id or "")
    subject = subject_of(poller.store, task, parent, now())
    parts = [subject_of(poller.store, subtask, task, now()) for subtask in subtasks]
    return explanation(subject, parts, poller.store.project(), account, now()), []


def _name(task: Task) -> tuple[str, str]:
    return task.identity.task_name, task.identity.task_id


def _failure(store: Store) -> str | None:
    """Which collectors of a project failed; the log says why."""
    failed = [name for name, facts in store.project().collectors.items() if facts.success is False]
    return f"{'/'.join(store.key)}: failed, and so unknown or incomplete: {', '.join(failed)}" if failed else None
