"""Write a report of a wave: what happened to each task, when, with plots.

The report is one HTML file for the archive and for signatures. It contains no
script, needs no other file, and prints on A4. It names the times about which
nothing is known, such as a restart of the exporter.

With --url it is read from a running exporter. With --config.file it is read
from the directory in storage.path, also while no exporter runs: then the
verdicts and facts of this moment are missing.

Examples:
  drs-exporter report --wave=weekend-1 --url=http://HOST:10826 > report.html
  drs-exporter report --wave=weekend-1 --url=http://HOST:10826
    --timezone=Europe/Berlin > report.html
  drs-exporter report --wave=weekend-1 --config.file=config.yaml > report.html
  drs-exporter report --wave=weekend-1 --url=http://HOST:10826
    --output=json | jq .totals

Exit codes: 0 fine, 1 no such wave, it has not begun, or --url gave no response,
2 bad usage or configuration.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from exporter.commands.options import Parser, add_file, add_log, add_url
from exporter.commands.outcome import Outcome
from exporter.commands.remote import Remote, remote_of
from exporter.commands.report_document import Report
from exporter.commands.report_page import report_html
from exporter.config import ConfigError, NotReadyError, load
from exporter.model.waves import Stage, WaveMember, WaveState, WaveStatus, status_of
from exporter.runtime import interrupts
from exporter.runtime.escape import json_text
from exporter.runtime.terminal import ProgressLine
from exporter.storage.reader import StorageReader, UnreadableStorageError, reading
from exporter.store.wave_records import wave_record
from exporter.views.report import not_begun, report_json

if TYPE_CHECKING:
    from exporter.config import Config, Wave

_UTC = "UTC"


def add_options(parser: Parser) -> None:
    add_url(parser)
    add_file(
        parser,
        "--config.file",
        "config_file",
        "in place of --url: YAML file of an exporter whose storage.path contains the history",
    )
    parser.add_argument("--wave", required=True, metavar="NAME", help="name of the wave")
    parser.add_argument("--output", choices=("html", "json"), default="html", help="output format; default: html")
    parser.add_argument(
        "--timezone",
        type=zone_of,
        default=_UTC,
        metavar="ZONE",
        help=f"time zone of the times in the HTML, such as Europe/Berlin; default: {_UTC}",
    )
    add_log(parser, "error")
    parser.set_defaults(demo=False, cloud=None, region=None)


def zone_of(text: str) -> tzinfo:
    """Return the time zone with an IANA name; raises `ArgumentTypeError`."""
    if text == _UTC:
        return UTC
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"no time zone {text!r}; expected {_UTC}, or a name such as Europe/Berlin of the system's time zone data"
        ) from None


def run(options: argparse.Namespace) -> Outcome:
    form = as_json if options.output == "json" else html_in(options.timezone)
    if remote := remote_of(options):
        return interrupts.run(report_at(remote, options.wave, form))
    if options.config_file is None:
        options.parser.error("name the running exporter with --url, or its configuration with --config.file")
    config = load(options.config_file)
    return interrupts.run(report_of(config, options.wave, form, time.time()))


Form = Callable[[dict[str, Any], Report], str]
"""Makes the text of a report from its document."""


def as_json(document: dict[str, Any], _report: Report) -> str:
    """Return the document itself."""
    return json_text(document, indent=2)


def html_in(zone: tzinfo) -> Form:
    """Return a form with the times in a zone."""
    return lambda _, report: report_html(report, zone)


async def report_at(remote: Remote, wave: str, form: Form) -> Outcome:
    """Report a wave of a running exporter; raises `ConfigError`."""
    async with remote, ProgressLine(lambda: str(remote.url)):
        document = await remote.wave_report(wave)
        report = remote.parsed(Report, document)
    return Outcome(0, form(document, report))


async def report_of(config: Config, name: str, form: Form, now: float) -> Outcome:
    """Report a wave from the storage; raises `ConfigError`."""
    wave = next((wave for wave in config.waves if wave.name == name), None)
    if wave is None:
        names = ", ".join(wave.name for wave in config.waves) or "none"
        return Outcome(1, notes=(f"the configuration has no wave {name!r} (waves: {names})",))
    if config.storage.path is None:
        raise ConfigError("the configuration has no storage.path: only a running exporter has a history, use --url")
    try:
        with reading(config.storage.path) as storage:
            status = stored_status(wave, storage, now)
            if status.stage is Stage.PLANNED:
                return Outcome(1, notes=(not_begun(status),))
            document = report_json(await wave_record(status, storage, None, now))
    except UnreadableStorageError as error:
        raise NotReadyError(str(error)) from error
    return Outcome(0, form(document, Report.model_validate(document)))


def stored_status(wave: Wave, storage: StorageReader, now: float) -> WaveStatus:
    """Return a wave as the storage has it: with the last known states of its members, and without a verdict."""
    stored = storage.restored.members.get(wave.name, {})
    members = [
        WaveMember(key.project, key.task_id, member.task_name, WaveState(member.state))
        for key, member in stored.items()
        if member.joined_at >= (wave.starts_at or 0.0)
    ]
    return status_of(wave, now, members)
