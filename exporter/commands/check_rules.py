"""Whether the rules that choose tasks mean any: one that matches nothing is a slip of the pen, most often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.model.filters import TaskFilter, matches
from exporter.views.findings import Finding, Level
from exporter.views.text import plural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from exporter.config.load import Account
    from exporter.model.task import Listed


def rule_findings(account: Account, projects: Iterable[Collection[Listed] | None]) -> Iterator[Finding]:
    """What is to be said about the rules of an account; nothing while a project's tasks are unknown (None)."""
    known: list[Listed] = []
    for tasks in projects:
        if tasks is None:
            return
        known += tasks
    yield from _of_rules(account, [task for task in known if task.parent_id is None])


def _of_rules(account: Account, tasks: Sequence[Listed]) -> Iterator[Finding]:
    settings, idle = account.tasks, 0
    for name, rules in (("include", settings.include), ("exclude", settings.exclude)):
        for number, rule in enumerate(rules):
            if not any(matches(rule, task, None) for task in tasks):
                idle += 1
                what = f"tasks.{name}[{number}] matches none of {plural(len(tasks), 'task')}"
                yield Finding(Level.WARN, account.name, what, "correct the rule, or take it out")
    if tasks and not idle and not TaskFilter(settings).select(tasks):
        yield Finding(Level.WARN, account.name, "tasks.include and tasks.exclude leave no task", "correct the rules")
