"""The settings of hypothesis, and the fixture of tests that run a command in this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from exporter.runtime import logs
from tests.lib.commands import CommandLine

# A busy machine takes any time for an example.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[CommandLine]:
    """A command line that leaves logging and signals of this process as they are."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    handler = signal.getsignal(signal.SIGHUP)
    yield CommandLine(capsys)
    signal.signal(signal.SIGHUP, handler)
