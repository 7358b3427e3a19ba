"""Records the events of one project: in the log of the process, in the list of events, and within their limits."""

from __future__ import annotations

from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

import structlog

from exporter.config import TASKS
from exporter.model.events import Kind
from exporter.model.task import DELETED
from exporter.runtime.turns import Turns
from exporter.store.inventory import LIST_LAG_SECONDS
from exporter.store.readiness import Readiness
from exporter.store.task_events import events_of, may_be_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exporter.model.task import Identity, Listed, Phase, Task
    from exporter.store.project_context import ProjectContext
    from exporter.store.task_events import Found
    from exporter.store.task_state import TaskState

_PER_TURN = 50
_LISTS = 2
"""Lists that may contain a task again of which a query reported that it does not exist."""
_WARNINGS = frozenset({Kind.FAILED, Kind.ERROR_CODE})
_Changed: TypeAlias = "dict[str, tuple[Task | None, Phase | None]]"
_log = structlog.get_logger()


class EventRecorder:
    """Records the events of one project under one configuration.

    Args:
        context: the project.
    """

    def __init__(self, context: ProjectContext) -> None:
        self._state = context.state
        self._events = context.events
        self._clock = context.clock
        self._ages = context.ages
        self._filter = context.filter
        self._listed = set[str]()
        """The ids of the list that is being stored."""
        self._readiness = Readiness(context.state, context.clock)
        self._changed: _Changed = {}
        """By id the changed tasks, as they were exposed before, and their last phase before."""
        self._complete: set[tuple[str, str]] = set()
        """The lists that were complete once: a task that a later one contains is new."""
        self.appearing = False
        """True while a list is stored in which an unknown task is new."""

    @contextmanager
    def list_of(self, api: str, job_type: str, tasks: Iterable[Listed], *, complete: bool) -> Iterator[None]:
        """Store a list in this context; `tasks` are all that it contains, also those that the rules exclude."""
        self.appearing, self._listed = (
            (api, job_type) in self._complete,
            {task.id for task in tasks if task.status != DELETED},
        )
        try:
            yield
        finally:
            self.appearing, self._listed = False, set()
        if complete:
            self._complete.add((api, job_type))

    def observe(self, task_id: str, task: TaskState, before: Task | None, phase: Phase | None) -> None:
        """Observe a change of a task, which may be an event.

        Args:
            task_id: of the task.
            task: its new state.
            before: the task as it was exposed before.
            phase: the last phase that was known before.
        """
        if phase is not task.phase or task.observed.awaits_code or may_be_event(before, task.exposed):
            self._changed.setdefault(task_id, (before, phase))

    def removed(self, task_id: str, task: TaskState, *, proved: bool) -> bool:
        """Observe that a task was removed; `proved`: because lists lack it. It is no event if the rules exclude it.

        Return whether the cloud has surely deleted it.
        """
        if task_id in self._listed or self._is_excluded(task):
            self._state.observed.forget(task_id)
            self._changed[task_id] = (None, task.phase)
            return False
        if proved or task.exposed is None:
            self._changed.setdefault(task_id, (task.exposed, task.phase))
        else:  # the cloud reports so of released tasks as well, which lists contain
            self._state.observed.missing[task_id] = task.exposed, self._clock.steady()
            self._changed.pop(task_id, None)
        return proved

    def _is_excluded(self, task: TaskState) -> bool:
        """Return whether the rules exclude a task; a subtask is selected with its parent."""
        listed = task.listed
        return listed is not None and listed.parent_id is None and not self._filter.select((listed,))

    async def record(self, *, quiet: bool = False) -> None:
        """Record the events of all changed tasks, once their states agree; with `quiet` only observe the states.

        A command that polls once sees no change, but the first facts about a task one after the other.
        """
        tasks, quiet = self._state.tasks, quiet or not self._state.polls_on
        for parent in self._readiness.observe_subtasks(self._changed):
            self._changed.setdefault(parent, (tasks[parent].exposed, tasks[parent].phase))
        changed, self._changed = self._changed, {}
        turns = Turns()
        for task_id, (before, phase) in sorted(changed.items(), key=itemgetter(0)):
            found = [*self._found(task_id, before, phase)]
            if not quiet:
                self._add_all(task_id, before, found, changed)
            await turns.after(1 / _PER_TURN)

    def tick(self) -> None:
        """Record what many tasks have in common, and what was left out."""
        observed, now = self._state.observed, self._clock.steady()
        self._restart_limit(now)
        lasts = max(LIST_LAG_SECONDS, _LISTS * self._ages.interval(TASKS))
        for task_id in [key for key, (_, at) in observed.missing.items() if now - at > lasts]:
            task, _ = observed.missing.pop(task_id)
            observed.forget(task_id)
            self._add(Kind.REMOVED, task.identity, {})
        for kind, gathered in ((Kind.TASKS_STALE, observed.became_stale), (Kind.TASKS_FRESH, observed.became_fresh)):
            if count := gathered.take(now):
                self._add(kind, None, {"tasks": str(count)})

    def readable(self, error: str | None) -> None:
        """Observe whether the project is readable; `error` is the kind of error of its lists if it is not.

        The caller logs it.
        """
        observed = self._state.observed
        if error is not None and observed.readable:
            self._add(Kind.PROJECT_UNREADABLE, None, {"error": error})
        elif error is None and observed.readable is False:
            self._add(Kind.PROJECT_READABLE, None, {})
        observed.readable = error is None

    def _found(self, task_id: str, before: Task | None, phase: Phase | None) -> Iterator[Found]:
        task = self._state.tasks.get(task_id)
        if task is not None:
            if task.exposed is not None and task_id in self._state.observed.missing:
                before, _ = self._state.observed.missing.pop(task_id)
                task.observed.new = False
            yield from events_of(task, before, phase)
            if not self._state.subtasks.parents(task_id):
                yield from self._readiness.events_of(task_id, task)
            return
        self._state.observed.forget(task_id)
        if before is not None:
            yield Kind.REMOVED, {}

    def _add_all(self, task_id: str, before: Task | None, found: Iterable[Found], changed: _Changed) -> None:
        """Record the events of a task; of a subtask not that it appears or is removed together with its parent."""
        shown = self._state.exposed(task_id) or before
        if shown is None:
            return
        parent = shown.identity.parent_id
        together = set[Kind]()
        if parent in changed:
            together = {Kind.APPEARED} if changed[parent][0] is None else set()
            together |= {Kind.REMOVED} if parent not in self._state.tasks else set()
        for kind, detail in found:
            if kind not in together:
                self._add(kind, shown.identity, detail)

    def _add(self, kind: Kind, task: Identity | None, detail: dict[str, str]) -> None:
        """Record an event within the limit of the task, or of the project."""
        limit, now = self._state.observed.limit, self._clock.steady()
        self._restart_limit(now)
        exceeded = limit.count(task.task_id if task is not None else None)
        if exceeded > 1:
            return
        if exceeded:
            kind, detail = Kind.MUTED, {"seconds": f"{limit.ends_at - now:.0f}"}
        self._write(kind, task, detail)

    def _restart_limit(self, now: float) -> None:
        if left_out := self._state.observed.limit.restart(now):
            self._write(Kind.LEFT_OUT, None, {"events": str(sum(left_out)), "tasks": str(len(left_out))})

    def _write(self, kind: Kind, task: Identity | None, detail: dict[str, str]) -> None:
        subject = None if task is None else (task.task_id, task.task_name)
        event = self._events.add(self._state.key, kind, subject, **detail, **self._parent_of(task))
        if kind.line:
            labels = {name: value for name, value in event._asdict().items() if value is not None}
            del labels["at"], labels["detail"]
            (_log.warning if kind in _WARNINGS else _log.info)(kind.line, **labels, **event.detail)

    def _parent_of(self, task: Identity | None) -> dict[str, str]:
        """Return the details that name the parent of a subtask."""
        if task is None or task.parent_id is None:
            return {}
        parent = self._state.exposed(task.parent_id)
        return {"parent_id": task.parent_id} | ({"parent_name": parent.identity.task_name} if parent else {})
