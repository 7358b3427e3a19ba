"""The daemon while it works: what blocks its loop, what its memory is, and whether scrapes notice."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from exporter.commands.main import main
from exporter.daemon.serve import serve
from tests.bench.fleet import settings
from tests.bench.measure import Result, Row, spread
from tests.bench.peers import GZIP, PLAIN, Scraper, at_once, cloud, exporter, fetch
from tests.lib.imports import imports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.peers import Peer, Scraped

_SCRAPERS = 10
_COLLECTORS = ("tasks", "progress", "node", "recovery", "detail")
_OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
_GOAL_MS = 15
_PAUSE = 0.5
"""Between two scrapes of one scraper; Prometheus takes 15 seconds and more."""


async def measure(tasks: int, seconds: int) -> Result:
    """Off the loop, since it waits for others."""
    return await asyncio.to_thread(_measure, tasks, seconds)


def _measure(tasks: int, seconds: int) -> Result:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*_large(tasks, seconds, folder / "large"), _small(max(1, tasks // 100), folder / "small")]
    return Result(rows)


def _large(tasks: int, seconds: int, folder: Path) -> list[Row]:
    """Polls begin every third part of the time; so there is time with and without one."""
    with cloud(tasks, folder) as server:
        config = settings("v3", _COLLECTORS, endpoint=server.url, interval=max(1, seconds // 2))
        with exporter(folder, config, "tests.bench.watched", str(folder / "report")) as running:
            settled(running)
            samples = _samples(running)
            sizes = [len(fetch(f"{running.url}/metrics", headers)[1]) / 1e6 for headers in (PLAIN, GZIP)]
            _ask_all(running)
            started = time.time()
            scrapes = _scrape_for(running.url, seconds)
            ended = time.time()
            peak = running.memory()
            grown = _ten_at_once(running)
            running.end()
            report = json.loads((folder / "report").read_text())
    within = f"{tasks:,} tasks, {samples:,} samples"
    why = (
        f"imports take {_imported():.0f} MB, the page {sizes[1]:.0f} MB ({sizes[0]:.0f} MB as text); the rest are the "
    )
    why += "tasks, the values of the samples, and what a page that is being rendered takes beside the old one"
    return [
        _blocked(report, started, ended, within),
        _steady(report, scrapes),
        Row(f"resident memory at its peak, {within}, both formats asked for", "MB", [peak], 287, why=why),
        Row(f"ten scrapers at once add, {within}", "MB", [grown], 20),
    ]


def _small(tasks: int, folder: Path) -> Row:
    with cloud(tasks, folder) as server, exporter(folder, settings("v3", _COLLECTORS, endpoint=server.url)) as running:
        settled(running)
        _ask_all(running)
        _ten_at_once(running)
        why = f"importing everything, and doing nothing, takes {_imported():.0f} MB"
        return Row(f"resident memory at its peak, {tasks} tasks", "MB", [running.memory()], 56, why=why)


def _imported() -> float:
    """Megabytes of a process that has only imported the daemon."""
    code = f"{imports(main, serve)}print(open('/proc/self/status').read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (size,) = re.findall(r"VmHWM:\s+(\d+) kB", done.stdout)
    return int(size) * 1024 / 1e6


def settled(running: Peer) -> None:
    """Wait until every collector has polled."""
    for collector in _COLLECTORS:
        labels = f'account="bench",region="cn-north-4",project="fleet",collector="{collector}"'
        running.serves("/metrics", f"drs_exporter_collector_success{{{labels}}} 1".encode())


def _samples(running: Peer) -> int:
    body = fetch(f"{running.url}/metrics")[1]
    return sum(1 for line in body.splitlines() if line and not line.startswith(b"#"))


def _ask_all(running: Peer) -> None:
    for accept in ({}, _OPENMETRICS):
        for encoding in ("gzip", "identity"):
            fetch(f"{running.url}/metrics", {**accept, "Accept-Encoding": encoding})


def _ten_at_once(running: Peer) -> float:
    """The megabytes that ten scrapers add."""
    running.forget_peak()
    before = running.memory("VmRSS")
    scrapers = [Scraper(f"{running.url}/metrics", GZIP) for _ in range(_SCRAPERS)]
    for _ in range(3):
        at_once(scrapers)
    for scraper in scrapers:
        scraper.close()
    return running.memory() - before


def _scrape_for(url: str, seconds: int) -> list[Scraped]:
    """Ten scrapers for so long, a scrape each half a second."""
    found: list[Scraped] = []
    end = time.monotonic() + seconds

    def scrape() -> None:
        scraper = Scraper(f"{url}/metrics", GZIP)
        while time.monotonic() < end:
            found.append(scraper.scrape())
            time.sleep(_PAUSE)
        scraper.close()

    threads = [threading.Thread(target=scrape) for _ in range(_SCRAPERS)]
    for thread in threads:
        thread.start()
        time.sleep(_PAUSE / _SCRAPERS)
    for thread in threads:
        thread.join()
    return found


def _blocked(report: Mapping[str, Any], started: float, ended: float, within: str) -> Row:
    gaps = [(at, 1e3 * cpu, 1e3 * wall) for at, cpu, wall in report["gaps"] if started < at < ended]
    swept = [(at, 1e3 * cpu) for cpu, at in report["collections"] if started < at < ended]
    alone = [cpu for at, cpu, _ in gaps if not any(at - cpu / 1e3 - 0.1 < end <= at for end, _ in swept)]
    over = sum(cpu > _GOAL_MS for _, cpu, _ in gaps)
    blame = "; ".join(f"{count} x {where}" for where, count in report["blame"] if where)
    return Row(
        f"event loop blocked at most, {within}, ten scrapers, polls under way",
        "ms",
        [max((cpu for _, cpu, _ in gaps), default=0.0)],
        _GOAL_MS,
        figures=f"CPU of the loop's thread between two turns; {over} over {_GOAL_MS} ms in {ended - started:.0f} s; on "
        f"the wall of this loaded machine at most {max((wall for _, _, wall in gaps), default=0.0):.0f} ms",
        why=f"full garbage collections took up to {max((cpu for _, cpu in swept), default=0.0):.0f} ms ({len(swept)}), "
        f"the longest turn without {max(alone, default=0.0):.0f} ms; samples of the stack in turns over "
        f"{_GOAL_MS} ms: {blame}",
    )


def _steady(report: Mapping[str, Any], scrapes: Sequence[Scraped]) -> Row:
    """Scrapes that fell into a poll, over the others."""
    polls = [(started, ended) for _, started, ended in report["polls"]]
    turns = [1e3 * cpu for at, cpu, _ in report["gaps"] if any(started < at < ended for started, ended in polls)]
    busy: list[float] = []
    quiet: list[float] = []
    for scrape in scrapes:
        overlaps = any(started < scrape.at + scrape.seconds and scrape.at < ended for started, ended in polls)
        (busy if overlaps else quiet).append(1e3 * scrape.seconds)
    if not busy or not quiet:
        return Row("a scrape during a poll, over one outside", "times", [1.0], 2, figures="no scrapes of one kind")
    return Row(
        "a scrape during a poll, over one outside",
        "times",
        [median(busy) / median(quiet)],
        2,
        figures=f"{spread(busy)} ms of {len(busy)} during polls, {spread(quiet)} ms of {len(quiet)} outside",
        why=f"each piece of a page waits for a turn of the loop, which while it polls takes {spread(turns)} ms of CPU",
    )
