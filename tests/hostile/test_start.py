"""That the tier itself works: a real process, a cloud that can be broken, an end in every path."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from exporter.simulator.faults import broken
from tests.e2e.programs import get

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.programs import Exporter
    from tests.hostile.clouds import HostileCloud


def up(exporter: Exporter, value: int) -> Callable[[], bool]:
    def found() -> bool:
        lines = get(f"{exporter.url}/metrics").text.splitlines()
        return any(line.startswith("drs_up{") and line.endswith(f" {value}") for line in lines)

    return found


def test_the_cloud_can_be_broken_and_repaired(start: Callable[..., Exporter], cloud: HostileCloud) -> None:
    exporter = start(config=cloud.config()).ready()
    exporter.until(up(exporter, 1), "it is up")
    cloud.faults.append(broken("/jobs"))
    exporter.until(up(exporter, 0), "it is down")
    cloud.faults.clear()
    exporter.until(up(exporter, 1), "it is up again")
    assert exporter.ends_on(signal.SIGTERM)[0] == 0
    assert not exporter.running


def test_a_file_system_can_be_full(small_disk: Path) -> None:
    with (small_disk / "junk").open("wb", buffering=0) as junk:
        assert junk.write(bytes(100_000)) < 100_000
        with pytest.raises(OSError, match="No space left"):
            junk.write(b"x")
