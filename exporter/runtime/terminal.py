"""The output of commands: tables, colours on a terminal, and a progress line while a command waits."""

from __future__ import annotations

import asyncio
import math
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import NamedTuple, Self, TextIO

_COLOURS = {"good": "32", "warn": "33", "bad": "31", "dim": "2", "bold": "1", "": ""}
_NARROWEST = 8
_WORD = re.compile(r"[^\s-]+-?|-")
"""The text between two places where a line may end: blanks and hyphens."""
_GAP = "  "
_INTERVAL_SECONDS = 0.5
"""The time between two progress lines; a shorter wait shows none."""
_SPINNER = "|/-\\"


class Screen(NamedTuple):
    """The properties of an output.

    Attributes:
        width: columns of the terminal; None if the output is no terminal, and nothing is wrapped.
        colour: whether it shows colours.
    """

    width: int | None = None
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """Return the properties of a stream; the environment variable NO_COLOR disables colours."""
        if not stream.isatty():
            return cls()
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(shutil.get_terminal_size().columns, not plain)

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self.colour and style and text else text


class Cell(NamedTuple):
    """A cell of a table."""

    text: str
    style: str = ""


def table(rows: Sequence[Sequence[Cell]], screen: Screen, flexible: Sequence[int]) -> list[str]:
    """Return aligned lines; on a terminal that is too narrow, the `flexible` columns wrap, one after the other."""
    columns = [[cell.text for cell in column] for column in zip(*rows, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    room = math.inf if screen.width is None else screen.width - len(_GAP) * (len(widths) - 1)
    words = {index: max(len(word) for text in columns[index] for word in _WORD.findall(text)) for index in flexible}
    for least in (words, dict.fromkeys(flexible, _NARROWEST)):  # words are broken only if nothing else helps
        for index in flexible:
            width = widths[index]
            widths[index] = max(min(least[index], width), int(min(width, room - sum(widths) + width)))
    return [line for row in rows for line in _lines(row, widths, screen)]


def _lines(row: Sequence[Cell], widths: Sequence[int], screen: Screen) -> list[str]:
    wrapped = [textwrap.wrap(cell.text, width) or [""] for cell, width in zip(row, widths, strict=True)]
    return [
        _GAP.join(
            screen.paint(part, cell.style) + " " * (width - len(part))
            for part, cell, width in zip(parts, row, widths, strict=True)
        ).rstrip()
        for parts in zip_longest(*wrapped, fillvalue="")
    ]


class ProgressLine:
    """Shows a progress line on standard error during a wait, if that is a terminal, and wipes it at the end.

    Args:
        text: returns what the line shows.
        stream: in place of standard error.
    """

    def __init__(self, text: Callable[[], str], stream: TextIO | None = None) -> None:
        self._text = text
        self._stream = sys.stderr if stream is None else stream
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._stream.isatty() and os.environ.get("TERM") != "dumb":
            self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self.wipe()

    def wipe(self) -> None:
        """Wipe the line, before a line of output."""
        if self._ticking is not None:
            self._write("")

    async def _tick(self) -> None:
        clock = asyncio.get_running_loop().time
        started, turn = clock(), 0
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            turn += 1
            line = f"{_SPINNER[turn % len(_SPINNER)]} {self._text()}, {clock() - started:.0f}s"
            self._write(_shortened(line, shutil.get_terminal_size().columns - 1))

    def _write(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()


def _shortened(line: str, width: int) -> str:
    """Return a line of at most a width; dots at its end show that it is cut, perhaps within a number."""
    return line if len(line) <= width else line[: max(width - 3, 0)] + "..."[:width]
