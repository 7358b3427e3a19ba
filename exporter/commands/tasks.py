"""`drs-exporter tasks`: how all tasks are doing, asked for once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exporter.commands.failures import failures, gaps
from exporter.commands.lookup import Outcome
from exporter.commands.task_table import Survey, as_json, as_table
from exporter.config.collectors import COLLECTORS, TASKS
from exporter.daemon.exporter import Exporter
from exporter.model.cutover import REASONS
from exporter.runtime.clock import Clock
from exporter.runtime.terminal import Screen, Waiting
from exporter.views.findings import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from exporter.config.load import Account, Config
    from exporter.polling.poller import Poller


async def tasks(
    config: Config,
    screen: Screen | None = None,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], Clock] = Clock,
) -> Outcome:
    """All tasks: a table for a `screen`, JSON without one. Only what that shows is asked for."""
    accounts = {account.name: account for account in config.accounts}
    async with Exporter(config, transport=transport, clock=clock) as exporter:
        pollers = exporter.pollers

        async def survey(poller: Poller) -> None:
            await poller.poll(TASKS)
            for collector in _needed(accounts[poller.store.key.account]):
                await poller.poll(collector)
            await poller.store.sweep()

        def progress() -> str:
            done, calls = sum(one.done() for one in running), sum(one.calls for one in pollers)
            return f"{done} of {plural(len(pollers), 'project')}, {calls} calls"

        running = [asyncio.create_task(survey(poller)) for poller in pollers]
        async with Waiting(progress):
            await asyncio.gather(*running)
        found = Survey(exporter.now(), [(store.project(), store.tasks()) for store in exporter.stores])
        text = as_json(found) if screen is None else as_table(found, screen)
        failed = [line for poller in pollers for line in failures(poller)]
        incomplete = [line for poller in pollers for line in gaps(poller)]
        return Outcome(1 if failed else 0, text, (*failed, *incomplete))


def _needed(account: Account) -> list[str]:
    """The collectors that are worth a call."""
    judged = {
        reason.collector
        for reason in REASONS
        if not reason.setting or getattr(account.cutover, reason.setting) != "ignore"
    }
    return [
        collector.name
        for collector in COLLECTORS.values()
        if account.enabled(collector.name)
        and collector.name != TASKS
        and (collector.in_overview or collector.name in judged)
    ]
