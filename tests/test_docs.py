"""docs/metrics.md is what the catalogue says, and says all of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from exporter.catalogue import PROJECT_FAMILIES, PROJECT_LABELS, TASK_FAMILIES, TASK_LABELS
from exporter.docs import catalogue_markdown
from exporter.telemetry import OWN_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.exposition import FamilyHead

FILE = Path(__file__).parent.parent / "docs" / "metrics.md"
SECTIONS: Mapping[str, Sequence[FamilyHead]] = {
    "Tasks": TASK_FAMILIES,
    "Projects": PROJECT_FAMILIES,
    "The exporter itself": OWN_FAMILIES,
}


def test_the_file_is_what_drs_exporter_metrics_prints() -> None:
    assert FILE.read_text(encoding="utf-8") == catalogue_markdown(), "make docs"


@pytest.mark.parametrize("title", SECTIONS)
def test_each_family_is_a_row_of_its_section(title: str) -> None:
    [section] = re.findall(rf"^## {title}$(.*?)(?=^## |\Z)", catalogue_markdown(), re.DOTALL | re.MULTILINE)
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    cells = [tuple(cell.strip() for cell in row) for row in rows]
    expected = [
        (f"`{family.name}`", family.type, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for family in SECTIONS[title]
    ]
    assert cells == expected


def test_the_labels_that_all_carry_are_told() -> None:
    text = catalogue_markdown()
    for labels in (TASK_LABELS, PROJECT_LABELS):
        assert ", ".join(f"`{label}`" for label in labels) in text
    assert text.endswith("|\n")
