"""Parents and their subtasks at any depth: what blocks a subtask, or is unknown of it, blocks its parents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter.model.cutover import judge
from exporter.model.cutover_reason import Outcome
from exporter.model.facts import Monitor, Progress
from exporter.store.explain import explain, explain_with_subtasks
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.virtual_time import now

if TYPE_CHECKING:
    from tests.lib.daemon import Scrape


def ready_of(page: Scrape) -> float | None:
    return page.value("drs_task_cutover_ready", task_name="task p")


async def test_a_blocker_of_a_subtask_of_a_subtask_blocks_the_outermost_parent_and_its_end_frees_it() -> None:
    family = (
        listed_task("p", is_parent=True),
        listed_task("m", parent_id="p", root_id="p", is_parent=True),
        listed_task("n", parent_id="m", root_id="p", is_parent=True),
        listed_task("c", parent_id="n", root_id="p"),
    )
    fine, bad = Progress(full_ratio=1, delay_seconds=0), Progress(full_ratio=1, delay_seconds=99)
    fixture = StoreFixture()
    await fixture.lists(*family)
    await fixture.page_with({}, virtual=("p", "m", "n"))
    assert ready_of(await fixture.scrape()) == 0
    for facts, ready in ((fine, 1), (bad, 0), (fine, 1)):
        assert ready_of(await fixture.page_with({"c": [facts]})) == ready
    await fixture.lists(*family[:-1], listed_task("c", "INCRE_TRANSFER_FAILED", parent_id="n", root_id="p"))
    assert ready_of(await fixture.scrape()) == 0


async def test_a_ring_of_parents_in_two_lists_is_shown_and_never_ready() -> None:
    fixture = StoreFixture()
    for key, parent, job_type in (("q", "p", "sync"), ("p", "q", "migration")):
        fixture.store.state.inventory.update(
            "v3", job_type, [listed_task(key, parent_id=parent, is_parent=True)], now=now()
        )
    await fixture.store._refresh(("p", "q"))
    assert (await fixture.scrape()).tasks() == {"task p", "task q"}
    assert all(state.blocked for state in fixture.store.state.tasks.values())


@pytest.mark.parametrize(
    ("parent", "children", "ready"),
    [
        ({}, {"c": {}}, 1),
        ({"unknown_children": 1}, {"c": {}}, 0),
        ({}, {"c": {}, "d": {"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}}, 1),
        ({}, {"d": {"status": "RELEASE_CHILD_TRANSFER_COMPLETE"}}, 0),  # none of them is alive
        ({}, {}, 0),
    ],
)
async def test_a_parent_is_ready_only_with_a_living_subtask_and_no_unknown_one(
    parent: dict[str, Any], children: dict[str, dict[str, Any]], ready: float
) -> None:
    fixture = StoreFixture()
    await fixture.lists(
        listed_task("p", is_parent=True, **parent),
        *(listed_task(key, parent_id="p", **facts) for key, facts in children.items()),
    )
    await fixture.page_with({}, virtual=("p",))
    assert ready_of(await fixture.page_with({"c": [Progress(full_ratio=1, delay_seconds=0)]})) == ready


async def test_a_subtask_that_moves_to_another_parent_does_not_block_the_first() -> None:
    fixture = StoreFixture()
    await fixture.lists(
        listed_task("p", is_parent=True), listed_task("q", is_parent=True), listed_task("c", parent_id="p")
    )
    await fixture.lists(
        listed_task("p", is_parent=True), listed_task("q", is_parent=True), listed_task("c", parent_id="q")
    )
    assert fixture.store.state.subtasks.of("p") == set()
    assert fixture.store.state.subtasks.of("q") == {"c"}


@pytest.mark.parametrize(("delay", "blocked"), [(0, False), (99, True)])
async def test_a_subtask_with_subtasks_is_explained_by_these_and_by_its_own_lateness(
    delay: float, *, blocked: bool
) -> None:
    fixture = StoreFixture()
    middle = listed_task("m", parent_id="p", root_id="p", is_parent=True)
    inner = listed_task("c", parent_id="m", root_id="p")
    await fixture.lists(listed_task("p", is_parent=True), middle, inner)
    await fixture.page_with({}, virtual=("p", "m"))
    await fixture.page_with({"c": [Progress(full_ratio=1, delay_seconds=delay)]})
    for seconds, late in ((0, False), (91, True)):
        await fixture.scrape(seconds)
        tasks = {task.identity.task_id: task for task in fixture.store.tasks()}
        explanation = explain(fixture.store, tasks["m"])
        assert explanation.parent is tasks["p"]
        assert explanation.cutover is not None
        found = {name: outcome for name, outcome in judge(explanation.cutover) if outcome.judged}
        states = {"phase": False, "stale": late, "subtask": blocked or late}
        assert found == {name: Outcome.BLOCKS if state else Outcome.FINE for name, state in states.items()}
        assert explanation.apis == {"v3"}
        assert explanation.ages == {"tasks": seconds}


async def test_all_below_a_task_are_explained_with_it_by_name_and_no_others() -> None:
    fixture = StoreFixture()
    family = (
        listed_task("p", is_parent=True),
        listed_task("m", parent_id="p", root_id="p", is_parent=True),
        listed_task("d", parent_id="m", root_id="p"),
        listed_task("c", parent_id="m", root_id="p"),
    )
    await fixture.lists(*family, listed_task("other"))
    for task_id, expected in (("p", "p c d m"), ("m", "m c d"), ("c", "c"), ("none", "")):
        found = explain_with_subtasks(fixture.store, task_id)
        assert [each.task.identity.task_id for each in found] == expected.split()
        assert [each.parent and each.parent.identity.task_id for each in found] == [
            each.task.identity.parent_id for each in found
        ]


async def test_a_virtual_parent_needs_no_delay_of_its_own_but_does_as_soon_as_it_has_no_subtasks() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task("p", is_parent=True), listed_task("c", parent_id="p", root_id="p"))
    fine = {"c": [Progress(full_ratio=1, delay_seconds=0)]}
    for virtual, blocked in (((), 1), (("p",), None)):
        page = await fixture.page_with(fine, virtual=virtual)
        blockers = page.by("reason", "drs_task_cutover_blocker", task_name="task p")
        assert blockers.get("delay_unknown") == blocked
    page = await fixture.page_of(listed_task("p"))
    assert page.value("drs_task_cutover_blocker", task_name="task p", reason="delay_unknown") == 1


async def test_a_parent_shows_what_was_not_checked_of_its_subtasks_at_any_depth_until_it_is_checked() -> None:
    fixture = StoreFixture()
    await fixture.lists(
        listed_task("p", is_parent=True),
        listed_task("m", parent_id="p", root_id="p", is_parent=True),
        listed_task("c", parent_id="m", root_id="p"),
    )
    await fixture.page_with({}, virtual=("p", "m"))
    fine = Progress(full_ratio=1, delay_seconds=0)
    for facts, causes in (([fine], ["unknown"]), ([Monitor(source_up=True, target_up=True)], [])):
        page = await fixture.page_with({"c": facts})
        assert ready_of(page) == 1
        for name in ("p", "m"):
            unchecked = page.samples("drs_task_cutover_unchecked", task_name=f"task {name}", reason="side_down")
            assert [labels["cause"] for labels, _ in unchecked] == causes
            blocker = page.samples("drs_task_cutover_blocker", task_name=f"task {name}", reason="side_down")
            assert blocker == []
