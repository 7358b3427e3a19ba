"""Tasks and projects as samples on the board: only the families that a change can have touched are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.catalogue import PROJECT_FAMILIES
from exporter.project_facts import ProjectKey

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from exporter.catalogue import Family
    from exporter.exposition import Board
    from exporter.model import Identity, Project, Task

_FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "tasks": ("tasks",),
    "progress": ("progress",),
    "node": ("node", "monitor"),
    "recovery": ("recovery", "detail", "tasks"),
    "objects": ("objects",),
    "detail": ("detail", "writable", "tasks", "objects"),
    "comparison": ("comparison",),
    "precheck": ("precheck",),
    "logs": ("logs",),
}
"""The fields of a task that the families of a collector are made of; families of several collectors name their own."""


class Samples:
    """Puts tasks and projects onto a board; `families` are those of tasks, with the labels that these tasks have."""

    def __init__(self, board: Board, families: Iterable[Family[Task]]) -> None:
        self._board = board
        self._families: dict[tuple[str, ...], list[Family[Task]]] = {}
        for family in families:
            self._families.setdefault(family.reads or _FIELDS_OF[family.collector], []).append(family)

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
                    self._board.put(key, family.name, family.samples(task), family.labels)

    def put_project(self, key: ProjectKey, project: Project) -> None:
        """Bring the samples of a project up to date."""
        self._board.identify(key, zip(ProjectKey._fields, key, strict=True))
        for family in PROJECT_FAMILIES:
            self._board.put(key, family.name, family.samples(project))


def _values(identity: Identity) -> tuple[str | None, ...]:
    return tuple(getattr(identity, name) for name in identity.__match_args__)
