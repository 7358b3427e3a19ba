"""The processes that this one has started, and their end where a run of the tests is interrupted."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
"""The option of prctl(2)."""


def children() -> list[int]:
    """The process ids of the children that have not been awaited."""
    found: list[str] = []
    for file in Path("/proc/self/task").glob("*/children"):  # by the thread that started them
        with suppress(FileNotFoundError, ProcessLookupError):
            found += file.read_text().split()
    return [int(pid) for pid in found]


def adopt_orphans() -> None:
    """Become the parent of each process below this one whose own parent ends first."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_children() -> None:
    """Kill the children, and those that this process adopts from them, until there are none."""
    while pids := children():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
