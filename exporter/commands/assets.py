"""Write the files that ship with the exporter into a directory.

The example of the configuration and its JSON Schema, recording rules, alerts
and their tests, dashboards, runbooks, the systemd unit, and examples for
Prometheus and Alertmanager.

Examples:
  drs-exporter assets drs-exporter
  promtool test rules drs-exporter/prometheus/tests/*.yml
  drs-exporter assets --force drs-exporter       after an update

Files that you have changed are not overwritten without --force: then nothing
is written, and each of them is named.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from exporter.commands.options import Parser, add_log, file_path
from exporter.commands.outcome import Outcome, unusable
from exporter.commands.schema import schema_text
from exporter.runtime.assets import asset_files
from exporter.runtime.file_replace import replace_content
from exporter.views import task_errors
from exporter.views.text import plural

_SCHEMA = "config.schema.json"
"""Its name in the first line of config.example.yaml."""
_RUNBOOKS = "runbooks/"
_ERRORS = "task_errors.md"
"""The errors of tasks, beside the runbooks that link to them."""
_LINK_TO_ERRORS = re.compile(rf"\(\.\./[^)]*/{re.escape(_ERRORS)}")
_LINK_TO_REPOSITORY = re.compile(r"\[([^]]*)\]\(\.\./[^)]*\)")


def add_options(parser: Parser) -> None:
    add_log(parser)
    parser.add_argument("--force", action="store_true", help="overwrite files that differ")
    parser.add_argument("directory", metavar="DIR", type=file_path, help="directory, created if it is missing")


def run(options: argparse.Namespace) -> Outcome:
    try:
        return write_files(options.directory, _texts(), force=options.force)
    except OSError as error:
        return unusable(error, options.directory)


def _texts() -> dict[str, str]:
    texts = {name: path.read_text(encoding="utf-8") for name, path in asset_files().items()}
    runbooks = {name: _runbook(text) for name, text in texts.items() if name.startswith(_RUNBOOKS)}
    return {**texts, **runbooks, f"{_RUNBOOKS}{_ERRORS}": task_errors.markdown(), _SCHEMA: schema_text() + "\n"}


def _runbook(text: str) -> str:
    """Return a runbook whose links lead to files that are written too; of other links only the text."""
    return _LINK_TO_REPOSITORY.sub(r"\1", _LINK_TO_ERRORS.sub(f"({_ERRORS}", text))


def write_files(directory: Path, texts: dict[str, str], *, force: bool) -> Outcome:
    """Write the files that are missing or, with `force`, differ; nothing if one differs without it; raises OSError."""
    found = {name: _content(directory / name) for name in texts}
    changed = [name for name, content in found.items() if content is not None and content != texts[name].encode()]
    if changed and not force:
        paths = "".join(f"\n  {directory / name}" for name in changed)
        text = f"nothing is written, because {plural(len(changed), 'file')} would change{paths}\n--force overwrites"
        return Outcome(1, notes=(text,))
    written = [name for name, content in found.items() if content is None or name in changed]
    for name in written:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_content(path, texts[name])
    return Outcome(0, f"{plural(len(written), 'file')} written to {directory}, {len(texts) - len(written)} unchanged")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
