"""How long a source waits between two queries of a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exporter.cloud.source import Source
from exporter.config import COLLECTORS
from exporter.model.facts import TaskFacts
from exporter.polling.context import PollContext

_LONGEST = 10
"""Intervals between two queries of facts that have settled: they expire after twelve, see `Ages`."""


class QueryIntervals:
    """The intervals of the facts that one source returns.

    An interval of the configuration holds for every task. Without one, it is that of the collector, or of the source
    if that is longer because it costs a call for each task. The interval of facts that have settled doubles each time.
    """

    def __init__(self, context: PollContext, source: Source) -> None:
        self._account = context.store.context.account
        self._source = source
        self._of_facts = {kind: source.interval(kind, self._account) for kind in source.kinds}
        self._factors: dict[tuple[str, type[TaskFacts]], int] = {}
        """By task, for facts that have settled."""
        self.of_waves: Mapping[str, float] = {}
        """By task of a running wave, the seconds between two queries of the facts that decide a cut-over."""

    def of_facts(self, kind: type[TaskFacts]) -> float:
        """Return the seconds between two queries of facts that change."""
        return self._of_facts[kind]

    def planned(self, task_id: str, kind: type[TaskFacts]) -> float:
        """Return the seconds until the facts about a task are queried again."""
        usual = self._of_facts[kind] * self._factors.get((task_id, kind), 1)
        return min(usual, self.of_waves.get(task_id, usual)) if COLLECTORS[kind.collector].in_waves else usual

    def of_task(self, task_id: str, kinds: Iterable[type[TaskFacts]]) -> float:
        """Return the seconds until a task is queried again for any of these facts."""
        return min([self.planned(task_id, kind) for kind in kinds])

    def of_tasks(self, tasks: Mapping[str, tuple[type[TaskFacts], ...]]) -> dict[str, float]:
        """Return the same for each of many tasks."""
        usual = {kinds: min(map(self.of_facts, kinds)) for kinds in set(tasks.values())}
        others = self.of_waves.keys() | {task_id for task_id, _ in self._factors}
        return {
            task_id: self.of_task(task_id, kinds) if task_id in others else usual[kinds]
            for task_id, kinds in tasks.items()
        }

    def received(self, task_id: str, before: TaskFacts | None, facts: TaskFacts, *, loading: bool) -> None:
        """Facts have been received; `loading` while the task may run its full load."""
        kind = type(facts)
        if facts.settled(before, loading=loading) and not self._account.sets_interval(kind.collector):
            self._factors[task_id, kind] = min(2 * self._factors.get((task_id, kind), 1), _LONGEST)
        else:
            self._factors.pop((task_id, kind), None)

    def reset(self, task_id: str) -> None:
        """The task has changed, or is not queried any more."""
        for kind in self._source.kinds:
            self._factors.pop((task_id, kind), None)
