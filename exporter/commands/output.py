"""The output of commands: an error where it cannot be written, and how long a reader may take."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from exporter.config import NotReadyError
from exporter.runtime.line_writer import LineWriter

DRAIN_SECONDS, SERVING_DRAIN_SECONDS = 5.0, 0.5
"""The longest time that the end of a command, and that of a daemon, waits for a reader of its lines."""


@contextmanager
def writing_output() -> Iterator[None]:
    """Flush standard output at the end of the `with` block.

    Raises:
        NotReadyError: it cannot be written, such as on a full disk.
        BrokenPipeError: its reader, such as head, has ended.
    """
    try:
        yield
        print(end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes the rest when it exits
        if isinstance(error, BrokenPipeError):
            raise
        raise NotReadyError(f"standard output cannot be written: {error.strerror}") from error


def report(texts: Iterable[str]) -> None:
    """Print lines to standard error; drop those that nobody reads within seconds."""
    lines = LineWriter(sys.stderr, lambda _: "")
    for line in "\n".join(texts).splitlines():
        lines.write(f"drs-exporter: {line}\n")
    lines.drain(DRAIN_SECONDS)
