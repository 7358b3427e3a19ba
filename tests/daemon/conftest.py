"""Fixtures of the tests of the whole daemon."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of a storage, which does not exist yet."""
    return tmp_path / "storage"
