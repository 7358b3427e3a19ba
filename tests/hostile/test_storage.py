"""The storage of the real process: kill -9, full and read-only disks. Scrapes and polls continue."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.programs import Exporter, get
from tests.hostile.clouds import HostileCloud

PROMPT = 5.0
FAILS = "the storage fails; records wait in memory"


def value(exporter: Exporter, name: str) -> float | None:
    found = re.search(rf"^{name}(?:{{.*}})? (\S+)$", exporter.get().text, re.MULTILINE)
    return None if found is None else float(found[1])


def stores(exporter: Exporter, *, successfully: bool = True) -> None:
    wanted = float(successfully)
    exporter.until(lambda: value(exporter, "drs_exporter_storage_success") == wanted, f"storage_success {wanted}", 30)


def polls(exporter: Exporter) -> None:
    exporter.until(lambda: value(exporter, "drs_up") == 1, "drs_up is 1")


def events(exporter: Exporter) -> list[Any]:
    """The oldest first."""
    found: list[Any] = json.loads(get(f"{exporter.url}/api/v1/events?limit=1000").text)["events"]
    return found[::-1]


def mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def pause(cloud: HostileCloud, exporter: Exporter, status: str, phase: str) -> None:
    """Change the phase of a task, and wait for its event."""
    cloud.world.tasks[0].pin(status)
    exporter.until(lambda: any(event.get("phase") == phase for event in events(exporter)), f"an event {phase}")


def test_kill_9_loses_no_event_that_was_stored(
    start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path
) -> None:
    config = cloud.config(storage={"path": str(tmp_path / "storage")})
    exporter = start(config=config).ready()
    pause(cloud, exporter, "PAUSING", "paused")
    size = value(exporter, "drs_exporter_storage_size_bytes") or 0
    exporter.until(lambda: (value(exporter, "drs_exporter_storage_size_bytes") or 0) > size, "the event is stored")
    before = events(exporter)
    exporter.send_signal(signal.SIGKILL)
    exporter.exit_code()
    again = start(config=config).ready()
    assert events(again)[: len(before)] == before
    assert events(again)[len(before)]["kind"] == "restarted"
    again.until(lambda: value(again, "drs_task_phase_changed_timestamp_seconds") is not None, "a time of the change")
    stores(again)
    again.ends_on(signal.SIGTERM, seconds=PROMPT)


def test_a_full_disk_stops_no_poll_and_no_scrape_and_records_wait_for_space(
    start: Callable[..., Exporter], cloud: HostileCloud, small_disk: Path
) -> None:
    exporter = start(config=cloud.config(storage={"path": str(small_disk / "storage")})).ready()
    stores(exporter, successfully=False)
    pause(cloud, exporter, "PAUSING", "paused")
    polls(exporter)
    assert value(exporter, "drs_exporter_storage_errors_total") != 0
    assert exporter.stderr.count(FAILS) == 1
    mount(small_disk, "size=10m")
    stores(exporter)
    before = events(exporter)
    exporter.ends_on(signal.SIGTERM, seconds=PROMPT)
    again = start(config=cloud.config(storage={"path": str(small_disk / "storage")})).ready()
    assert events(again)[: len(before)] == before
    again.ends_on(signal.SIGTERM, seconds=PROMPT)


def test_a_read_only_disk_stops_no_poll_and_no_scrape(
    start: Callable[..., Exporter], cloud: HostileCloud, small_disk: Path
) -> None:
    mount(small_disk, "size=10m")
    exporter = start(config=cloud.config(storage={"path": str(small_disk / "storage")})).ready()
    stores(exporter)
    exporter.ends_on(signal.SIGTERM, seconds=PROMPT)
    mount(small_disk, "ro")
    exporter = start(config=cloud.config(storage={"path": str(small_disk / "storage")})).ready()
    stores(exporter, successfully=False)
    polls(exporter)
    assert exporter.stderr.count("Read-only file system") == 1
    mount(small_disk, "rw")
    stores(exporter)
    exporter.ends_on(signal.SIGTERM, seconds=PROMPT)


def test_a_second_exporter_of_a_directory_polls_without_it_until_the_first_ends(
    start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path
) -> None:
    config = cloud.config(storage={"path": str(tmp_path / "storage")})
    first = start(config=config).ready()
    stores(first)
    second = start(config=config).ready()
    stores(second, successfully=False)
    polls(second)
    assert second.stderr.count("another exporter uses the directory") == 1
    first.ends_on(signal.SIGTERM, seconds=PROMPT)
    stores(second)
    second.ends_on(signal.SIGTERM, seconds=PROMPT)
