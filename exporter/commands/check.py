"""Validate the configuration, then query the cloud.

Is the cloud reachable, are the credentials and the clock right, which API and
which tasks are there, which permission is missing? Each finding is a line: ok,
warn or fail, where, what, and what to do.

Examples:
  drs-exporter check --config.file=config.yaml
  drs-exporter check --cloud=huaweicloud --region=cn-north-4
  drs-exporter check --offline --config.file=config.yaml      in CI, no secrets
  drs-exporter check --config.file=config.yaml --report=shapes.json

The report has keys, types, formats, codes and durations of the responses of
the cloud, by allow list: no name, id, host, user or message. Attach it when you
report that a field cannot be decoded.

With --offline nothing is sent. Files and variables with secrets may be missing:
each is a line. The exit code is 0 or 2; 1 only if FILE cannot be read.

Exit codes: 0 nothing fails, 1 something fails, 2 bad usage or configuration.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING

from exporter.commands.check_demand import demand_findings
from exporter.commands.check_network import region_findings
from exporter.commands.check_offline import offline_findings
from exporter.commands.check_project import ProjectCheck, ResponseCollector
from exporter.commands.check_report import document
from exporter.commands.check_rules import rule_findings
from exporter.commands.check_waves import wave_findings
from exporter.commands.connections import connections, key_of
from exporter.commands.findings import CONFIGURATION, Finding, exit_code, summary
from exporter.commands.options import Parser, add_cloud, add_file, cloud_of
from exporter.commands.outcome import Outcome
from exporter.commands.output import writing_output
from exporter.config import load_offline
from exporter.runtime import interrupts
from exporter.runtime.file_replace import replace_content, verify_replaceable
from exporter.runtime.terminal import ProgressLine, Screen
from exporter.views.errors import Level
from exporter.views.text import plural, project_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Sequence

    import httpx

    from exporter.config import Config


def add_options(parser: Parser) -> None:
    add_cloud(parser)
    add_file(parser, "--report", "report", "write the shapes of all responses to FILE, as JSON")
    parser.add_argument(
        "--offline", action="store_true", help="check the file only: no API call, and its secrets may be missing"
    )


def run(options: argparse.Namespace) -> Outcome:
    if options.offline:
        return _run_offline(options)
    config, transport = cloud_of(options)
    file = options.report
    if file is not None:
        try:
            verify_replaceable(file)  # before the cloud is queried in vain
        except OSError as error:
            options.parser.error(f"--report: can't write {file}: {error.strerror}")
    screen = Screen.of(sys.stdout)

    def show(finding: Finding, width: int) -> None:
        with writing_output():
            print(finding.line(width, screen))

    code, report = interrupts.run(check(config, show, transport=transport))
    if file is not None:
        try:
            replace_content(file, report)
        except OSError as error:
            return Outcome(1, notes=(f"--report: can't write {file}: {error.strerror}",))
    return Outcome(code)


def _run_offline(options: argparse.Namespace) -> Outcome:
    if options.config_file is None or any((options.cloud, options.region, options.report, options.demo)):
        options.parser.error("--offline needs --config.file: leave --cloud, --region, --report and --demo out")
    config, missing = load_offline(options.config_file)
    findings = offline_findings(config, missing, time.time())
    width, screen = max(len(finding.where) for finding in findings), Screen.of(sys.stdout)
    return Outcome(0, "\n".join(finding.line(width, screen) for finding in findings))


async def check(
    config: Config,
    show: Callable[[Finding, int], None],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
) -> tuple[int, str]:
    """Check a configuration that is valid as a file, project by project.

    Args:
        config: the configuration.
        show: prints a finding; its second argument is the width of the longest place.
        transport: in place of the network.
        now: Unix time.

    Returns:
        The exit code, and the report of shapes as JSON.
    """
    projects = [(account, project) for account in config.accounts for project in account.all_projects()]
    width = max(len(CONFIGURATION), *(len(project_text(key_of(*pair))) for pair in projects))
    responses = [ResponseCollector(now, *pair) for pair in projects]
    levels = Counter[Level]()
    async with connections(config, iter(responses), transport=transport, now=now) as opened:
        checks = [ProjectCheck(*pair) for pair in zip(opened, responses, strict=True)]
        running = [asyncio.create_task(project.run()) for project in checks]

        def progress() -> str:
            done, calls = sum(task.done() for task in running), sum(collector.calls for collector in responses)
            return f"{done} of {plural(len(opened), 'project')}, {calls} calls"

        async with ProgressLine(progress) as line:
            async for finding in _findings(config, checks, running, now()):
                line.wipe()
                levels[finding.level] += 1
                show(finding, width)
    show(summary(levels), width)
    reports = [collector.report for collector in responses]
    return exit_code(levels), json.dumps(document(version("drs-exporter"), reports), indent=1, sort_keys=True) + "\n"


async def _findings(
    config: Config, checks: Sequence[ProjectCheck], running: Sequence[asyncio.Task[list[Finding]]], now: float
) -> AsyncIterator[Finding]:
    counts = f"{plural(len(config.accounts), 'account')}, {plural(len(checks), 'project')}"
    yield Finding(Level.OK, CONFIGURATION, f"valid, {counts}")
    for task in running:
        for finding in await task:
            yield finding
    for account in config.accounts:
        listed = [check.listed for check in checks if check.account is account]
        for finding in (*region_findings(account), *rule_findings(account, listed), *demand_findings(account, checks)):
            yield finding
    for finding in wave_findings(config, checks, now):
        yield finding
