"""The facts of one task as text that is read without colour: groups, aligned, each with its age."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from exporter.commands.lookup import columns
from exporter.model.subject import Subject
from exporter.runtime.escape import printable
from exporter.views.task import groups, reasons, verdict
from exporter.views.text import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exporter.config.load import Account
    from exporter.model.task import Project
    from exporter.views.task import Group

__all__ = ["Subject", "explanation"]

_WIDTH = 88


def explanation(subject: Subject, subtasks: Sequence[Subject], project: Project, account: Account, now: float) -> str:
    """All of it; `project` and `account` tell why something is not known."""
    blocks = [[*_answer(subject, subtasks), *_left_out(subject, account)]]
    blocks += [_block(group) for group in groups(subject, project, account.enabled, now)]
    whole = "cut-over" if subject.parent is None else f"cut-over as a part of {subject.parent.identity.task_id}"
    blocks.append([f"{whole}: {verdict(subject)}", *_reasons(subject)])
    for part in subtasks:
        identity = part.task.identity
        heading = f"cut-over of subtask {printable(identity.task_name)} ({identity.task_id}): {verdict(part)}"
        blocks.append([heading, *_reasons(part)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _answer(subject: Subject, subtasks: Sequence[Subject]) -> list[str]:
    """The verdict, and what it rests on: reasons that block, and subtasks that are blocked."""
    blocking = [(one.name, printable(one.fact), one.age) for one in reasons(subject) if one.blocks]
    below = [
        (printable(part.task.identity.task_name), verdict(part), "")
        for part in subtasks
        if any(one.blocks for one in reasons(part))
    ]
    return [f"{printable(subject.task.identity.task_name)}: {verdict(subject)}", *columns([*blocking, *below])]


def _left_out(subject: Subject, account: Account) -> list[str]:
    """What the settings keep out of the verdict, however bad it is."""
    ignored = [name for name in ("objects", "comparison", "logs") if getattr(account.cutover, name) == "ignore"]
    if not (ignored and reasons(subject)):
        return []
    return [f"not considered, by the settings of cutover: {', '.join(ignored)}"]


def _block(group: Group) -> list[str]:
    if group.unknown is not None:
        return [f"{group.title}: {UNKNOWN}, {group.unknown}"]
    return [group.title if group.age is None else f"{group.title}, {group.age}", *_rows(group.rows)]


def _rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Labels and values, long values on several lines."""
    wrapped = ((name, textwrap.wrap(printable(value), _WIDTH) or [""]) for name, value in pairs)
    return columns([(name if first else "", line) for name, lines in wrapped for first, line in _numbered(lines)])


def _numbered(lines: Sequence[str]) -> list[tuple[bool, str]]:
    return [(number == 0, line) for number, line in enumerate(lines)]


def _reasons(subject: Subject) -> list[str]:
    """Each reason that applies: whether it blocks, what it looked at, and how old that is."""
    rows = [(one.name, one.verdict, printable(one.fact), one.age) for one in reasons(subject)]
    return columns([("reason", "blocks", "fact", "age"), *rows]) if rows else []
