"""The command dashboards: what it writes and prints for a site."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.lib.commands import CommandLine
from tests.lib.paths import DEPLOY

SHIPPED = {f"drs-{path.name}": path.read_text() for path in sorted((DEPLOY / "grafana").glob("*.json"))}


def test_it_writes_the_shipped_dashboards(command_line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    ended = command_line("dashboards", str(folder))
    assert ended == (0, f"5 files written to {folder}, 0 unchanged\n", "")
    assert {path.name: path.read_text() for path in folder.iterdir()} == SHIPPED


def test_it_overwrites_changed_files_only_with_force(command_line: CommandLine, tmp_path: Path) -> None:
    command_line("dashboards", str(tmp_path))
    (tmp_path / "drs-fleet.json").write_text("{}")
    code, out, err = command_line("dashboards", str(tmp_path))
    assert (code, out, str(tmp_path / "drs-fleet.json") in err) == (1, "", True)
    assert (tmp_path / "drs-fleet.json").read_text() == "{}"
    assert command_line("dashboards", "--force", str(tmp_path))[0] == 0
    assert (tmp_path / "drs-fleet.json").read_text() == SHIPPED["drs-fleet.json"]


def test_no_dashboard_depends_on_the_job_or_on_urls_of_a_site() -> None:
    assert [name for name, text in SHIPPED.items() if 'job=\\"' in text or "://localhost" in text] == []


def test_it_prints_a_config_map_for_each_dashboard(command_line: CommandLine) -> None:
    code, out, err = command_line("dashboards", "--format=configmap", "--label=team=dba")
    found = list(yaml.load_all(out, yaml.CSafeLoader))
    assert (code, err) == (0, "")
    assert {name: text for each in found for name, text in each["data"].items()} == SHIPPED
    labels = {"app.kubernetes.io/name": "drs-exporter", "grafana_dashboard": "1", "team": "dba"}
    names = [f"drs-exporter-dashboard-{name.removeprefix('drs-').removesuffix('.json')}" for name in SHIPPED]
    assert [each["metadata"] for each in found] == [{"name": name, "labels": labels} for name in names]
    assert max(len(json.dumps(each)) for each in found) < 262_144, "the limit of kubectl apply"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "name the directory DIR, or print with --format=configmap"),
        ("--format=configmap DIR", "name the directory DIR, or print with --format=configmap"),
        ("--label=a=b DIR", "--label is for manifests, not for --format=json"),
    ],
)
def test_wrong_usage_is_one_line(words: str, message: str, command_line: CommandLine) -> None:
    assert message in command_line.error("dashboards", *words.split())


def test_a_directory_that_cannot_be_used_is_one_line(command_line: CommandLine, tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("")
    assert "Not a directory" in command_line.error("dashboards", str(file), code=1)
