"""The facts of one task as text that is read without colour: groups, aligned, each with its age."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from exporter import cutover
from exporter.config import duration_text
from exporter.explain_values import UNKNOWN, rows_of
from exporter.find import columns, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from exporter.config import Account
    from exporter.model import Listed, Project, Task
    from exporter.parts import Part

_WIDTH = 88
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("progress", ("progress",)),
    ("node", ("node", "monitor")),
    ("recovery", ("recovery", "switchover")),
    ("objects", ("objects",)),
    ("detail", ("detail", "writable")),
    ("comparison", ("comparison",)),
    ("precheck", ("precheck",)),
    ("logs", ("logs",)),
)
"""Collectors and the parts of a task that they bring."""
_ONLY: Mapping[str, tuple[Callable[[Listed], bool], str]] = {
    "recovery": (attrgetter("disaster_recovery"), "only disaster-recovery tasks have it"),
    "precheck": (attrgetter("configured"), "only tasks that are being configured have it"),
}
_RUNNING: tuple[Callable[[Listed], bool], str] = (attrgetter("active"), "only tasks that run have it")
_STATUS = "tasks"
_IDENTITY = frozenset({"id", "name", "parent_id"})
"""Fields of the list that stand in the group identity."""
_BOUNDS = frozenset({"created_by"})
"""Fields that only bound what others tell."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A task that is explained.

    Args:
        task: what is known of it.
        parent: of a subtask.
        apis: the API generations that list it.
        ages: seconds since each collector last succeeded for it.
        facts: what the reasons look at; None where a cut-over is out of the question.
    """

    task: Task
    parent: Task | None
    apis: frozenset[str]
    ages: Mapping[str, float]
    facts: cutover.Facts | None


def explanation(subject: Subject, subtasks: Sequence[Subject], project: Project, account: Account, now: float) -> str:
    """All of it; `project` and `account` tell why something is not known."""
    task = subject.task
    blocks = [
        ["identity", *_rows(_identity(task))],
        [f"status, {_age(subject, _STATUS)}", *_rows(_status(task, now))],
    ]
    for collector, names in _GROUPS:
        parts = [part for name in names if (part := getattr(task, name)) is not None]
        if parts:
            rows = _rows(row for part in _known(parts, task.newest) for row in rows_of(*part, now))
            blocks.append([f"{collector}, {_age(subject, collector)}", *rows])
        else:
            blocks.append([f"{collector}: {UNKNOWN}, {_why_unknown(collector, subject, project, account)}"])
    whole = "cut-over" if subject.parent is None else f"cut-over as a part of {subject.parent.identity.task_id}"
    blocks.append([f"{whole}: {_verdict(subject)}", *_reasons(subject)])
    for part in subtasks:
        identity = part.task.identity
        heading = f"cut-over of subtask {printable(identity.task_name)} ({identity.task_id}): {_verdict(part)}"
        blocks.append([heading, *_reasons(part)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Labels and values, long values on several lines."""
    wrapped = ((name, textwrap.wrap(printable(value), _WIDTH) or [""]) for name, value in pairs)
    return columns([(name if first else "", line) for name, lines in wrapped for first, line in _numbered(lines)])


def _numbered(lines: Sequence[str]) -> list[tuple[bool, str]]:
    return [(number == 0, line) for number, line in enumerate(lines)]


def _identity(task: Task) -> list[tuple[str, str]]:
    identity = task.identity
    pairs = ((one.name, getattr(identity, one.name)) for one in fields(identity))
    return [(name.replace("_", " "), value) for name, value in pairs if value is not None]


def _status(task: Task, now: float) -> list[tuple[str, str]]:
    listed = task.tasks
    if listed is None:
        return [("status", UNKNOWN)]
    rest = (one.name for one in fields(listed) if one.name not in _IDENTITY | _BOUNDS)
    return [("phase", listed.phase), *(row for name in rest for row in rows_of(name, getattr(listed, name), now))]


def _known(parts: Sequence[Part], newest: Sequence[str]) -> list[tuple[str, Any]]:
    """Fields with values; of a field that two parts tell, the one that came last, as the metrics have it."""
    known: dict[str, Any] = {one.name: None for part in parts for one in fields(part)}
    for part in sorted(parts, key=lambda part: newest.index(part.name)):
        for one in fields(part):
            if known[one.name] is None:
                known[one.name] = getattr(part, one.name)
    return list(known.items())


def _age(subject: Subject, collector: str) -> str:
    age = subject.ages.get(collector)
    return UNKNOWN if age is None else f"{duration_text(round(age))} old"


def _why_unknown(collector: str, subject: Subject, project: Project, account: Account) -> str:
    facts = project.collectors.get(collector)
    if not account.enabled(collector):
        return "the collector is disabled"
    if why := _why_not_asked(collector, subject.task.tasks):
        return why
    if facts is not None and facts.success is False:
        return "the poll failed"
    published = {name[:2] for (fed, name), here in project.sources.items() if fed == collector and here is not False}
    if not published:
        return "nothing that tells it is published here"
    if published.isdisjoint(subject.apis):
        return f"only {' and '.join(sorted(published))} tells it, and does not list the task"
    return "the cloud told nothing"


def _why_not_asked(collector: str, listed: Listed | None) -> str | None:
    """What a task is that is not asked about, by a collector; None where it is."""
    if listed is None:
        return None
    if listed.is_parent:
        return "only its subtasks have it"
    applies, otherwise = _ONLY.get(collector, _RUNNING)
    return None if applies(listed) else otherwise


def _verdict(subject: Subject) -> str:
    if subject.facts is None and subject.parent is not None and not cutover.concerned(subject.parent):
        return f"out of the question, like that of its parent: {_why_never(subject.parent)}"
    if subject.facts is None:
        return f"out of the question, {_why_never(subject.task)}"
    blockers = [name for name, blocks in cutover.blockers(subject.facts) if blocks]
    return f"blocked by {', '.join(blockers)}" if blockers else "nothing known blocks it"


def _why_never(task: Task) -> str:
    if task.tasks is None or task.phase is None:
        return "the status is unknown"
    if cutover.standby(task):
        return "it is the standby of a pair"
    if task.tasks.multi_write or (task.detail and task.detail.multi_write):
        return "both sides of a dual-active pair are in use"
    return f"the phase is {task.phase}"


def _reasons(subject: Subject) -> list[str]:
    """Each reason that applies: whether it blocks, what it looked at, and how old that is."""
    facts = subject.facts
    if facts is None:
        return []
    rows = [
        (
            reason.name,
            "blocks" if reason.blocks(facts) else "no",
            printable(reason.fact(facts)),
            _age(subject, reason.collector),
        )
        for reason in cutover.REASONS
        if reason.applies(facts)
    ]
    return columns([("reason", "blocks", "fact", "age"), *rows])
