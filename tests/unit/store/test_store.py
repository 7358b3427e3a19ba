"""The series of tasks, and when their values expire."""

from __future__ import annotations

import asyncio
import math

import pytest
from structlog.testing import capture_logs

from exporter.config import TaskRule, Tasks
from exporter.model.details import Detail
from exporter.model.facts import Compared, Comparison, Monitor, Node, Progress
from exporter.model.filters import TaskFilter
from exporter.model.task import Phase
from tests.lib.daemon import StoreFixture, listed_task
from tests.lib.virtual_time import EPOCH, now


@pytest.mark.parametrize(
    ("stale_after", "interval", "age"), [(300, 30, 300), (300, 100, 300), (300, 101, 303), (60, 10, 60), (5, 5, 15)]
)
async def test_a_value_expires_after_stale_after_or_three_intervals_if_longer(
    stale_after: float, interval: float, age: float
) -> None:
    fixture = StoreFixture(stale_after, progress=interval, v3=1000)
    await fixture.lists(listed_task())
    await fixture.store.update({"a": [Progress(full_ratio=0.5, delay_seconds=1, reported_at=EPOCH)]})
    values = ("drs_task_full_progress_ratio", "drs_task_incremental_delay_seconds")
    page = await fixture.scrape(age)
    assert [page.value(name) for name in values] == [0.5, 1]
    page = await fixture.scrape(0.1)
    assert [page.value(name) for name in values] == [None, None]
    assert page.value("drs_task_collected_timestamp_seconds", collector="progress") == EPOCH
    assert page.current("phase", "drs_task_phase") == "incremental"


@pytest.mark.parametrize(("api", "age"), [("v3", 300), ("v5", 900)])
async def test_values_of_a_list_expire_with_it(api: str, age: float) -> None:
    families = ("drs_task_info", "drs_task_status", "drs_task_phase", "drs_task_action_available", "drs_tasks")
    fixture = StoreFixture()
    await fixture.lists(listed_task(available_actions=frozenset({"RETRY"}), created_at=1.0), api=api)
    await asyncio.sleep(age)
    page = await fixture.page_with({"a": [Progress(full_ratio=0.5, delay_seconds=1)]})
    assert all(page.samples(name) for name in families)
    page = await fixture.scrape(0.1)
    assert not any(page.samples(name) for name in families)
    assert page.value("drs_task_incremental_delay_seconds") is None  # the phase is not known
    assert page.value("drs_task_full_progress_ratio", task_name="task a") == 0.5
    assert page.value("drs_task_phase_changes_total") == 0
    assert page.value("drs_up") == 1  # the newest list that was due did succeed
    assert (await fixture.page_of(listed_task(), api=api)).value("drs_task_incremental_delay_seconds") == 1


async def test_a_failed_list_makes_no_value_younger_and_up_and_timestamps_never_expire() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    await fixture.store.update({"a": [Progress(full_ratio=1)]})
    for _ in range(100):
        await asyncio.sleep(60)
        fixture.store.state.lists.failed("v3", "sync")
        page = await fixture.scrape()
        assert page.value("drs_up") == 0
        assert page.value("drs_exporter_list_success") == 0
        assert page.value("drs_task_collected_timestamp_seconds", collector="progress") == EPOCH
        assert len(page.samples("drs_task_info")) == (now() <= EPOCH + 300)
        assert len(page.samples("drs_task_full_progress_ratio")) == (now() <= EPOCH + 300)


async def test_other_facts_of_the_same_collector_make_old_ones_no_younger() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    await fixture.store.update({"a": [Node(cpu_ratio=0.5), Monitor(disk_size_bytes=1)]})
    for _ in range(6):
        await asyncio.sleep(60)
        await fixture.lists(listed_task())
        page = await fixture.page_with({"a": [Monitor(disk_size_bytes=2)]})
        old = page.value("drs_node_cpu_usage_ratio") is not None
        assert page.value("drs_task_collected_timestamp_seconds", collector="node") == (EPOCH if old else now())
    page = await fixture.scrape()
    assert page.value("drs_node_cpu_usage_ratio") is None
    assert page.value("drs_node_disk_size_bytes") == 2
    assert page.value("drs_task_collected_timestamp_seconds", collector="node") == now()


async def test_facts_age_separately() -> None:
    fixture = StoreFixture(v3=10_000)
    await fixture.lists(listed_task("a"), listed_task("b"))
    await fixture.store.update(
        {"a": [Progress(full_ratio=0.1), Detail(node_type="high")], "b": [Progress(full_ratio=0.2)]}
    )
    await asyncio.sleep(200)
    await fixture.store.update({"b": [Progress(full_ratio=0.3)]})
    page = await fixture.scrape(101)
    assert page.by("task_name", "drs_task_full_progress_ratio") == {"task b": 0.3}
    assert page.by("task_name", "drs_task_detail_info") == {"task a": 1}
    assert (await fixture.scrape(200)).samples("drs_task_full_progress_ratio") == []
    assert (await fixture.scrape(1299)).by("task_name", "drs_task_detail_info") == {"task a": 1}
    assert (await fixture.scrape(1)).samples("drs_task_detail_info") == []


async def test_facts_without_a_field_remove_its_series() -> None:
    fixture = StoreFixture()
    await fixture.lists(listed_task())
    await fixture.store.update({"a": [Progress(full_ratio=0.5, delay_seconds=2)]})
    page = await fixture.page_with({"a": [Progress(full_ratio=0.5)]})
    assert page.value("drs_task_incremental_delay_seconds") is None
    assert page.value("drs_task_full_progress_ratio") == 0.5


async def test_counts_have_zeros_and_are_absent_while_a_list_is_unknown_or_stale() -> None:
    fixture = StoreFixture()
    assert (await fixture.scrape()).samples("drs_tasks") == []
    await fixture.lists(
        listed_task("a"), listed_task("b"), listed_task("c", "PAUSING"), listed_task("d", parent_id="c")
    )
    page = await fixture.page_of(job_type="migration")
    assert page.by("phase", "drs_tasks", job_type="migration") == dict.fromkeys(Phase, 0)
    expected = dict.fromkeys(Phase, 0) | {Phase.INCREMENTAL: 2, Phase.PAUSED: 1}  # subtasks are not counted
    assert page.by("phase", "drs_tasks", job_type="sync") == expected
    assert page.samples("drs_tasks", job_type="cloudDataGuard") == []
    fixture.store.state.lists.failed("v3", "cloudDataGuard")
    assert (await fixture.scrape()).samples("drs_tasks", job_type="cloudDataGuard") == []
    await asyncio.sleep(299)
    await fixture.lists(job_type="migration")
    page = await fixture.scrape(2)
    assert {labels["job_type"] for labels, _ in page.samples("drs_tasks")} == {"migration"}


async def test_counts_follow_a_task_through_its_phases_and_out() -> None:
    fixture = StoreFixture()
    for status, phase in (("CREATING", "preparing"), ("FULL_TRANSFER_STARTED", "full"), ("FROZEN", "failed")):
        await fixture.lists(listed_task(status=status))
        counts = (await fixture.scrape()).by("phase", "drs_tasks")
        assert {name: count for name, count in counts.items() if count} == {phase: 1}
    page = await fixture.page_of()
    assert page.by("phase", "drs_tasks") == dict.fromkeys(Phase, 0)
    assert page.tasks() == set()


async def test_a_rule_about_tags_hides_a_task_and_its_parent_until_the_tags_are_known() -> None:
    fixture = StoreFixture()
    fixture.store.context.filter = TaskFilter(Tasks(include=(TaskRule(tag="team=db"),)))
    family = (
        listed_task("p", is_parent=True),
        listed_task("c", parent_id="p"),
        listed_task("d", parent_id="p"),
        listed_task("e"),
    )
    assert (await fixture.page_of(*family)).tasks() == set()
    details = {"c": [Detail(tags=(("team", "db"),))], "d": [Detail(tags=())], "e": [Detail(tags=(("team", "x"),))]}
    page = await fixture.page_with(details)
    assert page.tasks() == {"task p", "task c"}
    assert page.value("drs_tasks", phase="incremental") == 1
    page = await fixture.scrape(301)
    assert page.tasks() == {"task p", "task c"}  # the list is too old, and shows no task that it did not show
    assert page.samples("drs_task_info") == []


async def test_series_that_a_page_cannot_hold_are_dropped_counted_and_logged_once() -> None:
    """No number, labels twice, and labels without end."""
    results = tuple((f"R{number}", number) for number in range(400))
    twice = (Compared("line", "RUNNING"), Compared("line", "SUCCESSFUL", results=results))
    fixture = StoreFixture(comparison=300)
    await fixture.lists(listed_task("a"), listed_task("b"))
    page = await fixture.page_with({"a": [Progress(full_ratio=math.nan, stages=(("data", math.inf), ("struct", 0.5)))]})
    assert fixture.dropped == 2
    assert page.samples("drs_task_full_progress_ratio") == []
    assert page.by("stage", "drs_task_stage_progress_ratio") == {"struct": 0.5}
    with capture_logs() as logs:
        for name in "ab":
            await fixture.store.update({name: [Comparison(twice)]})
    page = await fixture.scrape()
    assert page.current("status", "drs_comparison_status", task_name="task b") == "RUNNING"
    assert page.by("result", "drs_comparison_results", task_name="task b") == dict(results[:256])
    assert fixture.dropped == 2 + 2 * (9 + 144)
    assert [(line["family"], line["project"]) for line in logs] == [
        ("drs_comparison_status", "payments"),
        ("drs_comparison_results", "payments"),
    ]


async def test_of_two_facts_with_the_same_value_the_older_does_not_hide_the_younger_and_the_value_is_steady() -> None:
    fixture = StoreFixture(v3=10_000)
    await fixture.lists(listed_task())
    for _ in range(3):
        for part in (Node(cpu_ratio=0.5), Monitor(cpu_ratio=0.6)):
            assert (await fixture.page_with({"a": [part]})).value("drs_node_cpu_usage_ratio") == 0.5
            await asyncio.sleep(1)
        await asyncio.sleep(58)
    shown = []
    for _ in range(3):
        await fixture.store.update({"a": [Monitor(cpu_ratio=0.7)]})
        shown.append((await fixture.scrape()).value("drs_node_cpu_usage_ratio"))
        await asyncio.sleep(60)
    assert shown == [0.5, 0.7, 0.7]
    assert (await fixture.page_with({"a": [Node(cpu_ratio=0.8)]})).value("drs_node_cpu_usage_ratio") == 0.8
