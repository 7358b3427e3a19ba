"""Tries each operation that a collector would use, once, with one task that it can tell something about."""

from __future__ import annotations

from collections import defaultdict
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from exporter.cloud.http.errors import CloudError, NotPublishedError
from exporter.cloud.source import fetch_all
from exporter.commands.connections import attempt
from exporter.config.collectors import COLLECTORS, TASKS
from exporter.model.cutover import REASONS
from exporter.model.task import Phase
from exporter.views.findings import REPORT, Level, absent, words
from exporter.views.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from exporter.cloud.source import Api, Source
    from exporter.commands.connections import Connection
    from exporter.model.facts import TaskFacts
    from exporter.model.task import Listed


class Operations:
    """The operations of one project.

    Args:
        connection: asks.
        apis: the generations that are published and in use, the one that decides first.
        tasks: what each of them lists, by id.
        say: takes level, finding and remedy.
    """

    def __init__(
        self,
        connection: Connection[Any],
        apis: Sequence[Api],
        tasks: Mapping[str, Mapping[str, Listed]],
        say: Callable[[Level, str, str], None],
    ) -> None:
        self._account = connection.account
        self._pin = connection.project.api
        self._losses = connection.decode_errors
        self._apis = apis
        self._tasks = tasks
        self._say = say
        self._served: dict[type[TaskFacts], set[str]] = defaultdict(set)
        """The tasks of which an operation that was tried before tells a part."""
        self._fed = {TASKS}
        """Collectors that some published operation feeds."""

    async def run(self) -> None:
        """Try all of them, one after the other."""
        for api in self._apis:
            for source in api.sources:
                parts = [part for part in source.parts if self._account.enabled(part.collector)]
                if parts:  # what it tells of some tasks only does not make up for the operation that is meant for it
                    whole = [part for part in parts if part not in source.partial]
                    await self._try(source, whole or parts, self._tasks[api.name].values())
            for project_source in api.project_sources:
                if self._account.enabled(project_source.collector):
                    answer = await attempt(project_source.fetch())
                    self._tell(project_source.operation.name, [project_source.collector], answer, spare=False)
        settings = self._account.cutover
        required = {
            reason.collector for reason in REASONS if reason.setting and getattr(settings, reason.setting) == "required"
        }
        for name in COLLECTORS:
            if self._account.enabled(name) and name not in self._fed:
                self._say(*absent(name, self._pin, required=name in required))

    async def _try(self, source: Source, parts: Sequence[type[TaskFacts]], listed: Iterable[Listed]) -> None:
        suited = {task.id: task for task in listed if source.wants(task)}
        collectors = sorted({part.collector for part in parts})
        if not suited:
            self._fed |= {*collectors}
            self._say(Level.OK, f"{source.name} not tested: no task to test it with ({', '.join(collectors)})", "")
            return
        task = min(suited.values(), key=lambda task: task.phase is not Phase.INCREMENTAL)
        spare = all(suited.keys() <= self._served[part] for part in parts)
        answer = await _told(source, task.id)
        if self._tell(source.name, collectors, answer, spare=spare):
            for part in parts:
                self._served[part] |= suited.keys()

    def _tell(self, name: str, collectors: Sequence[str], answer: object, *, spare: bool) -> bool:
        """Say how it went; whether the operation is published. A `spare` one is used where others fall away."""
        lost = sum(decode_errors.take() for decode_errors in self._losses.values())
        fed = ", ".join(collectors)
        if isinstance(answer, CloudError):
            level, what, remedy = words(answer)
            if spare and level is Level.FAIL:
                level, what = Level.WARN, f"{what}; others serve all tasks now"
            self._say(level, f"{what} ({fed})", remedy)
            if isinstance(answer, NotPublishedError):
                return False
        elif lost:
            unlike = f"{plural(lost, 'field')} unlike the documents"
            self._say(Level.WARN, f"{name} works, with {unlike} ({fed})", REPORT)
        else:
            self._say(Level.OK, f"{name} works ({fed})", "")
        self._fed |= {*collectors}
        return True


async def _told(source: Source, task_id: str) -> object:
    """What an operation tells of one task, or why it tells nothing."""
    answer: object = None
    async with aclosing(fetch_all(source, [task_id])) as batches:
        async for answers in batches:
            answer = answers[task_id]
    return answer
