"""Paths in the repository."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
DATA = TESTS / "data"
GOLDEN = TESTS / "golden"
DOCS = ROOT / "docs"
DEPLOY = ROOT / "deploy"
