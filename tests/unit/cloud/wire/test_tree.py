"""The tree of one list: every task that can be decoded is there once, and whatever is left out is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.tree import TaskTree
from exporter.config import Cutover
from exporter.model.cutover_results import LivingSubtask
from exporter.model.task import Identity, Listed, Task
from tests.lib.verdicts import blocking
from tests.lib.virtual_time import other_task

RUNS, FAILED = "INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED"


def entry(task_id: str, *children: Any, status: str = RUNS, **facts: Any) -> dict[str, Any]:
    return {
        "id": task_id,
        "name": task_id,
        "status": status,
        **({"children": list(children)} if children else {}),
        **facts,
    }


class Grown:
    """A tree of some items, by id."""

    def __init__(self, *items: Any, job_type: str = "sync") -> None:
        errors = DecodeErrors()
        tree = TaskTree(job_type, errors)
        self.top = asyncio.run(tree.add(list(items)))
        self.tasks = {task.id: task for task in tree.tasks()}
        assert len(self.tasks) == len(tree.tasks())
        self.unreadable, self.lost = tree.unreadable, errors.count

    @property
    def parents(self) -> dict[str, str | None]:
        return {key: task.parent_id for key, task in self.tasks.items()}

    @property
    def unknown(self) -> dict[str, int]:
        return {key: task.unknown_children for key, task in self.tasks.items() if task.unknown_children}


def test_subtasks_at_any_depth_have_their_direct_parent_and_one_root() -> None:
    tree = Grown(entry("a", entry("b", entry("c")), entry("d")), entry("e"))
    assert tree.parents == {"a": None, "b": "a", "c": "b", "d": "a", "e": None}
    assert {key: task.root_id for key, task in tree.tasks.items()} == {
        "a": None,
        "b": "a",
        "c": "a",
        "d": "a",
        "e": None,
    }
    assert {key for key, task in tree.tasks.items() if task.is_parent} == {"a", "b"}
    assert (tree.top, tree.unreadable, tree.lost, tree.unknown) == ({"a", "e"}, 0, 0, {})


@pytest.mark.parametrize(
    "child",
    [
        {"id": "b"},
        {"status": RUNS},
        entry("b c"),
        entry("b", status=""),
        *({"id": 7, "status": RUNS}, {"id": "b", "status": 7}, None, "b", 7, True, [entry("b")]),
    ],
)
def test_a_child_that_cannot_be_decoded_is_an_unknown_subtask_of_its_parent(child: Any) -> None:
    tree = Grown(entry("a", entry("x"), child, entry("y")))
    assert (tree.parents, tree.unknown) == ({"a": None, "x": "a", "y": "a"}, {"a": 1})
    assert (tree.unreadable, tree.lost) == (0, 1)
    alone = Grown(entry("a", child))
    assert (alone.tasks["a"].is_parent, alone.unknown) == (True, {"a": 1})


@pytest.mark.parametrize("children", [{"0": entry("b")}, entry("b"), {}, "b", 0, 1.5, True, False])
def test_children_of_a_wrong_shape_are_one_unknown_subtask(children: Any) -> None:
    tree = Grown(entry("a") | {"children": children})
    assert (tree.tasks["a"].is_parent, tree.unknown, tree.unreadable, tree.lost) == (True, {"a": 1}, 0, 1)


@pytest.mark.parametrize("name", [None, "", ["b"], {}])
def test_a_child_without_a_name_is_listed_by_its_id_and_unknown_to_its_parent(name: Any) -> None:
    tree = Grown(entry("a", entry("b", name=name), entry("c")))
    assert {key: task.name for key, task in tree.tasks.items()} == {"a": "a", "b": "b", "c": "c"}
    assert (tree.unknown, tree.unreadable, tree.lost) == ({"a": 1}, 0, 1)
    alone = Grown(entry("b", name=None))
    assert (alone.tasks["b"].name, alone.lost) == ("b", 0)


@pytest.mark.parametrize("children", [None, [], "", "null", "N/A", " - "])
def test_a_task_without_children_is_no_parent(children: Any) -> None:
    tree = Grown(entry("a") | {"children": children})
    assert (tree.tasks["a"].is_parent, tree.unknown, tree.lost) == (False, {}, 0)


def test_the_children_of_an_entry_that_cannot_be_decoded_are_shown_under_the_nearest_that_can() -> None:
    lost = {"id": "b", "children": [entry("c", entry("d")), {"children": [entry("e")]}]}
    tree = Grown(entry("a", lost), {"children": [entry("f")]})
    assert tree.parents == {"a": None, "c": "a", "d": "c", "e": "a", "f": None}
    assert (tree.unknown, tree.unreadable, tree.top) == ({"a": 2}, 1, {"a"})


def test_an_entry_that_contains_itself_is_shown_once_and_its_parent_is_unknown() -> None:
    tree = Grown(entry("a", entry("b", entry("a", entry("c"))), entry("a")))
    assert tree.parents == {"a": None, "b": "a", "c": "a"}
    assert (tree.unknown, tree.unreadable, tree.lost) == ({"b": 1, "a": 1}, 0, 2)


def test_a_ring_over_several_items_has_one_outermost_parent() -> None:
    tree = Grown(entry("a", entry("b")), entry("b", entry("c")), entry("c", entry("a")))
    assert (tree.parents, tree.unknown, tree.lost) == ({"a": None, "b": "a", "c": "b"}, {"c": 1}, 1)


def test_a_subtask_of_two_parents_belongs_to_the_first_and_makes_the_second_unknown() -> None:
    tree = Grown(entry("a", entry("x")), entry("b", entry("x")))
    assert (tree.parents, tree.unknown, tree.lost) == ({"a": None, "x": "a", "b": None}, {"b": 1}, 1)


@pytest.mark.parametrize("child_first", [True, False])
@pytest.mark.parametrize("statuses", [(RUNS, RUNS), (RUNS, FAILED), (FAILED, RUNS)])
def test_a_subtask_that_is_an_item_as_well_is_a_subtask(child_first: bool, statuses: tuple[str, str]) -> None:  # noqa: FBT001
    inner, outer = statuses
    items = [entry("a", entry("x", status=inner)), entry("x", entry("y"), status=outer)]
    tree = Grown(*(items[::-1] if child_first else items))
    assert tree.parents == {"a": None, "x": "a", "y": "x"}
    assert (tree.tasks["x"].status, tree.tasks["x"].is_parent) == (FAILED if FAILED in statuses else RUNS, True)
    contradicted = inner != outer
    assert (tree.unknown, tree.lost) == ({"a": 1} if contradicted else {}, int(contradicted))


def test_a_subtask_that_its_parent_contains_twice_counts_as_unknown_only_where_the_entries_differ() -> None:
    assert Grown(entry("a", entry("x"), entry("x"))).unknown == {}
    assert Grown(entry("a", entry("x"), entry("x", status=FAILED))).unknown == {"a": 1}


def test_an_item_that_two_pages_contain_is_one() -> None:
    errors = DecodeErrors()
    tree = TaskTree("sync", errors)
    asyncio.run(tree.add([entry("a", entry("x"))]))
    assert asyncio.run(tree.add([entry("a", entry("x"), status=FAILED)])) == {"a"}
    assert ([(task.id, task.status) for task in tree.tasks()], errors.count) == ([("a", FAILED), ("x", RUNS)], 1)


def test_a_page_that_is_served_twice_has_no_more_unknown_subtasks() -> None:
    tree = TaskTree("sync", DecodeErrors())
    for _ in range(2):
        asyncio.run(tree.add([entry("a", None, 7), entry("b", entry("c"))]))
    asyncio.run(tree.add([entry("b", None)]))
    assert {task.id: task.unknown_children for task in tree.tasks()} == {"a": 2, "b": 1, "c": 0}


@pytest.mark.parametrize("statuses", [(RUNS, FAILED), (FAILED, RUNS)])
@pytest.mark.parametrize("children", [(), (entry("x"),)])
def test_a_task_with_two_statuses_in_a_list_is_not_ready(statuses: tuple[str, str], children: tuple[Any, ...]) -> None:
    tree = Grown(*(entry("a", *children, status=status) for status in statuses))
    assert (tree.tasks["a"].status, tree.tasks["a"].contradicted, tree.lost) == (FAILED, True, 1)
    assert not ready(tree.tasks["a"])


@pytest.mark.parametrize(("directions", "dual"), [(("up", "down"), True), (("up", "up"), False), (("up",), False)])
def test_a_pair_whose_subtasks_run_both_ways_is_dual_active(directions: tuple[str, ...], *, dual: bool) -> None:
    children = [entry(f"x{number}", job_direction=word) for number, word in enumerate(directions)]
    assert Grown(entry("a", *children), job_type="cloudDataGuard").tasks["a"].multi_write is dual
    assert Grown(entry("a", *children)).tasks["a"].multi_write is False


def test_any_depth_is_read_without_recursion() -> None:
    nested = entry("id-0")
    for depth in range(1, 5000):
        nested = entry(f"id-{depth}", nested)
    tree = Grown(nested)
    assert (len(tree.tasks), tree.tasks["id-0"].root_id) == (5000, "id-4999")


IDS = st.sampled_from("abcdefgh")
STATUSES = st.sampled_from([RUNS, RUNS, RUNS, FAILED])
BROKEN: st.SearchStrategy[Any] = st.sampled_from(
    [None, 7, "x", [], {}, {"id": "a"}, {"status": RUNS}, {"id": "a b", "status": RUNS}]
)


def entries(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    below = st.lists(children, max_size=4)
    good = st.builds(lambda task_id, status, inner: entry(task_id, *inner, status=status), IDS, STATUSES, below)
    lost = st.builds(lambda inner: {"id": "a", "children": inner}, below)
    wrong = st.builds(lambda task_id, odd: entry(task_id) | {"children": odd}, IDS, st.sampled_from([{}, 1, "x", True]))
    return st.one_of(good, lost, wrong)


ENTRIES = st.recursive(st.one_of(st.builds(entry, IDS), BROKEN), entries, max_leaves=30)


def own_id(fields: dict[str, Any]) -> str | None:
    """The id of an entry; None if it cannot be decoded."""
    good = isinstance(fields.get("status"), str) and " " not in fields.get("id", " ")
    return fields["id"] if good else None


def walked(items: list[Any], above: tuple[str, ...] = ()) -> list[tuple[str | None, tuple[str, ...]]]:
    """The id of every entry, None of one that cannot be decoded, with the decodable ids above it, the nearest last."""
    found: list[tuple[str | None, tuple[str, ...]]] = []
    for item in items:
        fields = item if isinstance(item, dict) else {}
        own = own_id(fields)
        found.append((own, above))
        inner = fields.get("children", [])
        found += walked(inner if isinstance(inner, list) else [None], (*above, own) if own else above)
    return found


@settings(max_examples=100)
@given(st.lists(ENTRIES, max_size=4))
def test_every_decodable_id_is_listed_once_and_no_parent_of_a_lost_entry_is_ready(items: list[Any]) -> None:
    tree = Grown(*items)
    everything = walked(items)
    assert tree.tasks.keys() == {own for own, _ in everything if own}
    assert tree.unreadable == sum(not isinstance(item, dict) or own_id(item) is None for item in items)
    assert tree.lost >= sum(own is None for own, _ in everything)
    for task in tree.tasks.values():
        path = list(iterate(task, tree.tasks))
        assert len(set(path)) == len(path)  # no ring
        assert task.root_id == (path[-1] if path else None)
    losing = Counter(above[-1] for own, above in everything if own is None and above)
    for parent, count in losing.items():
        assert tree.unknown[parent] >= count
        assert not ready(tree.tasks[parent])
    for own, above in everything:
        if own and above:  # a subtask that one of its parents does not show is unknown there
            assert tree.parents[own] == above[-1] or above[-1] in tree.unknown


def iterate(task: Listed, tasks: dict[str, Listed]) -> Iterator[str]:
    """The ids above a task."""
    while task.parent_id is not None:
        yield task.parent_id
        task = tasks[task.parent_id]


def ready(listed: Listed) -> bool:
    """The verdict about a parent whose known subtasks are all ready."""
    task = Task(Identity("a", "r", "p", listed.id, listed.name), listed=listed)
    living = (LivingSubtask("id", "name", blocked=False),)
    return not blocking(replace(task, refused=frozenset({"progress"})), Cutover(), living=living)


async def test_other_tasks_run_while_a_page_is_decoded() -> None:
    tree = TaskTree("sync", DecodeErrors())
    async with other_task() as turns:
        await tree.add([entry(f"{number}") for number in range(100)])
    assert len(turns) >= 100 // 20
