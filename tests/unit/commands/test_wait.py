"""`drs-exporter wait`: when it ends, how, and what it prints."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from exporter.commands import wait as waiting
from exporter.commands.outcome import Outcome
from exporter.commands.wait import wait_for_cloud
from exporter.commands.wait_goals import GOALS
from exporter.simulator import SimTask, faults
from tests.lib.commands import WHERE, CommandLine, config_for, interrupted, shops, two_projects
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate, simulated
from tests.lib.waiting import FAST, Waiter, later


@pytest.fixture(params=["cloud", "url"])
def waited(request: pytest.FixtureRequest) -> Waiter:
    return Waiter(with_url=request.param == "url")


def test_ready_once_nothing_has_blocked_for_long_enough(waited: Waiter) -> None:
    found = waited(cloud_of(sim_task("orders"), sim_task("late", delay=900)), "ready", "orders")
    assert found.outcome.code == 0
    assert found.outcome.text == "ready to cut over: 1 of 1 task"
    (note,) = found.outcome.notes
    assert note.startswith("orders: not checked: ")
    assert 20 <= found.seconds < 40


def test_ready_only_when_all_of_them_are(waited: Waiter) -> None:
    late = sim_task("late", delay=900)
    cloud = cloud_of(sim_task("orders"), late)
    found = waited(cloud, "ready", "orders", late.id, script=later((40, lambda: setattr(late, "delay", 1))))
    assert (found.outcome.code, found.outcome.text) == (0, "ready to cut over: 2 of 2 tasks")
    assert found.outcome.notes[0].startswith("late and orders: not checked: ")
    assert 60 <= found.seconds < 80


def test_caught_up_without_a_verdict_ready(waited: Waiter) -> None:
    late = sim_task("late", delay=900, comparison="different")
    config = config_for(**FAST, collectors={"comparison": {"interval": "30s"}})
    found = waited(cloud_of(late), "caught-up", "late", script=later((40, lambda: setattr(late, "delay", 4))))
    assert found.outcome == Outcome(0, "caught up: 1 of 1 task")
    assert 60 <= found.seconds < 80
    found = waited(cloud_of(late), "ready", "late", seconds=60, config=config)
    assert (found.outcome.code, found.outcome.text) == (4, "ready to cut over: 0 of 1 task after 1m")
    assert found.outcome.notes == ("late: blocked by comparison_inconsistent, 4s behind",)
    assert found.seconds == 60


def test_a_parent_is_caught_up_with_its_subtasks(waited: Waiter) -> None:
    parent = shops()
    south = parent.children[0]
    cloud = cloud_of(parent, published={"v3"})
    found = waited(cloud, "caught-up", "shops", script=later((40, lambda: setattr(south, "delay", 1))))
    assert (found.outcome.code, found.outcome.text) == (0, "caught up: 1 of 1 task")
    assert 60 <= found.seconds < 80


@pytest.mark.parametrize(
    ("facts", "after", "code"),
    [
        ({"status": "FULL_TRANSFER_STARTED", "progress": 40}, lambda task: task.pin("INCRE_TRANSFER_STARTED"), 0),
        ({"status": "FULL_TRANSFER_STARTED", "progress": 40}, lambda task: setattr(task, "progress", 100), 0),
        ({"status": "FULL_TRANSFER_STARTED", "progress": 40}, lambda task: task.pin("FULL_TRANSFER_COMPLETE"), 0),
        ({"status": "FULL_TRANSFER_STARTED", "progress": 40}, lambda task: task.pin("FULL_TRANSFER_FAILED"), 3),
        ({"status": "FULL_TRANSFER_STARTED", "progress": 40}, lambda task: task.pin("RELEASE_RESOURCE_COMPLETE"), 3),
        ({"status": "FULL_TRANSFER_STARTED", "progress": 40}, lambda task: task.pin("PAUSING"), 4),
    ],
)
def test_a_full_load(facts: dict[str, Any], after: Callable[[SimTask], None], code: int, waited: Waiter) -> None:
    task = sim_task("orders", **facts)
    found = waited(cloud_of(task), "full-load", "orders", seconds=60, script=later((20, lambda: after(task))))
    assert found.outcome.code == code
    if code != 4:
        assert 20 <= found.seconds <= 40


def test_ended_by_its_phase_or_because_it_was_removed(waited: Waiter) -> None:
    first, second = sim_task("first"), sim_task("second")
    cloud = cloud_of(first, second)
    script = later(
        (20, lambda: first.pin("RELEASE_RESOURCE_COMPLETE")), (40, lambda: cloud.worlds[0].tasks.remove(second))
    )
    found = waited(cloud, "ended", "first", "second", script=script)
    assert found.outcome == Outcome(0, "ended: 2 of 2 tasks")
    assert 60 <= found.seconds < 300


def test_a_task_that_was_ready_and_ended_counts_and_one_that_was_not_never_gets_there(waited: Waiter) -> None:
    ready, late = sim_task("ready"), sim_task("late", delay=900)
    script = later((40, lambda: ready.pin("RELEASE_RESOURCE_COMPLETE")), (20, lambda: setattr(late, "delay", 1)))
    found = waited(cloud_of(ready, late), "ready", "ready", "late", script=script)
    assert (found.outcome.code, found.outcome.text) == (0, "ready to cut over: 2 of 2 tasks")
    late.delay = 900
    script = later((20, lambda: late.pin("RELEASE_RESOURCE_COMPLETE")))
    found = waited(cloud_of(late), "ready", "late", script=script)
    assert found.outcome == Outcome(3, "ready to cut over: 0 of 1 task; late ended before it was ready")


def test_a_task_that_was_ready_and_ended_counts_also_when_it_is_not_shown_any_more(waited: Waiter) -> None:
    ready, late = sim_task("ready"), sim_task("late", delay=900)
    script = later((40, lambda: ready.pin("RELEASE_RESOURCE_COMPLETE")), (120, lambda: setattr(late, "delay", 1)))
    config = config_for(**FAST, tasks={"ended_for": "30s"})
    found = waited(cloud_of(ready, late), "ready", "ready", "late", script=script, config=config)
    assert (found.outcome.code, found.outcome.text) == (0, "ready to cut over: 2 of 2 tasks")


def test_a_task_that_is_removed_before_it_is_ready(waited: Waiter) -> None:
    late = sim_task("late", delay=900)
    cloud = cloud_of(sim_task("orders"), late)
    found = waited(cloud, "ready", "late", script=later((20, lambda: cloud.worlds[0].tasks.remove(late))))
    assert found.outcome == Outcome(3, "ready to cut over: 0 of 1 task; late was removed before it was ready")


def test_a_task_that_fails_ends_it_at_once(waited: Waiter) -> None:
    first, second = sim_task("first", delay=900), sim_task("second")
    script = later((40, lambda: first.pin("INCRE_TRANSFER_FAILED")))
    found = waited(cloud_of(first, second), "caught-up", "first", "second", script=script)
    assert found.outcome == Outcome(3, "caught up: 1 of 2 tasks; first failed")
    assert 40 <= found.seconds < 60


def test_old_facts_are_never_ready(waited: Waiter) -> None:
    cloud = cloud_of(sim_task("orders", delay=900))

    def silence() -> None:
        cloud.worlds[0].tasks[0].delay = 1
        cloud.faults = [faults.broken("")]

    found = waited(cloud, "caught-up", "orders", seconds=100, script=later((20, silence)))
    assert found.outcome.code == 4
    assert found.outcome.notes[0] == "orders: its status is unknown"
    assert found.outcome.notes[1].startswith(f"{WHERE}: failed, and so unknown or incomplete: tasks")


def test_a_name_that_no_task_or_several_tasks_have(waited: Waiter) -> None:
    found = waited(cloud_of(sim_task("orders")), "ended", "oders")
    message = "no task has the id or the name 'oders', did you mean orders?"
    assert found.outcome == Outcome(1, notes=(message,))
    cloud, config = two_projects(sim_task("orders", seed="others"))
    outcome = waited(cloud, "ended", "orders", config=config).outcome
    assert (outcome.code, outcome.notes[0].splitlines()[0]) == (
        2,
        "2 tasks are called 'orders'; give the id of one of them:",
    )
    cloud.faults = [faults.broken(PROJECT_ID)]
    outcome = waited(cloud, "ended", "orderz", config=config).outcome
    assert (outcome.code, outcome.notes[-1]) == (
        1,
        "no task of the lists that could be read has the id or the name 'orderz', did you mean orders?",
    )


def test_a_task_that_a_rule_leaves_out() -> None:
    config = config_for(tasks={"exclude": [{"name": "ord.*"}]})
    work = wait_for_cloud(
        config, ["orders"], GOALS["ended"], 60, transport=InProcess(cloud_of(sim_task("orders"))), clock=clock
    )

    async def run() -> Outcome:
        return await work

    assert simulate(run()).notes[-1] == "a rule of tasks.include or tasks.exclude may leave it out"


def test_only_the_parent_of_a_subtask_can_be_ready(waited: Waiter) -> None:
    found = waited(cloud_of(shops(), published={"v3"}), "ready", "south")
    assert found.outcome == Outcome(2, notes=("south is a subtask, and only its parent can be ready: wait for shops",))


def test_many_tasks_are_read_in_queries_that_an_exporter_allows(waited: Waiter) -> None:
    names = [f"orders-{number}" for number in range(12)]
    found = waited(cloud_of(*map(sim_task, names)), "caught-up", *names)
    assert found.outcome == Outcome(0, "caught up: 12 of 12 tasks")


@simulated
async def test_a_terminal_shows_how_many_are_there_and_the_slowest(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    tasks = [sim_task("orders"), sim_task("late", delay=900), sim_task("later", delay=1800)]
    outcome = await wait_for_cloud(
        config_for(**FAST),
        ["orders", "late", "later"],
        GOALS["caught-up"],
        60,
        transport=InProcess(cloud_of(*tasks)),
        clock=clock,
    )
    assert outcome.code == 4
    lines = shown.getvalue().split("\r\x1b[K")
    assert "caught up: 1 of 3 tasks; later: 30m behind, 60s" in lines[-3]
    assert lines[-1] == ""


def test_ctrl_c_is_130(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "wait", interrupted)
    assert command_line("wait", "orders", "--for=ready", "--url=http://host") == (130, "", "")


def test_the_demo(command_line: CommandLine) -> None:
    code, out, _ = command_line("wait", "orders-to-rds", "--for=full-load", "--demo")
    assert (code, out) == (0, "full load complete: 1 of 1 task\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--for=ready --demo", "expected TASK, or --wave=NAME (see drs-exporter wait --help)"),
        ("orders --demo", "the following arguments are required: --for"),
        ("orders --for=done --demo", "argument --for: invalid choice: 'done'"),
        ("orders --for=ready --demo --timeout=2", "argument --timeout: expected a duration such as 5s or 1m"),
        ("orders --for=ready --demo --url=http://host", "--url reads from a running exporter: leave "),
    ],
)
def test_bad_usage(words: str, message: str, command_line: CommandLine) -> None:
    assert command_line.error("wait", *words.split()).startswith(message)
