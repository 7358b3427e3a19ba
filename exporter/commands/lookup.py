"""The task that a user names: by its id, or else by its exact name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from exporter.runtime.escape import printable

if TYPE_CHECKING:
    from exporter.config import Config

_MOST_SIMILAR = 3
_LEFT_OUT = "a rule of tasks.include or tasks.exclude may leave it out"


class Place(NamedTuple):
    """A task, and the project that it is in."""

    account: str
    region: str
    project: str
    task_id: str
    task_name: str


def matches(wanted: str, places: Iterable[Place]) -> list[Place]:
    """Return the tasks with this id, or else with this name, each once."""
    known = list(dict.fromkeys(places))
    return [place for place in known if place.task_id == wanted] or [
        place for place in known if place.task_name == wanted
    ]


def no_match(wanted: str, places: Iterable[Place], *, all_read: bool = True) -> str:
    """Return the message that no task matches, with similar names; without `all_read`, a list may lack the task."""
    names = sorted({place.task_name for place in places})
    within = [name for name in names if wanted.lower() in name.lower()]
    similar = [*difflib.get_close_matches(wanted, names, n=_MOST_SIMILAR), *within]
    choice = " or ".join(map(printable, [*dict.fromkeys(similar)][:_MOST_SIMILAR]))
    tasks = "task" if all_read else "task of the lists that could be read"
    return f"no {tasks} has the id or the name {printable(wanted)!r}" + (f", did you mean {choice}?" if choice else "")


def hints(config: Config) -> list[str]:
    """Return why a task that no list contains may still exist: rules of the configuration leave tasks out."""
    rules = any(account.tasks.include or account.tasks.exclude for account in config.accounts)
    return [_LEFT_OUT] if rules else []


def no_wave(wanted: str, names: Iterable[str]) -> str:
    """Return the message that no wave has a name, with the similar names, or else all."""
    known = list(names)
    near = difflib.get_close_matches(wanted, known, n=_MOST_SIMILAR)
    hint = f", did you mean {' or '.join(near)}?" if near else f" (waves: {', '.join(known) or 'none'})"
    return f"no wave has the name {printable(wanted)!r}{hint}"


def ambiguous(wanted: str, places: Sequence[Place]) -> str:
    """Return the message that several tasks have this name, with their ids."""
    rows = sorted((place.task_id, place.account, place.region, place.project) for place in places)
    heading = f"{len(rows)} tasks are called {printable(wanted)!r}; give the id of one of them:"
    return "\n".join((heading, *columns([("id", "account", "region", "project"), *rows])))


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of equal length as aligned, indented lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ((cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [f"  {'  '.join(row)}".rstrip() for row in cells]
