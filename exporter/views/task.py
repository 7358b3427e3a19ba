"""The explanation of a task: its facts in groups with their ages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from exporter.cloud.operations import BY_NAME
from exporter.config import COLLECTORS, TASKS, Collector, Scope
from exporter.model.explanation import TaskExplanation
from exporter.model.facts import TaskFacts
from exporter.model.task import Project, Task
from exporter.views.text import UNKNOWN, age_text, rows_of

STATUS = "status"
"""The title of the group of what the lists contain."""
_IDENTITY = frozenset({"id", "name", "parent_id", "root_id"})
"""Fields of the list that the group `identity` shows."""
_HIDDEN = frozenset(
    {
        "created_at_latest",
        "reported_at_latest",
        "served_at",
        "task_status",
        "unknown_children",
        "other_parents",
        "contradicted",
        "undated_error",
        "unknown",
    }
)
"""Fields that are not shown: they limit other fields, or reasons against the cut-over show their effect."""


class Group(NamedTuple):
    """Facts of one kind.

    Attributes:
        title: the collector, `identity` or `status`.
        age: their age; None if they do not age, or are unknown.
        rows: labels and values.
        unknown: why there are no facts; None if there are.
    """

    title: str
    age: str | None
    rows: Sequence[tuple[str, str]]
    unknown: str | None = None


def groups(subject: TaskExplanation, project: Project, enabled: Callable[[str], bool], now: float) -> list[Group]:
    """Return all facts of a task. `project` and `enabled`, by collector, explain why some are unknown."""
    task = subject.task
    result = [
        Group("identity", None, _identity(task)),
        Group(STATUS, age_text(subject.ages.get(TASKS)), _status(task, now)),
    ]
    for collector in COLLECTORS.values():
        if collector.scope in {Scope.LISTS, Scope.PROJECT}:
            continue
        known = [facts for name in collector.facts if (facts := getattr(task, name)) is not None]
        if known:
            rows = [row for name, value in _values(known, task.fresh) for row in rows_of(name, value, now)]
            result.append(Group(collector.name, age_text(subject.ages.get(collector.name)), rows))
        else:
            result.append(Group(collector.name, None, (), _why_unknown(collector, subject, project, enabled)))
    return result


def _identity(task: Task) -> list[tuple[str, str]]:
    identity = task.identity
    pairs = ((field.name, getattr(identity, field.name)) for field in fields(identity))
    return [(name.replace("_", " "), value) for name, value in pairs if value is not None]


def _status(task: Task, now: float) -> list[tuple[str, str]]:
    listed = task.listed
    if listed is None:
        return [("status", UNKNOWN)]
    names = (field.name for field in fields(listed) if field.name not in _IDENTITY | _HIDDEN)
    return [("phase", listed.phase), *(row for name in names for row in rows_of(name, getattr(listed, name), now))]


def _values(known: Sequence[TaskFacts], fresh: Sequence[str]) -> list[tuple[str, Any]]:
    """Return fields with values. If several facts have a field, its first value in the order of `fresh` counts."""
    values: dict[str, Any] = {field.name: None for facts in known for field in fields(facts)}
    for facts in sorted(known, key=lambda facts: fresh.index(facts.name)):
        for field in fields(facts):
            if values[field.name] is None:
                values[field.name] = getattr(facts, field.name)
    return [item for item in values.items() if item[0] not in _HIDDEN]


def _why_unknown(
    collector: Collector, subject: TaskExplanation, project: Project, enabled: Callable[[str], bool]
) -> str:
    facts = project.collectors.get(collector.name)
    if not enabled(collector.name):
        return "the collector is disabled"
    if reason := _why_not_polled(collector, subject.task):
        return reason
    if facts is not None and facts.success is False:
        return "the poll failed"
    published = {
        BY_NAME[name].api
        for (fed, name), here in project.sources.items()
        if fed == collector.name and here is not False
    }
    if not published:
        return "no operation that provides it is available here"
    if published.isdisjoint(subject.apis):
        return f"only {' and '.join(sorted(published))} provides it, and does not list the task"
    return "the cloud reported nothing"


def _why_not_polled(collector: Collector, task: Task) -> str | None:
    if not task.refused.isdisjoint(collector.facts):
        return "the cloud refuses queries for this task, only its subtasks have it"
    return None if task.listed is None else task.listed.why_not_polled(collector.scope)
