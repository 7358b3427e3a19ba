"""`make help`, the pre-commit hooks and the issue forms match the Makefile and the rules of GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.programs import run
from tests.lib.paths import ROOT
from tests.lib.tools import needs, tool

if TYPE_CHECKING:
    from pathlib import Path

MAKEFILE = (ROOT / "Makefile").read_text()
FORMS = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]


def recipe(target: str) -> list[str]:
    """The command lines of a target."""
    (lines,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return [line.strip() for line in str(lines).splitlines()]


@needs("make")
def test_make_alone_describes_every_target() -> None:
    printed = run(tool("make"), folder=ROOT).stdout
    described = re.findall(r"^make (\w+)  ", printed, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.*)", MAKEFILE, re.MULTILINE)
    assert sorted(described) == sorted(phony.split())
    assert printed == run(tool("make"), "help", folder=ROOT).stdout


def test_the_hooks_run_what_make_lint_runs() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook["entry"].replace(".venv/bin/", "$(BIN)/") for hook in repository["hooks"]]
    assert hooks == recipe("lint")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_an_issue_form_has_the_fields_that_github_requires(form: Path) -> None:
    document = yaml.safe_load(form.read_text())
    assert document["name"]
    assert document["description"]
    fields = [entry for entry in document["body"] if entry["type"] != "markdown"]
    assert {entry["type"] for entry in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert len({entry["id"] for entry in fields}) == len(fields)
    assert all(entry["attributes"]["label"] for entry in fields)
    assert "version" in {entry["id"] for entry in fields}
