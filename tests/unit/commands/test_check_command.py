from __future__ import annotations

import errno
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from exporter.commands import check as checking
from exporter.commands import main as cli
from exporter.runtime import logs
from tests.lib.commands import (
    config_file,
    fleet,
)
from tests.lib.transport import InProcess

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from exporter.config.load import Config


@pytest.fixture(autouse=True)
def _logging_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up by these tests, it would outlive their streams."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)


@pytest.fixture
def _real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command on a cloud that lives in real time."""
    cloud = fleet()
    cloud.now = time.time

    check = checking.check

    async def answered(config: Config, say: Any, transport: None) -> tuple[int, str]:
        return await check(config, say, transport=InProcess(cloud))

    monkeypatch.setattr(checking, "check", answered)


@pytest.mark.usefixtures("_real_time")
def test_the_command_and_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", config_file(tmp_path), f"--report={tmp_path / 'shapes.json'}"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("ok    configuration             valid, 1 account, 1 project\n")
    assert err == ""
    report = json.loads((tmp_path / "shapes.json").read_text())
    assert report["projects"][0]["operations"]["v3_list_jobs"]["200"]["calls"] == 3


def test_a_check_that_crashes_keeps_the_report_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(checking, "check", crash)
    (file := tmp_path / "shapes.json").write_text("earlier")
    assert cli.main(["check", config_file(tmp_path), f"--report={file}"]) == 1
    assert file.read_text() == "earlier"


@pytest.mark.usefixtures("_real_time")
def test_a_disk_that_fills_up_during_the_check_is_named_and_keeps_the_earlier_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    (file := tmp_path / "shapes.json").write_text("earlier")
    assert cli.main(["check", config_file(tmp_path), f"--report={file}"]) == 1
    assert capsys.readouterr().err == f"drs-exporter: --report: can't write {file}: No space left on device\n"
    assert file.read_text() == "earlier"


@pytest.mark.usefixtures("_real_time")
def test_the_exit_code_says_that_something_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", config_file(tmp_path, secret_key="hunter2")]) == 1
    out, err = capsys.readouterr()
    assert "fail" in out
    assert "hunter2" not in out + err
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


@pytest.mark.usefixtures("_real_time")
@pytest.mark.parametrize("words", [["--report=none/shapes.json"], ["--reports=x"], ["x"]])
def test_bad_usage(words: Iterable[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", config_file(tmp_path), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("drs-exporter: ")
    assert err.count("\n") == 1


def test_a_file_of_authorities_that_holds_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    option = config_file(tmp_path)
    file = tmp_path / "config.yaml"
    content = json.loads(file.read_text())
    content["accounts"][0]["ca_file"] = str(file)
    file.write_text(json.dumps(content))
    assert cli.main(["check", option]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "holds no PEM certificates" in err


def test_a_faulty_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("accounts: []\n")
    assert cli.main(["check", f"--config.file={file}", f"--report={tmp_path / 'shapes.json'}"]) == 2
    assert capsys.readouterr().err.startswith(f"drs-exporter: {file}:1: accounts: ")
    assert not (tmp_path / "shapes.json").exists()
