"""Updates the samples of tasks and projects: of a changed task only those that the change can affect."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from math import isfinite
from operator import attrgetter

import structlog

from exporter.metrics.exposition import Exposition
from exporter.metrics.family import Family, Samples
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.model.task import Project, ProjectKey, Task

_MOST_SERIES = 256
"""Of one task or project in one family. More are of no use to people, and a danger to Prometheus."""
_OF_ALL = ("phase", "history")
"""The attributes of a task on which the samples of all families may depend."""
_MOST_CHANGES = 1000
"""Sets of attributes that have changed at once, of which the affected families are kept."""
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
        self._families = tuple(families)
        of_one = (name for family in self._families for name in family.attributes)
        self._attributes = tuple(dict.fromkeys((*_OF_ALL, *of_one)))
        self._values = attrgetter(*self._attributes)
        self._affected = lru_cache(maxsize=_MOST_CHANGES)(self._affected_by)

    def update_task(self, key: Hashable, before: Task | None, task: Task) -> None:
        """Update the samples of a task; `before` is its state at the last update."""
        if before is None or before.identity != task.identity or key not in self._exposition:
            labels = [(name, getattr(task.identity, name)) for name in task.identity.__match_args__]
            self._exposition.set_labels(key, labels)
            before = None
        for family in self._families_of(before, task):
            self._exposition.put(key, family.name, self._fit(family.name, family.samples(task)), family.labels)

    def _families_of(self, before: Task | None, task: Task) -> tuple[Family[Task], ...]:
        """Return the families whose samples may differ between two states of a task."""
        if before is None:
            return self._families
        pairs = zip(self._attributes, self._values(before), self._values(task), strict=True)
        return self._affected(tuple([name for name, old, new in pairs if old is not new and old != new]))

    def _affected_by(self, changed: tuple[str, ...]) -> tuple[Family[Task], ...]:
        """Return the families whose samples depend on any of these attributes."""
        return tuple(family for family in self._families if not {*_OF_ALL, *family.attributes}.isdisjoint(changed))

    def update_project(self, project: Project) -> None:
        """Update the samples of the project."""
        self._exposition.set_labels(self._key, zip(ProjectKey._fields, self._key, strict=True))
        for family in PROJECT_FAMILIES:
            self._exposition.put(self._key, family.name, self._fit(family.name, family.samples(project)))

    def _fit(self, family: str, samples: Samples) -> Samples:
        """Leave out samples that are no numbers, whose labels another sample has, or that are too many."""
        if not samples or (len(samples) == 1 and isfinite(samples[0][1])):
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
