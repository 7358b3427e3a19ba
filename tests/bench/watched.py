"""`drs-exporter` as it is, in a process of its own, with a look at its event loop.

`python -m tests.bench.watched REPORT ARGUMENTS...` writes what blocked the loop to the file REPORT when it ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.commands import main as cli
from exporter.daemon.exporter import Exporter
from exporter.polling.loop import PollLoop

if TYPE_CHECKING:
    from types import FrameType

    from exporter.cloud.http.call_context import CallContext

_TICK = 0.001
_LONG = 0.020
"""Seconds of CPU without a turn for others that are worth a look at what ran."""
_SAMPLE = 0.004
_DEPTH = 3


class Watch:
    """The times in which the loop of this thread was blocked, its polls, and its garbage collections."""

    def __init__(self) -> None:
        self.polls: list[tuple[str, float, float]] = []
        self.gaps: list[tuple[float, float, float]] = []
        """Unix time of the end, CPU seconds of this thread, seconds of the wall."""
        self.collections: list[tuple[float, float]] = []
        """CPU seconds and Unix time of the full ones."""
        self.blame: Counter[str] = Counter()
        self._seen: list[str] = []
        self._main = threading.get_ident()
        self._collecting = 0.0
        gc.callbacks.append(self._collected)
        threading.Thread(target=self._look, daemon=True).start()

    async def run(self) -> None:
        """Measure the delay of a turn each millisecond, for ever."""
        while True:
            self._seen.clear()
            cpu, wall = time.thread_time(), time.perf_counter()
            await asyncio.sleep(_TICK)
            blocked, waited = time.thread_time() - cpu, time.perf_counter() - wall - _TICK
            self.gaps.append((time.time(), blocked, waited))
            if blocked > _LONG:
                self.blame.update(self._seen)

    def _look(self) -> None:
        while True:
            time.sleep(_SAMPLE)
            self._seen.append(_stack(sys._current_frames().get(self._main)))

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        elif info["generation"] == 2:
            self.collections.append((time.thread_time() - self._collecting, time.time()))

    def report(self) -> dict[str, Any]:
        """All measurements."""
        return {
            "polls": self.polls,
            "gaps": self.gaps,
            "collections": self.collections,
            "blame": self.blame.most_common(5),
        }


def _stack(frame: FrameType | None) -> str:
    """The innermost function of a thread, and the functions of the exporter around it."""
    found: list[str] = []
    while frame is not None and len(found) < _DEPTH:
        code = frame.f_code
        own = "/exporter/" in code.co_filename and not code.co_filename.endswith("/commands/main.py")
        if own or not found:
            found.append(f"{Path(code.co_filename).name} {code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def watched() -> Watch:
    """Attach a watch to the exporter."""
    run, poll, watch = Exporter.run, PollLoop._run, Watch()

    async def run_watched(self: Exporter) -> None:
        watching = asyncio.create_task(watch.run())
        try:
            await run(self)
        finally:
            watching.cancel()

    async def poll_noted(self: PollLoop, context: CallContext) -> None:
        started = time.time()
        await poll(self, context)
        watch.polls.append((self.collector, started, time.time()))

    Exporter.run = run_watched  # type: ignore[method-assign]
    PollLoop._run = poll_noted  # type: ignore[method-assign]
    return watch


def main() -> int:
    """Run it to its end, which is a signal."""
    report, *arguments = sys.argv[1:]
    watch = watched()
    code = cli.main(arguments)
    Path(report).write_text(json.dumps(watch.report()), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
