from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exporter.commands import explain as explaining
from exporter.commands.lookup import columns
from exporter.commands.options import config_of
from tests.lib.commands import config_file
from tests.lib.daemon import cloud_of, sim
from tests.lib.transport import InProcess

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.lib.commands import CommandLine


def test_columns_of_nothing() -> None:
    assert columns([]) == []


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    cloud = cloud_of(sim("orders"))
    cloud.now = time.time
    monkeypatch.setattr(explaining, "cloud_of", lambda options: (config_of(options), InProcess(cloud)))
    code, out, err = command_line("explain", "orders", config_file(tmp_path))
    assert (code, err) == (0, "")
    assert out.startswith(
        "orders: nothing known blocks it\nnot considered, by the settings of cutover: logs\n"
        "\nidentity\n  account    acme\n"
    )
    assert out.endswith("\n")
    error = command_line.error("explain", "oders", config_file(tmp_path), code=1)
    assert error == "no task has the id or the name 'oders', did you mean orders?\n"
