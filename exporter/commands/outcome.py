"""The exit status of a command, and its report about projects that could not be polled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from exporter.commands.documents import ProjectRow
from exporter.config import COLLECTORS, Scope
from exporter.views.errors import Level, advise
from exporter.views.summary import project_json
from exporter.views.text import project_text

if TYPE_CHECKING:
    from exporter.model.task import ProjectKey
    from exporter.polling.poller import Poller

_NOT_OF_TASKS = frozenset(name for name, collector in COLLECTORS.items() if collector.scope is Scope.PROJECT)
"""Collectors whose facts no task has."""


class Outcome(NamedTuple):
    """The end of a command.

    Attributes:
        code: the exit code: 0 fine, 1 the cloud, a project or the environment failed, 2 bad usage or configuration,
            5 blocked.
        text: for standard output.
        notes: for standard error.
    """

    code: int
    text: str = ""
    notes: tuple[str, ...] = ()


def unusable(error: OSError, path: object = "a file of the package") -> Outcome:
    """Return the outcome of a command that cannot read or write a file; `path` is named if the error names none."""
    return Outcome(1, notes=(f"can't use {error.filename or path}: {error.strerror or error}",))


def failures(pollers: Iterable[Poller]) -> list[str]:
    """Return for each project the collectors that failed, then each reason with its remedy; nothing if all is well."""
    lines = []
    for poller in pollers:
        store = poller.store
        failed = [name for name, facts in store.project().collectors.items() if facts.success is False]
        if failed:
            reasons = [advise(error) for error in poller.faults]
            lines.append(failed_text(store.key, failed))
            lines += dict.fromkeys(f"  {reason.text}" for reason in reasons if reason.level is not Level.OK)
    return lines


def gaps(pollers: Iterable[Poller]) -> list[str]:
    """Return a line for each list that succeeded but may lack tasks."""
    return reported_gaps(ProjectRow.model_validate(project_json(poller.store.project())) for poller in pollers)


def reported_failures(projects: Iterable[ProjectRow]) -> list[str]:
    """Return what `failures` does for the projects of a running exporter, with the newest error in place of all."""
    lines = []
    for project in projects:
        if failed := [name for name in project.failed if name not in _NOT_OF_TASKS]:
            lines.append(failed_text(project.key, failed))
            lines += [f"  the newest error: {project.last_error}"] if project.last_error else []
    return lines


def reported_gaps(projects: Iterable[ProjectRow]) -> list[str]:
    """Return what `gaps` does for the projects of a running exporter."""
    return [
        f"{project_text(project.key)}: the {found.api} list of {found.job_type} is incomplete, tasks may be missing: "
        f"{found.incomplete_because}"
        for project in projects
        for found in project.lists
        if found.incomplete_because is not None
    ]


def failed_text(key: ProjectKey, collectors: Iterable[str]) -> str:
    """Return the line about the collectors of a project that failed."""
    return f"{project_text(key)}: failed, and so unknown or incomplete: {', '.join(collectors)}"
