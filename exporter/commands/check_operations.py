"""The check of each operation that a collector would use: one call, with a task that the operation is meant for."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from exporter.cloud.batches import Round, Splitter
from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.commands.connections import attempt
from exporter.commands.findings import describe_missing_collector
from exporter.config import COLLECTORS, TASKS
from exporter.model.cutover import REASONS
from exporter.model.task import Phase
from exporter.polling.demand import calls_per_second
from exporter.polling.parents import QUERY_AGAIN_SECONDS, may_be_refusal
from exporter.views.errors import REPORT, Level, advise
from exporter.views.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from exporter.cloud.connect import Api
    from exporter.cloud.source import ProjectSource, Source, TaskResult
    from exporter.commands.connections import ProjectConnection
    from exporter.model.facts import TaskFacts
    from exporter.model.task import Listed


class Polled(NamedTuple):
    """The polls of one list, or of one source, that running waves make more often.

    Args:
        usual: seconds between two polls without a wave.
        batch: tasks in one call.
        ids: the tasks.
    """

    usual: float
    batch: int
    ids: frozenset[str]


class OperationCheck:
    """The check of the operations of one project.

    Args:
        connection: to the project.
        apis: the generations that are published and in use, the one that decides first.
        tasks: the tasks that each generation lists, by id.
        report: gets level, finding and remedy.
    """

    def __init__(
        self,
        connection: ProjectConnection,
        apis: Sequence[Api],
        tasks: Mapping[str, Mapping[str, Listed]],
        report: Callable[[Level, str, str], None],
    ) -> None:
        self._account = connection.account
        self._pin = connection.project.api
        self._client = connection.client
        self._decode_errors = connection.decode_errors
        self._apis = apis
        self._tasks = tasks
        self._report = report
        self._served: dict[type[TaskFacts], set[str]] = defaultdict(set)
        """The tasks for which an operation that was tried before returns this kind of facts."""
        self.demand = defaultdict[str, float](float)
        """Calls a second that polls take at the configured intervals, by collector."""
        self.polled: list[Polled] = []
        """The polls that running waves make more often."""
        self._served_collectors = {TASKS}
        """Collectors with a published operation."""

    async def run(self) -> None:
        """Try all operations, one after the other."""
        for api in self._apis:
            for source in api.sources:
                kinds = [kind for kind in source.kinds if self._account.enabled(kind.collector)]
                if kinds:  # a kind of facts that is returned for some tasks only does not replace its own operation
                    whole = [kind for kind in kinds if kind not in source.partial]
                    await self._try(source, whole or kinds, self._tasks[api.name].values())
            for project_source in api.project_sources:
                if self._account.enabled(project_source.collector):
                    await self._try_project(project_source)
        settings = self._account.cutover
        required = {
            reason.collector for reason in REASONS if reason.setting and getattr(settings, reason.setting) == "required"
        }
        for name in COLLECTORS:
            if self._account.enabled(name) and name not in self._served_collectors:
                self._report(*describe_missing_collector(name, self._pin, required=name in required))

    async def _try_project(self, source: ProjectSource) -> None:
        response = await attempt(source.fetch(self._client, self._decode_errors))
        if self._report_response(source.operation.name, [source.collector], response, replaceable=False):
            self.demand[source.collector] += 1 / self._account.interval(source.collector)

    async def _try(self, source: Source, kinds: Sequence[type[TaskFacts]], listed: Iterable[Listed]) -> None:
        suited = {task.id: task for task in listed if source.wants(task)}
        collectors = sorted({kind.collector for kind in kinds})
        task = min(
            suited.values(), key=lambda task: (task.is_parent, task.phase is not Phase.INCREMENTAL), default=None
        )
        response = await self._fetch(source, task.id) if task is not None else ()
        if task is None or (task.is_parent and may_be_refusal(source, response)):
            self._served_collectors |= {*collectors}
            self._report(Level.OK, f"{source.name} not tested: no task to test it with ({', '.join(collectors)})", "")
            return
        refused = set() if isinstance(response, CloudError) else await self._refused(source, suited)
        replaceable = all(suited.keys() <= self._served[kind] for kind in kinds)
        if self._report_response(source.name, collectors, response, replaceable=replaceable):
            self._add_demand(source, kinds, suited, refused)
            for kind in kinds:
                self._served[kind] |= suited.keys()

    async def _fetch(self, source: Source, task_id: str) -> TaskResult:
        call = partial(source.fetch, self._client, self._decode_errors)
        return (await Splitter(source, call, Round()).fetch([task_id]))[task_id]

    async def _refused(self, source: Source, suited: Mapping[str, Listed]) -> set[str]:
        """Return the ids of the parents that the operation refuses. One parent of each kind is queried."""
        kinds = defaultdict[tuple[object, ...], list[str]](list)
        for task in suited.values():
            if task.is_parent:
                kinds[task.job_type, task.job_mode, task.role, task.multi_az, task.multi_write].append(task.id)
        return {
            key for ids in kinds.values() if may_be_refusal(source, await self._fetch(source, ids[0])) for key in ids
        }

    def _add_demand(
        self, source: Source, kinds: Sequence[type[TaskFacts]], suited: Mapping[str, Listed], refused: Container[str]
    ) -> None:
        """Add the calls for the tasks whose facts no source before this one returns."""
        intervals, faster = defaultdict[str, list[float]](list), dict[str, float]()
        for task_id, task in suited.items():
            needed = [
                (source.interval(kind, self._account), kind.collector)
                for kind in kinds
                if task_id not in self._served[kind] and task.why_not_polled(kind.scope) is None
            ]
            if needed:
                interval, collector = min(needed, key=itemgetter(0))
                if task_id in refused:
                    self.demand[collector] += 1 / QUERY_AGAIN_SECONDS
                else:
                    intervals[collector].append(interval)
                    if usual := [each for each, name in needed if COLLECTORS[name].in_waves]:
                        faster[task_id] = min(usual)
        if faster:
            self.polled.append(Polled(min(faster.values()), source.batch, frozenset(faster)))
        for collector, each in intervals.items():
            self.demand[collector] += calls_per_second(each, source.batch)

    def _report_response(self, name: str, collectors: Sequence[str], response: object, *, replaceable: bool) -> bool:
        """Report a response. Return whether the operation is published; others serve its tasks if `replaceable`."""
        lost = sum(decode_errors.take() for decode_errors in self._decode_errors.values())
        served = ", ".join(collectors)
        if isinstance(response, CloudError):
            level, what, remedy = advise(response)
            if replaceable and level is Level.FAIL:
                level, what = Level.WARN, f"{what}; others serve all tasks now"
            self._report(level, f"{what} ({served})", remedy)
            if isinstance(response, NotPublishedError):
                return False
        elif lost:
            unlike = f"{plural(lost, 'field')} unlike the documents"
            self._report(Level.WARN, f"{name} works, with {unlike} ({served})", REPORT)
        else:
            self._report(Level.OK, f"{name} works ({served})", "")
        self._served_collectors |= {*collectors}
        return True
