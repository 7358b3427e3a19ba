"""`make bench`: measures the goals on this machine and writes docs/performance.md.

python -m tests.bench              all parts; about seven minutes
python -m tests.bench PART...      these parts, printed only
python -m tests.bench ages         its tables in docs/operations.md, from virtual time: the same on every machine;
                                   about ten minutes
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from exporter.runtime.logs import configure
from tests.bench.ages import ages_by_rate_limit, ages_of_daemon
from tests.bench.measure import Result
from tests.bench.parts import PARTS, run
from tests.bench.report import ages_markdown, performance_markdown, shown
from tests.lib.paths import DOCS


def main() -> None:
    """Measure, tell, write."""
    if sys.argv[1:] == ["ages"]:
        text = ages_markdown(ages_by_rate_limit(), ages_of_daemon())
        (DOCS / "parts" / "3-ages.md").write_text(text, encoding="utf-8")
        return
    started, load = time.monotonic(), os.getloadavg()[0]
    result = Result()
    for part in sys.argv[1:] or PARTS:
        # With the log of the daemon: structlog's own default formats and prints every debug line.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), configure, ("info", "logfmt")) as pool:
            found = pool.submit(run, part).result()
        sys.stdout.write(shown(part, found, time.monotonic() - started))
        sys.stdout.flush()
        result.rows += found.rows
        result.tables += found.tables
        result.lines += found.lines
    if not sys.argv[1:]:
        text = performance_markdown(result, time.monotonic() - started, (load, os.getloadavg()[0]))
        (DOCS / "performance.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
