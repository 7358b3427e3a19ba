"""The command line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from exporter.commands import questions
from exporter.commands.options import UsageError, parse, parser
from exporter.config.environment import from_environment
from exporter.config.load import ConfigError, NotReadyError, load
from exporter.runtime import interrupts, logs, threads
from exporter.runtime.lines import Lines
from exporter.runtime.logs import where

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    import httpx

    from exporter.config.load import Config

_SERVING = {"run", "demo"}
_FINE, _FAILED, _USAGE, _INTERRUPTED = 0, 1, 2, 130
_STANDARD_ERROR = 2
_DRAIN_SECONDS, _SERVING_DRAIN_SECONDS = 5.0, 0.5
"""The longest time that the end of a command waits for a reader of its log."""
_log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code.

    0 fine, 1 the cloud, a project or the environment failed, 2 bad usage or configuration.

    Args:
        arguments: None: those of this process, which ends at once where a thread hangs.
    """
    code = _command(list(sys.argv[1:] if arguments is None else arguments))
    if arguments is None and threads.at_work():
        threads.end_process(code)
    return code


def _command(arguments: list[str]) -> int:
    _occupy_standard_files()
    if os.getpid() == 1:  # in a container, where the system ignores a signal without a handler
        signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    seconds = _DRAIN_SECONDS
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        options = parse(arguments, _COMMANDS)
        logs.configure(options.log_level, options.log_format)
        if options.command in _SERVING:  # there is nothing to reload yet
            seconds = _SERVING_DRAIN_SECONDS
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        return _COMMANDS[options.command](options)
    except (ConfigError, UsageError) as error:
        _report(str(error))
        return _FAILED if isinstance(error, NotReadyError) else _USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except Exception as error:  # noqa: BLE001 - a traceback would quote messages, and with them the cloud and secrets
        # Pollers that share a bug crash in one place.
        for name, place in dict.fromkeys((type(leaf).__name__, where(leaf)) for leaf in leaves(error)):
            _log.error("a part of the exporter crashed; it ends", error=name, where=place)
        return _FAILED
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            logs.drain(seconds)


def _occupy_standard_files() -> None:
    """Put /dev/null where standard input, output or error is closed: a socket there would get what is written to it."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(number)


def _report(text: str) -> None:
    """Print lines to standard error; those that it does not take within seconds are lost."""
    lines = Lines(sys.stderr, lambda _: "")
    for line in text.splitlines():
        lines.write(f"drs-exporter: {line}\n")
    lines.drain(_DRAIN_SECONDS)


def _run(options: argparse.Namespace) -> int:
    return _serve(options, _load(options), None)


def _demo(options: argparse.Namespace) -> int:
    return _serve(options, *_simulated())


def _serve(options: argparse.Namespace, config: Config, transport: httpx.AsyncBaseTransport | None) -> int:
    from exporter.commands.serving import Start, run  # noqa: PLC0415 - no other command needs a web server

    run(options, Start(config, partial(_again, options, config), transport))
    return _FINE


def _again(options: argparse.Namespace, config: Config) -> Config:
    """What a reload finds: nothing new in the demo."""
    if options.command == "demo":
        return config
    if options.config_file is not None and not Path(options.config_file).is_file():  # a pipe may never end
        raise ConfigError(f"--config.file: {options.config_file} is not a file any more")
    return _load(options)


def _simulated() -> tuple[Config, httpx.AsyncBaseTransport]:
    from exporter.commands.demo import demo  # noqa: PLC0415 - the simulated cloud is not for every start

    return demo()


def _once(options: argparse.Namespace) -> int:
    return interrupts.run(_poll_once(*_cloud(options)))


async def _poll_once(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> int:
    from exporter.daemon.exporter import Exporter  # noqa: PLC0415 - takes half a second

    async with Exporter(config, transport=transport) as exporter:
        success = await exporter.poll_once()
        for piece in exporter.board.page.plain():
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    return _FINE if success else _FAILED


def _metrics(_options: argparse.Namespace) -> int:
    from exporter.docs.markdown import catalogue_markdown  # noqa: PLC0415 - for this command alone

    print(catalogue_markdown(), end="", flush=True)
    return _FINE


def _ask(options: argparse.Namespace) -> int:
    questions.verify(options)
    outcome = questions.COMMANDS[options.command](options, *_cloud(options))
    _report("\n".join(outcome.notes))
    if outcome.text:
        print(outcome.text, flush=True)
    return outcome.code


def _completion(options: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415 - for this command alone

    print(shtab.complete(parser(), options.shell), flush=True)
    return _FINE


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "demo": _demo,
    "once": _once,
    **dict.fromkeys(questions.COMMANDS, _ask),
    "metrics": _metrics,
    "completion": _completion,
}


def _cloud(options: argparse.Namespace) -> tuple[Config, httpx.AsyncBaseTransport | None]:
    """What a command asks, and the way there."""
    if not options.demo:
        return _load(options), None
    if (options.config_file, options.cloud, options.region) != (None, None, None):
        options.parser.error("--demo asks the simulated cloud: leave --config.file, --cloud and --region out")
    return _simulated()


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


def leaves(error: BaseException) -> list[BaseException]:
    """The single exceptions in a group of groups, or the one that is none."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in leaves(one)]
    return [error]
