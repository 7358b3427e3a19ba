"""Prometheus exporter for DRS tasks of Huawei Cloud and Open Telekom Cloud.

DRS is the Data Replication Service: migrations, synchronisations and
disaster-recovery pairs of databases.

Examples:
  drs-exporter demo                             see it work, without an account
  drs-exporter tasks --demo                     the tasks of the demo, a table
  drs-exporter check --config.file=config.yaml  see what the cloud would refuse
  drs-exporter tasks --config.file=config.yaml  how your tasks are doing now
  drs-exporter tasks --url=http://HOST:10826    the same from a running exporter
  drs-exporter explain TASK --url=http://HOST:10826  what blocks it, its changes
  drs-exporter --config.file=config.yaml        poll and serve (command run)

drs-exporter COMMAND --help has examples of each command, config.example.yaml
explains every key of the configuration.
Exit codes: 0 fine, 1 the cloud, a project or the environment failed, 2 bad
usage or configuration.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import sys
from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from exporter.commands import COMMANDS, module_of
from exporter.commands.options import Parser, UsageError, nearest
from exporter.commands.output import DRAIN_SECONDS, SERVING_DRAIN_SECONDS, report, writing_output
from exporter.config import ConfigError, NotReadyError
from exporter.runtime import logs, threads

if TYPE_CHECKING:
    import argparse

    from exporter.commands.outcome import Outcome

_SERVING = {"run", "demo"}
_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130
_STANDARD_ERROR = 2
_log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code.

    0 fine, 1 the cloud, a project or the environment failed, 2 bad usage or configuration.

    Args:
        arguments: None: those of this process, which then ends at once, see `threads.end_process`.
    """
    code = _command(list(sys.argv[1:] if arguments is None else arguments))
    if arguments is None:
        threads.end_process(code)
    return code


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command, with its `parser` and its function `run`; raises `UsageError`."""
    first = words[0] if words else ""
    if not first.startswith("-") and first not in {*COMMANDS, ""}:
        raise UsageError(f"unknown command {first!r}{nearest(first, COMMANDS)} (commands: {', '.join(COMMANDS)})")
    if first not in {*COMMANDS, "-h", "--help", "--version"}:
        words = ["run", *words]
    options, strays = parser({words[0]}).parse_known_args(words)
    for word in strays:
        name = word.partition("=")[0]
        if name.startswith("-"):
            usage = re.findall(r"--[a-z.-]+", options.parser.format_usage())
            options.parser.error(f"unknown option {name}{nearest(name, usage)}")
        remedy = ": the command comes first" if word in COMMANDS else ""
        options.parser.error(f"unexpected argument {word!r}{remedy}")
    return options


def parser(complete: Collection[str]) -> Parser:
    """Return the parser of all commands; only those in `complete` have their options."""
    whole = Parser(prog="drs-exporter")
    whole.describe(__doc__)
    whole.add_argument("--version", action="version", version=f"drs-exporter {version('drs-exporter')}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name in complete:
            module = module_of(name)
            command.describe(module.__doc__)
            command.set_defaults(parser=command, run=module.run)
            module.add_options(command)
    return whole


def _command(arguments: list[str]) -> int:
    _occupy_standard_files()
    if os.getpid() == 1:  # in a container, where the system ignores a signal without a handler
        signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    seconds = DRAIN_SECONDS
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        options = parse(arguments)
        gc.enable()  # the program starts without it
        logs.configure(options.log_level, options.log_format)
        if options.command in _SERVING:  # there is nothing to reload yet
            seconds = SERVING_DRAIN_SECONDS
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        outcome: Outcome = options.run(options)
        report(outcome.notes)
        if outcome.text:
            with writing_output():
                print(outcome.text)
    except (ConfigError, UsageError) as error:
        report([str(error)])
        return _FAILED if isinstance(error, NotReadyError) else _USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        return _FAILED
    except Exception as error:  # noqa: BLE001 - a traceback would quote messages, and with them the cloud and secrets
        # Pollers that share a bug crash in one place.
        for name, place in dict.fromkeys((type(leaf).__name__, logs.location(leaf)) for leaf in leaves(error)):
            _log.error("exiting: a task crashed", error=name, where=place)
        return _FAILED
    else:
        return outcome.code
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            logs.drain(seconds)


def _occupy_standard_files() -> None:
    """Open /dev/null in place of a closed standard file; a socket with its number would get the output."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(number)


def leaves(error: BaseException) -> list[BaseException]:
    """Return the single exceptions in a group of groups; an exception that is no group is its only one."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]
