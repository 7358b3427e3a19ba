"""Builds the distributions of this checkout, and installs the packages that they need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lib.paths import ROOT
from tests.lib.tools import lacking

OLDEST_PIP = {11: "pip==22.3", 12: "pip==23.2.1"}.get(sys.version_info.minor, "pip==24.2")
"""The pip of the first release of this Python; older ones do not run on it. Of 3.13 also for newer Pythons."""
_INSTALL_SECONDS = 300
"""The most that an installation may take, with a slow registry."""


def built(kind: str, folder: Path) -> Path:
    """Build the `sdist` or the `wheel` in an empty folder, and return its file."""
    build = (sys.executable, "-m", "build", f"--{kind}", "--no-isolation", f"--outdir={folder}")
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


def empty_venv(folder: Path, python: str = sys.executable) -> Path:
    """Create a virtual environment with nothing in it, in a new folder, and return its Python."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def installed_pip(release: str, folder: Path) -> Path:
    """Install a release of pip into a virtual environment in a new folder, and return its command."""
    python = empty_venv(folder)
    install(sys.executable, "-m", "pip", "--python", python, "install", "-q", release, folder=folder)
    return folder / "bin" / "pip"


def install(*command: str | Path, folder: Path, **environment: str) -> None:
    """Run a command that installs packages. Where it fails, as without a registry, the test is skipped."""
    installed = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PIP_NO_COMPILE": "1", **environment},  # a third of the time
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if installed.returncode:
        lacking(f"packages could not be installed: {installed.stderr}")
