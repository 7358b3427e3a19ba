"""Which changes of a store are events."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from exporter.model.events import MOST_OF_PROJECT, Kind
from exporter.model.facts import Compared, Switchover
from exporter.model.task_lists import Gap
from exporter.store.observed import MOST_OF_TASK, WINDOW_SECONDS
from exporter.views.events import event_json
from tests.lib.daemon import HOUR, config_of, listed_task
from tests.lib.events import ENDED, FAILED, FULL, RUNS, Bench, done, family

CANCELLED = done("line", 400, consistent=None, status="CANCELLED")


async def test_tasks_of_the_first_complete_list_are_no_events_and_later_ones_are() -> None:
    bench = Bench()
    await bench.lists(listed_task("a"), complete=False)
    await bench.lists(listed_task("a"), listed_task("b"))
    await bench.lists(listed_task("v5"), api="v5")
    assert bench.found == []
    await bench.lists(listed_task("a"), listed_task("b"), listed_task("c", FULL))
    await bench.store.listed_some("v3", "sync", [listed_task("d")], roots=(), all_here=False)
    assert bench.details() == [
        ("appeared", "task c", {"phase": "full"}),
        ("appeared", "task d", {"phase": "incremental"}),
    ]


async def test_a_command_that_polls_once_records_no_event() -> None:
    bench = Bench()
    bench.store.state.polls_on = False
    await bench.lists(listed_task(status=FULL))
    await bench.lists(listed_task())
    assert bench.found == []


async def test_a_task_that_no_list_contains_is_removed_and_is_new_when_one_contains_it_again() -> None:
    bench = Bench()
    for tasks in ([listed_task()], [], [listed_task()], [listed_task(status="DELETED")]):
        await bench.lists(*tasks)
    assert bench.kinds == ["removed", "appeared", "removed"]
    incomplete = Bench()
    await incomplete.lists(listed_task())
    await incomplete.store.listed("v3", "sync", [], gap=Gap.REFUSED)
    assert incomplete.kinds == []


async def test_a_task_of_which_a_query_reports_that_it_does_not_exist_is_removed_after_the_lists_agree() -> None:
    bench = Bench()
    await bench.lists(listed_task("a"), listed_task("b"))
    await bench.store.update({}, ["a", "b"])
    await bench.sweep(30)
    assert bench.kinds == []
    await bench.lists(listed_task("b", ENDED))
    await bench.sweep(60)
    await bench.lists(listed_task("b", ENDED))
    assert bench.details() == [("ended", "task b", {"phase_before": "incremental"}), ("removed", "task a", {})]


async def test_a_phase_that_changes_is_an_event_and_an_expired_list_is_none() -> None:
    bench = Bench()
    await bench.lists(listed_task(status=FULL))
    await bench.sweep(HOUR)
    await bench.lists(listed_task())
    await bench.lists(listed_task(status="INCRE_TRANSFER_STARTED", name="new\nname"))
    assert bench.details() == [
        ("phase_changed", "task a", {"phase_before": "full", "phase": "incremental"}),
        ("renamed", "new\nname", {"name_before": "task a"}),
    ]


async def test_the_code_of_a_failure_is_part_of_its_event_or_follows_once() -> None:
    bench = Bench()
    await bench.lists(listed_task("a"), listed_task("b"), listed_task("c", FAILED))
    await bench.progress(None, "b", error_code="DRS.M01")
    await bench.lists(listed_task("a", FAILED), listed_task("b", FAILED), listed_task("c", FAILED))
    for code in (None, "DRS.M02", "DRS.M03"):
        await bench.progress(None, "a", "c", error_code=code)
    assert [event for event in bench.details() if event[0] != "not_ready"] == [
        ("failed", "task a", {"phase_before": "incremental"}),
        ("failed", "task b", {"phase_before": "incremental", "error_code": "DRS.M01"}),
        ("error_code", "task a", {"error_code": "DRS.M02"}),
    ]


async def test_each_new_result_of_a_comparison_is_one_event() -> None:
    bench = Bench()
    await bench.lists(listed_task())
    await bench.compares(done("line", 100), Compared("content", "RUNNING"))
    await bench.compares(done("line", 100), done("content", 200, consistent=None))  # its results are not there yet
    await bench.compares(done("line", 100), done("content", 200, consistent=False))
    await bench.compares(
        Compared("line", "RUNNING"), done("content", 200, consistent=False), earlier=(done("line", 300),)
    )
    await bench.compares(CANCELLED, earlier=(done("line", 50, consistent=False), done("line", 300)))
    await bench.sweep(10 * HOUR)  # the facts expire
    await bench.compares(CANCELLED, done("object", 500))
    compared = [detail for kind, _, detail in bench.details() if kind == "compared"]
    assert compared == [
        {"type": "content", "result": "inconsistent"},
        {"type": "line", "result": "equal"},
        {"type": "line", "result": "failed"},
        {"type": "object", "result": "equal"},
    ]


async def test_a_switchover_is_two_events_with_the_direction() -> None:
    bench = Bench()
    task = listed_task(job_type="cloudDataGuard", direction="up")
    await bench.lists(task, job_type="cloudDataGuard")
    for switching in (False, True, None, True):
        await bench.store.update({"a": [Switchover(switching)]})
    await bench.lists(replace(task, direction="down"), job_type="cloudDataGuard")
    await bench.store.update({"a": [Switchover(switching=False)]})
    found = [(kind, detail) for kind, _, detail in bench.details() if kind.startswith("switchover")]
    assert found == [("switchover_began", {"direction": "up"}), ("switchover_ended", {"direction": "down"})]


async def test_a_switchover_at_the_start_is_no_event() -> None:
    bench = Bench()
    await bench.lists(listed_task(job_type="cloudDataGuard"), job_type="cloudDataGuard")
    await bench.store.update({"a": [Switchover(switching=True)]})
    assert bench.kinds == []
    await bench.store.update({"a": [Switchover(switching=False)]})
    assert bench.details() == [("switchover_ended", "task a", {})]


async def test_a_task_that_changes_too_often_is_muted_for_the_rest_of_the_hour() -> None:
    bench = Bench()
    await bench.lists(listed_task("a"), listed_task("b"))
    for number in range(3 * MOST_OF_TASK):
        await bench.lists(listed_task("a", FULL if number % 2 == 0 else RUNS), listed_task("b"))
        await asyncio.sleep(1)
    await bench.lists(listed_task("a"), listed_task("b", FULL))
    assert bench.kinds == [*["phase_changed"] * MOST_OF_TASK, "muted", "phase_changed"]
    assert 3500 < float(bench.found[-2].detail["seconds"]) <= WINDOW_SECONDS
    await bench.sweep(HOUR)
    assert bench.details()[-1] == ("left_out", None, {"events": str(2 * MOST_OF_TASK), "tasks": "1"})


async def test_flapping_tasks_stay_within_their_bound() -> None:
    bench = Bench()
    ids = [str(number) for number in range(60)]
    with capture_logs() as logged:
        for number in range(MOST_OF_TASK + 5):
            await bench.lists(*(listed_task(key, FULL if number % 2 else RUNS) for key in ids))
    assert len(logged) == 60 * (MOST_OF_TASK + 1)
    assert len(bench.events) == MOST_OF_PROJECT


async def test_a_project_is_an_event_once_it_becomes_unreadable_and_readable() -> None:
    bench = Bench()
    recorder = bench.store.events
    for error in ("network", None, None, "access denied 403", "network", None):
        recorder.readable(error)
    assert bench.details() == [
        ("project_readable", None, {}),
        ("project_unreadable", None, {"error": "access denied 403"}),
        ("project_readable", None, {}),
    ]


async def test_the_log_contains_each_event_with_the_fields_of_its_json() -> None:
    bench = Bench()
    await bench.lists(listed_task("a"), listed_task("b"))
    with capture_logs() as logged:
        await bench.lists(listed_task("a", FAILED), listed_task("b", FULL))
    first, second = (event_json(event) for event in bench.found)
    for line, document, level in zip(logged, (first, second), ("warning", "info"), strict=True):
        assert (line.pop("log_level"), bool(line.pop("event"))) == (level, True)
        del document["at_timestamp_seconds"]
        assert line == document


async def test_each_kind_of_event_about_tasks_has_a_line_of_the_log() -> None:
    bench = Bench()
    with capture_logs() as logged:
        for kind in Kind:
            bench.store.events._write(kind, None, {})
    others = {Kind.PROJECT_READABLE, Kind.PROJECT_UNREADABLE, Kind.RESTARTED, Kind.WAVE_READY, Kind.WAVE_NOT_READY}
    assert {line["kind"] for line in logged} == {*Kind} - others  # they are logged elsewhere


@pytest.mark.parametrize("restored", [False, True])
async def test_a_reload_is_no_event(restored: bool) -> None:  # noqa: FBT001
    bench = Bench()
    await bench.lists(listed_task("a"), listed_task("b"))
    await bench.progress(1, "a", "b")
    if restored:
        bench.store.state.inventory.restrict(())
        async with bench.exposition.lock:
            await bench.store.restore()
    assert bench.kinds == []


async def test_a_task_that_the_rules_exclude_from_now_on_is_no_event() -> None:
    bench = Bench()
    (rule,) = config_of(tasks={"exclude": [{"name": "old.*"}]}).accounts[0].tasks.exclude
    bench.store.context.filter._exclude = (rule,)
    parent = family(("x", RUNS))
    await bench.lists(listed_task("a"), *parent)
    renamed = [listed_task("a", name="old a"), replace(parent[0], name="old p"), parent[1]]
    for _ in range(3):
        await bench.lists(*renamed)
    await bench.lists()
    assert (bench.store.tasks(), bench.kinds) == ([], [])
