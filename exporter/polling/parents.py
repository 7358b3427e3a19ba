"""The parents among the tasks of a poll loop. The cloud refuses queries for virtual ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from exporter.cloud.http.errors import BadRequestError, CloudError, TaskError, TaskGoneError
from exporter.cloud.source import Source, TaskResult

ASK_AGAIN_SECONDS = 3600.0
"""The interval at which virtual parents are queried."""
_VIRTUAL = "M00307", "M00308"
"""The ends of the codes for virtual tasks: only subtasks, or only parents, may call the operation."""


class Parents:
    """The parents that one source is queried for.

    A virtual parent may refuse the whole batch with it. Therefore a parent is queried alone until it has facts, and
    again after an error. A parent that never had facts is virtual if its own call is refused, whatever the code.

    Args:
        source: is queried.
        has_facts: returns whether the source has ever returned facts about a task.
    """

    def __init__(self, source: Source, has_facts: Callable[[str], bool]) -> None:
        self._source = source
        self._has_facts = has_facts
        self._ids = frozenset[str]()
        self._failed: set[str] = set()
        """The parents without facts in the newest response about them."""
        self.virtual: set[str] = set()
        """Those that the cloud refused when they were last queried."""

    def assign(self, ids: Collection[str]) -> set[str]:
        """Replace all parents. Return the virtual ones that are parents no longer."""
        self._ids = frozenset(ids)
        ordinary = self.virtual - self._ids
        self.virtual -= ordinary
        self._failed &= self._ids
        return ordinary

    def is_alone(self, task_id: str) -> bool:
        """Return whether a task is queried alone."""
        return task_id in self._failed or (task_id in self._ids and not self._has_facts(task_id))

    def without_virtual(self, results: Mapping[str, TaskResult]) -> dict[str, TaskResult]:
        """Record the results of a call. Return those of all tasks but virtual parents."""
        failed = {task_id for task_id in self._ids.intersection(results) if self._fails(results[task_id])}
        alone = len(results) == 1
        virtual = {task_id for task_id in failed if self._is_virtual(task_id, results[task_id], alone=alone)}
        self._failed = (self._failed - results.keys()) | failed
        self.virtual = (self.virtual - results.keys()) | virtual
        return {task_id: result for task_id, result in results.items() if task_id not in virtual}

    def _fails(self, result: TaskResult) -> bool:
        """Return whether the id of a task may be the cause of its result."""
        if isinstance(result, CloudError):
            return isinstance(result, TaskError | TaskGoneError | BadRequestError) and result.code != "decode"
        return not result and self._source.batch > 1  # nothing in this state: another status of an error

    def _is_virtual(self, task_id: str, result: TaskResult, *, alone: bool) -> bool:
        code = result.error_code if isinstance(result, CloudError) else None
        if code is not None and code.endswith(_VIRTUAL):
            return True
        deleted = isinstance(result, TaskGoneError) and code is None  # by its status, not by an error
        return alone and not deleted and not self._has_facts(task_id)
