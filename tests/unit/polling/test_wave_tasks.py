"""Which tasks running waves poll, how often, and how many calls that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from exporter.cloud.http.scheduler import Scheduler
from exporter.cloud.operations import DETAIL_V3, PROGRESS_V3
from exporter.cloud.source import Source
from exporter.model.details import Detail
from exporter.model.facts import Progress, Switchover
from exporter.polling.wave_tasks import WaveTasks
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.polling import poll_context
from tests.lib.wave_polls import wave
from tests.unit.polling.test_list_reader import FakeApi

if TYPE_CHECKING:
    from exporter.model.task import Listed

FETCH = cast("Any", None)
ENDED = "RELEASE_RESOURCE_COMPLETE"


class Taken(NamedTuple):
    """The result of one assignment.

    Args:
        waves: the tasks of running waves.
        progress, detail: the ids that loops of waves query.
        rest: the ids whose progress other loops query.
        calls: calls a second that the waves want.
    """

    waves: WaveTasks
    progress: set[str]
    detail: set[str]
    rest: set[str]
    calls: float

    @property
    def intervals(self) -> dict[str, float]:
        """The seconds between two queries of the progress by task."""
        (found,) = [dict(each) for source, each in self.waves.sources.items() if source.name == PROGRESS_V3.name]
        return found

    @property
    def lists(self) -> dict[str, dict[str, float]]:
        """The seconds between two reads of each task by job type."""
        return {job_type: dict(each) for (_, job_type), each in self.waves.lists.items()}


async def take(*waves: dict[str, Any], tasks: tuple[Listed, ...], rate: float = 1000.0, polls_on: bool = True) -> Taken:
    """Divide the tasks of a v3 list: all have a progress, those for disaster recovery a switchover as well."""
    store, api = StoreFixture(), cast("Any", FakeApi("v3"))
    store.store.state.polls_on = polls_on
    store.run(*waves)
    await store.page_of(*tasks)
    context = poll_context(store, scheduler=Scheduler(rate, 5))
    context.connection = context.connection._replace(apis=(api,))
    progress = Source(PROGRESS_V3, (Progress,), 10, FETCH)
    detail = Source(DETAIL_V3, (Switchover, Detail), 10, FETCH)
    active = [task for task in tasks if task.status != ENDED]
    kinds = {task.id: (Switchover, Detail) if task.disaster_recovery else (Detail,) for task in active}
    assigned: Any = {
        ("progress", progress): {task.id: (Progress,) for task in active},
        ("detail", detail): {**kinds},
    }
    found = WaveTasks(context)
    taken = await found.take(tasks, assigned)
    assert all(taken[detail][task_id] == kinds[task_id] for task_id in taken.get(detail, ()))
    return Taken(
        found,
        set(taken.get(progress, ())),
        set(taken.get(detail, ())),
        set(assigned["progress", progress]),
        context.scheduler.waves[found],
    )


def named(name: str, **facts: Any) -> Listed:
    return listed_task(name, facts.pop("status", "INCRE_TRANSFER_STARTED"), name=name, **facts)


DR = named("wave-dr", job_type="cloudDataGuard")
SOME = (named("wave-a"), named("wave-b", status=ENDED), named("wave-c", status="CONFIGURATION"), DR, named("other"))


async def test_tasks_of_running_waves_are_taken_with_the_facts_that_decide_a_cut_over() -> None:
    found = await take(wave(), tasks=SOME)
    assert found.progress == {"wave-a", "wave-c", "wave-dr"}
    assert (found.detail, found.rest) == ({"wave-dr"}, {"other"})
    assert found.intervals == dict.fromkeys(found.progress, 10.0)
    assert found.lists == {"sync": {"wave-a": 10.0, "wave-c": 10.0}, "cloudDataGuard": {"wave-dr": 10.0}}
    assert found.calls == pytest.approx(4 / 10)
    assert found.waves.stretch == 1


async def test_subtasks_are_polled_as_often_as_the_task_above_them_and_read_with_it() -> None:
    child = named("north", parent_id="wave-a", root_id="wave-a")
    found = await take(wave(), tasks=(named("wave-a", is_parent=True), child, named("other")))
    assert found.progress == found.waves.ids == {"wave-a", "north"}
    assert found.lists == {"sync": {"wave-a": 10.0}}


async def test_the_shortest_interval_of_its_waves_counts_and_none_is_longer_than_usual() -> None:
    waves = wave(interval="2m"), wave("a", [{"name": "wave-a"}], interval="20s"), wave("b", [{"id": "other"}])
    found = await take(*waves, wave("c", [{"id": "other"}], interval=None), tasks=SOME)
    assert found.intervals == {"wave-a": 20.0, "wave-c": 30.0, "wave-dr": 30.0, "other": 10.0}


@pytest.mark.parametrize(("rate", "stretch"), [(0.8, 1.0), (0.4, 2.0), (0.27, 80 / 27)])
async def test_waves_that_want_more_than_half_of_the_rate_limit_are_stretched(rate: float, stretch: float) -> None:
    found = await take(wave(), tasks=SOME, rate=rate)
    assert found.waves.stretch == pytest.approx(stretch)
    assert found.intervals == pytest.approx(dict.fromkeys(found.progress, 10 * stretch))
    assert len(found.progress) == 3


async def test_tasks_that_would_be_polled_less_often_than_usual_are_not_taken() -> None:
    found = await take(wave(), tasks=SOME, rate=0.2)
    assert (found.progress, found.rest) == (set(), {"wave-a", "wave-c", "wave-dr", "other"})
    assert not any(found.lists.values())
    assert found.calls == pytest.approx(4 / 10)  # what they want decides, or it would change all the time


@pytest.mark.parametrize(("rate", "seconds"), [(1000.0, 10.0), (0.4, 20.0), (0.2, 30.0)])
async def test_the_interval_in_force_is_shown(rate: float, seconds: float) -> None:
    found = await take(wave(), tasks=SOME, rate=rate)
    assert found.waves._context.store.context.waves.intervals == {"weekend": pytest.approx(seconds)}


async def test_commands_that_poll_once_take_no_tasks() -> None:
    found = await take(wave(), tasks=SOME, polls_on=False)
    assert (found.progress, found.calls, found.waves.ids) == (set(), 0, frozenset())
