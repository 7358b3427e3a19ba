"""Findings about the rules that choose tasks: a rule that matches no task is most often mistyped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from exporter.commands.findings import Finding
from exporter.config import Account
from exporter.model.filters import TaskFilter, matches
from exporter.model.task import Listed
from exporter.views.errors import Level
from exporter.views.text import plural


def rule_findings(account: Account, projects: Iterable[Collection[Listed] | None]) -> Iterator[Finding]:
    """Report rules of an account that match no task; nothing if the tasks of a project are unknown (None)."""
    tasks: list[Listed] = []
    for listed in projects:
        if listed is None:
            return
        tasks += (task for task in listed if task.parent_id is None)
    settings, idle = account.tasks, 0
    for name, rules in (("include", settings.include), ("exclude", settings.exclude)):
        for number, rule in enumerate(rules):
            if not any(matches(rule, task, None) for task in tasks):
                idle += 1
                what = f"tasks.{name}[{number}] matches none of {plural(len(tasks), 'task')}"
                yield Finding(Level.WARN, account.name, what, "correct the rule, or take it out")
    if tasks and not idle and not TaskFilter(settings).select(tasks):
        yield Finding(Level.WARN, account.name, "tasks.include and tasks.exclude leave no task", "correct the rules")
