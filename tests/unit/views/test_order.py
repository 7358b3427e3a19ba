"""The order of tasks in lists."""

from __future__ import annotations

from collections.abc import Sequence
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.task import Phase
from exporter.views.order import WORST_FIRST, Families, urgency

Entry = tuple[str, str | None, int]


def ordered(entries: Sequence[Entry], *, backwards: bool = False, by_parent: bool = False) -> str:
    """The order of tasks with an ID, a parent and a key; a plus for each level below the outermost parent."""
    families = Families[str](backwards=backwards, by_parent=by_parent)
    for task_id, parent_id, key in entries:
        families.add(task_id, task_id, parent_id, key)
    return " ".join("+" * depth + task_id for task_id, depth in families.sorted())


def test_every_phase_has_its_rank() -> None:
    assert set(WORST_FIRST) == {*Phase, "unknown"}


def test_the_worst_phase_comes_first_then_the_largest_delay_then_the_name() -> None:
    tasks = [("full", None, "a"), ("failed", None, "b"), ("incremental", 9.0, "d"), ("incremental", 9.0, "c")]
    tasks += [("incremental", 90.0, "e"), ("a phase of a newer exporter", None, "f"), ("incremental", None, "g")]
    assert [name for *_, name in sorted(tasks, key=lambda task: urgency(*task))] == list("fbecdga")


FAMILY: list[Entry] = [("child-b", "parent", 9), ("alone", None, 3), ("parent", None, 5), ("child-a", "parent", 1)]


@pytest.mark.parametrize(
    ("entries", "options", "expected"),
    [
        (FAMILY, {}, "parent +child-a +child-b alone"),
        (FAMILY, {"by_parent": True}, "alone parent +child-a +child-b"),
        (FAMILY, {"backwards": True}, "parent +child-b +child-a alone"),
        (FAMILY, {"backwards": True, "by_parent": True}, "parent +child-b +child-a alone"),
        ([("b", None, 1), ("a", None, 1)], {}, "a b"),
        ([("lost", "not here", 2), ("one", None, 1)], {}, "one lost"),
        ([("c", "b", 1), ("b", "a", 2), ("a", None, 3)], {}, "a +b ++c"),
        ([("a", "b", 2), ("b", "a", 1), ("c", "b", 0)], {}, "a +b ++c"),
        ([("a", "a", 1)], {}, "a"),
        ([], {}, ""),
    ],
)
def test_subtasks_are_below_their_parents(entries: list[Entry], options: dict[str, bool], expected: str) -> None:
    assert ordered(entries, **options) == expected


@given(
    st.dictionaries(st.integers(0, 30), st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=30),
    st.booleans(),
    st.booleans(),
)
def test_every_task_is_there_once(tasks: dict[int, tuple[int, int]], backwards: bool, by_parent: bool) -> None:  # noqa: FBT001
    entries = [(str(number), str(parent), key) for number, (parent, key) in tasks.items()]
    got = ordered(entries, backwards=backwards, by_parent=by_parent).replace("+", "").split()
    assert sorted(got) == sorted(task_id for task_id, *_ in entries)


def test_many_tasks_are_arranged_in_small_steps() -> None:
    families = Families[int]()
    for number in range(1000):
        families.add(number, str(number), str(number // 10 * 10), -number)
    assert len(list(families.arrange())) >= 4


def test_a_long_chain_of_parents_is_arranged_in_a_moment() -> None:
    families, count = Families[int](), 3000
    for number in range(count):
        families.add(number, str(number), str(number - 1) if number else None, 0)
    started = process_time()
    assert list(families.sorted()) == [(number, number) for number in range(count)]
    assert process_time() - started < 2
