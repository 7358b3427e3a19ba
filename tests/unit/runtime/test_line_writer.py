"""Lines that cannot be written are dropped and counted; a writer never waits and never gets an error."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from exporter.runtime import line_writer
from exporter.runtime.line_writer import LineWriter

TIMEOUT = 10.0


def missing(count: int) -> str:
    return f"{count} missing\n"


class Pipe:
    """A pipe whose reader may wait or leave."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.writer: TextIO = os.fdopen(writer, "w")
        self.lines = LineWriter(self.writer, missing)

    def fill(self) -> int:
        """Write lines until none is taken; how many were written, waiting ones included."""
        count = 0
        while not self.lines.dropped:
            self.lines.write(f"line {count} {'x' * 1000}\n")
            count += 1
        return count

    def read(self) -> list[str]:
        """All lines, after the writing end has been closed."""
        text = b""
        while part := os.read(self.reader, 65536):
            text += part
        return text.decode().splitlines()

    def written(self, *texts: str) -> list[str]:
        """All lines, once these are written and the writing end is closed."""
        found: list[str] = []
        reader = threading.Thread(target=lambda: found.extend(self.read()))
        reader.start()
        self.lines.drain(TIMEOUT)  # of what waits for a reader
        for text in texts:
            assert self.lines.write(text) == len(text)
        self.lines.flush()
        self.lines.drain(TIMEOUT)
        self.writer.close()
        reader.join(TIMEOUT)
        return found


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    if not pipe.writer.closed:
        pipe.writer.close()
    os.close(pipe.reader)


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        ([f"{number}\n" for number in range(500)], [str(number) for number in range(500)]),
        (["a\ud800b\n"], ["a\\ud800b"]),
    ],
    ids=["order", "a character without an encoding"],
)
def test_lines_are_written(pipe: Pipe, texts: list[str], lines: list[str]) -> None:
    assert (pipe.written(*texts), pipe.lines.dropped) == (lines, 0)


def test_no_thread_stays_behind(pipe: Pipe) -> None:
    pipe.lines.write("one\n")
    pipe.lines.drain(TIMEOUT)
    end = time.monotonic() + TIMEOUT
    while any(thread.name == "log" for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert "log" not in {thread.name for thread in threading.enumerate()}


def test_a_pipe_without_a_reader_costs_lines_and_no_time(pipe: Pipe) -> None:
    started = time.monotonic()
    kept = pipe.fill() - 1
    pipe.lines.write("dropped too\n" * 1000)
    pipe.lines.drain(0.1)
    assert time.monotonic() - started < TIMEOUT / 2
    assert pipe.lines.dropped == 2

    found = pipe.written("after\n")
    assert found.pop() == "after"
    found.remove("2 missing")
    assert [line.split()[1] for line in found] == [str(number) for number in range(kept)]


def without_reader() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def closed() -> TextIO:
    output = io.StringIO()
    output.close()
    return output


@pytest.mark.parametrize("opened", [without_reader, closed, lambda: None], ids=["no reader", "closed", "none"])
def test_an_output_that_is_closed_costs_its_lines(opened: Callable[[], TextIO | None]) -> None:
    output = opened()
    written = LineWriter(output, missing)
    for number in range(3):
        written.write(f"{number}\n")
        written.drain(TIMEOUT)
    assert written.dropped == 3
    if output:
        output.close()


class Disk:
    """An output that takes `room` bytes, and then none until it has room again."""

    def __init__(self, room: int) -> None:
        self.room, self.data = room, b""

    def put(self, data: bytes) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        taken = data[: self.room]
        self.room -= len(taken)
        self.data += taken
        return len(taken)


def test_a_line_after_an_incomplete_one_starts_a_new_line(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(9)
    monkeypatch.setattr(line_writer, "_writer", lambda _: disk.put)
    written = LineWriter(None, missing)
    for text in ("first\n", "second\n", "third\n"):
        written.write(text)
        written.drain(TIMEOUT)
    assert disk.data == b"first\nsec"
    disk.room = 100
    for text in ("fourth\n", "fifth\n"):
        written.write(text)
        written.drain(TIMEOUT)
    assert (disk.data, written.dropped) == (b"first\nsec\n2 missing\nfourth\nfifth\n", 2)


def test_it_waits_for_an_output_that_is_non_blocking(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer.fileno(), False)
    text = "x" * 200_000 + "\n"
    pipe.lines.write(text)
    pipe.lines.drain(0.1)
    assert (pipe.written(), pipe.lines.dropped) == ([text[:-1]], 0)


def _refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("further", [["two\n"], []])
def test_a_line_waits_for_another_or_for_the_drain_where_the_system_starts_no_thread(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, further: list[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refuse)
        pipe.lines.write("one\n")
        pipe.lines.drain(TIMEOUT)
    for text in further:
        pipe.lines.write(text)
    pipe.lines.drain(TIMEOUT)
    assert os.read(pipe.reader, 100).decode() == "".join(["one\n", *further])
