"""The facts of one task in groups, each with its age, and what speaks against its cut-over; for texts and pages."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.cloud.operations import BY_NAME
from exporter.config.collectors import COLLECTORS, TASKS, Scope
from exporter.model import cutover
from exporter.views.text import UNKNOWN, duration, fact_text, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.config.collectors import Collector
    from exporter.model.facts import TaskFacts
    from exporter.model.subject import Subject
    from exporter.model.task import Project, Task

_IDENTITY = frozenset({"id", "name", "parent_id", "root_id"})
"""Fields of the list that stand in the group identity."""
_BOUNDS = frozenset({"created_by", "reported_by", "served_at", "unknown_children", "other_parents", "contradicted"})
"""Fields that only bound what other fields contain, or that the reasons `phase` and `subtask` contain."""


class Group(NamedTuple):
    """Facts of one kind.

    Args:
        title: the collector, or what else they are about.
        age: how old they are, in words; None where that is no question.
        rows: labels and values.
        unknown: why there is none.
    """

    title: str
    age: str | None
    rows: Sequence[tuple[str, str]]
    unknown: str | None = None


class Judged(NamedTuple):
    """One reason against a cut-over that applies.

    Args:
        name: the label `reason`.
        blocks: whether it does.
        verdict: the same in words; what is unknown and does not block was not checked.
        fact: what it looked at.
        age: how old that is, in words.
    """

    name: str
    blocks: bool
    verdict: str
    fact: str
    age: str


def groups(subject: Subject, project: Project, enabled: Callable[[str], bool], now: float) -> list[Group]:
    """All of it; `project`, and which collectors are `enabled`, tell why something is not known."""
    task = subject.task
    found = [
        Group("identity", None, _identity(task)),
        Group("status", _age(subject, TASKS), _status(task, now)),
    ]
    for collector in COLLECTORS.values():
        if collector.scope in {Scope.LISTS, Scope.PROJECT}:
            continue
        parts = [part for name in collector.facts if (part := getattr(task, name)) is not None]
        if parts:
            rows = [row for name, value in _known(parts, task.newest) for row in rows_of(name, value, now)]
            found.append(Group(collector.name, _age(subject, collector.name), rows))
        else:
            found.append(Group(collector.name, None, (), _why_unknown(collector, subject, project, enabled)))
    return found


def _identity(task: Task) -> list[tuple[str, str]]:
    identity = task.identity
    pairs = ((one.name, getattr(identity, one.name)) for one in fields(identity))
    return [(name.replace("_", " "), value) for name, value in pairs if value is not None]


def _status(task: Task, now: float) -> list[tuple[str, str]]:
    listed = task.listed
    if listed is None:
        return [("status", UNKNOWN)]
    rest = (one.name for one in fields(listed) if one.name not in _IDENTITY | _BOUNDS)
    return [("phase", listed.phase), *(row for name in rest for row in rows_of(name, getattr(listed, name), now))]


def _known(parts: Sequence[TaskFacts], newest: Sequence[str]) -> list[tuple[str, Any]]:
    """Fields with values; of a field that two parts tell, the one that came last, as the metrics have it."""
    known: dict[str, Any] = {one.name: None for part in parts for one in fields(part)}
    for part in sorted(parts, key=lambda part: newest.index(part.name)):
        for one in fields(part):
            if known[one.name] is None:
                known[one.name] = getattr(part, one.name)
    return [item for item in known.items() if item[0] not in _BOUNDS]


def _age(subject: Subject, collector: str) -> str:
    age = subject.ages.get(collector)
    return UNKNOWN if age is None else f"{duration(round(age))} old"


def _why_unknown(collector: Collector, subject: Subject, project: Project, enabled: Callable[[str], bool]) -> str:
    facts, listed = project.collectors.get(collector.name), subject.task.listed
    if not enabled(collector.name):
        return "the collector is disabled"
    if listed is not None and (reason := listed.why_not_polled(collector.scope)):
        return reason
    if facts is not None and facts.success is False:
        return "the poll failed"
    published = {
        BY_NAME[name].api
        for (fed, name), here in project.sources.items()
        if fed == collector.name and here is not False
    }
    if not published:
        return "nothing that tells it is published here"
    if published.isdisjoint(subject.apis):
        return f"only {' and '.join(sorted(published))} tells it, and does not list the task"
    return "the cloud told nothing"


def verdict(subject: Subject) -> str:
    """What is to be said of the cut-over in one sentence."""
    if subject.facts is None and subject.parent is not None and not cutover.concerned(subject.parent):
        return f"out of the question, like that of its parent: {_why_never(subject.parent)}"
    if subject.facts is None:
        return f"out of the question, {_why_never(subject.task)}"
    blockers = [name for name, blocks in cutover.blockers(subject.facts) if blocks]
    return f"blocked by {', '.join(blockers)}" if blockers else "nothing known blocks it"


def _why_never(task: Task) -> str:
    if task.listed is None or task.phase is None:
        return "the status is unknown"
    if cutover.standby(task):
        return "it is the standby of a pair"
    if task.listed.multi_write or (task.detail and task.detail.multi_write):
        return "both sides of a dual-active pair are in use"
    return f"the phase is {task.phase}"


def reasons(subject: Subject) -> list[Judged]:
    """Those that apply; none where a cut-over is out of the question."""
    facts = subject.facts
    if facts is None:
        return []
    return [_judged(subject, reason, facts) for reason in cutover.REASONS if reason.applies(facts)]


def _judged(subject: Subject, reason: cutover.Reason, facts: cutover.Facts) -> Judged:
    blocks = reason.blocks(facts)
    word = "blocks" if blocks else "no" if reason.known(facts) else "not checked"
    return Judged(reason.name, blocks, word, fact_text(reason.fact(facts)), _age(subject, reason.collector))
