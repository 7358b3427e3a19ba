"""Updates the samples of tasks and projects: of a changed task only those that the change can affect."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from math import isfinite

import structlog

from exporter.metrics.exposition import Exposition
from exporter.metrics.family import Family, Samples
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.model.task import Project, ProjectKey, Task

_MOST_SERIES = 256
"""Of one task or project in one family. More are of no use to people, and a danger to Prometheus."""
_log = structlog.get_logger()


class SampleUpdater:
    """Updates the samples of one project and its tasks.

    Args:
        exposition: takes the samples.
        families: the families of tasks.
        key: the labels of the project.
        dropped: called with the number of series that were left out.
    """

    def __init__(
        self, exposition: Exposition, families: Iterable[Family[Task]], key: ProjectKey, dropped: Callable[[int], None]
    ) -> None:
        self._exposition = exposition
        self._key = key
        self._dropped = dropped
        self._reported: set[str] = set()
        self._families: dict[tuple[str, ...], list[Family[Task]]] = {}
        for family in families:
            self._families.setdefault(family.attributes, []).append(family)
        self._attributes = {name for attributes in self._families for name in attributes}

    def update_task(self, key: Hashable, before: Task | None, task: Task) -> None:
        """Update the samples of a task; `before` is its state at the last update."""
        labels = [(name, getattr(task.identity, name)) for name in task.identity.__match_args__]
        everything = (
            self._exposition.set_labels(key, labels)
            or before is None
            or before.phase is not task.phase
            or before.history != task.history
        )
        pairs = ((name, getattr(before, name, None), getattr(task, name)) for name in self._attributes)
        changed = set() if everything else {name for name, old, new in pairs if old is not new and old != new}
        for attributes, families in self._families.items():
            if everything or not changed.isdisjoint(attributes):
                for family in families:
                    self._exposition.put(key, family.name, self._fit(family.name, family.samples(task)), family.labels)

    def update_project(self, project: Project) -> None:
        """Update the samples of the project."""
        self._exposition.set_labels(self._key, zip(ProjectKey._fields, self._key, strict=True))
        for family in PROJECT_FAMILIES:
            self._exposition.put(self._key, family.name, self._fit(family.name, family.samples(project)))

    def _fit(self, family: str, samples: Samples) -> Samples:
        """Leave out samples that are no numbers, whose labels another sample has, or that are too many."""
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
        if family not in self._reported:
            self._reported.add(family)
            _log.warning("series dropped", family=family, series=lost, **self._key._asdict())
        return tuple(kept.items())
