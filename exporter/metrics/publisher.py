"""Tasks and projects as samples on the board: only the families that a change can have touched are looked at."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import structlog

from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.model.project import ProjectKey

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from exporter.metrics.board import Board
    from exporter.metrics.family import Family
    from exporter.metrics.family import Samples as Sequences
    from exporter.model.task import Identity, Project, Task

_MOST_SERIES = 256
"""Of one task or project in one family: what has more is no longer a fact to look at, and a danger to Prometheus."""
_log = structlog.get_logger()


class Samples:
    """Puts one project and its tasks onto a board.

    Args:
        board: takes the samples.
        families: those of tasks.
        key: the labels of the project.
        dropped: told how many series were left out, which a page can't hold.
    """

    def __init__(
        self, board: Board, families: Iterable[Family[Task]], key: ProjectKey, dropped: Callable[[int], None]
    ) -> None:
        self._board = board
        self._key = key
        self._dropped = dropped
        self._told: set[str] = set()
        self._families: dict[tuple[str, ...], list[Family[Task]]] = {}
        for family in families:
            self._families.setdefault(family.attributes, []).append(family)

    def put(self, key: Hashable, before: Task | None, task: Task) -> None:
        """Bring the samples of a task up to date, which was `before` when they were put last."""
        labels = zip(task.identity.__match_args__, _values(task.identity), strict=True)
        everything = (
            self._board.identify(key, labels)
            or before is None
            or before.phase is not task.phase
            or before.history != task.history
        )
        for fields, families in self._families.items():
            if everything or any(getattr(before, name) != getattr(task, name) for name in fields):
                for family in families:
                    self._board.put(key, family.name, self._fit(family.name, family.samples(task)), family.labels)

    def put_project(self, project: Project) -> None:
        """Bring the samples of the project up to date."""
        self._board.identify(self._key, zip(ProjectKey._fields, self._key, strict=True))
        for family in PROJECT_FAMILIES:
            self._board.put(self._key, family.name, self._fit(family.name, family.samples(project)))

    def _fit(self, family: str, samples: Sequences) -> Sequences:
        """What a page can hold: numbers, of the same labels the first, and not without end."""
        if not samples:
            return samples
        kept: dict[tuple[str, ...], float] = {}
        for labels, value in samples:
            if isfinite(value) and len(kept) < _MOST_SERIES:
                kept.setdefault(labels, value)
        lost = len(samples) - len(kept)
        if not lost:
            return samples
        self._dropped(lost)
        if family not in self._told:
            self._told.add(family)
            _log.warning("series left out", family=family, series=lost, **self._key._asdict())
        return tuple(kept.items())


def _values(identity: Identity) -> tuple[str | None, ...]:
    return tuple(getattr(identity, name) for name in identity.__match_args__)
