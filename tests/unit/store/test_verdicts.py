"""The verdict on a task as the store updates it: by responses, and by age alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.model.details import Detail
from exporter.model.facts import Comparison, Monitor, Progress
from tests.lib.daemon import Scrape, StoreFixture, listed_task
from tests.lib.verdicts import EQUAL
from tests.lib.virtual_time import now

RUNS = "INCRE_TRANSFER_STARTED"
FINE = Progress(full_ratio=1, delay_seconds=0)
READY, BLOCKER, UNCHECKED = (f"drs_task_cutover_{end}" for end in ("ready", "blocker", "unchecked"))


def polling(**settings: Any) -> StoreFixture:
    """A store whose exporter runs for long."""
    fixture = StoreFixture(cutover=settings, comparison=300)
    fixture.store.state.polls_on = True
    return fixture


def blocking(page: Scrape, **labels: str) -> set[str]:
    return {found["reason"] for found, value in page.samples(BLOCKER, **labels) if value}


async def test_a_status_in_a_newer_response_keeps_a_task_fresh_or_blocks_it() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    await fixture.page_with({"a": [FINE]})
    await fixture.scrape(80)
    page = await fixture.page_with({"a": [Progress(full_ratio=1, delay_seconds=0, task_status=RUNS)]})
    assert page.value(READY) == 1
    assert (await fixture.scrape(80)).value(READY) == 1
    page = await fixture.page_with({"a": [Detail(task_status="PAUSING")]})
    assert blocking(page) == {"phase", "stale"}  # no response since the list has contained this status
    assert (await fixture.page_of(listed_task())).value(READY) == 1  # the list is newer again


async def test_a_task_becomes_stale_without_any_response() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    assert (await fixture.page_with({"a": [FINE]})).value(READY) == 1
    assert (await fixture.scrape(89)).value(READY) == 1
    page = await fixture.scrape(2)
    assert (page.value(READY), blocking(page)) == (0, {"stale"})
    await fixture.lists(listed_task())
    assert blocking(await fixture.scrape()) == {"stale"}  # of the progress
    assert (await fixture.page_with({"a": [FINE]})).value(READY) == 1


async def test_a_good_value_becomes_unchecked_and_a_bad_one_blocks_until_it_expires() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    good, bad = Monitor(source_up=True, target_up=True), Monitor(source_up=True, target_up=False)
    for facts, states in ((good, [0, None, None]), (bad, [1, 1, None])):
        found = []
        await fixture.page_with({"a": [facts]})
        for seconds in (100, 100, 200):  # three intervals are three minutes, and it expires after five
            await fixture.lists(listed_task())
            await fixture.page_with({"a": [FINE]})
            page = await fixture.scrape(seconds)
            found.append(page.value(BLOCKER, reason="side_down"))
            assert (found[-1] is None) == (page.value(UNCHECKED, reason="side_down", cause="unknown") == 1)
        assert found == states


async def test_a_comparison_becomes_old_where_one_is_required() -> None:
    fixture = polling(comparison="required", comparison_max_age="1h", stable_for="1s")
    equal = replace(EQUAL, finished_at=now())
    await fixture.lists(listed_task())
    for seconds, blocks in ((3500, set()), (60, set()), (60, {"comparison_old"})):
        await fixture.scrape(seconds)
        await fixture.lists(listed_task())
        await fixture.page_with({"a": [FINE, Comparison((equal,))]})
        assert blocking(await fixture.scrape(2)) == blocks


async def test_a_comparison_from_before_an_edit_is_old_also_without_the_time_of_the_edit() -> None:
    fixture = polling(comparison="required", stable_for="1s")
    for status, finished, blocks in (
        (RUNS, 0, set()),
        ("CHANGE_JOB_STARTED", 0, {"comparison_old", "phase"}),
        (RUNS, 0, {"comparison_old"}),
        (RUNS, now() + 60, set()),
    ):
        equal = replace(EQUAL, finished_at=finished or now() - 1)
        await fixture.lists(listed_task("a", status))
        await fixture.page_with({"a": [FINE, Comparison((equal,))]})
        assert blocking(await fixture.scrape(2)) == blocks


async def test_the_causes_of_reasons_that_were_not_checked() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    page = await fixture.page_with({"a": [FINE]})
    causes = {found["reason"]: found["cause"] for found, _ in page.samples(UNCHECKED)}
    # Comparisons and logs are not among the collectors of this store.
    assert (causes["side_down"], causes["comparison_missing"], causes["log_error"]) == ("unknown", "ignored", "ignored")
    await fixture.store.set_unpublished({"a": frozenset({"monitor"}), "b": frozenset({"monitor"})})
    assert (await fixture.scrape()).value(UNCHECKED, reason="side_down", cause="unpublished") == 1


async def test_the_subtasks_of_a_dual_active_pair_have_no_reasons_as_soon_as_the_pair_is_known() -> None:
    fixture = StoreFixture()
    family = [
        listed_task("p", is_parent=True, job_type="cloudDataGuard"),
        listed_task("c", parent_id="p", root_id="p", job_type="cloudDataGuard"),
    ]
    await fixture.lists(*family, job_type="cloudDataGuard")
    assert blocking(await fixture.scrape(), task_name="task c", parent_id="p")
    for dual, known in ((True, False), (False, True)):
        page = await fixture.page_with({"p": [Detail(multi_write=dual)]})
        assert bool(page.samples(BLOCKER, task_name="task c", parent_id="p")) is known


async def test_a_task_without_a_verdict_in_between_has_to_be_clear_again() -> None:
    fixture = polling(stable_for="60s")
    await fixture.lists(listed_task())
    await fixture.page_with({"a": [FINE]})
    assert (await fixture.scrape(61)).value(READY) == 1
    await fixture.lists(listed_task("a", "RELEASE_RESOURCE_STARTED"))
    assert (await fixture.scrape()).samples(READY) == []
    await fixture.lists(listed_task())
    assert blocking(await fixture.page_with({"a": [FINE]})) == {"not_stable"}


async def test_a_task_is_caught_up_by_its_delay_alone_and_after_some_time() -> None:
    fixture = polling(stable_for="60s", comparison="required")
    await fixture.lists(listed_task())

    async def caught_up(seconds: float) -> bool | None:
        await fixture.scrape(seconds)
        (task,) = fixture.store.tasks()
        assert task.ready is False  # no comparison is known
        return task.caught_up

    await fixture.page_with({"a": [FINE]})
    assert [await caught_up(seconds) for seconds in (0, 60, 1, 30)] == [False, False, True, False]  # then it is stale
    await fixture.lists(listed_task())
    await fixture.page_with({"a": [Progress(full_ratio=1, delay_seconds=9)]})
    assert await caught_up(61) is False
    fixture.store.state.polls_on = False
    await fixture.page_with({"a": [FINE]})
    assert await caught_up(0) is None


async def test_a_parent_is_caught_up_with_its_subtasks() -> None:
    fixture = polling(stable_for="1s")
    await fixture.lists(listed_task("p", is_parent=True), listed_task("c", parent_id="p"))

    async def caught_up(delay: float) -> dict[str, bool | None]:
        progress = Progress(full_ratio=1, delay_seconds=delay)
        await fixture.page_with({"c": [progress]}, virtual=["p"])
        await fixture.scrape(2)
        return {task.identity.task_id: task.caught_up for task in fixture.store.tasks()}

    assert await caught_up(9) == {"p": False, "c": False}
    assert await caught_up(1) == {"p": True, "c": True}
    assert await caught_up(9) == {"p": False, "c": False}


@pytest.mark.parametrize("polls_on", [True, False])
async def test_a_task_is_ready_at_once_where_no_time_without_a_blocker_is_needed(*, polls_on: bool) -> None:
    fixture = polling(stable_for="0s")
    fixture.store.state.polls_on = polls_on
    await fixture.lists(listed_task())
    page = await fixture.page_with({"a": [FINE]})
    assert (page.value(READY), page.value(BLOCKER, reason="not_stable")) == (1, 0)
    assert blocking(await fixture.page_with({"a": [Progress(full_ratio=1, delay_seconds=9)]})) == {"delay_high"}


@pytest.mark.parametrize(("action", "blocks"), [("PAUSE", {"action_running"}), ("A_WORD", set())])
async def test_an_operation_that_is_shown_for_over_an_hour_is_unchecked(action: str, blocks: set[str]) -> None:
    fixture = StoreFixture()
    for seconds, still in ((0, blocks), (3500, blocks), (101, set())):
        await fixture.scrape(seconds)
        await fixture.lists(listed_task("a", current_action=action))
        page = await fixture.page_with({"a": [FINE]})
        assert blocking(page) == still
    assert page.value(UNCHECKED, reason="action_running", cause="unknown") == 1


async def test_actions_of_an_old_list_are_unknown_however_fresh_the_status_is() -> None:
    fixture = StoreFixture()
    fine: dict[str, Any] = {"unavailable_actions": frozenset({"RETRY"}), "current_action": ""}
    reports = Progress(full_ratio=1, delay_seconds=0, task_status=RUNS)
    bad: dict[str, Any] = {"available_actions": frozenset({"CONTINUE_APPLY"}), "current_action": "PAUSE"}
    for listed, values in ((fine, [0, 0, None]), (bad, [1, 1, 1]), (fine, [0, 0, None])):
        await fixture.lists(listed_task(**listed))
        found = []
        for seconds in (0, 85, 10):
            await fixture.scrape(seconds)
            page = await fixture.page_with({"a": [reports]})
            found.append(page.value(BLOCKER, reason="action_needed"))
            assert page.value(BLOCKER, reason="action_running") == found[-1]
            assert page.value(BLOCKER, reason="stale") == 0
        assert found == values


async def test_what_is_required_is_required_of_a_parent_that_is_a_link_itself() -> None:
    fixture = StoreFixture(cutover={"endpoints": "required", "comparison": "required"}, comparison=300)
    good = [FINE, Monitor(source_up=True, target_up=True), Comparison((replace(EQUAL, finished_at=now()),))]
    await fixture.lists(listed_task("p", is_parent=True), listed_task("c", parent_id="p"))
    page = await fixture.page_with({"p": [FINE], "c": good})
    assert blocking(page, task_id="p") == {"side_down", "comparison_missing"}
    assert (await fixture.page_with({"p": good})).value(READY) == 1
    await fixture.store.update({}, refused={"p": (Monitor,)})
    assert (await fixture.scrape()).value(READY) == 1


async def test_a_parent_that_is_refused_later_is_not_stale_for_ever() -> None:
    fixture = StoreFixture()
    tasks = listed_task("p", is_parent=True), listed_task("c", parent_id="p")
    await fixture.lists(*tasks)
    await fixture.page_with({"p": [FINE], "c": [FINE]})
    await fixture.scrape(200)
    await fixture.lists(*tasks)
    page = await fixture.page_with({"c": [FINE]})
    assert blocking(page, task_id="p") == {"stale"}
    assert (await fixture.page_with({}, virtual=["p"])).value(READY) == 1


async def test_subtasks_that_only_the_other_generation_lists_decide_as_well() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task("p"), api="v3")
    assert (await fixture.page_with({"p": [FINE]})).value(READY) == 1
    child = listed_task("c", "INCRE_TRANSFER_FAILED", parent_id="p")
    await fixture.lists(listed_task("p", is_parent=True), child, api="v5")
    assert blocking(await fixture.scrape(), task_id="p") == {"subtask"}
    await fixture.lists(listed_task("p"), api="v5")
    assert (await fixture.scrape()).value(READY) == 1
    await fixture.lists(listed_task("p", is_parent=True, unknown_children=1), api="v5")
    assert blocking(await fixture.scrape(), task_id="p") == {"subtask"}


@pytest.mark.parametrize(("primary", "counts"), [("zzz", True), ("0", True), ("b", False), ("c", True), ("p", True)])
async def test_a_failed_subtask_blocks_its_parent_unless_its_primary_is_another_task_of_the_project(
    primary: str,
    *,
    counts: bool,
) -> None:
    fixture = StoreFixture()
    failed = listed_task("c", parent_id="p", root_id="p", status="INCRE_TRANSFER_FAILED")
    await fixture.lists(listed_task("p", is_parent=True), listed_task("b", parent_id="p", root_id="p"), failed)
    fine = [Progress(full_ratio=1, delay_seconds=0)]
    page = await fixture.page_with({"p": fine, "b": fine, "c": [Detail(master_task_id=primary)]})
    assert page.value(BLOCKER, reason="subtask", task_id="p") == counts


@pytest.mark.parametrize(("ahead", "blocks"), [(60, set()), (600, {"comparison_old"})])
async def test_a_comparison_that_ended_in_the_future_is_not_fresh(ahead: float, blocks: set[str]) -> None:
    fixture = StoreFixture(cutover={"comparison": "required"}, comparison=300)
    await fixture.lists(listed_task())
    comparison = Comparison((replace(EQUAL, finished_at=now() + ahead),))
    assert blocking(await fixture.page_with({"a": [FINE, comparison]})) == blocks
