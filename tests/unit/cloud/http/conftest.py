from __future__ import annotations

import random

import pytest


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls be repeated immediately."""
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)
