"""What the daemon needs for few and for many tasks: memory, CPU and API calls, as users ask."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.metrics.self_metrics import DEMAND
from tests.bench.fleet import ALL, settings
from tests.bench.live import settled
from tests.bench.measure import Result, number
from tests.bench.peers import GZIP, Scraper, cloud, exporter, fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.peers import Peer

_RATE = 1000.0
"""Calls a second that are allowed: more than any of the fleets needs."""
_SCRAPE_SECONDS = 15.0


async def measure(fleets: Sequence[int], seconds: float) -> Result:
    """Off the loop, since it waits for others; all fleets at once, each in processes of its own."""
    return Result(lines=await asyncio.to_thread(_lines, fleets, seconds))


def _lines(fleets: Sequence[int], seconds: float) -> list[str]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        running = [_started(tasks, Path(name) / str(tasks), stack) for tasks in fleets]
        for daemon in running:
            settled(daemon)
        before = [daemon.cpu() for daemon in running]
        _scrape(running, seconds)
        used = [(daemon.cpu() - cpu) / seconds for daemon, cpu in zip(running, before, strict=True)]
        return [
            f"**{tasks:,} tasks**: {daemon.memory():.0f} MB of memory at the peak, {cpu:.1%} of one processor, "
            f"{number(_calls(daemon))} API calls a second"
            for tasks, daemon, cpu in zip(fleets, running, used, strict=True)
        ]


def _started(tasks: int, folder: Path, stack: ExitStack) -> Peer:
    server = stack.enter_context(cloud(tasks, folder))
    return stack.enter_context(exporter(folder, settings("v3", ALL, endpoint=server.url, rate=_RATE)))


def _scrape(running: Sequence[Peer], seconds: float) -> None:
    """Scrape each of them as one Prometheus does."""
    scrapers = [Scraper(f"{daemon.url}/metrics", GZIP) for daemon in running]
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        for scraper in scrapers:
            scraper.scrape()
        time.sleep(min(rest, _SCRAPE_SECONDS))
    for scraper in scrapers:
        scraper.close()


def _calls(daemon: Peer) -> float:
    """The calls a second that the intervals of all collectors need, also of those that poll seldom."""
    text = fetch(f"{daemon.url}/metrics")[1].decode()
    (ratio,) = re.findall(rf"^{DEMAND.name}{{.*}} (\S+)$", text, re.MULTILINE)
    return float(ratio) * _RATE
