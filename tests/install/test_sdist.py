"""The sdist holds the whole repository, and its own Makefile installs and starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.e2e.programs import Program, get, run
from tests.lib.paths import ROOT
from tests.lib.tools import lacking, needs, tool

INSTALL = 300
"""Seconds that the installation may take at most, with a slow registry."""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked in an empty folder."""
    folder = tmp_path_factory.mktemp("sdist")
    build = (sys.executable, "-m", "build", "--sdist", "--no-isolation", f"--outdir={folder}")
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        archive.extractall(folder, filter="data")
    return folder / made.name.removesuffix(".tar.gz")


@needs("git")
def test_it_holds_the_files_of_the_repository_and_no_others(unpacked: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not in a clone")
    listed = run(tool("git"), "ls-files", "-z", folder=ROOT).stdout.split("\0")[:-1]
    there = [path.relative_to(unpacked) for path in unpacked.rglob("*") if not path.is_dir()]
    assert sorted({*map(str, there)} - {"PKG-INFO"}) == sorted(listed)
    assert all((unpacked / name).stat().st_mode & 0o111 == (ROOT / name).stat().st_mode & 0o111 for name in listed)


def test_its_tests_pass(unpacked: Path) -> None:
    """Some that read many of the files; that all files are there, the test above shows."""
    quick = ("tests/deploy/test_compose.py", "tests/unit/docs")
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quick, folder=unpacked)
    assert done.returncode == 0, done.stdout


@needs("make")
def test_make_run_starts_the_demo(unpacked: Path) -> None:
    make = tool("make")
    installed = subprocess.run(
        [make, ".venv/run.stamp", f"PYTHON={sys.executable}"],
        cwd=unpacked,
        env={**os.environ, "PIP_NO_COMPILE": "1"},  # a third of the time
        capture_output=True,
        text=True,
        timeout=INSTALL,
        check=False,
    )
    if installed.returncode:
        lacking(f"the locked packages could not be installed: {installed.stderr}")
    with Program([make, "-C", unpacked, "run", "ADDRESS=127.0.0.1:0"], unpacked.parent / "running") as demo:
        found = demo.until(lambda: re.search(r"(http://\S+)/metrics", demo.stdout), "it says where it serves")
        demo.until(lambda: "drs_exporter_build_info" in get(f"{found[1]}/metrics").text, "a page")
