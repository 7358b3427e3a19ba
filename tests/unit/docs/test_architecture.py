"""Pages for developers name packages, files, classes and metrics that exist, in the order of the import contract."""

from __future__ import annotations

import re
import tomllib

import pytest

from exporter.metrics.tasks import TASK_FAMILIES
from tests.lib.paths import DOCS, ROOT

PACKAGE = ROOT / "exporter"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
ROWS = [[name.strip().removeprefix("exporter.") for name in row.split("|")] for row in CONTRACTS["layers"]["layers"]]
TEXT = (DOCS / "architecture.md").read_text()


def section(heading: str) -> str:
    return TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_the_layers_are_those_of_the_import_contract() -> None:
    drawn = section("Layers").split("```")[1]
    assert [line.split() for line in drawn.strip().splitlines()] == ROWS


@pytest.mark.parametrize("document", ["docs/architecture.md", "docs/decisions.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_exists(document: str) -> None:
    named = re.findall(r"[\w./]+\.(?:py|sh|toml|txt|ya?ml)\b", (ROOT / document).read_text())
    assert named
    assert [name for name in named if not any((folder / name).is_file() for folder in (ROOT, PACKAGE))] == []


def test_every_class_and_metric_that_is_named_exists() -> None:
    classes = {*re.findall(r"\b([A-Z]\w+)\(", TEXT), *re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", TEXT)}
    defined = {
        name for path in PACKAGE.rglob("*.py") for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)
    }
    assert {"Progress", "Task", "ProjectState"} <= classes <= defined
    metrics = set(re.findall(r"\bdrs_\w+", TEXT))
    assert metrics
    assert metrics <= {family.name for family in TASK_FAMILIES}


def test_contributing_describes_every_package_in_the_order_of_the_layers() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where things are\n")[2].partition("\n## ")[0]
    described = re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)
    assert described == [*(name for row in ROWS for name in row), "simulator"]
    assert set(described) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
