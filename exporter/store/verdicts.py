"""Judges the tasks of one project: which reasons block the cut-over of each."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from exporter.config import TASKS
from exporter.model import cutover
from exporter.model.cutover_input import CutoverInput
from exporter.model.cutover_reason import Outcome
from exporter.model.known_facts import TASK_FACTS
from exporter.store.cutover_state import status_of, too_old
from exporter.store.task_state import UNPLANNED, living_subtasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exporter.config import Cutover
    from exporter.model.task import Task
    from exporter.store.project_context import ProjectContext
    from exporter.store.task_state import TaskState


Blockers: TypeAlias = tuple[tuple[str, bool], ...]
Unchecked: TypeAlias = tuple[tuple[str, str], ...]
Verdict: TypeAlias = tuple[Blockers | None, Unchecked, float | None, bool | None]


class Verdicts:
    """The verdicts on the cut-over of the tasks of one project.

    Args:
        context: the project.
    """

    def __init__(self, context: ProjectContext) -> None:
        self._clock = context.clock
        self._state = context.state
        self._ages = context.ages
        self._waves = context.waves

    def judge(self, task: TaskState, exposed: Task) -> Task:
        """Return a task with its verdict, and store what its parents and its next verdict need of it."""
        verdict = self._verdict(task, exposed)
        if verdict == (exposed.blockers, exposed.unchecked, exposed.ready_since, exposed.caught_up):
            return exposed
        blockers, unchecked, ready_since, caught_up = verdict
        return replace(exposed, blockers=blockers, unchecked=unchecked, ready_since=ready_since, caught_up=caught_up)

    def _verdict(self, task: TaskState, exposed: Task) -> Verdict:
        """Return the reasons that were checked, those that were not, since when nothing blocks, and if caught up."""
        now, state, observed = self._clock.steady(), task.cutover, self._observe(exposed)
        if observed is None:
            task.blocked = task.caught_up = None
            state.restart()
            return None, (), None, None
        case, state.limits = observed
        state.adopt(case.settings)
        state.old, state.disputed = case.old, case.other_status is not None
        others = cutover.judge(case, cutover.OTHER_REASONS)
        blocking = cutover.blocking(others)
        task.blocked = bool(blocking)
        state.observe_blocked(now, blocked=task.blocked)
        task.caught_up = cutover.caught_up(case, blocking)
        state.observe_delays(now, case.settings.stable_for, within=task.caught_up)
        case.stable = self._stable(task, case.settings)
        outcomes = (*others, *cutover.judge(case, [cutover.NOT_STABLE]))
        ready = not task.blocked and case.stable is not False
        state.observe_ready(now, ready=ready)
        shown = state.ready_since if exposed.identity.parent_id is None else None
        since = None if shown is None else self._clock.unix(shown)
        return *_shown(outcomes), since, state.caught_up if self._state.polls_on else None

    def input_of(self, task: Task) -> CutoverInput | None:
        """Return what the reasons against the cut-over of a task depend on; None if it cannot be cut over at all."""
        observed = self._observe(task)
        return None if observed is None else observed[0]

    def _observe(self, task: Task) -> tuple[CutoverInput, dict[str, float]] | None:
        """Return the same, and when each of these facts becomes too old."""
        tasks, task_id = self._state.tasks, task.identity.task_id
        if task.listed is None or not cutover.can_be_cut_over(task):
            return None
        if any(excludes_subtasks(self._state.exposed(key)) for key in task.listed.parents):
            return None
        known = tasks[task_id]
        reports = self._state.inventory.statuses(task_id)
        list_at = max((at for _, at in reports), default=-math.inf)
        reports += [known.cutover.reported] if known.cutover.reported else []
        status_at, other_status = status_of(task.listed, reports)
        settings = self._waves.settings(task_id)
        limits = self._limits(known, task, settings, status_at, list_at)
        edited = known.cutover.edited
        case = CutoverInput(
            task,
            settings,
            too_old(limits, self._clock.steady()),
            known.cutover.unpublished,
            _disabled(frozenset(self._ages.configured)),
            other_status,
            known.cutover.report_advances,
            known.received.get("progress"),
            None if edited is None else self._clock.unix(edited),
            living_subtasks({key: tasks[key] for key in self._state.subtasks.of(task_id) if key in tasks}),
            self._stable(known, settings),
            self._clock.now(),
        )
        return case, limits

    def _limits(
        self, known: TaskState, task: Task, settings: Cutover, status_at: float, list_at: float
    ) -> dict[str, float]:
        judged = task.comparison.judged if task.comparison else ()
        ends = [compared.finished_at for compared in judged if compared.finished_at is not None]
        finished = min(ends) - self._clock.step if ends else None
        received = {"list": list_at, **known.received}
        return known.cutover.limits_of(settings, status_at, received, self._intervals(known), finished)

    def _intervals(self, task: TaskState) -> Mapping[str, float]:
        """Return the intervals of the lists, and of the facts about a task that have not expired."""
        configured = self._ages.configured
        intervals = {"list": configured[TASKS]}
        for name, facts in task.facts.items():
            planned = task.planned.get(name, UNPLANNED)
            intervals[name] = max(configured[facts.collector], planned.seconds, planned.interval)
        return intervals

    def _stable(self, task: TaskState, settings: Cutover) -> bool | None:
        """Return whether nothing has blocked for long enough, or anything else blocks; None if it polls only once."""
        if not settings.stable_for:
            return True
        if not self._state.polls_on:
            return None
        return task.cutover.is_stable(self._clock.steady(), settings.stable_for)


def excludes_subtasks(parent: Task | None) -> bool:
    """Return whether the subtasks of a parent cannot be cut over either."""
    return parent is not None and cutover.excluded(parent)


@lru_cache(maxsize=100)
def _disabled(collectors: frozenset[str]) -> frozenset[str]:
    """Return the names of the facts about a task that belong to none of these collectors."""
    return frozenset(name for name, kind in TASK_FACTS.items() if kind.collector not in collectors)


@lru_cache(maxsize=1000)
def _shown(outcomes: tuple[tuple[str, Outcome], ...]) -> tuple[Blockers, Unchecked]:
    """Return the reasons that were checked and those that were not; tasks with the same verdict share them."""
    blockers = tuple((name, outcome is Outcome.BLOCKS) for name, outcome in outcomes if outcome.judged)
    return blockers, tuple((name, outcome.value) for name, outcome in outcomes if not outcome.judged)
