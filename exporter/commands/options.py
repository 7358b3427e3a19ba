"""Options that several commands share, and the configuration that they select."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from exporter.commands import module_of
from exporter.config import Cloud, Config, base_url, from_environment, load
from exporter.runtime import logs

if TYPE_CHECKING:
    import httpx


FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "fish": "(__fish_complete_path (commandline -ct))"}
"""The completion of a file name, by shell: `shtab.FILE`, which takes long to import."""


class UsageError(Exception):
    """Bad usage: one message, exit code 2."""


class Parser(argparse.ArgumentParser):
    """Reports bad usage in one line, and keeps the line breaks of help texts."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)

    def describe(self, docstring: str | None) -> None:
        """Take the help from a docstring: text before the list of options, and examples after it."""
        self.description, heading, examples = (docstring or "").partition("Examples:\n")
        self.epilog = heading + examples

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the question after an unknown word whether a known one is meant; empty if none is similar."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {near[0]}?" if near else ""


def file_path(text: str) -> Path:
    """Return the value of an option that names a file; raises `ArgumentTypeError` if it is empty."""
    if not text:
        raise argparse.ArgumentTypeError("expected the path of a file, not an empty text")
    return Path(text)


def add_file(parser: Parser, option: str, dest: str, text: str) -> None:
    """Add an option that names a file; shells complete file names after it."""
    action = parser.add_argument(option, dest=dest, type=file_path, metavar="FILE", help=text)
    action.complete = FILES  # type: ignore[attr-defined] # for shtab


def add_config(parser: Parser) -> None:
    """Add the options that select the projects to poll."""
    add_file(
        parser,
        "--config.file",
        "config_file",
        "YAML file of the accounts and projects to poll; config.example.yaml explains every key",
    )
    parser.add_argument(
        "--cloud",
        choices=get_args(Cloud),
        help="cloud of a single project, in place of --config.file; its key is in HUAWEICLOUD_SDK_AK and "
        "HUAWEICLOUD_SDK_SK, and HUAWEICLOUD_SDK_SECURITY_TOKEN if it is temporary",
    )
    parser.add_argument("--region", help="region of that project: its default project, or HUAWEICLOUD_SDK_PROJECT_ID")


def add_cloud(parser: Parser, log_level: str = "error") -> None:
    """Add the options that select the projects to poll, or the simulated cloud, and those of the log."""
    add_config(parser)
    parser.add_argument("--demo", action="store_true", help="query the simulated cloud, as it is when a demo begins")
    add_log(parser, log_level)


def add_repeated(
    parser: Parser, option: str, metavar: str, text: str, kind: Callable[[str], tuple[str, Any] | str] = str
) -> None:
    """Add an option that may be given several times; its value is a list."""
    text = f"{text}; may be repeated"
    parser.add_argument(option, metavar=metavar, type=kind, action="append", default=[], help=text)


def add_base_url(parser: Parser, option: str, text: str) -> None:
    """Add an option with a base URL, which is None without it."""
    parser.add_argument(option, metavar="URL", type=_base_url, help=f"URL {text}")


def _base_url(text: str) -> str:
    try:
        return base_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None  # without the text, which may contain a password


def add_url(parser: Parser) -> None:
    """Add the options that select a running exporter, in place of the cloud."""
    parser.add_argument(
        "--url",
        help="read from the running exporter whose status page is at this URL, such as http://HOST:10826: no API call, "
        "no configuration, no credentials",
    )
    add_file(
        parser,
        "--http.config.file",
        "http_config_file",
        "YAML file with password, TLS and proxy for --url, in the format of promtool's --http.config.file",
    )


def add_task(parser: Parser) -> None:
    """Add the argument that selects a task."""
    parser.add_argument("task", metavar="TASK", help="id of the task, or its exact name if no other task has it")


def add_wave(parser: Parser, text: str) -> None:
    """Add the option that selects a wave."""
    parser.add_argument("--wave", metavar="NAME", help=text)


def add_log(parser: Parser, level: str = "info") -> None:
    """Add the options of the log.

    Args:
        parser: of a command.
        level: the default: `error` for commands that report failures themselves.
    """
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=logs.LEVELS,
        default=level,
        help=f"least severe level to log; default: {level}",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=logs.FORMATS,
        default="logfmt",
        help="format of the log; default: logfmt",
    )


def config_of(options: argparse.Namespace) -> Config:
    """Return the configuration that the options of `add_config` select.

    Raises:
        UsageError: the options contradict each other, or select none.
        ConfigError: the configuration cannot be used.
    """
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


def cloud_of(options: argparse.Namespace) -> tuple[Config, httpx.AsyncBaseTransport | None]:
    """Return the configuration that the options of `add_cloud` select, and the transport to a simulated cloud.

    Raises:
        UsageError: the options contradict each other, or select no cloud.
        ConfigError: the configuration cannot be used.
    """
    if not options.demo:
        return config_of(options), None
    if (options.config_file, options.cloud, options.region) != (None, None, None):
        options.parser.error("--demo queries the simulated cloud: leave --config.file, --cloud and --region out")
    config: Config
    config, transport = module_of("demo").simulated()
    return config, transport
