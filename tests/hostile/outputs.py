"""Broken outputs for a process, and the address on which a process without a log listens."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.programs import Exporter, until


def bound(exporter: Exporter) -> str:
    """The URL at which it listens, from the kernel and not from its log."""

    def found() -> str | None:
        inodes = set()
        for link in Path(f"/proc/{exporter.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it has closed this descriptor
                inodes.add(str(link.readlink()))
        for line in Path(f"/proc/{exporter.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                return f"http://127.0.0.1:{int(fields[1].rpartition(':')[2], 16)}"
        return None

    with contextlib.suppress(FileNotFoundError):
        return until(found, lambda: "it listens")
    raise AssertionError("it has ended")


@contextmanager
def full() -> Iterator[int]:
    """A device that is full."""
    with open("/dev/full", "wb") as file:  # noqa: PTH123 - a device
        yield file.fileno()


@contextmanager
def without_reader() -> Iterator[int]:
    """A pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextmanager
def never_read() -> Iterator[int]:
    """A pipe that is full, as after hours without a reader."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    yield writer
    os.close(writer)
    os.close(reader)
