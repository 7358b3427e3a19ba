"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from exporter import logs
from exporter.config import ConfigError, load
from exporter.daemon import Exporter, serve
from exporter.docs import catalogue_markdown
from exporter.logs import where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from exporter.config import Config

DEFAULT_ADDRESS = "0.0.0.0:10826"
_FINE, _FAILED, _USAGE = 0, 1, 2
_log = structlog.get_logger()


class UsageError(Exception):
    """Bad usage: one message, exit code 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 fine, 1 the cloud or a project failed, 2 bad usage or configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(
        words if words and words[0] in (*_COMMANDS, "-h", "--help", "--version") else ["run", *words]
    )
    logs.configure(options.log_level, options.log_format)
    try:
        return _COMMANDS[options.command](options)
    except (ConfigError, UsageError) as error:
        print(f"drs-exporter: {error}", file=sys.stderr)
        return _USAGE
    except KeyboardInterrupt:
        return _FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drs-exporter",
        description="Prometheus exporter for Huawei Cloud and Open Telekom Cloud DRS tasks.",
        epilog="Without a command: run. Try it without a cloud account: drs-exporter demo",
    )
    parser.add_argument("--version", action="version", version=f"drs-exporter {version('drs-exporter')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default="info", help="default: info")
    common.add_argument(
        "--log.format", dest="log_format", choices=logs.FORMATS, default="logfmt", help="default: logfmt"
    )
    config = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    config.add_argument(
        "--config.file", dest="config_file", type=Path, required=True, metavar="FILE", help="see config.example.yaml"
    )
    web = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    web.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        metavar="HOST:PORT",
        help=f"may be given more than once; default: {DEFAULT_ADDRESS}",
    )
    for name, parents, text in (
        ("run", (config, web), "poll and serve"),
        ("demo", (web,), "the same against the built-in simulated cloud: no account, no file"),
        ("once", (config,), "poll every collector once and print the metrics"),
        ("metrics", (), "print the catalogue of metrics as Markdown"),
    ):
        commands.add_parser(name, parents=[common, *parents], help=text, description=text, allow_abbrev=False)
    return parser


def _run(options: argparse.Namespace) -> int:
    config = load(options.config_file)
    return _serve(lambda: Exporter(config), options.addresses)


def _demo(options: argparse.Namespace) -> int:
    from exporter.demo import demo  # noqa: PLC0415 - the simulated cloud is not for every start

    config, transport = demo()
    return _serve(lambda: Exporter(config, transport=transport), options.addresses)


def _once(options: argparse.Namespace) -> int:
    config = load(options.config_file)
    return asyncio.run(_poll_once(config))


async def _poll_once(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> int:
    async with Exporter(config, transport=transport) as exporter:
        success = await exporter.poll_once()
        for piece in exporter.board.page.plain():
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    return _FINE if success else _FAILED


def _metrics(_options: argparse.Namespace) -> int:
    print(catalogue_markdown(), end="")
    return _FINE


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "demo": _demo,
    "once": _once,
    "metrics": _metrics,
}


def _serve(make: Callable[[], Exporter], addresses: Sequence[str] | None) -> int:
    sockets = [_bind(address) for address in addresses or [DEFAULT_ADDRESS]]
    try:
        asyncio.run(_serving(make, sockets))
    except ExceptionGroup as group:
        for error in leaves(group):
            _log.error("a part of the exporter crashed; it ends", error=type(error).__name__, where=where(error))
        return _FAILED
    return _FINE


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The single exceptions in a group of groups."""
    return [
        leaf
        for error in group.exceptions
        for leaf in (leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


async def _serving(make: Callable[[], Exporter], sockets: Sequence[socket.socket]) -> None:
    await serve(make(), sockets, started=lambda: _announce(sockets))


def _announce(sockets: Sequence[socket.socket]) -> None:
    for bound in sockets:
        host, port = bound.getsockname()[:2]
        name = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
        print(f"status page  http://{name}:{port}/\nmetrics      http://{name}:{port}/metrics", flush=True)


def _bind(address: str) -> socket.socket:
    """A listening socket for HOST:PORT, [HOST]:PORT or :PORT."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 - as all exporters do
    if not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004
        raise UsageError(
            f"--web.listen-address: {address!r} is not HOST:PORT, such as {DEFAULT_ADDRESS} or [::1]:10826"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=128)
    except OSError as error:
        raise UsageError(f"--web.listen-address: can't listen on {address}: {error.strerror}") from error
