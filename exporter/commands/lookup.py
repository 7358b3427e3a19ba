"""Which task a user means: by its id, or else by its exact name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

from exporter.runtime.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_MOST_NEAR = 3


class Place(NamedTuple):
    """A task, and the project that it is in."""

    account: str
    region: str
    project: str
    task_id: str
    task_name: str


def find(wanted: str, places: Iterable[Place]) -> list[Place]:
    """The tasks that may be meant, none twice; several where their names are equal."""
    known = list(dict.fromkeys(places))
    return [place for place in known if place.task_id == wanted] or [
        place for place in known if place.task_name == wanted
    ]


def missing(wanted: str, places: Iterable[Place]) -> str:
    """Says that there is no such task, and which ones are near."""
    names = sorted({place.task_name for place in places})
    within = [name for name in names if wanted.lower() in name.lower()]
    near = [*dict.fromkeys((*difflib.get_close_matches(wanted, names, n=_MOST_NEAR), *within))][:_MOST_NEAR]
    return f"no task has the id or the name {printable(wanted)!r}" + (
        f", did you mean {' or '.join(map(printable, near))}?" if near else ""
    )


def several(wanted: str, places: Sequence[Place]) -> str:
    """Says that a name is not enough, and which ids there are."""
    rows = [(place.task_id, place.account, place.region, place.project) for place in places]
    return "\n".join(
        (
            f"{len(rows)} tasks are called {printable(wanted)!r}; give the id of one of them:",
            *columns([("id", "account", "region", "project"), *sorted(rows)]),
        )
    )


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows of equal length as aligned lines."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
