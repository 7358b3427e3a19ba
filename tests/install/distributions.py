"""Builds the distributions of this checkout, and installs the packages that they need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lib.paths import ROOT
from tests.lib.tools import lacking

_INSTALL_SECONDS = 300
"""The most that an installation may take, with a slow registry."""


def built(kind: str, folder: Path) -> Path:
    """Build the `sdist` or the `wheel` in an empty folder, and return its file."""
    build = (sys.executable, "-m", "build", f"--{kind}", "--no-isolation", f"--outdir={folder}")
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


def install(*command: str | Path, folder: Path) -> None:
    """Run a command that installs the locked packages. Where it fails, as without a registry, the test is skipped."""
    installed = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PIP_NO_COMPILE": "1"},  # a third of the time
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if installed.returncode:
        lacking(f"the locked packages could not be installed: {installed.stderr}")
