"""Poll the projects, and serve the status page at / and the metrics at /metrics.

Examples:
  drs-exporter --config.file=config.yaml
  drs-exporter run --config.file=config.yaml --web.listen-address=127.0.0.1:9000
  drs-exporter run --cloud=otc --region=eu-de --log.format=json
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle

import httpx
import structlog

from exporter.commands.options import Parser, add_config, add_file, add_log, config_of
from exporter.commands.outcome import Outcome
from exporter.commands.output import SERVING_DRAIN_SECONDS
from exporter.config import COLLECTORS, Config, ConfigError, region_hints
from exporter.daemon.exporter import Exporter
from exporter.daemon.serve import serve
from exporter.model.shard import SHARDS, Shard, shard_of
from exporter.runtime import logs
from exporter.runtime.line_writer import LineWriter
from exporter.web.auth import HEALTH_PATHS
from exporter.web.listening import DEFAULT_ADDRESS, bind_all, url_of
from exporter.web.prefix import Prefix
from exporter.web.settings import WebFile

HEALTH_OPTION = "--web.health-address"
_log = structlog.get_logger()


def add_options(parser: Parser) -> None:
    add_config(parser)
    add_web(parser)
    add_log(parser)


def add_web(parser: Parser) -> None:
    """Add the options of the server, and the shard."""
    parser.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        metavar="HOST:PORT",
        help="address to listen on, repeatable; :PORT serves IPv4 and IPv6, 0.0.0.0:PORT IPv4 alone; port 0 is a free "
        f"port; default: {DEFAULT_ADDRESS}",
    )
    add_file(
        parser,
        "--web.config.file",
        "web_config_file",
        "YAML file with TLS, client certificates, passwords and response headers, in the format of Prometheus' "
        "exporter-toolkit; deploy/web-config.example.yml explains every key; read again when it changes",
    )
    _add_proxy(parser)
    _add_health(parser)
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="enable POST /-/reload, which reads the configuration again, as SIGHUP does",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N|auto",
        default="0/1",
        help="poll one of N parts of the tasks (I from 0 to N-1); auto: I is the number at the end of the host name, "
        f"as in a StatefulSet, and N is the environment variable {SHARDS}; default: 0/1",
    )


def _add_health(parser: Parser) -> None:
    """Add the options of the health paths."""
    parser.add_argument(
        "--web.health-without-auth",
        dest="open_paths",
        action="store_const",
        const=HEALTH_PATHS,
        default=(),
        help="serve /-/healthy and /-/ready without a password",
    )
    parser.add_argument(
        HEALTH_OPTION,
        dest="health_addresses",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="another address, repeatable, that serves only /-/healthy and /-/ready: over plain HTTP, without a "
        "password and without the route prefix, for probes of an exporter with TLS or passwords",
    )


def _add_proxy(parser: Parser) -> None:
    """Add the options for a reverse proxy before the server."""
    parser.add_argument(
        "--web.external-url",
        dest="external_url",
        metavar="URL",
        help="URL of the status page for browsers, if a reverse proxy serves it, such as https://proxy.example/drs",
    )
    parser.add_argument(
        "--web.route-prefix",
        dest="route_prefix",
        metavar="PATH",
        help="beginning of every path that is served, /metrics included; / if the proxy removes the path of the "
        "external URL; default: the path of --web.external-url",
    )


def run(options: argparse.Namespace) -> Outcome:
    def load() -> Config:
        if not options.config_file.is_file():  # a pipe may never end
            raise ConfigError(f"--config.file: {options.config_file} is not a file any more")
        return config_of(options)

    return run_daemon(options, config_of(options), load if options.config_file is not None else None)


def run_daemon(
    options: argparse.Namespace,
    config: Config,
    load: Callable[[], Config] | None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Outcome:
    """Poll and serve until a signal ends it; a crash of either part raises an ExceptionGroup.

    Args:
        options: of the server, and the shard.
        config: of the first polls.
        load: reads the configuration again; None: it has no file.
        transport: to the simulated cloud, in place of the network.

    Raises:
        ConfigError: the configuration can't be used; `NotReadyError` where an address can't be listened on now.
    """
    shard = shard_of(options.shard, socket.gethostname(), os.environ)
    prefix = Prefix.of(options.external_url, options.route_prefix)
    web = WebFile(options.web_config_file, open_paths=[prefix.internal + path for path in options.open_paths])
    with ExitStack() as stack:
        sockets = [stack.enter_context(bound) for bound in bind_all(options.addresses or [DEFAULT_ADDRESS])]
        health = [stack.enter_context(bound) for bound in bind_all(options.health_addresses, HEALTH_OPTION)]
        out = LineWriter(sys.stdout, lambda _: "")
        urls, pages, health_urls = _urls(sockets, health, prefix, "https" if web.tls else "http")
        report = partial(log_start, config, urls, shard, pages=pages, health=health_urls)
        if transport is not None:
            report = partial(announce_demo, out, urls, pages, health_urls)

        async def poll_and_serve() -> None:
            exporter = Exporter(config, transport=transport, shard=shard, uses_storage=True)
            await serve(exporter, load, sockets, report, web, prefix=prefix, health=health, lifecycle=options.lifecycle)

        logs.log_ignored_exceptions()
        try:
            asyncio.run(poll_and_serve())
        finally:
            out.drain(SERVING_DRAIN_SECONDS)
    return Outcome(0)


def _urls(
    sockets: Sequence[socket.socket], health: Sequence[socket.socket], prefix: Prefix, scheme: str
) -> tuple[list[str], list[str], list[str]]:
    """Return the URLs that this process serves, those of the pages for browsers, and those of the health listener."""
    urls = [url_of(bound, scheme) + prefix.internal for bound in sockets]
    pages = [prefix.external] if prefix.external else urls
    return urls, pages, [f"{url_of(bound)}/-/healthy" for bound in health]


def announce_demo(out: LineWriter, urls: Sequence[str], pages: Sequence[str], health: Sequence[str]) -> None:
    """Print where the demo is served: its pages to browsers, and all of it by this process."""
    for page, url in zip(cycle(pages), urls, strict=False):
        out.write(f"status page  {page}/\nmetrics      {url}/metrics\n")
    for url in health:
        out.write(f"health       {url}\n")
    out.write("The cloud is simulated; a minute of its life passes in a second. Ctrl-C ends the demo.\n")


def log_start(
    config: Config, urls: Sequence[str], shard: Shard, pages: Sequence[str], health: Sequence[str] = ()
) -> None:
    """Log what is polled and served: the first line to look for if something does not work."""
    accounts = config.accounts
    for account in accounts:
        for project, hint in region_hints(account):
            _log.warning("a region looks mistyped", account=account.name, project=project.label, hint=hint)
    _log.info(
        "serving",
        status_page=" ".join(f"{page}/" for page in pages),
        metrics=" ".join(f"{url}/metrics" for url in urls),
        accounts=len(accounts),
        projects=sum(len(account.all_projects()) for account in accounts),
        collectors=",".join(name for name in COLLECTORS if any(account.enabled(name) for account in accounts)),
        calls_per_second=",".join(f"{rate:g}" for rate in sorted({account.poll.rate_limit for account in accounts})),
        shard=f"{shard.number}/{shard.total}",
        **({"health": " ".join(health)} if health else {}),
    )
