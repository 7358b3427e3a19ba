"""The waves of one project: which of them run, their members, and the settings that follow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from exporter.model.cutover import excluded
from exporter.model.task import DELETED, Phase
from exporter.model.waves import (
    Incomplete,
    IncompleteProject,
    Stage,
    WaveMember,
    WaveState,
    matches_wave,
    stage_of,
    strictest,
)
from exporter.runtime.turns import Turns
from exporter.storage import Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from exporter.config import Cutover, Wave
    from exporter.model.task import Listed, Task
    from exporter.store.project_context import ProjectContext
    from exporter.store.task_state import TaskState

_BEFORE_OR_AFTER = frozenset({Phase.PREPARING, Phase.ENDING})
"""Phases without a verdict in which a task is surely not ready."""
_MATCHES_PER_TURN = 1000
"""Of a task with a wave. A regular expression takes 10 microseconds for a name that it has not judged before."""


class ProjectWaves:
    """The waves of one project, and its tasks in them.

    A running wave keeps each task that it has seen living, until lists prove that the task was deleted. Subtasks are no
    members, but the settings of the waves of a task hold for its subtasks as well.

    Args:
        context: the project.
    """

    def __init__(self, context: ProjectContext) -> None:
        self._context = context
        self._state = context.state
        self._waves: tuple[Wave, ...] = ()
        self._running: tuple[Wave, ...] = ()
        self.running: tuple[Wave, ...] = ()
        """The waves that ran at the end of the last `tick`: all their members are found."""
        self.uses_tags = False
        """True if any rule is about tags."""
        self._due = False
        """True if the waves were configured since the members were last found."""
        self._settings: dict[tuple[str, ...], Cutover] = {}
        """By the names of waves. Tasks with the same waves share one object."""
        self.intervals: Mapping[str, float] = {}
        """By running wave, the longest seconds between two polls of its tasks."""
        self._undecided: dict[str, dict[str, Incomplete]] = {}
        """By wave, the tasks that may match, and why that is unknown."""
        self._outsiders: dict[str, tuple[Listed, frozenset[str]]] = {}
        """Tasks that match no other running wave: their entries in the lists, and the names of their waves."""

        self._unrecorded: set[str] = set()
        """Tasks that have changed since members were last recorded."""

    def configure(self, waves: tuple[Wave, ...]) -> None:
        """Use these waves from the next `tick` on. A wave with a known name keeps its members."""
        if list(map(_comparable, waves)) != list(map(_comparable, self._waves)):
            self._waves, self._due = waves, True
            self.uses_tags = any(rule.tag for wave in waves for rule in wave.include)

    def of(self, task_id: str) -> tuple[Wave, ...]:
        """Return the running waves that contain a task; of a subtask, those of the tasks above it."""
        if not self._running:
            return ()
        members, subtasks = self._state.waves, self._state.subtasks
        names = members.names(task_id)
        if subtasks.parents(task_id):
            names = {name for key in (task_id, *subtasks.above(task_id)) for name in members.names(key)}
        return tuple([wave for wave in self._running if wave.name in names]) if names else ()

    def names(self, task_id: str) -> tuple[str, ...]:
        """Return the names of the running waves of which a task is a member."""
        names = self._state.waves.names(task_id)
        return tuple([wave.name for wave in self._running if wave.name in names]) if names else ()

    def settings(self, task_id: str) -> Cutover:
        """Return the settings of the cut-over of a task: the strictest ones of the account and its running waves."""
        waves, base = self.of(task_id), self._context.account.cutover
        if not waves:
            return base
        names = tuple([wave.name for wave in waves])
        if names not in self._settings:
            self._settings[names] = strictest(base, waves)
        return self._settings[names]

    @property
    def strictest(self) -> Cutover:
        """The strictest settings of the cut-over that any task of the project can have now."""
        waves = [wave for wave in self._running if self._concerns(wave)]
        return strictest(self._context.account.cutover, waves)

    def _concerns(self, wave: Wave) -> bool:
        """Return whether a wave can have members in the project, or has some."""
        key = self._state.key
        return any(rule.of_project(*key) for rule in wave.include) or bool(self._state.waves.of(wave.name))

    async def tick(self) -> set[str]:
        """Find which waves run, and their members, in turns. Return the tasks that must be judged again.

        The caller holds the lock of the exposition. Until the end, members have no verdict.
        """
        now, members = self._context.clock.now(), self._state.waves
        running = tuple(wave for wave in self._waves if stage_of(wave, now) is Stage.RUNNING)
        if not self._due and running == self.running:
            return await self._decide({task_id for undecided in self._undecided.values() for task_id in undecided})
        changed = {task_id for wave in self.running for task_id in members.of(wave.name)}
        if self._due:
            members.keep(self._waves, self._context.storage, self._context.shard)
        self._running, self._undecided, self._outsiders = running, {}, {}
        self._settings.clear()
        await self._decide(self._state.tasks)
        self.running, self._due = running, False
        changed.update(task_id for wave in running for task_id in members.of(wave.name))
        self._unrecorded |= changed
        return changed.union(*map(self._state.subtasks.below, changed))

    async def _decide(self, ids: Iterable[str]) -> set[str]:
        """Observe these tasks. Return those that have become members, and their subtasks."""
        changed, turns = set[str](), Turns()
        for task_id in self._state.tasks.keys() & set(ids):
            if (below := self.observe(task_id, self._state.tasks[task_id])) is not None:
                changed |= {task_id, *below}
            await turns.after(len(self._running) / _MATCHES_PER_TURN)
        return changed

    def observe(self, task_id: str, task: TaskState) -> set[str] | None:
        """Observe a task: it may become a member of running waves. Return its subtasks if it has, else None."""
        listed = task.listed
        if not self._running:
            return None
        self._unrecorded.add(task_id)
        if listed is None or listed.parent_id is not None:
            return None
        members = self._state.waves
        waves = frozenset(members.names(task_id))
        if self._outsiders.get(task_id) == (listed, waves):
            return None
        joined = undecided = False
        for wave, found in self._matches(task, listed, [wave for wave in self._running if wave.name not in waves]):
            unknown = self._undecided.setdefault(wave.name, {})
            unknown.pop(task_id, None)
            if isinstance(found, Incomplete):
                unknown[task_id], undecided = found, True
            elif found:
                joined = True
                members.put(wave.name, task_id, Member(listed.name, WaveState.UNKNOWN, self._context.clock.now()))
        if not (undecided or self.uses_tags or self._context.filter.uses_tags):
            self._outsiders[task_id] = listed, frozenset(members.names(task_id))
        return self._state.subtasks.below(task_id) if joined else None

    def _matches(
        self, task: TaskState, listed: Listed, waves: Iterable[Wave]
    ) -> Iterator[tuple[Wave, bool | Incomplete]]:
        """Yield whether a task belongs to each of some waves; a reason if that is not known."""
        possible = self._context.shard.contains(listed) and self._context.includes(task, listed)
        tags = self._tags_of(task, listed) if self.uses_tags else None
        for wave in waves:
            yield wave, possible and matches_wave(wave, self._state.key, listed, tags)

    def _tags_of(self, task: TaskState, listed: Listed) -> Mapping[str, str] | None:
        """Return the tags of a task and of its subtasks; None while any are unknown. A draft has no known tags."""
        if not listed.active:
            return {}
        below = [subtask for key in self._state.subtasks.below(listed.id) if (subtask := self._state.tasks.get(key))]
        tags = [part.tags for part in below if part.listed is not None and not part.listed.is_parent]
        if task.tags is not None or not tags:
            tags.append(task.tags)
        if None in tags:
            return None
        return {name: value for each in tags if each for name, value in each.items()}

    def listed(self, api: str, job_type: str, tasks: Iterable[Listed], weight: int) -> None:
        """Observe a whole list, with the tasks that rules exclude: it may prove that members were deleted."""
        members, lists = self._state.waves, self._state.lists.facts()
        if not (ids := members.ids()) or self._context.filter.by_status:
            return
        members.observe_list((api, job_type), {task.id for task in tasks if task.status != DELETED}, weight)
        if self._context.all_listed:
            for task_id in ids - self._state.tasks.keys():
                if members.is_deleted(task_id, lists):
                    members.forget(task_id)

    def deleted(self, task_id: str) -> None:
        """Observe that lists lack a task."""
        self._outsiders.pop(task_id, None)
        if not self._context.filter.by_status:
            self._state.waves.forget(task_id)

    def record(self) -> None:
        """Record the names and the known states of the members of running waves that have changed; before each page."""
        for task_id in self._unrecorded:
            for wave in self.names(task_id):
                newest = self._newest(task_id, self._state.waves.of(wave)[task_id])
                self._state.waves.put(wave, task_id, newest)
                self._context.storage.set_member(wave, self._state.key, task_id, newest)
        self._unrecorded.clear()

    def _newest(self, task_id: str, member: Member) -> Member:
        """Return a member with what is known of it now, and else was."""
        task, state = self._state.tasks.get(task_id), self._state_of(task_id)
        name = task.listed.name if task is not None and task.listed is not None else member.task_name
        known = member.state if state is WaveState.UNKNOWN else state.value
        facts = member.facts if task is None or task.exposed is None else member.facts.updated(task.exposed)
        return member._replace(task_name=name, state=known, facts=facts)

    def part(self, wave: Wave, stage: Stage) -> tuple[list[WaveMember], list[IncompleteProject]]:
        """Return the members of a wave and their states, and why there may be others in this project.

        Until it runs, its members are the tasks that match now.
        """
        known = {task_id: member.task_name for task_id, member in self._state.waves.of(wave.name).items()}
        begins = stage is Stage.RUNNING and all(wave.name != running.name for running in self.running)
        matching = [*self._matching(wave)] if begins or stage is Stage.PLANNED else []
        known |= {listed.id: listed.name for listed, found in matching if found is True}
        undecided = {*self._undecided.get(wave.name, {}).values()}
        undecided.update(found for _, found in matching if isinstance(found, Incomplete))
        members = [  # until the next tick, tasks are still judged without a wave that has just begun
            WaveMember(self._state.key, task_id, name, WaveState.UNKNOWN if begins else self._state_of(task_id))
            for task_id, name in known.items()
        ]
        return members, [*self._incomplete(wave, undecided)]

    def former(self, wave: Wave) -> list[WaveMember]:
        """Return the members of a wave that were deleted, in their last known states."""
        return [
            WaveMember(self._state.key, task_id, member.task_name, WaveState(member.state))
            for task_id, member in self._state.waves.deleted(wave.name).items()
        ]

    def _matching(self, wave: Wave) -> Iterator[tuple[Listed, bool | Incomplete]]:
        """Yield the tasks that match now, and those that may match, with the reason why that is unknown."""
        for task in self._state.tasks.values():
            if (listed := task.listed) is not None and listed.parent_id is None:
                yield from ((listed, found) for _, found in self._matches(task, listed, [wave]) if found)

    def _state_of(self, task_id: str) -> WaveState:
        """Return the state of a member."""
        task = self._state.tasks.get(task_id)
        if task is None or task.listed is None:
            return WaveState.UNKNOWN
        phase, exposed = task.listed.phase, task.exposed
        if phase is Phase.ENDED:
            return WaveState.UNKNOWN if task.listed.contradicted else WaveState.ENDED
        if exposed is None:
            return WaveState.UNKNOWN
        if excluded(exposed):
            return WaveState.EXCLUDED
        return WaveState.BLOCKED if phase in _BEFORE_OR_AFTER else self._judged(task_id, task, exposed)

    def _judged(self, task_id: str, task: TaskState, exposed: Task) -> WaveState:
        """Return the state that follows from the verdict of a task."""
        too_old = self._context.clock.steady() > task.cutover.limits.get("status", math.inf)
        outdated = self._due or task.cutover.settings is not self.settings(task_id)
        if exposed.blockers is None or too_old or outdated:
            return WaveState.UNKNOWN
        if exposed.phase is Phase.FAILED:
            return WaveState.FAILED
        return WaveState.READY if exposed.ready else WaveState.BLOCKED

    def _incomplete(self, wave: Wave, undecided: Iterable[Incomplete]) -> Iterator[IncompleteProject]:
        """Yield the reasons why the project may have members that are not known."""
        key = self._state.key
        if not self._concerns(wave):
            return
        if not self._state.ready:
            yield IncompleteProject(key, Incomplete.UNPOLLED)
        elif not self._context.all_listed:
            yield IncompleteProject(key, Incomplete.LISTS)
        for reason in sorted(undecided):
            yield IncompleteProject(key, reason)


def _comparable(wave: Wave) -> tuple[Wave, frozenset[str]]:
    """Return what differs if settings do: a setting that is left out is not equal to its default."""
    return wave, frozenset(wave.cutover.model_fields_set)
