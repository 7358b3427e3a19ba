"""What most of these tests need: no more pages than they look at, and what was logged, at every level of it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from exporter.polling import backoff, list_loop, list_reader
from exporter.runtime import logs
from exporter.runtime.line_writer import LineWriter
from tests.faults.fleet import INTERVAL


@pytest.fixture
def frequent_polls(published_seldom: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """List v5 as often as v3, and poll again at once after a refusal."""
    for module in (list_loop, list_reader):
        monkeypatch.setattr(module, "WHOLE_LIST_SECONDS", INTERVAL)
    monkeypatch.setattr(backoff, "_REFUSED_SECONDS", (0.0, 0.0))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Everything that was written to standard output and error since the last time."""
    written = io.StringIO()  # not pytest's own, which changes when the test begins
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, written)
    monkeypatch.setattr(LineWriter, "_start", LineWriter._work)  # at once, without a thread for each line
    logs.configure("debug", "logfmt")

    def take() -> str:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return text

    return take
