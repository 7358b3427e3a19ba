"""The events of verdicts: a change is one only if a known fact has caused it, not the age of the data alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.model.cutover import REASONS
from exporter.model.events import Kind
from exporter.model.known_facts import TASK_FACTS
from exporter.store.subtasks import MOST_LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exporter.model.task import Task
    from exporter.runtime.clock import Clock
    from exporter.store.project_state import ProjectState
    from exporter.store.task_events import Found
    from exporter.store.task_state import TaskState

_NOT_STABLE = "not_stable"
_BY_AGE = frozenset({"stale", _NOT_STABLE})
"""The reasons that block by age alone."""
_SOURCES = {reason.name: reason.source for reason in REASONS if reason.source in TASK_FACTS}
"""The facts without which a reason blocks because it is unknown; after a start, and when they have expired."""


class Readiness:
    """The readiness of the tasks of one project by their known facts.

    Args:
        state: of the project.
        clock: of all ages.
    """

    def __init__(self, state: ProjectState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def observe_subtasks(self, changed: Iterable[str]) -> set[str]:
        """Observe the changed subtasks. Return the tasks, without subtasks, above those whose readiness has changed."""
        level, parents, levels = set(changed), set[str](), 0
        while level and (levels := levels + 1) <= MOST_LEVELS:
            above = {
                key for task_id in level if self._changes(task_id) for key in self._state.subtasks.parents(task_id)
            }
            level = {key for key in above if self._state.subtasks.parents(key)}
            parents |= above - level
        return parents & self._state.tasks.keys()

    def _changes(self, task_id: str) -> bool:
        """Observe a subtask. Return whether its readiness has changed."""
        task = self._state.tasks.get(task_id)
        if task is None or not self._state.subtasks.parents(task_id):
            return False
        before, task.observed.ready = task.observed.ready, self._ready(task_id, task)
        return task.observed.ready is not before

    def events_of(self, task_id: str, task: TaskState) -> Iterator[Found]:
        """Yield the event of the verdict of a task that is no subtask, and observe that verdict."""
        exposed, before = task.exposed, task.observed.ready
        more = {"unobserved": "true"} if task.observed.ready_restored else {}
        ready = task.observed.ready = self._ready(task_id, task)
        now, blocking = self._clock.steady(), _blocking(exposed)
        shown = exposed is not None and exposed.ready is True
        lost = ready is True and not shown and blocking != [_NOT_STABLE]
        waits = ready is True and blocking == [_NOT_STABLE]
        if not waits:
            self._state.observed.update(task_id, now, lost=lost, ready=shown)
        if exposed is None or None in {before, ready} or ready is before:
            return
        if ready:
            unchecked = ",".join(name for name, _ in exposed.unchecked)
            yield Kind.READY, {"unchecked": unchecked} if unchecked else {}
        else:
            yield Kind.NOT_READY, {"reasons": ",".join(name for name in blocking if name != _NOT_STABLE), **more}

    def _ready(self, task_id: str, task: TaskState) -> bool | None:
        """Return whether known facts show that nothing blocks; while they are unknown, the result before."""
        exposed = task.exposed
        if exposed is None or (exposed.listed is not None and exposed.blockers is None):
            return None
        blocking = _blocking(exposed)
        known = any(self._known(name, task_id, exposed) for name in blocking)
        if known or (exposed.blockers is not None and not {*blocking} - {_NOT_STABLE}):
            task.observed.ready_restored = False
        if exposed.blockers is not None and not blocking:
            return True
        if not known:
            return task.observed.ready
        task.cutover.restored = None
        return False

    def _known(self, reason: str, task_id: str, exposed: Task) -> bool:
        """Return whether a reason blocks because of a known fact."""
        if reason == "subtask":
            return self._subtasks_known(task_id, exposed)
        source = _SOURCES.get(reason) if reason != "switching" else None  # which a list may show as well
        return reason not in _BY_AGE and (source is None or getattr(exposed, source) is not None)

    def _subtasks_known(self, task_id: str, exposed: Task) -> bool:
        """Return whether any subtask blocks because of a known fact, or none is the cause."""
        tasks, listed = self._state.tasks, exposed.listed
        living = [
            tasks[key] for key in self._state.subtasks.of(task_id) if key in tasks and tasks[key].counts_for_parent
        ]
        causes = [task for task in living if task.blocked is not False]
        known = any(task.observed.ready is False if task.blocked else task.listed is not None for task in causes)
        return known or not causes or (listed is not None and listed.unknown_children > 0)


def _blocking(task: Task | None) -> list[str]:
    return [name for name, blocks in (task.blockers if task is not None else None) or () if blocks]
