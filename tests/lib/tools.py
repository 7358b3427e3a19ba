"""Programs that some tests run, and that a machine may lack.

A test that runs one has the mark `needs("openssl")`. They are looked for before any fixture of the test starts
something, so a test that is skipped leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "bash": "bash",
    "chromium": "chromium",
    "curl": "curl",
    "git": "git",
    "kubectl": "kubernetes-client",
    "make": "make",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus",
    "nsenter": "util-linux",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
}
"""The programs that tests may need, and the Debian packages that have them."""
_found: dict[str, str] = {}
"""The paths of the programs that the running test has in its mark."""


def needs(*programs: str) -> pytest.MarkDecorator:
    """The mark of a test that runs these programs; without them it is skipped, or fails where REQUIRE_TOOLS=1."""
    return pytest.mark.needs(*programs)


def look_for_tools(item: pytest.Item) -> None:
    """Look for the programs that a test has in its mark, before its fixtures are set up."""
    _found.clear()
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            path = shutil.which(program)
            if path is None:
                lacking(f"{program} is not installed; it is in the Debian package {PACKAGES[program]}")
            _found[program] = path


def tool(program: str) -> str:
    """The path of a program that the running test has in its mark."""
    assert program in _found, f'the test lacks the mark needs("{program}")'
    return _found[program]


def lacking(message: str) -> NoReturn:
    """Skip the test because the machine lacks something, or fail it where REQUIRE_TOOLS=1."""
    if os.environ.get("REQUIRE_TOOLS") == "1":
        pytest.fail(message)
    pytest.skip(message)
