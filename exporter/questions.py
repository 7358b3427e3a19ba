"""The commands that ask the cloud one question and end: their arguments, and what comes of them."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.check import check
from exporter.explain import explain
from exporter.find import Outcome
from exporter.query import NEEDS_QUERY_ID, TYPES, query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exporter.config import Config

_EXPLAIN = """\
All facts of one task with their ages, and what speaks against its cut-over."""
_EXPLAIN_EXAMPLE = """\
example:
  drs-exporter explain orders-to-rds --config.file=config.yaml

Exit codes: 0 fine, 1 no such task or a project failed (what is known is printed
all the same), 2 several tasks have that name, or bad usage or configuration.
"""
_CHECK = """\
Validates the configuration, then asks the cloud: reachable? credentials? clock?
which API, which tasks, which permission is missing? A line for each finding:
ok, warn or fail, where, what, and what to do."""
_CHECK_EXAMPLE = """\
example:
  drs-exporter check --config.file=config.yaml --report=shapes.json

The report holds keys, types, formats, codes and durations of what the cloud
answers, by allow list: no name, id, host, user or message. Attach it when you
report that a field is not understood.

Exit codes: 0 nothing fails, 1 something fails, 2 bad usage or configuration.
"""
_QUERY = """\
Details of one task that API v5 tells by their type, as JSON, without messages,
hosts, users and names; --type=status asks API v3. For network, precheck and
cloud_connection the cloud wants the query id that it returned when the test was
started."""
_QUERY_EXAMPLE = """\
example:
  drs-exporter query orders-to-rds --type=precheck --config.file=config.yaml \\
    --query-id=669c9c19-99e3-4628-8c90-397136266701

Exit codes: 0 fine, 1 no such task or no answer, 2 several tasks have that name,
or bad usage or configuration.
"""
_TASK = "its id; or its name, exactly, where no other task has it"


def add_parsers(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands through `add`, which makes the parser of one."""
    command = _parser(add, "explain", "all that is known of one task", _EXPLAIN, _EXPLAIN_EXAMPLE)
    command.add_argument("task", metavar="TASK", help=_TASK)
    command = _parser(add, "check", "validate the configuration, then ask the cloud", _CHECK, _CHECK_EXAMPLE)
    command.add_argument("--report", type=Path, metavar="FILE", help="write the shapes of all answers, as JSON")
    command = _parser(add, "query", "the status of one task, or details by their type", _QUERY, _QUERY_EXAMPLE)
    command.add_argument("task", metavar="TASK", help=_TASK)
    command.add_argument("--type", dest="kind", required=True, metavar="TYPE", choices=TYPES, help=", ".join(TYPES))
    command.add_argument("--query-id", default="", metavar="ID", help="what the start of the test returned")


def _parser(
    add: Callable[..., argparse.ArgumentParser], name: str, text: str, about: str, example: str
) -> argparse.ArgumentParser:
    command = add(
        name, help=text, description=about, epilog=example, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(parser=command)
    return command


def _explain(options: argparse.Namespace, config: Config, _say: Callable[[str], None]) -> Outcome:
    return asyncio.run(explain(config, options.task))


def _check(options: argparse.Namespace, config: Config, say: Callable[[str], None]) -> Outcome:
    _write(options, "")  # before the cloud is asked, so that a report is not asked for in vain
    fine, report = asyncio.run(check(config, say))
    _write(options, report)
    return Outcome(0 if fine else 1, "")


def _write(options: argparse.Namespace, text: str) -> None:
    """Write the file of --report, if there is to be one."""
    file: Path | None = options.report
    try:
        if file is not None:
            file.write_text(text)
    except OSError as error:
        options.parser.error(f"--report: can't write {file}: {error.strerror}")


def _query(options: argparse.Namespace, config: Config, _say: Callable[[str], None]) -> Outcome:
    return asyncio.run(query(config, options.task, options.kind, options.query_id))


def verify(options: argparse.Namespace) -> None:
    """What the parser can't see, before anything is read; ends with a usage error."""
    if options.command == "query" and options.kind in NEEDS_QUERY_ID and not options.query_id:
        options.parser.error(f"--type={options.kind} needs --query-id=ID, which the start of that test returned")


COMMANDS: Mapping[str, Callable[[argparse.Namespace, Config, Callable[[str], None]], Outcome]] = {
    "explain": _explain,
    "check": _check,
    "query": _query,
}
