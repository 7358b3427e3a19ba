"""`drs-exporter run` and `demo`: from the options to a daemon that listens."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from exporter.commands.web_options import web_file
from exporter.config.collectors import COLLECTORS
from exporter.config.regions import region_hints
from exporter.daemon.exporter import Exporter, serve
from exporter.model.shard import shard_of
from exporter.runtime import logs
from exporter.runtime.lines import Lines
from exporter.web.listening import DEFAULT_ADDRESS, bind_all, url_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    import httpx

    from exporter.config.load import Config
    from exporter.model.shard import Shard

_DRAIN_SECONDS = 0.5
_log = structlog.get_logger()


class Start(NamedTuple):
    """What a daemon begins with.

    Attributes:
        config: of the first polls.
        load: reads the configuration again.
        transport: stands in for the network: the simulated cloud.
    """

    config: Config
    load: Callable[[], Config]
    transport: httpx.AsyncBaseTransport | None = None


def run(options: argparse.Namespace, start: Start) -> None:
    """Poll and serve until a signal ends it; a crash of either part raises an ExceptionGroup.

    Raises:
        ConfigError: the configuration can't be used; `NotReadyError` where an address can't be listened on now.
    """
    shard, web = shard_of(options.shard, socket.gethostname(), os.environ), web_file(options)
    with ExitStack() as stack:
        sockets = [stack.enter_context(bound) for bound in bind_all(options.addresses or [DEFAULT_ADDRESS])]
        urls = [url_of(bound, "https" if web.tls else "http") for bound in sockets]

        out = Lines(sys.stdout, lambda _: "")

        def announce() -> None:
            _log_start(start.config, urls, shard) if start.transport is None else _print_addresses(urls, out)

        logs.catch_all()
        try:
            asyncio.run(_serving(start, shard, sockets, announce, web, lifecycle=options.web_enable_lifecycle))
        finally:
            out.drain(_DRAIN_SECONDS)


async def _serving(start: Start, shard: Shard, *arguments: Any, lifecycle: bool) -> None:
    exporter = Exporter(start.config, transport=start.transport, shard=shard)
    await serve(exporter, start.load, *arguments, lifecycle=lifecycle)


def _print_addresses(urls: Sequence[str], out: Lines) -> None:
    for url in urls:
        out.write(f"status page  {url}/\nmetrics      {url}/metrics\n")
    out.write("The cloud is simulated; a minute of its life passes in a second. Ctrl-C ends the demo.\n")


def _log_start(config: Config, urls: Sequence[str], shard: Shard) -> None:
    """One line that says what runs: the first that is looked for when something does not."""
    accounts = config.accounts
    for account in accounts:
        for project, hint in region_hints(account):
            _log.warning("a region looks mistyped", account=account.name, project=project.label, hint=hint)
    rates = sorted({account.poll.rate_limit for account in accounts})
    collectors = [name for name in COLLECTORS if any(account.enabled(name) for account in accounts)]
    _log.info(
        "serving",
        status_page=" ".join(f"{url}/" for url in urls),
        metrics=" ".join(f"{url}/metrics" for url in urls),
        accounts=len(accounts),
        projects=sum(len(account.all_projects()) for account in accounts),
        collectors=",".join(collectors),
        calls_per_second=",".join(f"{rate:g}" for rate in rates),
        shard=f"{shard.number}/{shard.total}",
    )
