"""What the command line takes: commands, options, and help that teaches by examples."""

from __future__ import annotations

import argparse
import difflib
import re
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from exporter.commands import questions
from exporter.commands.web_options import add_options, file_path
from exporter.config.schema import Cloud
from exporter.model.shard import add_option
from exporter.runtime import logs
from exporter.web.listening import DEFAULT_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHELLS = ("bash", "zsh", "fish")
_ABOUT = """\
Prometheus exporter for the tasks of DRS (Data Replication Service) of Huawei
Cloud and Open Telekom Cloud."""
_EXAMPLES = """\
examples:
  drs-exporter demo                             see it work, without an account
  drs-exporter tasks --demo                     the tasks of the demo, a table
  drs-exporter check --config.file=config.yaml  see what the cloud would refuse
  drs-exporter tasks --config.file=config.yaml  how your tasks are doing now
  drs-exporter --config.file=config.yaml        poll and serve (command run)

drs-exporter COMMAND --help has examples of each command, config.example.yaml
explains every key of the configuration.
Exit codes: 0 fine, 1 the cloud, a project or the environment failed, 2 bad
usage or configuration.
"""
_RUN = """\
examples:
  drs-exporter --config.file=config.yaml
  drs-exporter run --config.file=config.yaml --web.listen-address=127.0.0.1:9000
  drs-exporter run --cloud=otc --region=eu-de --log.format=json
"""
_DEMO = """\
examples:
  drs-exporter demo
  drs-exporter demo --web.listen-address=127.0.0.1:0     takes a free port
"""
_ONCE = """\
examples:
  drs-exporter once --config.file=config.yaml | grep drs_up
  drs-exporter once --cloud=huaweicloud --region=cn-north-4
  drs-exporter once --demo

Exit codes: 0 fine, 1 any project failed, 2 bad usage or configuration.
"""
_METRICS = """\
examples:
  drs-exporter metrics | less
  drs-exporter metrics | grep delay
"""
_COMPLETION = """\
examples:
  eval "$(drs-exporter completion bash)"         now; or this line in ~/.bashrc
  drs-exporter completion zsh > ~/.zfunc/_drs-exporter
                          with fpath+=~/.zfunc before compinit in ~/.zshrc
  drs-exporter completion fish > ~/.config/fish/completions/drs-exporter.fish
"""


class UsageError(Exception):
    """Bad usage: one message, exit code 2."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating its help."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parse(words: Sequence[str], names: Iterable[str]) -> argparse.Namespace:
    """The options of a command, one of `names`; raises `UsageError`."""
    known, first = [*names], words[0] if words else ""
    if not first.startswith("-") and first not in {*known, ""}:
        raise UsageError(f"unknown command {first!r}{_nearest(first, known)} (commands: {', '.join(known)})")
    named = first in {*known, "-h", "--help", "--version"}
    options, strays = parser().parse_known_args(words if named else ["run", *words])
    for word in strays:
        name = word.partition("=")[0]
        if name.startswith("-"):
            usage = re.findall(r"--[a-z.-]+", options.parser.format_usage())
            options.parser.error(f"unknown option {name}{_nearest(name, usage)}")
        remedy = ": the command comes first" if word in known else ""
        options.parser.error(f"unexpected argument {word!r}{remedy}")
    return options


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {near[0]}?" if near else ""


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    whole = _Parser(prog="drs-exporter", description=_ABOUT, epilog=_EXAMPLES, **_KEPT)
    whole.add_argument("--version", action="version", version=f"drs-exporter {version('drs-exporter')}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    config, web, log = _config(), _web(), _log("info")
    asked = _Parser(add_help=False, parents=[config])
    asked.add_argument("--demo", action="store_true", help="ask the simulated cloud, as it is when a demo begins")
    for name, parents, text, more, examples in (
        ("run", (config, web, log), "poll and serve", "the status page at /, the metrics at /metrics", _RUN),
        (
            "demo",
            (web, log),
            "the same against a simulated cloud",
            "needs no account and no file; Ctrl-C ends it",
            _DEMO,
        ),
        (
            "once",
            (asked, log),
            "poll everything once and print the metrics",
            "for a first look, and for scripts",
            _ONCE,
        ),
        (
            "metrics",
            (log,),
            "print the catalogue of metrics",
            "Markdown: name, type, labels, meaning of each",
            _METRICS,
        ),
        (
            "completion",
            (log,),
            "print a script for your shell",
            "it completes commands and options with Tab",
            _COMPLETION,
        ),
    ):
        one = commands.add_parser(
            name, parents=[*parents], help=text, description=f"{text}: {more}", epilog=examples, **_KEPT
        )
        one.set_defaults(parser=one)
        if name == "completion":
            one.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    # They say themselves what went wrong.
    questions.add_parsers(partial(commands.add_parser, parents=[asked, _log("error")], **_KEPT))
    return whole


_KEPT: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}


def _log(level: str) -> _Parser:
    options = _Parser(add_help=False)
    options.add_argument("--log.level", dest="log_level", choices=logs.LEVELS, default=level, help=f"default: {level}")
    options.add_argument(
        "--log.format", dest="log_format", choices=logs.FORMATS, default="logfmt", help="default: logfmt"
    )
    return options


def _config() -> _Parser:
    options = _Parser(add_help=False)
    options.add_argument(
        "--config.file",
        dest="config_file",
        type=file_path,
        metavar="FILE",
        help="which accounts and projects to poll, in YAML; config.example.yaml explains every key",
    )
    options.add_argument(
        "--cloud",
        choices=get_args(Cloud),
        help="in place of a file: one project, its key in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; "
        "HUAWEICLOUD_SDK_SECURITY_TOKEN for a temporary key",
    )
    options.add_argument(
        "--region",
        help="goes with --cloud; its default project, or the one of HUAWEICLOUD_SDK_PROJECT_ID",
    )
    return options


def _web() -> _Parser:
    options = _Parser(add_help=False)
    options.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        metavar="HOST:PORT",
        help="repeatable; :PORT serves IPv4 and IPv6, 0.0.0.0:PORT IPv4 alone; port 0 takes a free one; "
        f"default: {DEFAULT_ADDRESS}",
    )
    add_options(options)
    add_option(options)
    return options
