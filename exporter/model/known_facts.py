"""The table of the kinds of facts about a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args, get_type_hints

from exporter.model.details import Detail, Writable
from exporter.model.facts import (
    Comparison,
    Logs,
    Monitor,
    Node,
    Objects,
    Precheck,
    Progress,
    Recovery,
    Switchover,
    TaskFacts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFacts:
    """All facts about one task."""

    progress: Progress | None = None
    node: Node | None = None
    monitor: Monitor | None = None
    recovery: Recovery | None = None
    switchover: Switchover | None = None
    objects: Objects | None = None
    detail: Detail | None = None
    writable: Writable | None = None
    comparison: Comparison | None = None
    precheck: Precheck | None = None
    logs: Logs | None = None


TASK_FACTS: Mapping[str, type[TaskFacts]] = {
    name: get_args(kind)[0] for name, kind in get_type_hints(KnownFacts).items()
}
"""The kinds of facts about a task, by the name of their field."""
