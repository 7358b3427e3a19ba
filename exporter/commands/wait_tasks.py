"""The tasks that the command `wait` waits for, by name or id, and how far each is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from exporter.commands.documents import ObservedTask
from exporter.commands.lookup import Place, ambiguous, matches, no_match
from exporter.commands.outcome import Outcome
from exporter.commands.remote import NOT_READY
from exporter.commands.wait_goals import GOALS, Goal, State, Step, step_of, step_of_missing
from exporter.commands.wait_sources import Reading, Source
from exporter.model.task import Phase
from exporter.runtime.escape import printable
from exporter.views.cutover import READY


class Survey(NamedTuple):
    """How far all of it is.

    Args:
        steps: of each task.
        holding: why it is not complete, whatever the steps are.
        notes: why something may be unknown or missing.
        unchecked: by the name of a task, what its verdict has not checked.
        ended: the number of ended tasks that count for another goal.
    """

    steps: Sequence[Step] = ()
    holding: Sequence[str] = ()
    notes: Sequence[str] = ()
    unchecked: Mapping[str, str] = {}
    ended: int = 0


class Subject(Protocol):
    """What is waited for."""

    @property
    def total(self) -> int:
        """The number of tasks, as far as it is known."""

    async def survey(self) -> Survey:
        """Return how far each task is; raises `ConfigError` and `CannotWaitError`."""


class CannotWaitError(Exception):
    """A task cannot be waited for; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class NamedTasks:
    """Waits for tasks by their ids or names.

    Args:
        source: reads them.
        goal: what they are waited for.
        wanted: ids or names.
        unfound: what to add where no task has an id or a name.
    """

    def __init__(self, source: Source, goal: Goal, wanted: Sequence[str], unfound: Sequence[str] = ()) -> None:
        self._source = source
        self._goal = goal
        self._wanted = [*dict.fromkeys(map(printable, wanted))]
        self._unfound = unfound
        self._names: dict[str, str] = {}
        """By id; none before all are found."""
        self._reached: set[str] = set()
        self._ended: set[str] = set()

    @property
    def total(self) -> int:
        """The number of tasks."""
        return len(self._names) or len(self._wanted)

    async def survey(self) -> Survey:
        """Return how far each task is.

        Raises:
            ConfigError: the tasks cannot be read.
            CannotWaitError: a task does not exist, or never gets there.
        """
        reading = await self._source.read(self._names or None)
        if not self._names:
            self._names = self._found(reading)
            if not self._names:
                return Survey(holding=[NOT_READY], notes=reading.notes)
        tasks = {task.task_id: task for task in reading.table.tasks if task.task_id in self._names}
        missing = [task_id for task_id in self._names if task_id not in tasks]
        over = {*self._ended, *(await self._source.removed(missing) if missing else ())}
        self._names |= {task_id: task.task_name for task_id, task in tasks.items()}
        steps = {}
        for task_id, name in self._names.items():
            reached = task_id in self._reached
            if task := tasks.get(task_id):
                step = step_of(self._goal, task, reading.table.now_timestamp_seconds, was_reached=reached)
            else:
                step = step_of_missing(self._goal, name, removed=task_id in over, was_reached=reached)
            steps[task_id] = step
        self._reached = {task_id for task_id, step in steps.items() if step.state is State.REACHED}
        self._ended -= tasks.keys()
        self._ended |= {task_id for task_id, task in tasks.items() if task.phase == Phase.ENDED}
        return Survey([*steps.values()], notes=reading.notes, unchecked=unchecked_of(tasks.values()))

    def _found(self, reading: Reading) -> dict[str, str]:
        """Return the tasks by id; none while the first poll has not ended and one is missing."""
        places = [Place(*task.key, task.task_id, task.task_name) for task in reading.table.tasks]
        by_id = {task.task_id: task for task in reading.table.tasks}
        found = {}
        for wanted in self._wanted:
            chosen = matches(wanted, places)
            if len(chosen) > 1:
                raise CannotWaitError(Outcome(2, notes=(ambiguous(wanted, chosen),)))
            if not chosen and not reading.ready:
                return {}
            if not chosen:
                message = no_match(wanted, places, all_read=not reading.notes)
                raise CannotWaitError(Outcome(1, notes=(*reading.notes, message, *self._unfound)))
            self._check(by_id[chosen[0].task_id], by_id)
            found[chosen[0].task_id] = chosen[0].task_name
        return found

    def _check(self, task: ObservedTask, by_id: Mapping[str, ObservedTask]) -> None:
        """Refuse a subtask for a verdict that only its parent has."""
        if self._goal is not GOALS["ready"] or task.parent_id is None:
            return
        parent = by_id[task.parent_id].task_name if task.parent_id in by_id else task.parent_id
        text = f"{task.task_name} is a subtask, and only its parent can be ready: wait for {parent}"
        raise CannotWaitError(Outcome(2, notes=(text,)))


def unchecked_of(tasks: Iterable[ObservedTask]) -> dict[str, str]:
    """Return by name what the verdicts on the tasks that are ready have not checked."""
    return {
        task.task_name: task.cutover_not_checked for task in tasks if task.cutover == READY and task.cutover_not_checked
    }
