"""Steps of the host's clock, as by NTP or in a restored snapshot: no value expires or stays, and all times follow."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from exporter.commands.main import main
from exporter.simulator.faults import broken
from tests.e2e.programs import Exporter, get, until
from tests.hostile.clouds import HostileCloud
from tests.lib.imports import imports

HOST = f"""
import sys, time
true_time, shift = time.time, sys.argv.pop(1)
time.time = lambda: true_time() + float(open(shift).read())
{imports(main)}sys.exit(main())
"""
DELAY = re.compile(r"^drs_task_incremental_delay_seconds\{", re.MULTILINE)
COLLECTED = re.compile(r'^drs_task_collected_timestamp_seconds\{.*collector="progress".*\} (\S+)$', re.MULTILINE)
HOUR, YEAR = 3600.0, 365 * 86_400.0


def families(page: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))


def test_a_clock_step_expires_no_value(start: Callable[..., Exporter], cloud: HostileCloud, tmp_path: Path) -> None:
    shift = tmp_path / "shift"

    def set_clock(step: float) -> None:
        shift.with_suffix(".new").write_text(str(step))
        shift.with_suffix(".new").rename(shift)  # so that it is never empty

    set_clock(0)
    config = cloud.config()
    token = cloud.simulated.issue_token(project_id=cloud.world.project_id)  # signatures have a date
    config["accounts"][0]["credentials"] = {"type": "token", "token": token}
    exporter = start(config=config, command=(sys.executable, "-c", HOST, str(shift))).ready()
    url = f"{exporter.url}/metrics"
    until(lambda: len(DELAY.findall(get(url).text)) == 2, lambda: "both delays are shown")
    complete = families(get(url).text)

    def ages(step: float) -> list[float]:
        """The ages of the progress by the stepped clock, from a page that must be complete."""
        page = get(url).text
        assert len(DELAY.findall(page)) == 2
        assert families(page) >= complete
        return [time.time() + step - float(at) for at in COLLECTED.findall(page)]

    for step in (-2 * HOUR, 2 * HOUR, YEAR):
        set_clock(step)
        until(lambda step=step: all(-1 < age < 10 for age in ages(step)), lambda: "the times follow")  # type: ignore[misc]

    cloud.faults.append(broken("/jobs"))
    set_clock(-YEAR)
    until(lambda: not DELAY.search(get(url).text), lambda: "old values expire")
    cloud.faults.clear()
    until(lambda: len(DELAY.findall(get(url).text)) == 2, lambda: "both delays are shown again")
    exporter.ends_on(signal.SIGTERM)
