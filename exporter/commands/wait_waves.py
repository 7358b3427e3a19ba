"""The tasks of a wave that the command `wait` waits for, and how far each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporter.commands.documents import WaveTable, WaveTask
from exporter.commands.outcome import Outcome
from exporter.commands.wait_goals import GOALS, UNKNOWN_STATUS, Goal, State, Step, pending, step_of_missing
from exporter.commands.wait_sources import Source
from exporter.commands.wait_tasks import CannotWaitError, Survey, unchecked_of
from exporter.model.waves import Stage, WaveState
from exporter.views.text import plural


class WaveTasks:
    """Waits for all tasks of a wave. Those that have ended count; excluded ones do not.

    Args:
        source: reads the wave.
        goal: what its tasks are waited for.
        name: of the wave.
    """

    def __init__(self, source: Source, goal: Goal, name: str) -> None:
        self._source = source
        self._goal = goal
        self._name = name
        self._names: dict[str, str] = {}
        """Of all tasks that have counted, by id."""
        self.total = 0
        """The number of tasks."""

    async def survey(self) -> Survey:
        """Return how far each task is, and what else keeps the wave from being there.

        Raises:
            ConfigError: the wave cannot be read.
            CannotWaitError: the wave does not exist, is over, or has no task that can get there.
        """
        wave = await self._source.wave(self._name)
        if wave.stage == Stage.OVER:
            raise CannotWaitError(Outcome(1, notes=(f"the wave {wave.name} does not run: {wave.timing}",)))
        if wave.stage != Stage.RUNNING:
            self.total = max(len(wave.members), wave.expected or 0)
            return Survey(holding=[f"the wave {wave.name} is {wave.timing}"])
        counted = {task.task_id: task for task in wave.members if task.state != WaveState.EXCLUDED}
        steps = {task_id: self._step(task, wave.now_timestamp_seconds) for task_id, task in counted.items()}
        steps |= self._gone(wave)
        self._names |= {task_id: task.task_name for task_id, task in counted.items()}
        found = len(steps) + len(wave.missing_ids)
        self.total = max(found, wave.expected or 0)
        holding = [*_holding(wave, found)]
        if self._goal is GOALS["ready"] and not holding:
            holding = _not_ready(wave, steps)
        ended = 0 if self._goal is GOALS["ended"] else sum(task.state == WaveState.ENDED for task in counted.values())
        return Survey([*steps.values()], holding, unchecked=unchecked_of(counted.values()), ended=ended)

    def _step(self, task: WaveTask, now: float) -> Step:
        """Return how far a member is, by its state in the wave and by its facts."""
        if task.state == WaveState.UNKNOWN:
            return Step(task.task_name, State.PENDING, UNKNOWN_STATUS, (0,))
        if task.state == WaveState.FAILED:
            return Step(task.task_name, State.FAILED, "failed")
        ready = task.state == WaveState.READY
        if task.state == WaveState.ENDED or (ready if self._goal is GOALS["ready"] else self._goal.reached(task)):
            return Step(task.task_name, State.REACHED)
        return pending(self._goal, task, now)

    def _gone(self, wave: WaveTable) -> dict[str, Step]:
        """Return how far the tasks are that are no members any more.

        One that was deleted counts as ended, and for the other goals not at all, as in the verdict on the wave.
        """
        deleted = {task.task_id: task.task_name for task in wave.deleted}
        members = {task.task_id for task in wave.members}
        lost = {task_id: name for task_id, name in self._names.items() if task_id not in members | deleted.keys()}
        gone = (deleted | lost) if self._goal is GOALS["ended"] else lost
        return {
            task_id: step_of_missing(self._goal, name, removed=task_id in deleted, was_reached=False)
            for task_id, name in gone.items()
        }


def _holding(wave: WaveTable, found: int) -> Iterator[str]:
    """Return why not all tasks of a running wave are known."""
    if wave.expected is not None and found < wave.expected:
        yield f"{plural(wave.expected - found, 'task')} missing of the {wave.expected} that are expected"
    elif not found and not wave.incomplete_projects:
        yield "no task matches the rules of the wave" + (" but excluded ones" if wave.members else "")
    if wave.missing_ids:
        yield f"not found: {', '.join(wave.missing_ids)}"
    yield from (project.sentence for project in wave.incomplete_projects)


def _not_ready(wave: WaveTable, steps: Mapping[str, Step]) -> list[str]:
    """Return what keeps a wave from being ready whose tasks are all known.

    Raises:
        CannotWaitError: no task of the wave can become ready any more.
    """
    if {*(task.state for task in wave.members)} <= {WaveState.ENDED, WaveState.EXCLUDED}:
        raise CannotWaitError(Outcome(3, f"no task of the wave {wave.name} is left to cut over"))
    waits = any(step.state is not State.REACHED for step in steps.values())
    return [] if wave.ready or waits else wave.not_ready_because
