"""Writes lines to an output that may be full, closed or never read; lines that cannot be written are dropped."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TextIO

_MOST_BYTES = 256 * 1024
"""The most bytes of lines that wait: about a thousand lines."""


class LineWriter:
    """A text stream of whole lines that never raises and never blocks.

    A daemon thread, which exists while lines wait, writes them. A line for which there is no room, or that can't be
    written, is dropped and counted. A line that reports n dropped lines precedes the next line that is written.

    Args:
        output: where the lines are written; None: all lines are dropped.
        dropped_message: returns the line that reports n dropped lines.
    """

    def __init__(self, output: TextIO | None, dropped_message: Callable[[int], str]) -> None:
        self._write_bytes = _writer(output)
        self._dropped_message = dropped_message
        self._changed = threading.Condition()  # reentrant: a finaliser may log while a line is added
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._running = False
        self._incomplete_line = False
        self._unreported = 0
        self.dropped = 0
        """The number of lines that were dropped so far."""

    def write(self, text: str) -> int:
        """Add a line, which ends in a newline. Return its length."""
        line = text.encode(errors="backslashreplace")
        with self._changed:
            if self._bytes + len(line) > _MOST_BYTES:
                self.drop()
            else:
                self._waiting.append(line)
                self._bytes += len(line)
            if not self._running:
                self._start()
        return len(text)

    def flush(self) -> None:
        """Do nothing: a stream has this method. See `drain`."""

    def drain(self, seconds: float) -> None:
        """Wait until all lines are written or dropped, for at most `seconds`.

        Return immediately where the system can start no thread: the lines then stay unwritten.
        """
        end = time.monotonic() + seconds
        with self._changed:
            if self._waiting and not self._running:
                self._start()
            while self._running and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)

    def drop(self) -> None:
        """Count a line that can't be written."""
        with self._changed:
            self.dropped += 1
            self._unreported += 1

    def _start(self) -> None:
        try:
            threading.Thread(target=self._work, name="log", daemon=True).start()
        except RuntimeError:  # the system can start no thread: the line waits for the next line, or for `drain`
            return
        self._running = True

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._running = False
                    self._changed.notify_all()
                    return
                line = self._waiting[0]
                unreported, self._unreported = self._unreported, 0
            report = self._dropped_message(unreported).encode() if unreported else b""
            written = self._write(report + line)
            with self._changed:
                self._waiting.popleft()
                self._bytes -= len(line)
                if not written:
                    self._unreported += unreported
                    self.drop()

    def _write(self, data: bytes) -> bool:
        """Write all data, and return whether that succeeded. After an incomplete line, start a new line first."""
        if self._incomplete_line:
            data = b"\n" + data
        left = data
        try:
            while left:
                left = left[self._write_bytes(left) :]
        except (OSError, ValueError):  # ValueError: the stream has been closed
            self._incomplete_line = self._incomplete_line or left != data
            return False
        self._incomplete_line = False
        return True


def _writer(output: TextIO | None) -> Callable[[bytes], int]:
    """Return a function that writes bytes and returns how many it wrote."""
    if output is None:
        return partial(_write_to, -1)  # which fails
    try:
        return partial(_write_to, output.fileno())
    except (OSError, ValueError):  # not a file, as in a test, or a closed file
        return lambda data: len(data) if output.write(data.decode()) else 0


def _write_to(number: int, data: bytes) -> int:
    """Write some of the data to a file descriptor, and wait where another process has made it non-blocking."""
    try:
        return os.write(number, data)
    except BlockingIOError:
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        poll.poll()
        return 0
