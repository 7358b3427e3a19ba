"""The systemd unit, as far as it can be tested without running it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.e2e.programs import COMMAND, run
from tests.lib.paths import DEPLOY
from tests.lib.tools import needs, tool

UNIT = DEPLOY / "systemd" / "drs-exporter.service"
EXPOSURE = 12
"""The highest exposure level of 100, as systemd-analyze computes it."""


def settings(name: str) -> list[str]:
    """The values of a key, in the order of the file."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def runnable(folder: Path) -> Path:
    """The unit with the command of this environment: systemd checks whether it can be run."""
    (start,) = settings("ExecStart")
    unit = folder / UNIT.name
    unit.write_text(UNIT.read_text().replace(start.split()[0], COMMAND))
    return unit


def test_the_command_has_the_options() -> None:
    (start,) = settings("ExecStart")
    program, command, *options = shlex.split(start)
    help_text = run(COMMAND, command, "--help").stdout
    assert Path(program).name == Path(COMMAND).name
    assert {option.partition("=")[0] for option in options} <= set(re.findall(r"--[\w.-]+", help_text))


def test_the_documentation_names_the_secrets_that_the_unit_passes() -> None:
    passed = {credential.partition(":")[0] for credential in settings("LoadCredential")}
    document = (DEPLOY.parent / "docs" / "running.md").read_text()
    assert set(re.findall(r"{credential: (\w+)}", document)) == passed
    assert len(passed) == 2


@needs("systemd-analyze")
def test_systemd_accepts_every_setting(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    verified = run(analyze, "verify", "--man=no", runnable(tmp_path))
    assert (verified.returncode, verified.stderr) == (0, "")
    # For an unknown key it prints a warning and succeeds.
    wrong = tmp_path / "wrong" / UNIT.name
    wrong.parent.mkdir()
    wrong.write_text(runnable(tmp_path).read_text().replace("DynamicUser", "DynamicUsers"))
    assert "DynamicUsers" in run(analyze, "verify", "--man=no", wrong).stderr


@needs("systemd-analyze")
def test_the_exposure_of_the_service_is_low(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    analyzed = run(analyze, "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE}", runnable(tmp_path))
    assert analyzed.returncode == 0, analyzed.stdout
