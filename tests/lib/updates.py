"""When the whole daemon receives facts about the tasks of a simulated cloud, for hours of virtual time.

Daemon, client and cloud are complete, but tasks are judged and samples rendered only at the end: until then nobody
reads a page, and polls depend on neither.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from exporter.config import COLLECTOR_OF, COLLECTORS, Config, Poll, from_mapping
from exporter.model.task import Phase
from exporter.simulator import SimulatedCloud
from exporter.simulator.world.fleet import fleet_world
from exporter.store.verdicts import Verdicts
from tests.lib.daemon import HOUR, PROJECT_ID, Scrape, calls, polling, sim_task
from tests.lib.rendering import publish_every, render_no_samples
from tests.lib.virtual_time import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.daemon.exporter import Exporter
    from exporter.model.facts import TaskFacts

_PAGE_SECONDS = 300.0
_COUNTED_SECONDS = 1200.0
"""Of the end, in which calls are counted, tasks are judged, and samples are rendered."""
_WARM_UP = 0.2
"""Part of the time before, in which everything is new."""


class Fleet(NamedTuple):
    """A simulation of one project with the default settings.

    Args:
        active: tasks in incremental replication; a sixth of them is disaster recovery.
        api: generation.
        hours: of virtual time.
        ended: further tasks, which have ended.
    """

    active: int
    api: str
    hours: float
    ended: int = 0


class Gap(NamedTuple):
    """The time between two updates of the same facts of a task.

    Args:
        seconds: until the later one; until the end if there was none.
        planned: seconds that the daemon planned between the two.
    """

    seconds: float
    planned: float

    @property
    def growth(self) -> float:
        """How many times older than planned the facts became."""
        return self.seconds / self.planned


class Polls(NamedTuple):
    """What a daemon did.

    Args:
        gaps: after the warm-up, by facts.
        last: from the last update of each task to the end, by facts.
        calls: of the last 20 minutes, by operation.
        page: the last one.
    """

    gaps: dict[str, list[Gap]]
    last: dict[str, list[Gap]]
    calls: Counter[str]
    page: Scrape

    def all_gaps(self, facts: str) -> list[Gap]:
        """Return the gaps between updates of these facts, and from the last ones to the end."""
        return [*self.gaps.get(facts, ()), *self.last.get(facts, ())]

    @property
    def demand(self) -> float:
        """Calls that the intervals take, divided by those that are allowed."""
        ratio = self.page.value("drs_exporter_api_demand_ratio")
        assert ratio is not None
        return ratio

    @property
    def calls_a_minute(self) -> float:
        """Calls of all operations."""
        return sum(self.calls.values()) / (_COUNTED_SECONDS / 60)


class _Updates:
    """Records the updates of one store."""

    def __init__(self, exporter: Exporter, patch: pytest.MonkeyPatch, warm_up: float) -> None:
        (self._store,) = exporter.stores
        self._clock, self._warm_up = asyncio.get_running_loop().time, warm_up
        self._gaps = defaultdict[str, list[Gap]](list)
        self._last: dict[tuple[str, str], Gap] = {}
        """By facts and task: when they were last updated, and for how long."""
        for name in ("listed", "listed_some"):
            self._record_list(name, patch)
        self._record_tasks(patch)
        self._record_project(patch)

    def results(self) -> tuple[dict[str, list[Gap]], dict[str, list[Gap]]]:
        """Return the gaps between updates, and those since the last one."""
        last = defaultdict[str, list[Gap]](list)
        for (facts, _), (at, planned) in self._last.items():
            last[facts].append(Gap(self._clock() - at, planned))
        return self._gaps, last

    def _updated(self, facts: str, task_id: str, planned: float) -> None:
        key, moment = (facts, task_id), self._clock()
        if (before := self._last.get(key)) is not None and before.seconds > self._warm_up:
            self._gaps[facts].append(Gap(moment - before.seconds, before.planned))
        self._last[key] = Gap(moment, planned)

    def _record_list(self, name: str, patch: pytest.MonkeyPatch) -> None:
        store = getattr(self._store, name)

        async def listed(api: str, job_type: str, tasks: Iterable[Any], **options: Any) -> None:
            tasks = tuple(tasks)
            await store(api, job_type, tasks, **options)
            for task in tasks:
                if task.phase is not Phase.ENDED:
                    self._updated("tasks", task.id, Poll().interval)

        patch.setattr(self._store, name, listed)

    def _record_tasks(self, patch: pytest.MonkeyPatch) -> None:
        store, state = self._store.update, self._store.state

        async def update(facts: dict[str, list[TaskFacts]], *rest: Any) -> None:
            await store(facts, *rest)
            for task_id, received in facts.items():
                for each in received:
                    self._updated(each.name, task_id, state.tasks[task_id].planned[each.name].seconds)

        patch.setattr(self._store, "update", update)

    def _record_project(self, patch: pytest.MonkeyPatch) -> None:
        store, interval = self._store.state.update, self._store.context.account.interval

        def update(facts: Any) -> None:
            store(facts)
            self._updated(facts.name, "", interval(facts.name))

        patch.setattr(self._store.state, "update", update)


def below(share: float, values: Iterable[float]) -> float:
    """Return the value below which this share of the values is."""
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1]


def grows_with_demand(facts: str) -> bool:
    """Return whether facts become at most as many times older as there are calls too many; others four times that."""
    return COLLECTORS[COLLECTOR_OF.get(facts, facts)].weight == max(each.weight for each in COLLECTORS.values())


async def polls_of(fleet: Fleet) -> Polls:
    """Run a daemon, and return what it did."""
    simulated, until_counted = _cloud(fleet), fleet.hours * HOUR - _COUNTED_SECONDS
    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as unrendered:
        publish_every(_PAGE_SECONDS, patch)
        render_no_samples(unrendered)
        unrendered.setattr(Verdicts, "judge", lambda _, _state, exposed: exposed)
        async with polling(simulated, _config(fleet.api)) as exporter:
            updates = _Updates(exporter, patch, _WARM_UP * until_counted)
            await asyncio.sleep(until_counted)
            unrendered.undo()
            async with exporter.exposition.lock:
                await exporter.stores[0].restore()
            simulated.calls = deque()
            await asyncio.sleep(_COUNTED_SECONDS)
            made, (gaps, last) = calls(simulated), updates.results()
            await exporter.publish()
            return Polls(gaps, last, made, Scrape(exporter))


def _config(api: str) -> Config:
    project = {"region": "cn-north-4", "name": "payments", "project_id": PROJECT_ID, "api": api}
    credentials = {"type": "ak_sk", "access_key": "AK", "secret_key": "SK"}
    account = {"name": "acme", "cloud": "huaweicloud", "credentials": credentials, "projects": [project]}
    return from_mapping({"accounts": [account]})


def _cloud(fleet: Fleet) -> SimulatedCloud:
    """A cloud whose calls are not kept; for `v5` alone, it lists all tasks through v5."""
    world = fleet_world(fleet.active, now, project_id=PROJECT_ID)
    if fleet.api == "v5":
        world.v5_engines = tuple(dict.fromkeys(task.words.v5 for task in world.tasks))
    world.tasks += [sim_task(f"ended-{number}", status="RELEASE_RESOURCE_COMPLETE") for number in range(fleet.ended)]
    simulated = SimulatedCloud(worlds=[world], keys={"AK": "SK"}, now=now)
    simulated.calls = deque(maxlen=1)
    return simulated
