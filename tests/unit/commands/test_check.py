"""`drs-exporter check` on the command line, and the file of its report."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from exporter.commands import check as checking
from exporter.commands.options import config_of
from exporter.simulator import Fault
from tests.lib.commands import CommandLine, checked, config_file, fleet, two_projects
from tests.lib.daemon import PROJECT_ID, sim_task
from tests.lib.transport import InProcess

EARLIER = "earlier"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The report of an earlier check."""
    (tmp_path / "shapes.json").write_text(EARLIER)
    return tmp_path / "shapes.json"


@pytest.fixture(autouse=True)
def _real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command queries a cloud that lives in real time."""
    cloud = fleet()
    cloud.now = time.time
    monkeypatch.setattr(checking, "cloud_of", lambda options: (config_of(options), InProcess(cloud)))


def test_the_command_and_its_report(tmp_path: Path, report: Path, command_line: CommandLine) -> None:
    code, out, err = command_line("check", config_file(tmp_path), f"--report={report}")
    assert (code, err) == (0, "")
    assert out.startswith("ok    configuration             valid, 1 account, 1 project\n")
    (project,) = json.loads(report.read_text())["projects"]
    assert project["operations"]["v3_list_jobs"]["200"]["calls"] == 3


def test_a_check_that_crashes_keeps_the_report_of_an_earlier_one(
    tmp_path: Path, report: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(checking, "check", crash)
    assert (command_line("check", config_file(tmp_path), f"--report={report}")[0], report.read_text()) == (1, EARLIER)


def test_a_disk_that_fills_up_during_the_check_is_named_and_keeps_the_earlier_report(
    tmp_path: Path, report: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = command_line("check", config_file(tmp_path), f"--report={report}")
    assert (code, err) == (1, f"drs-exporter: --report: can't write {report}: No space left on device\n")
    assert report.read_text() == EARLIER


def test_the_exit_code_reports_a_failure(tmp_path: Path, command_line: CommandLine) -> None:
    code, out, err = command_line("check", config_file(tmp_path, secret_key="hunter2"))
    assert code == 1
    assert "fail" in out
    assert "hunter2" not in out + err
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


def test_an_unwritable_report_is_found_before_the_cloud_is_queried(tmp_path: Path, command_line: CommandLine) -> None:
    error = command_line.error("check", config_file(tmp_path), "--report=none/shapes.json")
    assert "none/shapes.json: No such file" in error


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"ca_file": "{file}"}, "contains no PEM certificates"), ({"projects": []}, "{file}:1: accounts")],
    ids=["no authorities in the file", "no projects"],
)
def test_a_faulty_configuration(change: dict[str, Any], fault: str, tmp_path: Path, command_line: CommandLine) -> None:
    option = config_file(tmp_path)
    file = tmp_path / "config.yaml"
    content = json.loads(file.read_text())
    content["accounts"][0] |= change
    file.write_text(json.dumps(content).replace("{file}", str(file)))
    assert fault.format(file=file) in command_line.error("check", option, f"--report={tmp_path / 'shapes.json'}")
    assert not (tmp_path / "shapes.json").exists()


def test_projects_in_the_order_of_the_configuration() -> None:
    cloud, config = two_projects(sim_task("parcels"))
    _, text = checked(cloud, config, Fault(match=PROJECT_ID, kind="slow", seconds=3))
    assert text.index("acme/cn-north-4/payments") < text.index("acme/cn-north-4/shipping")
    assert "valid, 1 account, 2 projects" in text
