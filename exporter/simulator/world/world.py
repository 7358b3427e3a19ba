"""A world: one IAM project in one region with its tasks, and how its DRS behaves where documents leave it open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from exporter.simulator.protocol import overridden
from exporter.simulator.world.engines import V5_DOCUMENTED
from exporter.simulator.world.formats import uuid
from exporter.simulator.world.life import GONE, HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exporter.simulator.world.life import Moment
    from exporter.simulator.world.tasks import SimTask


class Found(NamedTuple):
    """A task that was asked for by id."""

    task: SimTask
    parent: SimTask | None
    moment: Moment


@dataclass(eq=False, kw_only=True)
class AsyncJob:
    """A batch of tasks created asynchronously.

    Attributes:
        created: epoch second.
        tasks: names of the tasks that came of it.
    """

    status: str
    created: float
    domain: str = "demo-domain"
    user: str = "demo-user"
    tasks: tuple[str, ...] = ()
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or uuid("async", self.status, self.created)


@dataclass(eq=False, kw_only=True)
class World:
    """One project.

    Attributes:
        project_id: 32 hexadecimal digits.
        name: of the IAM project; by default the region's.
        published: the API generations of this region: v3, v5.
        v5_engines: engine words that v5 lists; the rest is known to v3 alone.
        now: the clock; by default the cloud's.
        naive_times: v3 list times without a zone, UTC+8 (the older form).
        old_bodies: v3 as Open Telekom Cloud documents it: no milliseconds, rates, actions or extras,
            a description even when empty.
        detail_key: ``results``, or ``jobs`` as the oldest page of batch-detail has it.
        mixed_batches: what one unknown id does to a batch: an error in its item, or 400 for the whole.
        single_id_only: batches of more than one id are refused (DRS.M00299).
        batch_limit: more ids than this are refused.
        quota: how many tasks the project may have.
        async_jobs: batches of tasks created asynchronously.
        overrides: endpoint name -> what is merged into the whole answer (a task's own overrides change its
            item); names as for tasks, and v3_quotas, v5_async_jobs, v5_async_job.
    """

    project_id: str
    region: str = "cn-north-4"
    name: str = ""
    published: set[str] = field(default_factory=lambda: {"v3", "v5"})
    v5_engines: tuple[str, ...] = V5_DOCUMENTED
    tasks: list[SimTask] = field(default_factory=list)
    now: Callable[[], float] | None = None
    naive_times: bool = False
    old_bodies: bool = False
    detail_key: str = "results"
    mixed_batches: str = "item"
    single_id_only: bool = False
    batch_limit: int = 10
    quota: int = 100
    async_jobs: list[AsyncJob] = field(default_factory=list)
    overrides: dict[str, object] = field(default_factory=dict)
    _index: _Index | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.name = self.name or self.region

    def living(self, scenario: str, generation: str, now: float) -> list[SimTask]:
        """The tasks that a list of this generation shows, newest first. Children stay inside their parents."""
        tasks, vanishing = self._current().of(scenario, self.v5_engines if generation == "v5" else None)
        if not vanishing:
            return tasks
        shown = ((task, task.at(now)) for task in tasks)
        living = [(moment.born, task) for task, moment in shown if moment.status not in HIDDEN]
        living.sort(key=lambda pair: -pair[0])
        return [task for _, task in living]

    def find(self, identity: str, now: float) -> Found | None:
        """The task with this id at this time, also when it is only just deleted; None when nothing is left."""
        for task, parent in self._current().candidates(identity):
            moment = task.at(now)
            if parent is not None and parent.at(now).status in HIDDEN:
                continue
            if moment.id == identity and moment.status != GONE:
                return Found(task, parent, moment)
        return None

    def task(self, name: str) -> SimTask:
        """The task or subtask of this name, for tests.

        Raises:
            KeyError: there is none.
        """
        for task in self.everything():
            if task.name == name:
                return task
        raise KeyError(name)

    def everything(self) -> Iterator[SimTask]:
        """All tasks and their children."""
        for task in self.tasks:
            yield task
            yield from task.children

    def wire(self, endpoint: str, built: object) -> object:
        """The whole answer with this world's overrides for the endpoint in it."""
        return overridden(built, self.overrides[endpoint]) if endpoint in self.overrides else built

    def _current(self) -> _Index:
        # Comparing the two lists costs microseconds (the same objects), sorting a fleet again milliseconds.
        if self._index is None or self._index.tasks != self.tasks:
            self._index = _Index(list(self.tasks))
            for task in self.tasks:
                task.watchers.add(self._forget)
        return self._index

    def _forget(self) -> None:
        self._index = None


class _Index:
    """Values about a list of tasks that are computed once."""

    def __init__(self, tasks: list[SimTask]) -> None:
        self.tasks = tasks
        self._renewing = [task for task in tasks if task.renews]
        self._by_id = {task.id: task for task in tasks}
        self._lists: dict[tuple[str, tuple[str, ...] | None], tuple[list[SimTask], bool]] = {}

    def of(self, scenario: str, v5_engines: tuple[str, ...] | None) -> tuple[list[SimTask], bool]:
        """The scenario's tasks whose engine the generation knows (None: v3), newest first; and do any vanish?"""
        key = (scenario, v5_engines)
        if key not in self._lists:
            tasks = [task for task in self.tasks if task.scenario == scenario and _known(task, v5_engines)]
            tasks.sort(key=lambda task: -task.born)
            self._lists[key] = tasks, any(task.vanishes for task in tasks)
        return self._lists[key]

    def candidates(self, identity: str) -> Iterator[tuple[SimTask, SimTask | None]]:
        """Tasks that may have this id now, with their parents."""
        if identity in self._by_id:
            yield self._by_id[identity], None
            return
        for task in self._renewing:
            yield task, None
        for parent in self.tasks:
            for child in parent.children:
                yield child, parent


def _known(task: SimTask, v5_engines: tuple[str, ...] | None) -> bool:
    return bool(task.words.v3) if v5_engines is None else task.words.v5 in v5_engines
