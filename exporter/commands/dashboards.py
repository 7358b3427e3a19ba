"""Write the dashboards for your Grafana into a directory, or print ConfigMaps.

Examples:
  drs-exporter dashboards /var/lib/grafana/dashboards/drs
  drs-exporter dashboards --force DIR           after an update
  drs-exporter dashboards --format=configmap | kubectl apply --filename=-

Needs Grafana 11.6 or later, and the rules of drs-exporter rules. Grafana reads
the directory if a provider of dashboards names it; the sidecar of Grafana's
chart finds ConfigMaps by their label grafana_dashboard.

Files that you have changed are not overwritten without --force: then nothing
is written, and each of them is named.
"""

from __future__ import annotations

import argparse

from exporter.commands.assets import write_files
from exporter.commands.manifests import add_labels, config_map, reject_labels, yaml_text
from exporter.commands.options import Parser, add_log, file_path
from exporter.commands.outcome import Outcome, unusable
from exporter.runtime.assets import asset_files

_FOLDER, _FORMATS = "grafana/", ("json", "configmap")
_SIDECAR = {"grafana_dashboard": "1"}


def add_options(parser: Parser) -> None:
    add_log(parser)
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="json",
        help="json: a file for each dashboard in DIR; configmap: print a ConfigMap for each; default: json",
    )
    add_labels(parser)
    parser.add_argument("--force", action="store_true", help="overwrite files that differ")
    parser.add_argument(
        "directory", metavar="DIR", type=file_path, nargs="?", help="directory, created if it is missing"
    )


def run(options: argparse.Namespace) -> Outcome:
    to_files = options.format == "json"
    if to_files == (options.directory is None):
        options.parser.error("name the directory DIR, or print with --format=configmap")
    if to_files:
        reject_labels(options)
    try:
        paths = [path for name, path in asset_files().items() if name.startswith(_FOLDER)]
        texts = {path.stem: path.read_text(encoding="utf-8") for path in paths}
        if to_files:
            files = {_file(name): text for name, text in texts.items()}
            return write_files(options.directory, files, force=options.force)
    except OSError as error:
        return unusable(error, options.directory)
    labels = {**_SIDECAR, **dict(options.label)}
    maps = [config_map(f"drs-exporter-dashboard-{name}", labels, {_file(name): text}) for name, text in texts.items()]
    return Outcome(0, yaml_text(*maps))


def _file(name: str) -> str:
    return f"drs-{name}.json"
