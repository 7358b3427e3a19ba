"""The results as documents."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.measure import number, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.measure import Result, Row, Table

_LIBRARIES = (
    "prometheus-client",
    "huaweicloudsdkdrs",
    "httpx",
    "httpx-aiohttp",
    "aiohttp",
    "pydantic",
    "uvicorn",
    "isal",
)
_METHOD = """\
* All runs on one machine and in one run: what is compared has its turn in each round, one after the other, so that a
  change of the machine's load touches both sides. A value is the median over the rounds, with the least and the most.
* CPU is the time of the measuring process (`process_time`); of the event loop, that of its thread. It is what is
  compared wherever other work on the machine would blur the wall's clock. Scrapes and the demo's start are of the wall.
* A *page* is 10,000 tasks with one sample in each of 40 families, with labels as long as real ones. nginx (Debian's)
  serves the same bytes from a file, one process, `sendfile` and no log; both are asked over one kept connection for
  each scraper. prometheus_client renders the same samples as gauges, and compresses at level 9, as its own server does.
* The *cloud* is the simulated one, over TCP, in a process of its own, whose CPU counts for nobody. The vendor's SDK
  asks it the same: the v5 lists, and for each task the v5 progress and the monitoring data; what they say goes into
  gauges of prometheus_client, and they are rendered and compressed.
* The *daemon* is `drs-exporter` itself with API v3, polling tasks, progress, node, recovery and detail while ten
  scrapers take the page, each twice a second.
* What is said of ages comes from the daemon in virtual time, where a call takes the cloud 50 ms and the daemon nothing.
  It is the same on every machine."""


def performance_markdown(result: Result, seconds: float, load: Sequence[float]) -> str:
    """docs/performance.md."""
    missed = [row for row in result.rows if not row.met]
    return _document(
        "# Performance",
        "Made by `make bench`; do not edit. Run it on your own machine: ratios travel, times don't.",
        "## Machine",
        _machine(seconds, load),
        "## Method",
        _METHOD,
        "## Goals",
        _table(("what", "measured", "goal", "met", "figures"), map(_row, result.rows)),
        "## Goals that are missed",
        "\n".join(f"* **{row.what}**: {_value(row)}, goal {_goal(row)}. {row.why}" for row in missed) or "None.",
        *(paragraph for table in result.tables for paragraph in _titled(table)),
    )


def allowance_markdown(table: Table) -> str:
    """A part of docs/operations.md."""
    return "\n" + _document(
        "## Ages by rate limit",
        "Measured by `python -m tests.bench allowance`; do not edit.",
        "`poll.rate_limit` limits the calls a second of an account in a region. The table shows the resulting ages of "
        "values on the page, sampled every 15 seconds: median / 95th percentile / oldest. They are measured with the "
        "daemon in virtual time against the simulated cloud: all tasks incremental, a sixth of them DR, the default "
        "configuration, 50 ms for each call.",
        _table(table.head, (" | ".join(row) for row in table.rows)),
        "The age of a task's node figures is that of the oldest one. On v3 only DR tasks have node figures; with "
        "`api: auto` and `api: v5` each other task costs one or two calls.",
    )


def shown(part: str, result: Result, seconds: float) -> str:
    """For the terminal."""
    lines = [f"{part} (after {seconds:.0f} s)"]
    for row in result.rows:
        lines.append(
            f"  {'met   ' if row.met else 'MISSED'} {row.what}: {_value(row)}, goal {_goal(row)}; {row.figures}"
        )
        lines += [] if row.met else [f"         {row.why}"]
    for table in result.tables:
        lines += [f"  {table.title}", *(f"    {' | '.join(row)}" for row in (table.head, *table.rows))]
    return "\n".join(lines) + "\n"


def _titled(table: Table) -> tuple[str, str]:
    return f"## {table.title}", _table(table.head, (" | ".join(row) for row in table.rows))


def _machine(seconds: float, load: Sequence[float]) -> str:
    facts = {
        "processor": f"{_processor()}, {os.cpu_count()} logical",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "load": f"{load[0]:.1f} when it began, {load[1]:.1f} when it ended; on an idle machine 0, and 1 or 2",
        "date, duration": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds:.0f} s",
    }
    return _table(("", ""), (f"{name} | {fact}" for name, fact in facts.items()))


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.machine()


def _row(row: Row) -> str:
    return " | ".join((row.what, _value(row), _goal(row), "yes" if row.met else "**no**", row.figures))


def _value(row: Row) -> str:
    return f"{spread(row.values) if len(row.values) > 1 else number(row.value)} {row.unit}"


def _goal(row: Row) -> str:
    return f"{'at least' if row.least else 'at most'} {row.goal:,g} {row.unit}"


def _document(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs) + "\n"


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join((f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {row} |" for row in rows)))
