"""The causes and remedies of the error codes of tasks."""

from __future__ import annotations

import re

import pytest

from exporter.cloud.http.error_codes import CODES
from exporter.views.task_errors import Meaning, markdown, meaning

DOCUMENTED = sorted({row.code for row in CODES if row.code.startswith("DRS.")})
UNEXPLAINED = {f"DRS.{number}" for number in (10000001, 10000024, 10010047, 10010065, 10010069, 10030009, 10030016)}
"""The examples of the API references contain these codes; no page explains them."""
ROWS = [line for line in markdown().splitlines() if line.startswith("| `DRS.")]


def test_every_documented_code_is_explained() -> None:
    assert {code for code in DOCUMENTED if meaning(code) is None} == UNEXPLAINED


def test_every_code_is_listed_once() -> None:
    listed = [code for row in ROWS for code in re.findall(r"`(DRS\.\w+)`", row)]
    assert sorted(listed) == sorted(set(DOCUMENTED) - UNEXPLAINED)


@pytest.mark.parametrize("row", ROWS)
def test_cause_and_remedy_are_sentences(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 3
    assert all(re.fullmatch(r"[A-Z].*\.", cell) for cell in cells[1:])


@pytest.mark.parametrize("spelling", ["DRS.M05004", "DRS-M05004", "M05004"])
def test_a_code_is_found_in_each_spelling(spelling: str) -> None:
    assert meaning(spelling) == Meaning(
        "DRS.M05004",
        "The task was deleted, or its resources were released.",
        "Create a new task. A released task cannot be resumed.",
    )


@pytest.mark.parametrize("code", [None, "DRS.M05101", "DRS.10000001", "IAM.0001"])
def test_an_undocumented_code_has_no_meaning(code: str | None) -> None:
    assert meaning(code) is None
