"""The existing tasks are the union of both API generations; a task is removed when its lists lack it."""

from typing import Any

import pytest

from exporter.model.task import DELETED, Listed, Phase
from exporter.model.task_lists import Gap
from exporter.store.inventory import Inventory

ALL = {"v3": -1.0, "v5": -1.0}
HIDDEN_FOR = 300.0


def task(task_id: str = "a", status: str = "INCRE_TRANSFER_STARTED", **facts: object) -> Listed:
    return Listed(id=task_id, name=task_id, status=status, job_type="sync", **facts)  # type: ignore[arg-type]


@pytest.fixture
def inventory() -> Inventory:
    return Inventory(HIDDEN_FOR)


def lists(inventory: Inventory, api: str, *tasks: Listed, now: float, job_type: str = "sync", **how: Any) -> set[str]:
    return inventory.update(api, job_type, tasks, now=now, **how)


def test_the_inventory_is_the_union_by_task_id(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("b"), now=0)
    lists(inventory, "v5", task("b"), task("c"), now=1)
    assert sorted(inventory) == ["a", "b", "c"]
    assert "b" in inventory
    assert "d" not in inventory
    assert [inventory.listed_by(task_id, "v3") for task_id in "abcd"] == [True, True, False, False]


@pytest.mark.parametrize("order", [("v3", "v5"), ("v5", "v3")])
def test_v3_decides_if_both_generations_list_a_task(inventory: Inventory, order: tuple[str, str]) -> None:
    for now, api in enumerate(order):
        lists(inventory, api, task(net_type=api), now=now)
    assert inventory.find("a", ALL) == task(net_type="v3")


def test_v5_decides_where_the_list_of_v3_has_expired_and_nothing_is_found_where_every_list_has(
    inventory: Inventory,
) -> None:
    lists(inventory, "v3", task(net_type="v3"), now=0)
    lists(inventory, "v5", task(net_type="v5"), now=400)
    assert inventory.find("a", {"v3": 0.0, "v5": 0.0}) == task(net_type="v3")
    assert inventory.find("a", {"v3": 0.1, "v5": 0.0}) == task(net_type="v5")
    assert inventory.find("a", {"v3": 0.1, "v5": 400.1}) is None
    assert "a" in inventory
    assert inventory.find("never seen", ALL) is None


def test_a_task_that_v3_no_longer_lists_is_shown_as_v3_listed_it_unless_v5_listed_it_later(
    inventory: Inventory,
) -> None:
    lists(inventory, "v5", task(net_type="v5"), now=0)
    lists(inventory, "v3", task(net_type="v3"), now=10)
    lists(inventory, "v3", now=20)
    assert inventory.find("a", ALL) == task(net_type="v3")
    lists(inventory, "v5", task(net_type="v5"), now=30)
    assert inventory.find("a", ALL) == task(net_type="v5")


def test_fields_that_only_v5_lists_are_filled_in(inventory: Inventory) -> None:
    lists(inventory, "v3", task(net_type="vpc", job_mode="mine"), now=0)
    lists(inventory, "v5", task(net_type="eip", enterprise_project_id="7", job_mode="its", role="parent"), now=0)
    found = task(net_type="vpc", enterprise_project_id="7", job_mode="mine", role="parent")
    assert inventory.find("a", ALL) == found


@pytest.mark.parametrize(("v3", "v5", "shown"), [(None, "PAUSE", "PAUSE"), ("", "PAUSE", ""), (None, "", None)])
def test_an_action_of_v5_is_shown_if_v3_reports_nothing(
    inventory: Inventory, v3: str | None, v5: str, shown: str | None
) -> None:
    lists(inventory, "v5", task(current_action=v5), now=0)
    lists(inventory, "v3", task(current_action=v3), now=0)
    assert inventory.find("a", ALL) == task(current_action=shown)


def test_a_filled_in_field_expires_with_its_list(inventory: Inventory) -> None:
    lists(inventory, "v5", task(enterprise_project_id="7"), now=0)
    lists(inventory, "v3", task(), now=1000)
    assert inventory.find("a", {"v3": 700.0, "v5": 100.0}) == task()


@pytest.mark.parametrize(
    ("polls", "exist", "listed_by"),
    [
        # The tasks in the lists of each poll; the tasks that exist then, and the generations that list task a.
        ([{"v3 sync": "ab"}, {"v3 sync": "b"}], "b", []),
        ([{"v3 sync": "a", "v5 sync": "a"}, {"v3 sync": ""}], "a", ["v5"]),
        ([{"v3 sync": "a", "v5 sync": "a"}, {"v3 sync": ""}, {"v5 sync": ""}], "", []),
        ([{"v5 sync": "a"}, {"v3 sync": ""}], "a", ["v5"]),
        ([{"v5 sync": "a"}, {"v3 sync": ""}, {"v5 sync": ""}], "", []),
        ([{"v3 sync": "a", "v3 migration": "a"}], "a", ["v3"]),
        ([{"v3 sync": "a", "v3 migration": "a"}, {"v3 sync": ""}], "a", ["v3"]),
        ([{"v3 sync": "a", "v3 migration": "a"}, {"v3 sync": "", "v3 migration": ""}], "", []),
        ([{"v3 sync": "a"}, {"v3 sync": ""}, {"v3 migration": "a"}], "a", ["v3"]),
        ([{"v3 sync": "aa"}], "a", ["v3"]),
    ],
)
def test_a_task_is_removed_when_each_list_that_contained_it_lacks_it(
    inventory: Inventory, polls: list[dict[str, str]], exist: str, listed_by: list[str]
) -> None:
    for number, poll in enumerate(polls):
        for key, ids in poll.items():
            api, job_type = key.split()
            lists(inventory, api, *map(task, ids), now=30 * number, job_type=job_type)
    assert "".join(sorted(inventory)) == exist
    assert all(inventory.find(task_id, ALL) is not None for task_id in exist)
    assert [api for api in ("v3", "v5") if inventory.listed_by("a", api)] == listed_by


@pytest.mark.parametrize("how", [{"gap": Gap.TOTAL}, {"gap": Gap.UNREADABLE}, {"pages": 2}])
@pytest.mark.parametrize("complete", [False, True])
def test_an_incomplete_or_paged_list_removes_a_task_only_twice_in_a_row(
    inventory: Inventory, how: Any, *, complete: bool
) -> None:
    lists(inventory, "v3", task(), now=0)
    lists(inventory, "v3", now=30, **how)
    assert "a" in inventory
    lists(inventory, "v3", task(), now=60, **how)
    lists(inventory, "v3", now=90, **how)
    assert "a" in inventory
    lists(inventory, "v3", now=120, **({} if complete else how))
    assert "a" not in inventory


@pytest.mark.parametrize("gap", [Gap.REFUSED, Gap.REPEATED, Gap.LONG])
@pytest.mark.parametrize("pages", [1, 2])
def test_a_list_that_lacks_pages_removes_no_task(inventory: Inventory, gap: Gap, pages: int) -> None:
    lists(inventory, "v3", task(), now=0)
    for now in range(30, 300, 30):
        lists(inventory, "v3", now=now, gap=gap, pages=pages)
    assert "a" in inventory
    assert inventory.listed_by("a", "v3")
    lists(inventory, "v3", now=300)
    assert "a" not in inventory


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_a_task_that_is_reported_missing_is_removed_at_once_and_hidden_from_lists_for_a_while(
    inventory: Inventory, api: str
) -> None:
    lists(inventory, "v3", task(), now=0)
    lists(inventory, "v5", task(), now=0)
    inventory.report_missing("a", 10)
    assert "a" not in inventory
    assert inventory.find("a", ALL) is None
    lists(inventory, api, task(), now=10 + HIDDEN_FOR - 1)
    assert "a" not in inventory
    lists(inventory, api, task(), now=10 + HIDDEN_FOR)
    assert "a" in inventory


def test_a_list_that_shows_a_hidden_task_as_ended_restores_it(inventory: Inventory) -> None:
    lists(inventory, "v3", task(), now=0)
    inventory.report_missing("a", 10)
    lists(inventory, "v3", task(status="RELEASE_RESOURCE_COMPLETE"), now=30)
    found = inventory.find("a", ALL)
    assert found is not None
    assert found.phase is Phase.ENDED
    lists(inventory, "v5", task(), now=40)  # which lags
    assert inventory.find("a", ALL) == found


def test_a_report_that_a_task_is_missing_does_not_remove_one_that_a_list_shows_as_ended(inventory: Inventory) -> None:
    lists(inventory, "v3", task(status="RELEASE_RESOURCE_COMPLETE"), now=0)
    inventory.report_missing("a", 1)
    assert "a" in inventory
    lists(inventory, "v3", task(status="DELETED"), now=30)
    assert "a" not in inventory


def test_a_task_that_one_list_shows_as_deleted_is_removed_whatever_the_other_one_shows(inventory: Inventory) -> None:
    lists(inventory, "v5", task(), task("b"), now=0)
    lists(inventory, "v3", task(), task("b"), now=0)
    assert lists(inventory, "v3", task(status="DELETED"), task("b"), now=30) == {"a", "b"}
    assert list(inventory) == ["b"]
    lists(inventory, "v5", task(), task("b"), now=60)
    assert list(inventory) == ["b"]


def test_a_generation_that_is_not_published_any_more_proves_nothing(inventory: Inventory) -> None:
    lists(inventory, "v3", task("a"), task("b"), now=0)
    lists(inventory, "v5", task("b"), task("c"), now=0)
    assert inventory.forget("v3") == {"a", "b"}
    assert sorted(inventory) == ["b", "c"]
    assert not inventory.listed_by("b", "v3")
    assert inventory.forget("v3") == set()


def test_an_update_names_every_task_that_it_may_have_changed(inventory: Inventory) -> None:
    assert lists(inventory, "v3", task("a"), task("b"), now=0) == {"a", "b"}
    assert lists(inventory, "v3", task("b"), task("c"), now=0, job_type="migration") == {"b", "c"}
    assert lists(inventory, "v3", task("a"), now=1, gap=Gap.TOTAL) == {"a", "b"}
    assert lists(inventory, "v3", task("a"), task("a", net_type="last"), now=2) == {"a", "b"}


def test_a_task_that_lists_show_long_after_a_query_reported_it_missing_is_shown_as_contradicted(
    inventory: Inventory,
) -> None:
    lists(inventory, "v3", task(), now=0)
    inventory.report_missing("a", 10)
    lists(inventory, "v3", task(), now=10 + HIDDEN_FOR - 1)
    assert "a" not in inventory
    lists(inventory, "v3", task(), now=10 + HIDDEN_FOR)
    assert inventory.find("a", ALL) == task(contradicted=True)
    assert inventory.contradictions(since=0) == 1
    inventory.report_missing("a", 11 + HIDDEN_FOR)  # the list decides: the task does not come and go
    lists(inventory, "v3", task(), now=12 + HIDDEN_FOR)
    assert inventory.find("a", ALL) == task(contradicted=True)
    lists(inventory, "v3", now=13 + HIDDEN_FOR)
    assert "a" not in inventory
    assert inventory.contradictions(since=0) == 0


def test_a_task_that_ends_between_two_lists_is_no_contradiction_although_a_query_finds_it_missing_first(
    inventory: Inventory,
) -> None:
    ended = task(status="RELEASE_RESOURCE_COMPLETE")
    lists(inventory, "v3", task(status="RELEASE_RESOURCE_STARTED"), now=0)
    inventory.report_missing("a", 10)
    for now in (20, 50, 20 + HIDDEN_FOR):
        lists(inventory, "v3", ended, now=now)
        assert inventory.find("a", ALL) == ended
        assert inventory.contradictions(since=now) == 0


def test_a_list_that_shows_a_missing_task_as_running_is_a_contradiction_although_another_list_shows_it_as_ended(
    inventory: Inventory,
) -> None:
    ended, late = task(status="RELEASE_RESOURCE_COMPLETE"), 10 + HIDDEN_FOR
    lists(inventory, "v3", task(), now=0)
    inventory.report_missing("a", 10)
    lists(inventory, "v5", ended, now=20)
    lists(inventory, "v3", task(), now=late)
    assert inventory.find("a", ALL) == task(contradicted=True)
    assert inventory.contradictions(since=late) == 1
    lists(inventory, "v3", ended, now=late + 1)
    assert inventory.contradictions(since=late) == 0


def test_a_report_that_a_task_is_missing_is_forgotten_in_the_end(inventory: Inventory) -> None:
    lists(inventory, "v3", task(), now=0)
    inventory.report_missing("a", 0)
    lists(inventory, "v3", now=11 * HIDDEN_FOR)
    lists(inventory, "v3", task(), now=11 * HIDDEN_FOR + 1)
    assert inventory.find("a", ALL) == task()


def test_a_hidden_subtask_is_an_unknown_one_of_its_parent(inventory: Inventory) -> None:
    tree = task("p", is_parent=True), task("a", parent_id="p"), task("b", parent_id="p")
    lists(inventory, "v3", *tree, now=0)
    inventory.report_missing("a", 10)
    assert inventory.find("p", ALL) == task("p", is_parent=True, unknown_children=1)
    lists(inventory, "v3", *tree, now=20)
    assert inventory.find("p", ALL) == task("p", is_parent=True, unknown_children=1)
    lists(inventory, "v3", tree[0], tree[2], now=30)
    assert inventory.find("p", ALL) == task("p", is_parent=True)


def test_a_subtask_of_a_parent_with_an_unknown_one_is_removed_after_the_second_list(inventory: Inventory) -> None:
    def child(key: str) -> Listed:
        return task(key, parent_id="p", root_id="p")

    known, unknown = task("p", is_parent=True), task("p", is_parent=True, unknown_children=1)
    others = task("q", is_parent=True), task("r", parent_id="q", root_id="q")
    for removed_after, parent in ((1, known), (2, unknown)):
        lists(inventory, "v3", known, child("a"), child("b"), *others, now=0)
        for number in range(1, removed_after + 1):
            assert "a" in inventory
            lists(inventory, "v3", parent, child("b"), others[0], now=30 * number)
            assert "r" not in inventory
        assert sorted(inventory) == ["b", "p", "q"]


def test_a_subtask_of_status_deleted_is_no_unknown_one(inventory: Inventory) -> None:
    tree = task("p", is_parent=True), task("a", parent_id="p", root_id="p", status=DELETED)
    for now in (0, 30, 90):
        lists(inventory, "v3", *tree, now=now)
        assert sorted(inventory) == ["p"]
        assert inventory.find("p", ALL) == tree[0]


def test_a_query_for_a_task_that_no_list_shows_changes_nothing(inventory: Inventory) -> None:
    inventory.report_missing("a", 0)
    lists(inventory, "v3", task(), now=1)
    assert inventory.find("a", ALL) == task()
