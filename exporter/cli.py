"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import os
import re
import socket
import sys
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import structlog

from exporter import logs, questions
from exporter.config import ConfigError, load
from exporter.config_environment import from_environment
from exporter.config_schema import Cloud
from exporter.daemon import Exporter, serve
from exporter.docs import catalogue_markdown
from exporter.logs import where
from exporter.shard import add_option, shard_of
from exporter.web_options import add_options, web_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import httpx

    from exporter.config import Config

DEFAULT_ADDRESS = "0.0.0.0:10826"
_FINE, _FAILED, _USAGE, _INTERRUPTED = 0, 1, 2, 130
_ABOUT = """\
Prometheus exporter for the tasks of DRS (Data Replication Service) of Huawei
Cloud and Open Telekom Cloud."""
_EXAMPLES = """\
examples:
  drs-exporter demo                            see it work, without an account
  drs-exporter once --config.file=config.yaml  ask once, print the metrics
  drs-exporter check --config.file=config.yaml see what the cloud would refuse
  drs-exporter --config.file=config.yaml       poll and serve (the command run)

config.example.yaml explains every key of the configuration.
Exit codes: 0 fine, 1 the cloud or a project failed, 2 bad usage or
configuration.
"""
_log = structlog.get_logger()


class UsageError(Exception):
    """Bad usage: one message, exit code 2."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating its help."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 fine, 1 the cloud or a project failed, 2 bad usage or configuration."""
    try:
        options = _parse(list(sys.argv[1:] if arguments is None else arguments))
        logs.configure(options.log_level, options.log_format)
        return _COMMANDS[options.command](options)
    except (ConfigError, UsageError) as error:
        for line in str(error).splitlines():
            print(f"drs-exporter: {line}", file=sys.stderr)
        return _USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


def _parse(words: Sequence[str]) -> argparse.Namespace:
    first = words[0] if words else ""
    if not first.startswith("-") and first not in {*_COMMANDS, ""}:
        raise UsageError(f"unknown command {first!r}{_nearest(first, _COMMANDS)} (commands: {', '.join(_COMMANDS)})")
    named = first in {*_COMMANDS, "-h", "--help", "--version"}
    options, strays = _parser().parse_known_args(words if named else ["run", *words])
    for word in strays:
        name = word.partition("=")[0]
        if name.startswith("-"):
            known = re.findall(r"--[a-z.-]+", options.parser.format_usage())
            options.parser.error(f"unknown option {name}{_nearest(name, known)}")
        remedy = ": the command comes first" if word in _COMMANDS else ""
        options.parser.error(f"unexpected argument {word!r}{remedy}")
    return options


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {near[0]}?" if near else ""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="drs-exporter",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"drs-exporter {version('drs-exporter')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    common = _Parser(add_help=False)
    common.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default="info", help="default: info")
    common.add_argument(
        "--log.format", dest="log_format", choices=logs.FORMATS, default="logfmt", help="default: logfmt"
    )
    config = _Parser(add_help=False)
    config.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help="which accounts and projects to poll, in YAML; config.example.yaml explains every key",
    )
    config.add_argument(
        "--cloud",
        choices=get_args(Cloud),
        help="in place of a file: one project, its key in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; "
        "HUAWEICLOUD_SDK_SECURITY_TOKEN for a temporary key",
    )
    config.add_argument(
        "--region",
        help="goes with --cloud; its default project, or the one of HUAWEICLOUD_SDK_PROJECT_ID",
    )
    web = _Parser(add_help=False)
    web.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        metavar="HOST:PORT",
        help=f"may be given more than once; port 0 takes a free one; default: {DEFAULT_ADDRESS}",
    )
    add_options(web)
    add_option(web)
    for name, parents, text, more in (
        ("run", (config, web), "poll and serve", "the status page at /, the metrics at /metrics; SIGTERM ends it"),
        ("demo", (web,), "the same against a simulated cloud", "needs no account and no file; Ctrl-C ends it"),
        ("once", (config,), "poll everything once and print the metrics", "exit code 1 if any project failed"),
        ("metrics", (), "print the catalogue of metrics", "Markdown: name, type, labels and meaning of each"),
    ):
        command = commands.add_parser(
            name, parents=[*parents, common], help=text, description=f"{text}: {more}", allow_abbrev=False
        )
        command.set_defaults(parser=command)
    questions.add_parsers(partial(commands.add_parser, parents=[config, common], allow_abbrev=False))
    return parser


def _run(options: argparse.Namespace) -> int:
    config = _load(options)
    shard = shard_of(options.shard, socket.gethostname(), os.environ)
    return _serve(lambda: Exporter(config, shard=shard), partial(_load, options), options, _log_addresses)


def _demo(options: argparse.Namespace) -> int:
    from exporter.demo import demo  # noqa: PLC0415 - the simulated cloud is not for every start

    config, transport = demo()
    shard = shard_of(options.shard, socket.gethostname(), os.environ)
    return _serve(lambda: Exporter(config, transport=transport, shard=shard), lambda: config, options, _print_addresses)


def _once(options: argparse.Namespace) -> int:
    return asyncio.run(_poll_once(_load(options)))


async def _poll_once(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> int:
    async with Exporter(config, transport=transport) as exporter:
        success = await exporter.poll_once()
        for piece in exporter.board.page.plain():
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    return _FINE if success else _FAILED


def _metrics(_options: argparse.Namespace) -> int:
    print(catalogue_markdown(), end="", flush=True)
    return _FINE


def _ask(options: argparse.Namespace) -> int:
    questions.verify(options)
    outcome = questions.COMMANDS[options.command](options, _load(options), partial(print, flush=True))
    if outcome.text:
        print(outcome.text, flush=True)
    for line in "\n".join(outcome.notes).splitlines():
        print(f"drs-exporter: {line}", file=sys.stderr)
    return outcome.code


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "demo": _demo,
    "once": _once,
    **dict.fromkeys(questions.COMMANDS, _ask),
    "metrics": _metrics,
}


def _load(options: argparse.Namespace) -> Config:
    place = (options.cloud, options.region)
    if options.config_file is None and place == (None, None):
        options.parser.error(
            "--config.file=FILE is missing; config.example.yaml shows what goes into it; "
            "--cloud=CLOUD --region=REGION take its place; drs-exporter demo needs none"
        )
    if options.config_file is None and None in place:
        options.parser.error("--cloud and --region go together")
    if options.config_file is None:
        return from_environment(*place)
    if place != (None, None):
        options.parser.error("--config.file names cloud and region: leave --cloud and --region out")
    return load(options.config_file)


def _serve(
    make: Callable[[], Exporter],
    load_again: Callable[[], Config],
    options: argparse.Namespace,
    announce: Callable[[Sequence[str]], None],
) -> int:
    web = web_file(options)
    with ExitStack() as stack:
        sockets = [stack.enter_context(_bind(address)) for address in options.addresses or [DEFAULT_ADDRESS]]
        urls = [_url(bound, "https" if web.tls else "http") for bound in sockets]
        try:
            lifecycle = options.web_enable_lifecycle
            asyncio.run(_serving(make, load_again, sockets, lambda: announce(urls), web, lifecycle=lifecycle))
        except ExceptionGroup as group:
            # Pollers that share a bug crash in one place.
            for error, place in dict.fromkeys((type(leaf).__name__, where(leaf)) for leaf in leaves(group)):
                _log.error("a part of the exporter crashed; it ends", error=error, where=place)
            return _FAILED
    return _FINE


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The single exceptions in a group of groups."""
    return [
        leaf
        for error in group.exceptions
        for leaf in (leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


async def _serving(make: Callable[[], Exporter], *arguments: Any, lifecycle: bool) -> None:
    await serve(make(), *arguments, lifecycle=lifecycle)


def _print_addresses(urls: Sequence[str]) -> None:
    for url in urls:
        print(f"status page  {url}/\nmetrics      {url}/metrics")
    print("The cloud is simulated; a minute of its life passes in a second. Ctrl-C ends the demo.", flush=True)


def _log_addresses(urls: Sequence[str]) -> None:
    for url in urls:
        _log.info("serving", status_page=f"{url}/", metrics=f"{url}/metrics")


def _url(bound: socket.socket, scheme: str = "http") -> str:
    """Where a listening socket is reached from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _bind(address: str) -> socket.socket:
    """A listening socket for HOST:PORT, [HOST]:PORT or :PORT."""
    host, colon, port = address.rpartition(":")
    if not (colon and address.isascii() and port.isdecimal() and int(port) <= 65535):  # noqa: PLR2004
        raise UsageError(
            f"--web.listen-address: {address!r} is not HOST:PORT, such as {DEFAULT_ADDRESS} or [::1]:10826"
        )
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 - as all exporters do
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=128)
    except OSError as error:
        reason = (error.strerror or "").partition(" (while")[0]
        raise UsageError(f"--web.listen-address: can't listen on {address}: {reason}") from error
