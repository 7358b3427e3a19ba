"""What the wheel contains besides the code: files for users, and a start that finds a foreign package `exporter`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.lib.paths import ROOT

START = "import sys, drs_exporter; sys.exit(drs_exporter.main())"


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked in an empty folder."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def start(folder: Path, *words: str, first: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program of one folder, which another may precede."""
    path = os.pathsep.join(str(each) for each in (first, folder) if each)
    environment = {**os.environ, "PYTHONPATH": path}
    command = (sys.executable, "-P", "-c", START, *words)
    return subprocess.run(command, env=environment, check=False, cwd=folder, capture_output=True, text=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_wheel_and_a_checkout_write_the_same_files(unpacked: Path, tmp_path: Path) -> None:
    for folder in (unpacked, ROOT):
        done = start(folder, "assets", str(tmp_path / folder.name))
        assert (done.returncode, done.stderr) == (0, "")
    written = tree(tmp_path / unpacked.name)
    assert written == tree(tmp_path / ROOT.name)
    assert len(written) > 100


def test_the_description_has_no_relative_links(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    fields, _, description = metadata.read_text().partition("\n\n")
    assert "Description-Content-Type: text/markdown" in fields
    assert description.startswith("# drs-exporter\n")
    assert [link for link in re.findall(r"\]\(([^)]+)\)", description) if ":" not in link] == []


def test_a_foreign_package_before_ours_is_one_clear_line(unpacked: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "exporter" / "__init__.py"
    foreign.parent.mkdir()
    foreign.write_text("raise SystemExit('imported')\n")
    done = start(unpacked, "--version", first=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"drs-exporter: another package named exporter, {foreign}, is in the place of ours: "
        "install drs-exporter into a virtual environment of its own, or with pipx\n"
    )


def test_a_foreign_package_that_has_overwritten_ours_is_the_same_line(unpacked: Path, tmp_path: Path) -> None:
    for name in ("drs_exporter.py", "exporter/__main__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((unpacked / name).read_bytes())
    foreign = tmp_path / "exporter" / "__init__.py"
    for text in ("", "__version__ = '1.0'\n"):
        foreign.write_text(text)
        done = start(tmp_path, "--version")
        assert done.returncode == 1
        assert done.stderr.startswith(f"drs-exporter: another package named exporter, {foreign}, is in")
        assert done.stderr.count("\n") == 1


def test_a_folder_without_code_does_not_hide_ours(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "exporter" / "assets").mkdir(parents=True)
    assert start(unpacked, "schema", first=tmp_path).returncode == 0
