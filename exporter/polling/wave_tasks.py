"""The tasks of running waves: the seconds between two polls of each, and the calls that these take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from exporter.cloud.connect import Api
from exporter.cloud.source import Source
from exporter.config import COLLECTORS, TASKS, Wave
from exporter.model.facts import TaskFacts
from exporter.model.task import Listed, Phase
from exporter.polling.context import PollContext
from exporter.polling.demand import WavePolls, wave_stretch
from exporter.polling.plan import Assigned
from exporter.polling.task_loop import Kinds
from exporter.runtime.turns import in_turns

_TASKS_PER_TURN = 250

Intervals = Mapping[str, float]
"""Seconds between two polls by task."""


class WaveTasks:
    """The tasks of the running waves of one project.

    All running waves of an account and region may use half of the rate limit: if they want more calls, their intervals
    are stretched. Tasks that would be polled less often than without a wave are polled as without one.
    """

    def __init__(self, context: PollContext) -> None:
        self._context = context
        self.ids = frozenset[str]()
        """Tasks and their subtasks."""
        self.lists: Mapping[tuple[Api, str], Intervals] = {}
        """By generation and job type: tasks, without subtasks, that are read by their ids between two lists."""
        self.sources: Mapping[Source, Intervals] = {}
        self.stretch = 1.0
        """The factor by which the intervals are longer than configured."""

    async def take(self, tasks: Collection[Listed], assigned: Assigned) -> Mapping[Source, dict[str, Kinds]]:
        """Remove from what is assigned the tasks that are queried on behalf of waves. Return these by source."""
        waves = self._context.store.context.waves
        polled = tasks if self._context.store.state.polls_on else ()  # one poll of everything has no intervals
        running = {
            listed.id: found
            async for listed in in_turns(polled, _TASKS_PER_TURN)
            if listed.phase is not Phase.ENDED and (found := waves.of(listed.root_id or listed.id))
        }
        self.ids = frozenset(running)
        wanted = {
            task_id: min((wave.interval for wave in found if wave.interval), default=None)
            for task_id, found in running.items()
        }
        lists = self._lists((listed for listed in tasks if listed.id in wanted and listed.parent_id is None), wanted)
        sources, scheduler = self._sources(wanted, assigned), self._context.scheduler
        scheduler.waves[self] = sum(each.calls for each in (*lists.values(), *sources.values()))
        self.stretch = wave_stretch(sum(scheduler.waves.values()), scheduler.rate)
        self.lists = {key: each.stretched(self.stretch) for key, each in lists.items()}
        self.sources = {source: each.stretched(self.stretch) for source, each in sources.items()}
        waves.intervals = self._longest((*lists.values(), *sources.values()), running)
        taken: dict[Source, dict[str, Kinds]] = defaultdict(dict)
        for (_, source), of_tasks in assigned.items():
            for task_id in self.sources.get(source, {}):
                if task_id in of_tasks:
                    taken[source][task_id] = of_tasks.pop(task_id)
        return taken

    def _longest(self, polls: Iterable[WavePolls], running: Mapping[str, Iterable[Wave]]) -> Mapping[str, float]:
        """Return for each wave the longest interval in force of its tasks."""
        longest = defaultdict[str, float](float)
        for each in polls:
            stretched = each.stretched(self.stretch)
            for task_id in each.intervals:
                for wave in running[task_id]:
                    longest[wave.name] = max(longest[wave.name], stretched.get(task_id, each.usual))
        return longest

    def _lists(
        self, tasks: Iterable[Listed], wanted: Mapping[str, float | None]
    ) -> Mapping[tuple[Api, str], WavePolls]:
        """Return the lists that decide, of the tasks that are no subtasks."""
        apis, listed_by = self._context.connection.apis, self._context.store.state.inventory.listed_by
        found: dict[tuple[Api, str], WavePolls] = {}
        for listed in tasks:
            api = next((api for api in apis if listed_by(listed.id, api.name)), None)
            if api is not None:
                polls = WavePolls(self._context.intervals[TASKS], api.most_ids, {})
                found.setdefault((api, listed.job_type), polls).add(listed.id, wanted[listed.id])
        return found

    def _sources(self, wanted: Mapping[str, float | None], assigned: Assigned) -> Mapping[Source, WavePolls]:
        """Return the sources of facts that decide a cut-over."""
        found: dict[Source, WavePolls] = {}
        for (_, source), of_tasks in assigned.items():
            for task_id in (task_id for task_id in wanted if task_id in of_tasks):
                kinds = [kind for kind in of_tasks[task_id] if COLLECTORS[kind.collector].in_waves]
                usual = [self._interval(source, kind) for kind in kinds]
                if usual:
                    found.setdefault(source, WavePolls(min(usual), source.batch, {})).add(task_id, wanted[task_id])
        return found

    def _interval(self, source: Source, kind: type[TaskFacts]) -> float:
        return source.interval(kind, self._context.store.context.account)
