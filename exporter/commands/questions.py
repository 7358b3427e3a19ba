"""The commands that ask the cloud one question and end: their arguments, and what comes of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.lookup import Outcome
from exporter.commands.query_types import NEEDS_QUERY_ID, TYPES
from exporter.runtime import interrupts
from exporter.runtime.file_replace import replace_content, verify_replaceable
from exporter.runtime.terminal import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from exporter.config.load import Config
    from exporter.views.findings import Finding

    _Transport = httpx.AsyncBaseTransport | None

_TASKS = """\
A table of all tasks as the cloud reports them now: phase, progress of the full
load, delay of the target, age of both, and whether anything known blocks a
cut-over. The worst come first. `-` is not known, or does not apply to such a
task. The calls count against the rate limit of the account."""
_TASKS_EXAMPLE = """\
examples:
  drs-exporter tasks --demo
  drs-exporter tasks --config.file=config.yaml
  drs-exporter tasks --config.file=config.yaml --output=json |
    jq -r '.tasks[] | select(.cutover == "ready").task_name'

Exit codes: 0 fine, 1 any project failed (what is known is printed all the
same), 2 bad usage or configuration.
"""
_EXPLAIN = """\
Whether a task can be cut over, and what blocks it; then all facts of it, with
their ages. Only this task is polled."""
_EXPLAIN_EXAMPLE = """\
examples:
  drs-exporter explain orders-to-rds --config.file=config.yaml
  drs-exporter explain warehouse-sync --demo
  drs-exporter tasks --config.file=config.yaml        lists the names

Exit codes: 0 fine, 1 no such task or a project failed (what is known is printed
all the same), 2 several tasks have that name, or bad usage or configuration.
"""
_CHECK = """\
Validates the configuration, then queries the cloud: is it reachable, are the
credentials and the clock right, which API and which tasks are there, which
permission is missing? Prints a line for each finding: ok, warn or fail, where,
what, and what to do."""
_CHECK_EXAMPLE = """\
examples:
  drs-exporter check --config.file=config.yaml
  drs-exporter check --cloud=huaweicloud --region=cn-north-4
  drs-exporter check --config.file=config.yaml --report=shapes.json

The report has keys, types, formats, codes and durations of the responses of
the cloud, by allow list: no name, id, host, user or message. Attach it when you
report that a field cannot be decoded.

Exit codes: 0 nothing fails, 1 something fails, 2 bad usage or configuration.
"""
_QUERY = """\
Details of one task that API v5 returns by type, as JSON, without messages,
hosts, users and names; --type=status queries API v3. For network, precheck and
cloud_connection, pass the query id that the cloud returned when the test was
started."""
_QUERY_EXAMPLE = """\
examples:
  drs-exporter query orders-to-rds --type=status --config.file=config.yaml
  drs-exporter query orders-to-rds --type=precheck --config.file=config.yaml \\
    --query-id=669c9c19-99e3-4628-8c90-397136266701

Exit codes: 0 fine, 1 no such task or no response, 2 several tasks have that
name, or bad usage or configuration.
"""
_TASK = "its id; or its name, exactly, where no other task has it"


def add_parsers(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands through `add`, which makes the parser of one."""
    command = _parser(add, "tasks", "a table of all tasks", _TASKS, _TASKS_EXAMPLE)
    command.add_argument("--output", choices=("table", "json"), default="table", help="default: table")
    command = _parser(add, "explain", "one task: can it be cut over, and all facts", _EXPLAIN, _EXPLAIN_EXAMPLE)
    command.add_argument("task", metavar="TASK", help=_TASK)
    command = _parser(add, "check", "validate the configuration, then query the cloud", _CHECK, _CHECK_EXAMPLE)
    command.add_argument("--report", type=Path, metavar="FILE", help="write the shapes of all responses, as JSON")
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


def _tasks(options: argparse.Namespace, config: Config, transport: _Transport) -> Outcome:
    from exporter.commands.tasks import tasks  # noqa: PLC0415 - commands that query the cloud take half a second to import

    screen = Screen.of(sys.stdout) if options.output == "table" else None
    return interrupts.run(tasks(config, screen, transport=transport))


def _explain(options: argparse.Namespace, config: Config, transport: _Transport) -> Outcome:
    from exporter.commands.explain import explain  # noqa: PLC0415

    return interrupts.run(explain(config, options.task, transport=transport))


def _check(options: argparse.Namespace, config: Config, transport: _Transport) -> Outcome:
    from exporter.commands.check import check  # noqa: PLC0415

    file: Path | None = options.report
    if file is not None:
        _verify_report(options, file)
    screen = Screen.of(sys.stdout)

    def say(finding: Finding, width: int) -> None:
        print(finding.line(width, screen), flush=True)

    code, report = interrupts.run(check(config, say, transport=transport))
    try:
        if file is not None:
            replace_content(file, report)
    except OSError as error:
        return Outcome(1, "", (_cannot_write(file, error),))
    return Outcome(code, "")


def _verify_report(options: argparse.Namespace, file: Path) -> None:
    """End with a usage error if the file of --report cannot be written, before the cloud is polled in vain."""
    try:
        verify_replaceable(file)
    except OSError as error:
        options.parser.error(_cannot_write(file, error))


def _cannot_write(file: Path | None, error: OSError) -> str:
    return f"--report: can't write {file}: {error.strerror}"


def _query(options: argparse.Namespace, config: Config, transport: _Transport) -> Outcome:
    from exporter.commands.query import query  # noqa: PLC0415

    return interrupts.run(query(config, options.task, options.kind, options.query_id, transport=transport))


def verify(options: argparse.Namespace) -> None:
    """What the parser can't see, before anything is read; ends with a usage error."""
    if options.command == "query" and options.kind in NEEDS_QUERY_ID and not options.query_id:
        options.parser.error(f"--type={options.kind} needs --query-id=ID, which the start of that test returned")


COMMANDS: Mapping[str, Callable[[argparse.Namespace, Config, _Transport], Outcome]] = {
    "tasks": _tasks,
    "explain": _explain,
    "check": _check,
    "query": _query,
}
