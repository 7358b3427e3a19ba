"""Programs that some tests run, and that a machine may lack."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def require(program: str, package: str) -> str:
    """The path of a program; without it the test is skipped, or fails where REQUIRE_TOOLS=1.

    Args:
        program: its name on PATH.
        package: the Debian package that has it.
    """
    path = shutil.which(program)
    if path is None:
        lacking(f"{program} is not installed; it is in the Debian package {package}")
    return path


def lacking(message: str) -> NoReturn:
    """Skip the test because the machine lacks something, or fail it where REQUIRE_TOOLS=1."""
    if os.environ.get("REQUIRE_TOOLS") == "1":
        pytest.fail(message)
    pytest.skip(message)
