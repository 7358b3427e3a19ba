"""The collectors and operations that feed a family, derived from its fields and from the sources of the adapters."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

from exporter.cloud import operations
from exporter.cloud.connect import Api
from exporter.cloud.operations import Operation
from exporter.cloud.source import Source
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.config import COLLECTOR_OF, COLLECTORS, TASKS
from exporter.metrics.family import Family, split
from exporter.model.filters import ListQuery
from exporter.model.task import Project, Task

LISTS = (operations.LIST_V3, operations.LIST_V5)
_APIS: tuple[Api, ...] = (V3(ListQuery()), V5(ListQuery()))
SOURCES = tuple(source for api in _APIS for source in api.sources)
"""All sources of facts about tasks, v3 first."""
PROJECT_SOURCES = tuple(source for api in _APIS for source in api.project_sources)
"""All sources of facts about projects."""


class Feed(NamedTuple):
    """Where the values of a family come from."""

    collectors: tuple[str, ...]
    operations: tuple[Operation, ...]


def feed_of(family: Family[Task] | Family[Project]) -> Feed:
    """Return what feeds a family of tasks or projects; nothing does if it is about the exporter itself."""
    fed = {COLLECTOR_OF.get(split(path)[0]) for path in family.fields}
    collectors = tuple(name for name in COLLECTORS if name in fed)
    return Feed(
        collectors,
        (
            *(LISTS if TASKS in collectors else ()),
            *(source.operation for source in SOURCES if _contains(source, family.fields)),
            *(source.operation for source in PROJECT_SOURCES if source.collector in collectors),
        ),
    )


def _contains(source: Source, paths: tuple[str, ...]) -> bool:
    """Return whether the responses of a source contain any of these fields."""
    for kind in source.kinds:
        named = {field for name, field in map(split, paths) if name == kind.name}
        shown = {field.name for field in fields(kind)} if "" in named else named
        if {f"{kind.name}.{field}" for field in shown} - source.lacks:
            return True
    return False
