"""Which changes of verdicts are events."""

from __future__ import annotations

from exporter.model.facts import Progress
from tests.lib.daemon import listed_task
from tests.lib.events import ENDED, FAILED, FULL, RUNS, Bench, family


async def test_the_first_verdict_is_no_event_and_a_change_of_a_known_fact_is_one() -> None:
    bench = Bench()
    await bench.lists(listed_task())  # blocked: nothing is known of its delay yet
    await bench.progress(1)
    assert bench.kinds == []
    for delay in (100, 200, 1, None, 1):
        await bench.progress(delay)
    reasons = [(kind, detail.get("reasons")) for kind, _, detail in bench.details()]
    assert reasons == [("not_ready", "delay_high"), ("ready", None), ("not_ready", "delay_unknown"), ("ready", None)]
    assert "comparison_missing" in bench.found[1].detail["unchecked"]


async def test_a_task_that_was_blocked_by_a_known_fact_at_the_start_becomes_ready() -> None:
    bench = Bench()
    await bench.lists(listed_task("a"), listed_task("b", FULL))
    await bench.progress(100)
    await bench.progress(1)
    await bench.lists(listed_task("a"), listed_task("b"))
    await bench.progress(1, "b")
    assert bench.kinds == ["ready", "phase_changed", "ready"]


async def test_a_task_that_ends_is_not_reported_as_not_ready() -> None:
    bench = Bench()
    await bench.lists(listed_task())
    await bench.progress()
    await bench.lists(listed_task(status="RELEASE_RESOURCE_STARTED"))
    await bench.lists(listed_task(status=ENDED))
    assert bench.kinds == ["phase_changed", "ended"]


async def test_the_age_of_data_is_one_event_of_the_project_however_long_it_lasts() -> None:
    bench = Bench()
    ids = [str(number) for number in range(1000)]
    tasks = [listed_task(key) for key in ids]
    await bench.lists(*tasks)
    await bench.progress(1, *ids)
    for _ in range(200):
        await bench.sweep(30)
    assert bench.details() == [("tasks_stale", None, {"tasks": "1000"})]
    await bench.lists(*tasks)
    await bench.progress(1, *ids[:998])
    await bench.progress(500, ids[998])
    await bench.sweep(59)
    await bench.sweep(2)
    assert bench.details()[1:] == [
        ("not_ready", "task 998", {"reasons": "delay_high"}),
        ("tasks_fresh", None, {"tasks": "998"}),
    ]


async def test_a_short_silence_is_no_event() -> None:
    bench = Bench()
    await bench.lists(listed_task())
    await bench.progress()
    await bench.sweep(95)  # over cutover.max_age
    (task,) = bench.store.tasks()
    assert task.ready is False
    await bench.lists(listed_task())
    await bench.progress()
    for _ in range(10):
        await bench.sweep(60)
        await bench.lists(listed_task())
        await bench.progress()
    assert bench.kinds == []


async def test_a_parent_is_not_ready_for_what_blocks_a_subtask_and_the_events_of_subtasks_name_it() -> None:
    bench = Bench()
    await bench.lists(*family(("x", RUNS), ("y", RUNS)))
    await bench.store.update({}, refused={"p": [Progress]})
    await bench.progress(1, "x", "y")
    assert bench.kinds == []
    await bench.progress(100, "x")
    await bench.progress(1, "x")
    await bench.lists(*family(("x", FAILED), ("y", RUNS)))
    parent = {"parent_id": "p", "parent_name": "task p"}
    assert [(kind, name, detail) for kind, name, detail in bench.details() if kind != "ready"] == [
        ("not_ready", "task p", {"reasons": "subtask"}),
        ("not_ready", "task p", {"reasons": "subtask"}),
        ("failed", "task x", {"phase_before": "incremental", **parent}),
    ]
    assert bench.kinds.count("ready") == 1


async def test_old_data_of_a_subtask_is_the_one_event_of_the_project() -> None:
    bench = Bench()
    await bench.lists(*family(("x", RUNS)))
    await bench.store.update({}, refused={"p": [Progress]})
    await bench.progress(1, "x")
    for _ in range(10):  # lists go on
        await bench.lists(*family(("x", RUNS)))
        await bench.sweep(30)
    assert bench.details() == [("tasks_stale", None, {"tasks": "1"})]


async def test_subtasks_that_appear_or_are_removed_with_their_parent_are_one_event() -> None:
    bench = Bench()
    for tasks in ([], family(("x", RUNS)), family(("x", RUNS), ("y", RUNS)), family(("x", RUNS)), []):
        await bench.lists(*tasks)
    assert [(kind, name) for kind, name, _ in bench.details()] == [
        ("appeared", "task p"),
        ("appeared", "task y"),
        ("removed", "task y"),
        ("removed", "task p"),
    ]
