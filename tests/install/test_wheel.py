"""The built wheel, installed with the lock file on each supported Python, polls and serves."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.e2e.programs import Program, get, run
from tests.install.distributions import empty_venv, install
from tests.lib.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSIONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))


def python_of(version: str) -> str:
    """A Python of this version that can make a virtual environment: on PATH, then of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    candidates = [shutil.which(f"python{version}"), *map(str, root.glob(f"versions/{version}.*/bin/python{version}"))]
    for found in filter(None, candidates):
        if run(found, "-c", "import venv").returncode == 0:
            return found
    pytest.skip(f"this machine has no Python {version}")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_installed_wheel_serves_the_demo(version: str, wheel: Path, newest_pip: Path, tmp_path: Path) -> None:
    python = empty_venv(tmp_path / "venv", python_of(version))
    setup = ("sh", "scripts/install.sh", newest_pip, "requirements/run.txt", wheel)
    install(*setup, folder=ROOT, PIP_PYTHON=str(python))
    command = str(python.with_name("drs-exporter"))
    with Program([command, "demo", "--web.listen-address=127.0.0.1:0"], tmp_path / "running") as demo:
        found = demo.until(lambda: re.search(r"(http://\S+)/metrics", demo.stdout), "it prints where it serves")
        demo.until(lambda: "\ndrs_up{" in get(f"{found[1]}/metrics").text, "a page with metrics")
    assert run(command, "assets", tmp_path / "assets").returncode == 0
    assert (tmp_path / "assets" / "systemd" / "drs-exporter.service").is_file()
    assert "- alert: DrsTaskFailed\n" in run(command, "rules").stdout
