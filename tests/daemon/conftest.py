"""Fixtures of the tests of the whole daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lib.rendering import render_no_samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of a storage, which does not exist yet."""
    return tmp_path / "storage"


@pytest.fixture
def without_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render no samples of tasks and projects, in tests that read none: that would take most of their time."""
    render_no_samples(monkeypatch)
