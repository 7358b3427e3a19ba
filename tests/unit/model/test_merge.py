"""Several entries about one task: the worst status counts, and a contradiction is never ready."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from exporter.cloud.source import DecodeErrors, TaskList
from exporter.cloud.wire.paging import list_parts
from exporter.model.facts import Progress
from exporter.model.filters import ListQuery
from exporter.model.merge import contradict, merge
from exporter.model.task import DELETED
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.virtual_time import now

if TYPE_CHECKING:
    from exporter.model.task import Listed

RUNS, FAILED, ENDED = "INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "RELEASE_CHILD_TRANSFER_COMPLETE"
FINE = Progress(full_ratio=1, delay_seconds=0)


def test_entries_that_agree_merge_without_contradiction() -> None:
    assert merge([listed_task(), listed_task()]) == listed_task()
    assert merge([listed_task(net_type="vpc"), listed_task(net_type="eip")]) == listed_task(net_type="vpc")
    assert not contradict([listed_task()])


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        ([RUNS, FAILED, ENDED], FAILED),
        ([RUNS, ENDED], RUNS),
        ([RUNS, "PAUSING"], "PAUSING"),
        ([RUNS, "SOMETHING_NEW"], "SOMETHING_NEW"),
        ([RUNS, DELETED], RUNS),
        ([ENDED, DELETED], ENDED),
    ],
)
def test_the_worst_status_is_shown_in_any_order_and_contradicted(statuses: list[str], shown: str) -> None:
    for order in permutations(statuses):
        found = merge([listed_task(status=status, parent_id="p") for status in order])
        assert (found.status, found.contradicted) == (shown, True)


@pytest.mark.parametrize(
    ("facts", "contradicted"),
    [
        (({"task_type": "FULL_TRANS"}, {"task_type": "INCR_TRANS"}), True),
        (({"role": "slave"}, {"role": "master"}), True),
        (({"role": "slave"}, {}), False),
        (({"node_role": "slave"}, {"node_role": "master"}), True),
        (({"current_action": "SWITCH_OVER"}, {"current_action": ""}), False),
        (({"net_type": "vpc"}, {"net_type": "eip"}), False),
    ],
)
def test_only_fields_that_the_cutover_depends_on_contradict(
    facts: tuple[dict[str, Any], dict[str, Any]], *, contradicted: bool
) -> None:
    entries = [listed_task(**more) for more in facts]
    assert contradict(entries) is merge(entries).contradicted is contradicted


def test_values_of_either_entry_are_kept() -> None:
    bare = listed_task(status=FAILED)
    full = listed_task(
        parent_id="p",
        root_id="r",
        is_parent=True,
        unknown_children=2,
        multi_write=True,
        role="master",
        task_type="INCR_TRANS",
        available_actions=frozenset({"CONTINUE_APPLY"}),
        node_role="master",
        multi_az=True,
        charging_mode="period",
        current_action="",
    )
    found = merge([bare, full])
    assert found == merge([full, bare])
    assert (found.status, found.parent_id, found.root_id, found.is_parent) == (FAILED, "p", "r", True)
    assert (found.unknown_children, found.multi_write, found.role) == (2, True, "master")
    assert (found.task_type, found.available_actions) == ("INCR_TRANS", frozenset({"CONTINUE_APPLY"}))
    assert (found.node_role, found.multi_az, found.charging_mode) == ("master", True, "period")


@pytest.mark.parametrize("actions", [("", "PAUSE"), ("TO_RENEW", "PAUSE"), (None, "PAUSE"), (None, ""), (None, None)])
def test_an_action_that_one_entry_names_is_in_progress(actions: tuple[str | None, str | None]) -> None:
    for order in permutations(actions):
        assert merge([listed_task(current_action=action) for action in order]).current_action == actions[1]


def test_merging_keeps_every_parent() -> None:
    found = merge([listed_task(), listed_task(parent_id="p"), listed_task(parent_id="q")])
    assert (found.parent_id, found.other_parents, found.parents) == ("p", frozenset("q"), frozenset("pq"))
    assert listed_task().parents == frozenset()


Lists = dict[str, list["Listed"]]


def parent(*children: Listed) -> list[Listed]:
    return [listed_task("p", is_parent=True), *children]


def child(status: str = RUNS, key: str = "c", above: str = "p", **facts: object) -> Listed:
    return listed_task(key, status, parent_id=above, root_id=above, **facts)


CONTRADICTIONS = [
    {"migration": [listed_task("c")], "sync": [listed_task("c", FAILED)]},
    {"migration": [listed_task("c", FAILED)], "sync": [listed_task("c")]},
    {"migration": [listed_task("c", FAILED)], "sync": parent(child(), child(key="d"))},
    {"migration": [listed_task("c")], "sync": parent(child(FAILED), child(key="d"))},
    {"migration": [listed_task("c")], "sync": parent(child(ENDED), child(key="d"))},
    {"migration": [listed_task("c")], "sync": parent(child(role="slave", status=FAILED), child(key="d"))},
    {"sync": [listed_task("c", contradicted=True)]},
    {"sync": parent(child(ENDED, contradicted=True), child(key="d"))},
    {"migration": [listed_task("c", task_type="FULL_TRANS")], "sync": [listed_task("c", task_type="FULL_INCR_TRANS")]},
]


async def shown_of(fixture: StoreFixture, lists: Lists, api: str = "v3") -> dict[str, float]:
    for job_type, tasks in lists.items():
        await fixture.lists(*tasks, job_type=job_type, api=api)
    page = await fixture.page_with({key: [FINE] for key in ("c", "d")}, virtual=("p", "q"))
    return page.by("task_name", "drs_task_cutover_ready")


@pytest.mark.parametrize("api", ["v3", "v5"])
@pytest.mark.parametrize("lists", CONTRADICTIONS)
async def test_lists_that_contradict_each_other_make_nothing_ready_until_they_agree(lists: Lists, api: str) -> None:
    for order in (lists, dict(reversed(lists.items()))):
        fixture = StoreFixture()
        found = await shown_of(fixture, order, api)
        assert found
        assert 1 not in found.values(), found
        assert ("task c" in found) == ("p" not in {task.id for tasks in lists.values() for task in tasks})
        agreed = {
            job_type: [listed_task("c")] if len(tasks) == 1 else parent(child()) for job_type, tasks in lists.items()
        }
        assert 1 in (await shown_of(fixture, agreed, api)).values()


async def test_a_subtask_blocks_its_parents_in_all_lists_until_the_lists_change() -> None:
    fixture = StoreFixture()
    second = [listed_task("q", is_parent=True), child(FAILED, above="q"), child(key="d", above="q")]
    found = await shown_of(fixture, {"sync": parent(child()), "migration": second})
    assert found == {"task p": 0, "task q": 0}
    found = await shown_of(fixture, {"migration": [listed_task("q", is_parent=True), child(key="d", above="q")]})
    assert found == {"task p": 1, "task q": 1}


async def test_contradictions_are_counted_once_for_lists_of_the_same_poll_and_generation() -> None:
    inventory, before = StoreFixture().store.state.inventory, now()
    inventory.update("v3", "sync", [listed_task("a"), listed_task("b")], now=before)
    inventory.update("v3", "migration", [listed_task("a", FAILED), listed_task("b"), listed_task("c")], now=before)
    inventory.update("v5", "sync", [listed_task("b", FAILED)], now=before)
    assert inventory.contradictions(before) == 1
    inventory.update("v3", "sync", [listed_task("a")], now=before + 1)
    assert inventory.contradictions(before + 1) == 0


@pytest.mark.parametrize(("statuses", "lost"), [((RUNS, FAILED), 1), ((RUNS, RUNS), 0)])
async def test_a_task_in_the_lists_of_two_enterprise_projects_is_one(statuses: tuple[str, str], lost: int) -> None:
    errors, remaining = DecodeErrors(), iter(statuses)

    async def fetch(_: dict[str, str]) -> TaskList:
        return TaskList((listed_task(status=next(remaining)),))

    found = await list_parts(ListQuery(enterprise_project_ids=("1", "2")), 10, fetch, errors)
    assert [(operation.status, operation.contradicted) for operation in found.tasks] == [
        (max(statuses, key=FAILED.__eq__), bool(lost))
    ]
    assert errors.count == lost
