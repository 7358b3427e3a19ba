"""The unit of systemd, as far as can be told without running it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.e2e.programs import COMMAND, run
from tests.lib.paths import DEPLOY
from tests.lib.tools import needs, tool

UNIT = DEPLOY / "systemd" / "drs-exporter.service"
EXPOSURE = 20
"""Of 100, by systemd's own measure of what a service may do."""


def settings(name: str) -> list[str]:
    """The values of a key, in their order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def runnable(folder: Path) -> Path:
    """A unit that starts the command of this environment; systemd asks whether it can be run."""
    (start,) = settings("ExecStart")
    unit = folder / UNIT.name
    unit.write_text(UNIT.read_text().replace(start.split()[0], COMMAND))
    return unit


def test_the_command_has_the_options() -> None:
    (start,) = settings("ExecStart")
    program, command, *options = shlex.split(start)
    told = run(COMMAND, command, "--help").stdout
    assert Path(program).name == Path(COMMAND).name
    assert {option.partition("=")[0] for option in options} <= set(re.findall(r"--[\w.-]+", told))


def test_secrets_are_named_in_the_documents_as_the_unit_hands_them_over() -> None:
    handed = {credential.partition(":")[0] for credential in settings("LoadCredential")}
    document = (DEPLOY.parent / "docs" / "running.md").read_text()
    assert set(re.findall(rf"/run/credentials/{UNIT.name}/(\w+)", document)) == handed
    assert len(handed) == 2


@needs("systemd-analyze")
def test_systemd_understands_every_setting(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    told = run(analyze, "verify", "--man=no", runnable(tmp_path))
    assert (told.returncode, told.stderr) == (0, "")
    # It says so, and succeeds all the same, where a key is unknown.
    wrong = tmp_path / "wrong" / UNIT.name
    wrong.parent.mkdir()
    wrong.write_text(runnable(tmp_path).read_text().replace("DynamicUser", "DynamicUsers"))
    assert "DynamicUsers" in run(analyze, "verify", "--man=no", wrong).stderr


@needs("systemd-analyze")
def test_the_service_may_do_little(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    told = run(analyze, "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE}", runnable(tmp_path))
    assert told.returncode == 0, told.stdout
