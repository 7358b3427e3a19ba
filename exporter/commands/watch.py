"""Prints the outcome of a command again and again, in place on a terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Sequence

from pydantic import TypeAdapter, ValidationError

from exporter.commands.outcome import Outcome
from exporter.commands.output import writing_output
from exporter.config import Duration, NotReadyError
from exporter.runtime.terminal import Screen
from exporter.views.text import duration, moment, plural

DEFAULT = "5s"
_SHORTEST_SECONDS = 1.0
_HOME, _TO_END_OF_LINE, _TO_END_OF_SCREEN, _ALL = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[2J"


def interval(text: str) -> float:
    """Return the value of an option in seconds; raises `ArgumentTypeError`."""
    try:
        seconds: float = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError("expected a duration such as 5s or 1m") from None
    if seconds < _SHORTEST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be at least {duration(_SHORTEST_SECONDS)}")
    return seconds


async def watch(
    poll: Callable[[Screen | None], Awaitable[Outcome]],
    seconds: float,
    *,
    as_json: bool = False,
    now: Callable[[], float] = time.time,
) -> None:
    """Print what `poll` returns for a screen, again and again until this coroutine is cancelled.

    Args:
        poll: returns a table for a screen, or JSON in one line without one.
        seconds: between two outcomes.
        as_json: whether JSON is printed, in place of tables.
        now: Unix time.

    Raises:
        NotReadyError: the first outcome cannot be had, or the output cannot be written. Later ones may fail.
        BrokenPipeError: the reader of the output has ended.
    """
    again = False
    while True:
        screen = None if as_json else Screen.of(sys.stdout)
        try:
            outcome = await poll(screen)
        except NotReadyError as error:
            if not again:
                raise
            outcome = Outcome(1, notes=tuple(str(error).splitlines()))
        text = outcome.text
        if screen is not None:
            head = f"{moment(now())}, every {duration(seconds)}"
            notes = [line for note in outcome.notes for line in note.splitlines()]
            text = "\n\n".join(filter(None, (head, text, "\n".join(notes))))
            text = _in_place(text, screen.width, first=not again) if _is_terminal(screen) else f"{text}\n"
        with writing_output():
            print(text, flush=True)
        again = True
        await asyncio.sleep(seconds)


def _is_terminal(screen: Screen) -> bool:
    return screen.width is not None and os.environ.get("TERM") != "dumb"


def _in_place(text: str, width: int | None, *, first: bool) -> str:
    """Return text that overwrites the screen; lines for which it has no room are left out."""
    rows = shutil.get_terminal_size().lines - 1  # the cursor is in the last one
    lines = [part for line in text.splitlines() for part in _wrapped(line, width)]
    if len(lines) > rows:
        lines = [*lines[: rows - 1], f"{plural(len(lines) - rows + 1, 'more line')}"]
    drawn = "\n".join(f"{line}{_TO_END_OF_LINE}" for line in lines)
    return f"{_ALL if first else ''}{_HOME}{drawn}{_TO_END_OF_SCREEN}"


def _wrapped(line: str, width: int | None) -> Sequence[str]:
    """Return a line in parts that fit the terminal. A line with colours is one of a table, which fits."""
    return [line] if width is None or "\x1b" in line else textwrap.wrap(line, width) or [""]
