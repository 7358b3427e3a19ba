"""The parents among the tasks of a poll loop. The cloud refuses queries for virtual ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from exporter.cloud.http.error_codes import documented
from exporter.cloud.http.errors import (
    BadRequestError,
    CloudError,
    TaskError,
    TaskGoneError,
    ThrottledError,
    UnavailableError,
)
from exporter.cloud.source import Source, TaskResult

QUERY_AGAIN_SECONDS = 3600.0
"""The interval at which virtual parents are queried."""
_VIRTUAL = "M00307", "M00308"
"""The ends of the codes for virtual tasks: only subtasks, or only parents, may call the operation."""


class Parents:
    """The parents that one source is queried for.

    A virtual parent may refuse the whole batch with it. Therefore a parent is queried alone until it has facts, and
    again after an error. A task is virtual if the cloud says so. A parent is assumed to be virtual also if its own call
    is refused twice in a row and it never had facts: no document states the codes of all operations.

    Args:
        source: is queried.
        has_facts: returns whether the source has ever returned facts about a task.
    """

    def __init__(self, source: Source, has_facts: Callable[[str], bool]) -> None:
        self._source = source
        self._has_facts = has_facts
        self._ids = frozenset[str]()
        self._failed: set[str] = set()
        """The parents, and virtual tasks, without facts in the newest response about them."""
        self.suspected: set[str] = set()
        """Those that were refused once; the second query follows an interval later."""
        self.virtual: set[str] = set()
        """Those that the cloud refuses."""
        self.assumed: set[str] = set()
        """The virtual ones that were refused without the code for virtual tasks."""

    def assign(self, tasks: Collection[str], parents: Collection[str]) -> set[str]:
        """Replace all tasks and the parents among them. Return the virtual ones that are parents no longer."""
        before, self._ids = self._ids, frozenset(parents)
        ordinary = self.virtual.intersection(tasks) & (before - self._ids)
        self._failed.intersection_update(tasks)
        self.suspected = self.suspected & self._ids
        self.virtual = self.virtual.intersection(tasks) - ordinary
        self.assumed &= self.virtual
        return ordinary

    def is_alone(self, task_id: str) -> bool:
        """Return whether a task is queried alone."""
        return task_id in self._failed or (task_id in self._ids and not self._has_facts(task_id))

    def without_virtual(self, results: Mapping[str, TaskResult]) -> dict[str, TaskResult]:
        """Record the results of a call. Return those of all tasks but virtual ones and refused parents."""
        named = {task_id for task_id, result in results.items() if _is_virtual(result)}
        failed = named | {
            task_id for task_id in self._ids.intersection(results) if may_be_refusal(self._source, results[task_id])
        }
        alone = failed if len(results) == 1 else set[str]()
        refused = named | {task_id for task_id in alone if self._is_refused(task_id, results[task_id])}
        virtual = named | (refused & (self.suspected | self.virtual))
        self._failed = (self._failed - results.keys()) | failed
        self.suspected = (self.suspected - results.keys()) | (refused - virtual)
        self.virtual = (self.virtual - results.keys()) | virtual
        self.assumed = (self.assumed - results.keys()) | (virtual - named)
        return {task_id: result for task_id, result in results.items() if task_id not in refused}

    def _is_refused(self, task_id: str, result: TaskResult) -> bool:
        """Return whether the call for a parent that never had facts was refused; not if its status is DELETED."""
        deleted = isinstance(result, TaskGoneError) and result.error_code is None
        return not deleted and not self._has_facts(task_id)


def may_be_refusal(source: Source, result: TaskResult) -> bool:
    """Return whether the id of a task may be the cause of its result."""
    if isinstance(result, CloudError):
        about_task = isinstance(result, TaskError | TaskGoneError | BadRequestError) and result.code != "decode"
        return about_task and not _is_failure(result)
    return not result and source.batch > 1  # nothing in this state: another status of an error


def _is_failure(result: CloudError) -> bool:
    """Return whether an error, also one in an item of a batch, is a failure of the cloud, which proves nothing."""
    meaning = documented(result.error_code)
    return meaning is not None and issubclass(meaning.error, UnavailableError | ThrottledError)


def _is_virtual(result: TaskResult) -> bool:
    return isinstance(result, TaskError) and (result.error_code or "").endswith(_VIRTUAL)
