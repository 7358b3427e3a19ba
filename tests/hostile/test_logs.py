"""If the log cannot be written, its lines are dropped and counted, and nothing else is lost."""

from __future__ import annotations

import contextlib
import json
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from exporter.simulator import Fault
from exporter.simulator.faults import broken
from tests.e2e.programs import COMMAND, Exporter, get, run, until
from tests.hostile.clouds import HostileCloud
from tests.hostile.outputs import bound, full, never_read, without_reader

DROPPED = re.compile(r"^drs_exporter_log_lines_dropped_total (\S+)$", re.MULTILINE)
UP = re.compile(r"^drs_up\{.*\} (\S+)$", re.MULTILINE)
PROMPT = 5.0
"""Seconds until a signal has ended it."""
UNREADABLE = Fault(match="/jobs", kind="body", body="<html>")
"""An error that is not retried."""


def dropped(url: str) -> float | None:
    found = DROPPED.search(get(f"{url}/metrics").text)
    return None if found is None else float(found[1])


def drops(url: str, count: int) -> bool:
    lost = dropped(url)
    return lost is not None and lost >= count  # the first page may not have been published yet


def healthy(url: str) -> bool:
    return get(f"{url}/-/healthy").status_code == 200


def up(url: str, value: str) -> bool:
    return UP.findall(get(f"{url}/metrics").text) == [value]


def test_it_polls_and_serves_without_a_log(start: Callable[..., Exporter], cloud: HostileCloud) -> None:
    with contextlib.ExitStack() as stack:
        exporters = [
            start(config=cloud.config(), stderr=stack.enter_context(broken_output()))
            for broken_output in (full, without_reader, never_read)
        ]
        for closed in ("2>&-", "0<&- 1>&- 2>&-"):
            shell = ("bash", "-c", f'exec "$0" "$@" {closed}', COMMAND)
            exporters.append(start(config=cloud.config(), command=shell))
        urls = [bound(exporter) for exporter in exporters]
        for value, faults in (("1", []), ("0", [UNREADABLE]), ("1", [])):
            cloud.faults[:] = faults
            for url in urls:
                until(partial(up, url, value), lambda: "drs_up follows")
        full_disk, *_, all_closed = exporters
        full_disk.send_signal(signal.SIGHUP)
        all_closed.send_signal(signal.SIGHUP)
        counts = [4, 3, 0, 3, 4]  # lines wait for a pipe that is never read
        for url, count in zip(urls, counts, strict=True):
            until(partial(drops, url, count), lambda: "lines are counted")
            assert get(f"{url}/-/healthy").status_code == 200
        assert dropped(urls[2]) == 0
        for exporter in exporters:
            exporter.ends_on(signal.SIGTERM, seconds=PROMPT)
        assert exporters[-1].stdout + exporters[-1].stderr == ""


def test_lines_are_written_again_once_the_disk_has_space(
    start: Callable[..., Exporter], cloud: HostileCloud, small_disk: Path
) -> None:
    log, junk = small_disk / "log", small_disk / "junk"
    with log.open("ab") as file:
        exporter = start(config=cloud.config(), stderr=file)
    url = bound(exporter)
    until(lambda: "serving" in log.read_text(), lambda: "it logs")
    for path in (junk, log):  # the rest of the last page as well
        with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"-" * 64)
    for count in (1, 2):
        exporter.send_signal(signal.SIGHUP)
        until(partial(drops, url, count), lambda: "lines are counted")
    junk.unlink()
    exporter.send_signal(signal.SIGHUP)
    lost = until(
        lambda: re.search(r"lines of the log were dropped.* lines=(\d+)$", log.read_text(), re.MULTILINE),
        lambda: "the dropped lines are logged",
    )
    assert float(lost[1]) == dropped(url) == 2
    exporter.ends_on(signal.SIGTERM)


def test_the_demo_serves_without_a_reader_of_its_output(start: Callable[..., Exporter]) -> None:
    with contextlib.ExitStack() as stack:
        exporters = [
            start(stdout=stack.enter_context(broken_output())) for broken_output in (without_reader, never_read)
        ]
        for exporter in exporters:
            until(partial(healthy, bound(exporter)), lambda: "it serves")
            exporter.ends_on(signal.SIGTERM, seconds=PROMPT)


def test_a_command_writes_all_of_its_log_before_it_ends(cloud: HostileCloud, tmp_path: Path) -> None:
    cloud.faults.append(broken("/jobs"))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(cloud.config()))
    done = run(COMMAND, "once", f"--config.file={config}")
    assert done.returncode == 1
    assert "every list fails" in done.stderr
