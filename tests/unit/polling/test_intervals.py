"""How long a source waits between two queries of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from exporter.cloud.operations import PROGRESS_V5
from exporter.cloud.source import Source
from exporter.config import CollectorSettings
from exporter.model.details import Writable
from exporter.model.facts import Compared, Comparison, Node, ObjectCount, Objects, Precheck, Progress
from exporter.polling.intervals import QueryIntervals
from tests.lib.daemon import StoreFixture, config_of
from tests.lib.polling import poll_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.model.facts import TaskFacts

KINDS = (Progress, Node, Objects, Comparison, Writable, Precheck)
COMPARED = Comparison(types=(Compared("line", "RUNNING", consistent=None),))
MOVED = Objects(counts=(ObjectCount("table", 1.0, 2.0),))


def intervals(**collectors: float) -> QueryIntervals:
    """The intervals of a source under settings of collectors."""
    store, fetch = StoreFixture(), cast("Any", None)
    (account,) = config_of().accounts
    changes = {name: CollectorSettings(interval=seconds) for name, seconds in collectors.items()}
    changed = account.collectors.model_copy(update=changes)
    store.store.context.account = account.model_copy(update={"collectors": changed})
    return QueryIntervals(poll_context(store), Source(PROGRESS_V5, KINDS, 1, fetch, intervals={Node: 120.0}))


def planned(each: QueryIntervals, facts: Sequence[TaskFacts], *, loading: bool = False) -> list[float]:
    """The seconds after each of these facts until they are queried again."""
    found, before = [], None
    for one in facts:
        each.received("a", before, one, loading=loading)
        found.append(each.planned("a", type(one)))
        before = one
    return found


async def test_the_default_is_that_of_the_collector_or_of_the_source_if_that_is_longer() -> None:
    assert [intervals().of_facts(kind) for kind in KINDS] == [30, 120, 120, 300, 600, 600]


@pytest.mark.parametrize("seconds", [10, 60, 200])
async def test_an_interval_of_the_configuration_holds_whatever_the_source_costs(seconds: float) -> None:
    assert intervals(node=seconds).of_facts(Node) == seconds


async def test_a_task_is_queried_as_often_as_its_most_urgent_facts_need() -> None:
    each = intervals()
    assert each.of_task("a", (Objects, Comparison)) == 120
    assert each.of_task("a", (Progress, Objects)) == 30


@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        (Comparison(), [5, 10, 20, 40, 50, 50]),
        (COMPARED, [5] * 5),
        (Writable(lifted=False), [10, 20, 40, 80, 100, 100]),
        (Precheck(items=(("PASSED", 3),)), [10, 20, 40, 80, 100, 100]),
        (MOVED, [2, 4, 8, 16, 20, 20]),
        (Progress(delay_seconds=1.0), [0.5] * 5),
        (Node(cpu_ratio=0.5), [2] * 5),
    ],
)
async def test_the_interval_of_facts_that_have_settled_doubles_up_to_ten_times(
    facts: TaskFacts, minutes: list[float]
) -> None:
    assert [seconds / 60 for seconds in planned(intervals(), [facts] * len(minutes))] == minutes


async def test_objects_do_not_settle_during_the_full_load() -> None:
    assert planned(intervals(), [MOVED] * 4, loading=True) == [120] * 4


async def test_a_change_restores_the_interval() -> None:
    facts = [*[Comparison()] * 3, COMPARED, Comparison(), Comparison()]
    assert planned(intervals(), facts) == [300, 600, 1200, 300, 300, 600]
    states = [Writable(lifted=state) for state in (False, False, False, True, True)]
    assert planned(intervals(), states) == [600, 1200, 2400, 600, 1200]


async def test_facts_whose_interval_is_configured_do_not_settle() -> None:
    assert planned(intervals(comparison=300), [Comparison()] * 4) == [300] * 4


async def test_settled_facts_affect_neither_other_tasks_nor_other_facts() -> None:
    each = intervals()
    planned(each, [Comparison()] * 3)
    assert [each.planned("b", Comparison), each.planned("a", Writable)] == [300, 600]
    assert each.of_task("a", (Comparison, Writable)) == 600


async def test_a_task_that_changes_starts_again() -> None:
    each = intervals()
    planned(each, [Comparison()] * 3)
    planned(each, [Writable(lifted=False)] * 3)
    each.reset("b")
    assert each.planned("a", Comparison) == 1200
    each.reset("a")
    assert [each.planned("a", kind) for kind in (Comparison, Writable)] == [300, 600]


async def test_a_wave_shortens_the_interval_of_what_decides_a_cut_over_and_of_nothing_else() -> None:
    each = intervals()
    each.of_waves = {"a": 10.0, "b": 40.0}
    assert [each.planned("a", kind) for kind in KINDS] == [10, 120, 120, 300, 600, 600]
    assert each.planned("b", Progress) == each.planned("c", Progress) == 30
    assert each.of_tasks({"a": (Progress, Node), "c": (Progress,)}) == {"a": 10, "c": 30}
