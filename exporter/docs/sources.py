"""What feeds what, found out from the adapters' sources and from the families themselves, for the documentation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, NamedTuple, cast

from exporter.cloud import operations
from exporter.cloud.v3 import V3
from exporter.cloud.v5 import V5
from exporter.cloud.wire.fields import DecodeErrors
from exporter.config.load import Cutover
from exporter.docs import examples
from exporter.metrics.tasks import PROJECT_FAMILIES
from exporter.model.cutover import REASONS, Facts
from exporter.model.facts import TASK_FACTS
from exporter.model.list_query import ListQuery
from exporter.model.task import Listed, Task
from exporter.views.text import fact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from exporter.cloud.http.client import Client
    from exporter.cloud.operations import Operation
    from exporter.cloud.source import Api, ProjectSource, Source
    from exporter.metrics.tasks import Family
    from exporter.model.facts import TaskFacts
    from exporter.model.task import Project

LISTS = (operations.LIST_V3, operations.LIST_V5)


class Feed(NamedTuple):
    """Where the values of a family come from."""

    collectors: tuple[str, ...]
    operations: tuple[Operation, ...]


def sources() -> list[Source]:
    """All sources of facts about tasks, v3 first."""
    return [source for api in _apis() for source in api.sources]


def project_sources() -> list[ProjectSource]:
    """All sources of facts about projects."""
    return [source for api in _apis() for source in api.project_sources]


def feed_of(family: Family[Task] | Family[Project]) -> Feed:
    """What feeds a family of tasks or projects; nothing does where it is about the exporter itself."""
    if family in PROJECT_FAMILIES:
        return _project_feed(family.collector)
    told = _fields_of(cast("Family[Task]", family))
    found: list[Operation] = [*LISTS] if Listed in told else []
    found += [one.operation for one in sources() if any(_names(part, told) - one.lacks for part in one.parts)]
    kinds: tuple[type[TaskFacts | Listed], ...] = (Listed, *TASK_FACTS.values())
    collectors = [kind.collector for kind in kinds if told.get(kind)]
    return Feed(tuple(dict.fromkeys(collectors)), tuple(found))


def _apis() -> tuple[Api, ...]:
    # No call is made: the adapters only keep the client.
    client, decode_errors, query = cast("Client", None), defaultdict[str, DecodeErrors](DecodeErrors), ListQuery()
    return V3(client, decode_errors, query), V5(client, decode_errors, query)


def _project_feed(collector: str) -> Feed:
    if not collector:
        return Feed((), ())
    found = LISTS if collector == Listed.collector else _named(collector)
    return Feed((collector,), tuple(found))


def _named(collector: str) -> Iterable[Operation]:
    return (source.operation for source in project_sources() if source.collector == collector)


def _names(part: type[TaskFacts], told: Mapping[type[TaskFacts | Listed], set[str]]) -> set[str]:
    return {f"{part.name}.{field}" for field in told.get(part, ())}


def _fields_of(family: Family[Task]) -> dict[type[TaskFacts | Listed], set[str]]:
    """The fields, by part, that change what is shown of some example, where only the list is known besides."""
    told: defaultdict[type[TaskFacts | Listed], set[str]] = defaultdict(set)
    for task in examples.TASKS:
        bare = Task(task.identity, listed=task.listed, history=task.history)
        shown = family.samples(bare)
        if shown:
            told[Listed] = {"id"}
        for name, kind in TASK_FACTS.items():
            part = getattr(task, name)
            if part is None:
                continue
            for field in fields(kind):
                less = replace(part, **{field.name: None if field.default is MISSING else field.default})
                if family.samples(replace(bare, **{name: part})) != family.samples(replace(bare, **{name: less})):
                    told[kind].add(field.name)
        for whole in _judged_by(family, task, bare) | _dated_by(family, bare):
            told[whole] |= {field.name for field in fields(whole)}
    return dict(told)


def _judged_by(family: Family[Task], task: Task, bare: Task) -> set[type[TaskFacts | Listed]]:
    """The parts that the reasons against a cut-over look at, if the family shows these."""
    if family.samples(replace(bare, blockers=task.blockers)) == family.samples(bare):
        return set()
    return {Listed} | {
        kind
        for name, kind in TASK_FACTS.items()
        if _looked_at(replace(bare, **{name: getattr(task, name)})) != _looked_at(bare)
    }


def _looked_at(task: Task) -> list[str]:
    facts = Facts(task, stale=False, subtasks_blocked=False, settings=Cutover())
    return [fact_text(reason.fact(facts)) for reason in REASONS]


def _dated_by(family: Family[Task], bare: Task) -> set[type[TaskFacts | Listed]]:
    """The parts whose ages the family shows."""
    ages = {kind: replace(bare, collected=((kind.collector, 0.0),)) for kind in TASK_FACTS.values()}
    return {kind for kind, dated in ages.items() if family.samples(dated) != family.samples(bare)}
