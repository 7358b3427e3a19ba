from __future__ import annotations

import asyncio
import io

import pytest

from exporter.runtime.terminal import Cell, ProgressLine, Screen, table
from tests.lib.virtual_time import simulated


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def rows(*texts: tuple[str, ...]) -> list[list[Cell]]:
    return [[Cell(text) for text in row] for row in texts]


def test_width_and_colours_of_an_output(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Screen.of(io.StringIO()), Screen.of(Terminal())) == (Screen(None, colour=False), Screen(40, colour=True))
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert Screen.of(Terminal()) == Screen(40, colour=False)


def test_colours() -> None:
    assert Screen().paint("failed", "bad") == "failed"
    assert Screen(40, colour=True).paint("failed", "bad") == "\x1b[31mfailed\x1b[0m"
    assert Screen(40, colour=True).paint("plain", "") == "plain"


def test_a_table_that_fits_is_not_wrapped() -> None:
    cells = rows(("name", "why"), ("orders-to-rds", "phase, delay"))
    assert table(cells, Screen(), [1]) == ["name           why", "orders-to-rds  phase, delay"]
    assert table(cells, Screen(27), [1]) == table(cells, Screen(), [1])


def test_a_narrow_table_wraps_at_words_first() -> None:
    cells = rows(("name", "why"), ("orders-to-rds", "phase, delay"))
    assert table(cells, Screen(21), [1, 0]) == ["name           why", "orders-to-rds  phase,", "               delay"]
    assert table(cells, Screen(18), [1, 0]) == ["name        why", "orders-to-  phase,", "rds         delay"]


def test_words_are_broken_if_nothing_else_helps() -> None:
    cells = rows(("uninterrupted", "interminable"))
    assert table(cells, Screen(20), [0, 1]) == ["uninterr  interminab", "upted     le"]
    assert table(cells, Screen(5), [0, 1]) == ["uninterr  intermin", "upted     able"]


@simulated
async def waited(stream: io.StringIO, seconds: float) -> str:
    calls = 0
    async with ProgressLine(lambda: f"{calls} calls of a very long story that does not fit", stream) as waiting:
        await asyncio.sleep(seconds)
        calls += 1
        await asyncio.sleep(seconds)
        waiting.wipe()
    return stream.getvalue()


def test_the_progress_line_is_one_line_and_is_wiped() -> None:
    lines = waited(Terminal(), 0.6).split("\r\x1b[K")
    assert lines == ["", "/ 0 calls of a very long story that ...", "- 1 calls of a very long story that ...", "", ""]
    assert max(map(len, lines)) < 40


def test_a_short_wait_shows_no_progress() -> None:
    assert waited(Terminal(), 0.2).strip("\r\x1b[K") == ""


def test_an_output_that_is_no_terminal_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(io.StringIO(), 2) == ""
    monkeypatch.setenv("TERM", "dumb")
    assert waited(Terminal(), 2) == ""
