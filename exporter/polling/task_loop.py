"""The poll loop of a source: queries tasks in batches of those that are due next."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

from exporter.cloud.batches import CallResults, Round, Splitter, split_results
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import (
    AccessDeniedError,
    CloudError,
    NotPublishedError,
    NotSentError,
    TaskError,
    TaskGoneError,
    ThrottledError,
)
from exporter.cloud.http.pauses import DEFAULT_PAUSE
from exporter.cloud.http.scheduler import Turn
from exporter.cloud.source import Source, TaskResult
from exporter.model.facts import Progress, TaskFacts
from exporter.model.task import Phase
from exporter.polling.context import PollContext
from exporter.polling.demand import calls_per_second
from exporter.polling.due_queue import TaskQueue
from exporter.polling.intervals import QueryIntervals
from exporter.polling.loop import PollLoop
from exporter.polling.parents import QUERY_AGAIN_SECONDS, Parents
from exporter.store.task_state import Planned

_MOST_CALLS = 8
"""At once, of one source; as many failures in a row prove that the source fails."""
_FEW_CALLS = 2
"""As many that are denied in a row prove that all are; a single one may be about the task."""
_HEAD_START = 2
"""Intervals by which urgent tasks that are due count as later than they are, among all tasks of the loop."""
_NEAR_READY = 10
"""A task is near its cut-over while its delay is at most n times `cutover.max_delay`."""

Kinds = tuple[type[TaskFacts], ...]
NO_INTERVALS: Mapping[str, float] = MappingProxyType({})


class TaskLoop(PollLoop):
    """Queries one source for the tasks that are assigned to it on behalf of a collector.

    Args:
        context: the project.
        collector: see `PollLoop`.
        source: is queried.
        wave: whether its tasks are those of running waves, which go first.
    """

    def __init__(self, context: PollContext, collector: str, source: Source, *, wave: bool = False) -> None:
        super().__init__(context, collector)
        self.source = source
        self.wave = wave
        self._intervals = QueryIntervals(context, source)
        self._usual = min(self._intervals.of_facts(kind) for kind in source.kinds if kind.collector == collector)
        self._interval = self._usual
        self._kinds: dict[str, Kinds] = {}
        """The facts that each task is queried for."""
        self._fed = frozenset[str]()
        self._assigned = False
        self._queue = TaskQueue(_HEAD_START * self._interval)
        self._parents = Parents(source, self._has_facts)
        self._round, self._round_ends = Round(), -math.inf
        self._errors: dict[str, CloudError] = {}
        """The error of the newest query of each task that failed."""
        self._queried: set[str] = set()
        self._failed_calls = 0
        """Calls in a row that returned nothing about any task."""
        self._rests_until = -math.inf

    @property
    def fed(self) -> frozenset[str]:
        return self._fed

    def tasks(self, collector: str) -> Iterator[str]:
        """Return the ids of the tasks that are queried for facts of a collector."""
        if collector in self._fed:
            feeding = {
                kinds for kinds in set(self._kinds.values()) if any(kind.collector == collector for kind in kinds)
            }
            polled = ((key, kinds) for key, kinds in self._kinds.items() if key not in self._parents.virtual)
            yield from (key for key, kinds in polled if kinds in feeding)

    @property
    def error(self) -> CloudError | None:
        """The error of the source: of a call, or of all tasks."""
        if refusal := self._context.backoff.refusal(self.source.name):
            return refusal
        everywhere = len(self._errors) == len(self._queried)
        return next((error for error in self._errors.values() if everywhere or not isinstance(error, TaskError)), None)

    def succeeds(self) -> bool | None:
        if self._queried or self._parents.virtual or self.error is not None:
            return self.error is None
        return None

    def assign(
        self, tasks: Mapping[str, Kinds], changed: Container[str], intervals: Mapping[str, float] = NO_INTERVALS
    ) -> None:
        """Query these tasks for these facts from now on, at once where they are new or have `changed`.

        `intervals` are those of running waves, by task.
        """
        self._intervals.of_waves = intervals
        self._interval = min([self._usual, *intervals.values()])
        self._queue.head_start = _HEAD_START * self._interval
        for task_id in self._kinds.keys() - tasks.keys():
            self._queue.discard(task_id)
            self._forget_outcome(task_id)
            self._intervals.reset(task_id)
        before, self._kinds = self._kinds, dict(tasks)
        parents = [task_id for task_id in tasks if self._has_subtasks(task_id)]
        parents_no_longer = self._parents.assign(tasks.keys(), parents)
        for task_id, kinds in tasks.items():
            if task_id in changed or task_id in parents_no_longer:
                self._intervals.reset(task_id)
                self._put(task_id, min(self._queue.due(task_id), self._clock()), urgent=True)
            elif before.get(task_id) != kinds:
                received = self._received(task_id, kinds)
                # Other settings may want more of a response than the facts that were received under the old ones.
                due = received + self._intervals.of_task(task_id, kinds)
                self._put(task_id, due if self._assigned else min(due, self._clock()), urgent=math.isinf(received))
        self._assigned = True
        self._fed = frozenset(kind.collector for kinds in set(tasks.values()) for kind in kinds)
        self.wake()

    def _received(self, task_id: str, kinds: Kinds) -> float:
        """Return the event-loop time at which the oldest of the facts were received; minus infinity: one never was."""
        task = self._context.store.state.tasks.get(task_id)
        received = [-math.inf if task is None else task.received.get(kind.name, -math.inf) for kind in kinds]
        return self._clock() - (self._context.store.context.clock.steady() - min(received))

    def _has_subtasks(self, task_id: str) -> bool:
        task = self._context.store.state.tasks.get(task_id)
        return task is not None and task.listed is not None and task.listed.is_parent

    def _forget_outcome(self, task_id: str) -> None:
        self._errors.pop(task_id, None)
        self._queried.discard(task_id)

    def _put(self, task_id: str, due: float, *, urgent: bool) -> None:
        due, alone = self._clock() if math.isinf(due) else due, self._parents.is_alone(task_id)
        self._queue.put(task_id, due, urgent=urgent, alone=alone)

    def _has_facts(self, task_id: str) -> bool:
        """Return whether any of the facts that the task is queried for was ever received."""
        return any(math.isfinite(self._received(task_id, (kind,))) for kind in self._kinds[task_id])

    def _put_again(self, task_id: str, queried: float) -> None:
        """A task has been queried; if it has changed meanwhile, it is due already."""
        kinds = self._kinds.get(task_id)
        if kinds is not None and math.isinf(self._queue.due(task_id)):
            self._put(task_id, queried + self._interval_of(task_id, kinds), urgent=self._is_near_ready(task_id))

    def _interval_of(self, task_id: str, kinds: Kinds) -> float:
        return QUERY_AGAIN_SECONDS if task_id in self._parents.virtual else self._intervals.of_task(task_id, kinds)

    # What is next

    def due(self) -> float:
        most = 1 if self._failed_calls else _MOST_CALLS
        if len(self._running) >= most:
            return math.inf
        return max(self._queue.first(), self._rests_until, self._context.backoff.until(self.source.name))

    def demand(self) -> float:
        if math.isfinite(self._context.backoff.until(self.source.name)):
            return 0.0  # since the last call was refused, almost none is made
        intervals = self._intervals.of_tasks(self._kinds)
        for task_id in self._parents.virtual:
            del intervals[task_id]
        alone = len(self._parents.virtual) / QUERY_AGAIN_SECONDS
        return calls_per_second(intervals.values(), self.source.batch) + alone

    def turn(self) -> Turn:
        return Turn(self.collector, self._queue.first(), self._interval, self.wave)

    # A poll

    async def poll(self, client: Client) -> None:
        now = self._clock()
        taken = self._queue.take(now, self.source.batch)
        if now >= self._round_ends:
            self._round = Round.of(math.ceil(len(self._kinds) / self.source.batch))
            self._round_ends = now + self._interval
        fetch = partial(self.source.fetch, client, self._context.connection.decode_errors)
        results: Mapping[str, TaskResult] = {}
        try:
            results = self._parents.without_virtual(await Splitter(self.source, fetch, self._round).fetch(taken))
            call = split_results(results)
            for task_id in set(taken).difference(results):
                self._forget_outcome(task_id)
            await self._store(call, self._parents.virtual.intersection(taken))
        finally:
            if (missed := int((self._clock() - now) / self._interval) - 1) > 0:
                self._context.meter.overran(self.collector, missed)
            for task_id in taken:
                result = results.get(task_id)
                if result is None or isinstance(result, CloudError):
                    self._intervals.reset(task_id)  # what failed is not settled
                self._put_again(task_id, now)
        self._judge(results, call, now)

    def _is_near_ready(self, task_id: str) -> bool:
        task = self._context.store.state.tasks.get(task_id)
        progress = None if task is None else task.facts.get(Progress.name)
        if not isinstance(progress, Progress) or progress.delay_seconds is None:
            return False
        return progress.delay_seconds <= _NEAR_READY * self._context.store.context.waves.settings(task_id).max_delay

    async def _store(self, call: CallResults, refused: Iterable[str]) -> None:
        facts = {
            task_id: [each for each in received if type(each) in self._kinds.get(task_id, ())]
            for task_id, received in call.facts.items()
        }
        self._plan_next(facts)
        refused_kinds = {task_id: self._kinds.get(task_id, ()) for task_id in refused}
        await self._context.store.update(facts, call.gone, refused_kinds, self._parents.assumed)
        if call.refused:
            self._context.meter.task_errors(self.collector, len(call.refused))

    def _plan_next(self, facts: Mapping[str, Iterable[TaskFacts]]) -> None:
        """Record how long the facts have to last."""
        tasks, intervals = self._context.store.state.tasks, self._intervals
        for task_id, each in ((task_id, each) for task_id, received in facts.items() for each in received):
            task = tasks.get(task_id)
            if task is None or task.listed is None:
                continue
            loading, kind = task.listed.phase is not Phase.INCREMENTAL, type(each)
            intervals.received(task_id, task.facts.get(kind.name), each, loading=loading)
            lasted = task.planned.get(kind.name, Planned()).seconds
            task.planned[kind.name] = Planned(intervals.planned(task_id, kind), intervals.of_facts(kind), lasted)

    def _judge(self, results: Mapping[str, TaskResult], call: CallResults, started: float) -> None:
        """Record what the results of a batch show about the source: nothing if the cloud refused its only task."""
        name = self.source.name
        if not results:
            self._context.record_error(name, self, self.error)
            return
        received = bool(call.facts or call.gone)
        if received:
            self._context.availability.mark_present(name)
        absent = any(isinstance(error, NotPublishedError) for error in call.failed)
        absent = absent and self._context.availability.mark_operation_absent(name, self.collector)
        for task_id in results.keys() & self._kinds.keys():
            self._errors.pop(task_id, None)
            self._queried.add(task_id)
            result = results[task_id]
            if isinstance(result, NotPublishedError) and absent:
                self._queried.discard(task_id)
            elif isinstance(result, CloudError) and not isinstance(result, TaskGoneError):
                self._errors[task_id] = result
        self._failed_calls = 0 if received or call.refused else self._failed_calls + 1
        if self._failed_calls and self._rests_until <= started and self._others_would_fail(call.failed[0]):
            self._rests_until = started + min(self._interval, _pause_of(call.failed[0]))
            self._context.backoff.record(name, call.failed[0])
        elif received:
            self._context.backoff.record(name, None)
        self._context.record_error(name, self, self.error)

    def _others_would_fail(self, error: CloudError) -> bool:
        """Return whether the other calls would fail as well as those that failed lately."""
        if isinstance(error, NotPublishedError | NotSentError | ThrottledError):
            return True
        if isinstance(error, AccessDeniedError) and len(self._errors) == len(self._queried):
            return True
        return self._failed_calls >= (_FEW_CALLS if isinstance(error, AccessDeniedError) else _MOST_CALLS)


def _pause_of(error: CloudError) -> float:
    """Return the seconds after which calls that the cloud throttled may succeed again; infinity for other errors."""
    return (error.retry_after or DEFAULT_PAUSE) if isinstance(error, ThrottledError) else math.inf
