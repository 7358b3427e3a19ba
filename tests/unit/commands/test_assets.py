"""The command assets: what it writes, and what it does not overwrite."""

import json
import re
from pathlib import Path

import pytest

from exporter.runtime.assets import asset_files
from tests.lib.commands import CommandLine
from tests.lib.paths import DEPLOY, ROOT


def test_it_writes_the_files_of_the_repository(command_line: CommandLine, tmp_path: Path) -> None:
    code, out, err = command_line("assets", str(tmp_path / "new" / "folder"))
    folder = tmp_path / "new" / "folder"
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert (code, out, err) == (0, f"{len(written)} files written to {folder}, 0 unchanged\n", "")
    for pattern, source in (
        ("prometheus/**/*", DEPLOY),
        ("grafana/*.json", DEPLOY),
        ("alertmanager/*", DEPLOY),
        ("systemd/*", DEPLOY),
        ("web-config.example.yml", DEPLOY),
        ("config.example.yaml", ROOT),
    ):
        names = {str(path.relative_to(source)) for path in source.glob(pattern) if path.is_file()}
        assert names
        assert names <= written
        assert all((folder / name).read_bytes() == (source / name).read_bytes() for name in names)
        written -= names
    runbooks = {f"runbooks/{path.name}" for path in (ROOT / "exporter" / "web" / "runbooks").iterdir()}
    assert written == {"config.schema.json", "runbooks/task_errors.md", *runbooks}


def test_each_link_of_a_written_runbook_leads_to_a_written_file(command_line: CommandLine, tmp_path: Path) -> None:
    command_line("assets", str(tmp_path))
    texts = {path.name: path.read_text() for path in (tmp_path / "runbooks").iterdir()}
    links = {
        (name, link) for name, text in texts.items() for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link
    }
    assert ("DrsTaskFailed.md", "task_errors.md") in links
    assert [(name, link) for name, link in links if link.partition("#")[0] not in {*texts, ""}] == []


def test_the_example_refers_to_the_schema_beside_it(command_line: CommandLine, tmp_path: Path) -> None:
    command_line("assets", str(tmp_path))
    first = (tmp_path / "config.example.yaml").read_text().split("\n")[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(.*)", first)
    assert found
    assert json.loads((tmp_path / found[1]).read_text())["title"] == "Configuration of drs-exporter"


def test_a_second_time_it_writes_nothing(command_line: CommandLine, tmp_path: Path) -> None:
    command_line("assets", str(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert command_line("assets", str(tmp_path))[1].startswith("0 files written")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_it_names_changed_files_and_writes_nothing_without_force(command_line: CommandLine, tmp_path: Path) -> None:
    command_line("assets", str(tmp_path))
    changed, missing = tmp_path / "prometheus" / "drs-rules.yml", tmp_path / "config.example.yaml"
    shipped = changed.read_bytes()
    changed.write_text("groups: []\n")
    missing.unlink()
    code, out, err = command_line("assets", str(tmp_path))
    assert (code, out) == (1, "")
    assert "1 file would change" in err
    assert str(changed) in err
    assert (changed.read_text(), missing.exists()) == ("groups: []\n", False)
    assert command_line("assets", "--force", str(tmp_path))[:2] == (
        0,
        f"2 files written to {tmp_path}, {len(asset_files())} unchanged\n",
    )
    assert changed.read_bytes() == shipped


def test_a_directory_that_cannot_be_used_is_one_line(command_line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    code, out, err = command_line("assets", str(file))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "Not a directory" in err


@pytest.mark.parametrize("words", [("assets", "new"), ("schema",), ("rules",), ("dashboards", "new")])
def test_an_incomplete_package_is_one_line(
    words: tuple[str, ...], command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("exporter.runtime.assets._PACKAGE", tmp_path / "exporter")
    code, out, err = command_line(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "pyproject.toml" in err
