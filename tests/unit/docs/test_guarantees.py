"""Every guarantee in docs/operations.md names tests, and these exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.lib.paths import DOCS, TESTS

TEXT = (DOCS / "operations.md").read_text()
SECTION = TEXT.partition("## What is guaranteed")[2].partition("\n## ")[0]
ROWS = [line for line in SECTION.splitlines() if line.startswith("| ") and not line.startswith("| guarantee ")]


@cache
def functions(file: str) -> frozenset[str]:
    return frozenset(
        node.name
        for node in ast.parse((TESTS / file).read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_a_guarantee_names_tests_that_exist(row: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
    assert named
    assert [(file, name) for file, name in named if name not in functions(file)] == []


def test_there_are_guarantees() -> None:
    assert len(ROWS) > 25
