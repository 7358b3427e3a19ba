"""The life of a task as this process observes it: changes, renames, ends; and what a restart resets."""

from __future__ import annotations

import asyncio

import pytest

from exporter.model.details import Detail, SpeedLimit
from exporter.model.facts import Progress, TaskFacts
from exporter.model.task import Phase
from exporter.store.ages import Ages
from exporter.store.task_state import TaskState
from tests.lib.daemon import DAY, HOUR, StoreFixture, listed_task
from tests.lib.virtual_time import EPOCH, now

SPEED_LIMIT = "drs_task_speed_limit_bytes_per_second"
ENDED = listed_task(status="RELEASE_RESOURCE_COMPLETE")


async def test_phase_changes_and_failures_are_counted_from_0_on() -> None:
    fixture = StoreFixture()
    for status, changes, failures, seconds in (
        ("FULL_TRANSFER_STARTED", 0, 0, None),
        ("FULL_TRANSFER_COMPLETE", 0, 0, None),  # another status of the same phase
        ("INCRE_TRANSFER_STARTED", 1, 0, 60),
        ("INCRE_TRANSFER_FAILED", 2, 1, 90),
        ("CHANGE_JOB_FAILED", 2, 1, 90),  # it fails in another way
        ("INCRE_TRANSFER_STARTED", 3, 1, 150),
        ("FROZEN", 4, 2, 180),
    ):
        page = await fixture.page_of(listed_task(status=status))
        assert page.value("drs_task_phase_changes_total") == changes
        assert page.value("drs_task_failures_total") == failures
        changed_at = page.value("drs_task_phase_changed_timestamp_seconds")
        assert changed_at == (None if seconds is None else EPOCH + seconds)
        await asyncio.sleep(30)


async def test_a_change_while_the_list_was_too_old_is_counted_when_it_is_seen() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    assert (await fixture.scrape(1000)).samples("drs_task_phase") == []
    page = await fixture.page_of(listed_task(status="PAUSING"))
    assert page.value("drs_task_phase_changes_total") == 1
    assert page.value("drs_task_phase_changed_timestamp_seconds") == now()


async def test_a_restart_resets_phase_changes_and_failures() -> None:
    for _ in range(2):
        fixture = StoreFixture()
        page = await fixture.page_of(listed_task(status="FULL_TRANSFER_STARTED"))
        assert page.value("drs_task_phase_changes_total") == 0
        assert page.value("drs_task_failures_total") == 0
        assert page.value("drs_task_phase_changed_timestamp_seconds") is None
        assert (await fixture.page_of(listed_task())).value("drs_task_phase_changes_total") == 1


async def test_a_speed_limit_begins_and_ends_with_its_window_without_a_call() -> None:
    """It is midnight; the first window ends at 2, the second lasts from 2 to 3."""
    fixture = StoreFixture(detail=DAY)
    await fixture.lists(listed_task())
    limits = (SpeedLimit(22, 2, 5.0), SpeedLimit(2, 3, 7.0))
    shown = [(await fixture.page_with({"a": [Detail(speed_limits=limits)]})).value(SPEED_LIMIT)]
    for _ in range(8):
        await fixture.lists(listed_task())
        shown.append((await fixture.scrape(1800.001)).value(SPEED_LIMIT))
    assert shown == [5, 5, 5, 5, 7, 7, None, None, None]
    assert (await fixture.scrape(19 * HOUR)).value(SPEED_LIMIT) == 5
    assert (await fixture.page_with({"a": [Detail()]})).value(SPEED_LIMIT) is None


async def test_a_speed_limit_expires_with_the_details() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    page = await fixture.page_with({"a": [Detail(speed_limits=(SpeedLimit(0, 0, 5.0),))]})
    assert page.value(SPEED_LIMIT) == 5
    assert (await fixture.scrape(1801)).value(SPEED_LIMIT) is None


def test_a_task_without_series_does_not_change_with_its_speed_limit() -> None:
    facts: dict[str, TaskFacts] = {"detail": Detail(speed_limits=(SpeedLimit(1, 2, 5.0),))}
    hidden = TaskState(facts=facts, received={"detail": 7200.0}, speed_limit_until=3600.0)
    ages = Ages(300.0)
    ages.set("detail", 600.0)
    assert min(hidden.changes(ages, 120, DAY)) > 7200


async def test_a_rename_starts_new_series_and_drops_the_old_ones() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task(status="FULL_TRANSFER_STARTED"))
    await fixture.store.update({"a": [Progress(full_ratio=0.5)]})
    before = await fixture.page_of(listed_task())
    after = await fixture.page_of(listed_task(name="renamed"))
    assert (before.tasks(), after.tasks()) == ({"task a"}, {"renamed"})
    assert after.text == before.text.replace('task_name="task a"', 'task_name="renamed"')
    assert after.value("drs_task_phase_changes_total") == 1


async def test_changes_other_than_a_rename_keep_the_series_of_a_task() -> None:
    fixture = StoreFixture()
    before = await fixture.page_of(listed_task(status="FULL_TRANSFER_STARTED", net_type="vpc"))
    await fixture.lists(
        listed_task(status="FULL_TRANSFER_COMPLETE", net_type="eip", engine_type="mysql", role="parent")
    )
    after = await fixture.scrape()
    labels = [{key: found[key] for key in ("task_id", "task_name")} for found, _ in after.samples("drs_task_info")]
    assert labels == [{"task_id": "a", "task_name": "task a"}]
    assert after.samples("drs_task_phase") == before.samples("drs_task_phase")


async def test_only_subtasks_have_the_label_of_a_parent() -> None:
    fixture = StoreFixture()
    page = await fixture.page_of(listed_task("p", is_parent=True), listed_task("c", parent_id="p"))
    assert page.by("task_name", "drs_task_info", parent_id="") == {"task p": 1}
    assert page.by("task_name", "drs_task_info", parent_id="p") == {"task c": 1}
    assert "parent_id" not in page.samples("drs_task_info", task_name="task p")[0][0]


@pytest.mark.parametrize("first", ["INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE"])
async def test_an_ended_task_is_exposed_for_a_time_after_its_end_or_discovery_and_then_only_counted(first: str) -> None:
    fixture = StoreFixture(v3=DAY)
    await fixture.lists(listed_task(status=first))
    await asyncio.sleep(100)
    if first != "RELEASE_RESOURCE_COMPLETE":
        await fixture.lists(ENDED)
    until = now() + 7 * DAY - (100 if first == "RELEASE_RESOURCE_COMPLETE" else 0)
    for _ in range(6):
        await asyncio.sleep(DAY)
        await fixture.lists(ENDED)
    page = await fixture.scrape(until - now())
    assert page.current("phase", "drs_task_phase") == "ended"
    assert fixture.store.tasks()
    for page in (await fixture.scrape(1), await fixture.page_of(ENDED)):
        assert page.tasks() == set()
        assert page.value("drs_tasks", phase="ended") == 1
        assert (fixture.store.tasks(), fixture.store.listed_tasks()) == ([], [])


async def test_a_task_that_runs_again_after_its_end_is_shown_again() -> None:
    fixture = StoreFixture(v3=10 * DAY)
    await fixture.lists(ENDED)
    assert (await fixture.scrape(8 * DAY)).tasks() == set()
    page = await fixture.page_of(listed_task())
    assert page.current("phase", "drs_task_phase") == "incremental"
    assert page.value("drs_task_phase_changes_total") == 1


async def test_a_task_that_does_not_exist_is_removed_with_all_its_series() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.store.update({"a": [Progress(full_ratio=1)], "b": [Progress(full_ratio=1)]})
    page = await fixture.page_with({}, missing=["a", "never seen"])
    assert page.tasks() == {"task b"}
    assert page.value("drs_tasks", phase="incremental") == 1
    assert (await fixture.page_of(listed_task("a"), listed_task("b"))).tasks() == {"task b"}


@pytest.mark.parametrize("seconds", [0, 30, 299])
async def test_a_removed_task_that_is_then_listed_as_ended_keeps_its_history(seconds: float) -> None:
    """A query for a released task returns that it does not exist, often before a list shows its end."""
    fixture = StoreFixture()
    await fixture.lists(listed_task(status="FULL_TRANSFER_STARTED"))
    await fixture.lists(listed_task())
    await fixture.store.update({}, missing=["a"])
    assert (await fixture.scrape(seconds)).tasks() == set()
    await fixture.lists(ENDED)
    page = await fixture.page_with({}, missing=["a"])  # an answer that was under way
    assert page.current("phase", "drs_task_phase") == "ended"
    assert page.value("drs_task_phase_changes_total") == 2
    assert page.value("drs_task_phase_changed_timestamp_seconds") == now()


async def test_an_ended_task_that_a_list_lacks_once_is_shown_no_longer_than_others() -> None:
    fixture = StoreFixture(v3=10 * DAY)
    await fixture.lists(ENDED)
    await asyncio.sleep(30)
    await fixture.lists()
    await asyncio.sleep(30)
    await fixture.lists(ENDED)
    assert (await fixture.scrape(7 * DAY - 60)).tasks() == {"task a"}
    assert (await fixture.scrape(1)).tasks() == set()


async def test_a_task_that_is_listed_again_after_long_has_no_history() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task(status="FULL_TRANSFER_STARTED"))
    await fixture.lists(listed_task())
    await fixture.lists()
    await fixture.scrape()
    await fixture.scrape(300)
    page = await fixture.page_of(listed_task(status="INCRE_TRANSFER_FAILED"))
    assert page.value("drs_task_phase_changes_total") == 0
    assert page.value("drs_task_failures_total") == 0


async def test_facts_of_a_task_that_was_removed_meanwhile_are_not_shown() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task("a"))
    await fixture.lists()
    assert (await fixture.page_with({"a": [Progress(full_ratio=1)]})).tasks() == set()
    assert (await fixture.page_of(listed_task("a"))).samples("drs_task_full_progress_ratio") == []


async def test_tasks_that_only_an_unpublished_generation_listed_are_removed() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.lists(listed_task("b"), listed_task("c"), api="v5")
    await fixture.store.forget("v3")
    page = await fixture.scrape()
    assert page.tasks() == {"task b", "task c"}
    assert page.value("drs_tasks", phase="incremental") == 2
    assert page.by("api", "drs_exporter_listed_tasks") == {"v5": 2}


async def test_a_task_in_several_lists_has_the_series_of_one() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task("p", is_parent=True), listed_task("c", parent_id="p"))
    await fixture.lists(listed_task("p", is_parent=True), listed_task("c", parent_id="p"), api="v5")
    page = await fixture.page_of(listed_task("c", parent_id="p", job_type="migration"), job_type="migration")
    assert sorted(page.by("task_name", "drs_task_phase", phase="incremental")) == ["task c", "task p"]
    assert page.value("drs_tasks", phase="incremental", job_type="sync") == 1
    assert page.value("drs_tasks", phase="incremental", job_type="migration") == 0


async def test_a_project_has_no_series_before_its_first_poll_has_ended() -> None:
    fixture = StoreFixture()
    fixture.store.state.ready = False
    page = await fixture.page_of(listed_task())
    assert page.tasks() == {"task a"}
    assert page.samples("drs_up") == page.samples("drs_tasks") == []
    fixture.store.state.ready = True
    page = await fixture.scrape()
    assert page.value("drs_up") == 1
    assert len(page.samples("drs_tasks")) == len(Phase)


async def test_a_large_update_lets_other_tasks_run() -> None:
    fixture = StoreFixture()
    update = asyncio.create_task(fixture.lists(*(listed_task(str(number)) for number in range(250))))
    turns = 0
    while not update.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 10
    assert len((await fixture.scrape()).tasks()) == 250


async def test_a_standby_known_by_its_details_has_no_verdict_after_they_have_expired() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    running = {"a": [Progress(full_ratio=1, delay_seconds=0)]}
    for detail, judged in ((Detail(node_role="slave"), False), (Detail(node_role="master"), True)):
        await fixture.page_with({"a": [detail]})
        for _ in range(2):
            page = await fixture.page_with(running)
            assert (page.value("drs_task_cutover_ready") is not None) is judged
            await asyncio.sleep(HOUR)  # longer than details are shown
            await fixture.lists(listed_task())
