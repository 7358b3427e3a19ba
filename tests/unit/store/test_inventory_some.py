"""Entries of some tasks of a list, without the rest of it."""

import pytest

from exporter.model.task import Listed
from exporter.store.inventory import Inventory
from tests.unit.store.test_inventory import ALL, HIDDEN_FOR, lists, task


@pytest.fixture
def inventory() -> Inventory:
    return Inventory(HIDDEN_FOR)


ENDED = "RELEASE_RESOURCE_COMPLETE"


def some(
    inventory: Inventory, *tasks: Listed, roots: str, now: float, api: str = "v3", all_here: bool = False
) -> set[str]:
    return inventory.update_some(api, "sync", tasks, roots={*roots}, now=now, all_here=all_here)


def test_entries_of_some_tasks_replace_theirs_and_no_others(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("b"), now=0)
    assert some(inventory, task("a", "PAUSING"), task("new"), roots="a", now=30) == {"a", "new"}
    assert [found and found.status for found in (inventory.find(key, ALL) for key in ("a", "b", "new"))] == [
        "PAUSING",
        "INCRE_TRANSFER_STARTED",
        "INCRE_TRANSFER_STARTED",
    ]
    assert inventory.find("a", {"v3": 30.0, "v5": 30.0})
    assert inventory.find("b", {"v3": 30.0, "v5": 30.0}) is None  # no younger than its list


def test_a_requested_task_that_is_missing_is_removed_at_the_second_proof(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("b"), task("c"), now=0)
    assert some(inventory, task("b"), roots="ab", now=30) == {"a", "b"}
    assert not inventory.listed_by("a", "v3")
    assert sorted(inventory) == ["a", "b", "c"]
    some(inventory, task("b"), roots="ab", now=60)
    assert sorted(inventory) == ["b", "c"]


@pytest.mark.parametrize("pages", [1, 5])
def test_a_whole_list_is_the_second_proof_for_a_task_that_was_missing(inventory: Inventory, pages: int) -> None:
    lists(inventory, "v3", task("a"), task("b"), now=0, pages=pages)
    some(inventory, roots="a", now=30)
    lists(inventory, "v3", task("b"), now=30, pages=pages)
    assert sorted(inventory) == ["b"]


def test_a_requested_task_that_returns_starts_again(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), now=0)
    for now in range(30, 300, 60):
        some(inventory, roots="a", now=now)
        some(inventory, task("a"), roots="a", now=now + 30)
    assert "a" in inventory


def test_a_task_that_another_generation_lists_stays(inventory: Inventory) -> None:
    for api in ("v3", "v5"):
        lists(inventory, api, task("a"), now=0)
    for now in (30, 60, 90):
        some(inventory, roots="a", now=now)
    assert "a" in inventory
    assert some(inventory, roots="a", now=120, api="v5") == {"a"}
    some(inventory, roots="a", now=150, api="v5")
    assert "a" not in inventory


def test_a_subtask_is_missing_with_its_root_and_alone(inventory: Inventory) -> None:
    subtasks = [task(key, parent_id="a", root_id="a") for key in "xy"]
    lists(inventory, "v3", task("a"), *subtasks, now=0)
    for now in (30, 60):
        some(inventory, task("a"), subtasks[0], roots="a", now=now)
    assert sorted(inventory) == ["a", "x"]
    for now in (90, 120):
        some(inventory, roots="a", now=now)
    assert sorted(inventory) == []


@pytest.mark.parametrize("all_here", [False, True])
def test_tasks_that_have_ended_are_as_young_as_the_confirmation_of_their_list(
    inventory: Inventory, *, all_here: bool
) -> None:
    lists(inventory, "v3", task("run"), task("other"), task("end", ENDED), now=0)
    lists(inventory, "v5", task("end", ENDED), now=0)
    some(inventory, task("run"), roots="run", now=30, all_here=all_here)
    at = {name: dict(inventory.last_seen(name)) for name in ("run", "other", "end")}
    ended = {"v3": 30 if all_here else 0, "v5": 0}
    assert at == {"run": {"v3": 30}, "other": {"v3": 0}, "end": ended}


def test_a_task_that_its_list_lacked_before_does_not_become_younger(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("end", ENDED), now=0)
    lists(inventory, "v3", task("a"), now=30, pages=2)
    some(inventory, task("a"), roots="a", now=60, all_here=True)
    assert inventory.last_seen("end") == [("v3", 0)]


def test_a_deleted_task_among_some_is_removed(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("b"), now=0)
    assert some(inventory, task("a", "DELETED"), roots="a", now=30) == {"a"}
    assert sorted(inventory) == ["b"]


def test_roots_are_the_tasks_that_have_not_ended_or_have_such_subtasks(inventory: Inventory) -> None:
    ended_parent = task("parent", ENDED)
    lists(
        inventory,
        "v3",
        task("run"),
        task("end", ENDED),
        ended_parent,
        task("x", parent_id="parent", root_id="parent"),
        task("y", parent_id="parent", root_id="parent"),
        now=0,
    )
    lists(inventory, "v3", task("other"), now=0, job_type="migration")
    lists(inventory, "v5", task("run"), task("only"), now=0)
    assert inventory.roots("v3", "sync") == ("run", "parent")
    assert inventory.roots("v5", "sync") == ("run", "only")
    assert inventory.roots("v5", "sync", without="v3") == ("only",)
    assert inventory.roots("v5", "migration") == ()


def test_entries_that_were_received_while_a_list_was_read_replace_its_own(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("b"), now=0)
    some(inventory, task("a", "PAUSING"), roots="", now=50)
    read = (task("a"), task("b"), task("new"))  # from 30 to 60
    assert [found.status for found in inventory.newest("v3", "sync", read, 30)] == [
        "PAUSING",
        "INCRE_TRANSFER_STARTED",
        "INCRE_TRANSFER_STARTED",
    ]
    assert inventory.newest("v3", "sync", read, 50) == inventory.newest("v5", "sync", read, 30) == read
