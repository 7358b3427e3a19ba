"""`drs-exporter tasks`: one poll of what the table shows."""

from __future__ import annotations

import json
import re

import pytest

from exporter.commands.documents import TaskRow
from exporter.commands.outcome import Outcome
from exporter.commands.task_table import rows_of
from exporter.commands.tasks import tasks
from exporter.config import Config
from exporter.model.task import Identity, Listed, Task
from exporter.runtime.terminal import Screen
from exporter.simulator import SimulatedCloud, faults
from exporter.views.summary import task_json
from tests.lib.commands import WHERE, CommandLine, config_for, shops, two_projects
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task
from tests.lib.transport import InProcess
from tests.lib.virtual_time import clock, simulate

PIPE = Screen()


def shown(cloud: SimulatedCloud, screen: Screen | None = PIPE, config: Config | None = None) -> Outcome:
    """What the command makes of a cloud."""
    return simulate(tasks(config or config_for(), screen, transport=InProcess(cloud), clock=clock))


def cells(outcome: Outcome) -> list[list[str]]:
    """The cells of each line below the head."""
    return [re.split(r"  +", line) for line in outcome.text.splitlines()[1:]]


UNCHECKED = (
    "not checked: current operation (unknown), comparison (none has finished), "
    "time without a blocker (polled only once), log (ignored by the settings)"
)


def test_a_line_for_each_task_the_worst_first() -> None:
    cloud = cloud_of(
        sim_task("calm"),
        sim_task("late", delay=1140),
        sim_task("broken", status="INCRE_TRANSFER_FAILED"),
        sim_task("loading", status="FULL_TRANSFER_STARTED", progress=33),
        sim_task("draft", status="CONFIGURATION"),
    )
    outcome = shown(cloud)
    assert (outcome.code, outcome.notes) == (0, ())
    assert outcome.text.splitlines()[0].split() == [
        *("TASK", "PROJECT", "PHASE", "PROGRESS", "DELAY", "TREND", "AGE", "CUT-OVER")
    ]
    assert cells(outcome) == [
        ["broken", WHERE, "failed", "100%", "-", "0s", "blocked: phase, delay_unknown, apply_failed"],
        ["late", WHERE, "incremental", "100%", "19m", "0s", "blocked: delay_high"],
        ["calm", WHERE, "incremental", "100%", "1.7s", "0s", f"ready; {UNCHECKED}"],
        [
            *("loading", WHERE, "full", "33%", "-", "loaded in 26m47s (cloud's estimate)", "0s"),
            "blocked: phase, delay_unknown, full_incomplete, objects_missing",
        ],
        ["draft", WHERE, "preparing", "-", "-", "-", "-"],
    ]


def test_the_worst_task_is_first_whichever_project_it_is_in() -> None:
    cloud, config = two_projects(sim_task("broken", status="INCRE_TRANSFER_FAILED"), sim_task("late", delay=1140))
    assert [row[0] for row in cells(shown(cloud, config=config))] == ["broken", "late", "orders"]


def test_subtasks_follow_their_parents() -> None:
    rows = cells(shown(cloud_of(shops(), sim_task("zoo"), published={"v3"})))
    assert [row[0] for row in rows] == ["shops", "+ south", "+ north", "+ west", "zoo"]
    assert rows[0][3:] == ["-", "-", "-", "blocked: subtask"]


def test_subtasks_of_subtasks_follow_them_and_a_circle_hides_no_task() -> None:
    def task(key: str, parent: str | None) -> TaskRow:
        listed = Listed(key, key, "INCRE_TRANSFER_STARTED", "sync", parent_id=parent)
        return TaskRow.model_validate(task_json(Task(Identity("a", "r", "p", key, key, parent), listed=listed)))

    tasks = [task("inner", "middle"), task("middle", "outer"), task("outer", None), task("x", "y"), task("y", "x")]
    assert [row[0].text for row in rows_of(tasks, 0.0)] == ["outer", "+ middle", "  + inner", "x", "+ y"]


def test_what_is_almost_complete_is_not_complete() -> None:
    orders = sim_task("orders", status="FULL_TRANSFER_STARTED", overrides={"v3_progress": {"progress": "99.9999"}})
    assert cells(shown(cloud_of(orders, published={"v3"})))[0][3] == "99%"


def test_only_what_is_shown_is_polled() -> None:
    cloud = cloud_of(
        sim_task("orders", comparison="equal"), sim_task("draft", status="CONFIGURATION"), published={"v3"}
    )
    shown(cloud, config=config_for(cutover={"comparison": "ignore"}))
    v3 = {call.path.rpartition("/")[2] for call in cloud.calls if call.path.startswith("/v3")}
    assert v3 == {"jobs", "batch-progress", "batch-detail"}
    shown(cloud)
    assert any("query-compare-result" in call.path for call in cloud.calls)


def test_a_project_that_fails_is_named_and_never_empty() -> None:
    cloud, config = two_projects(sim_task("parcels"))
    cloud.faults = [faults.broken(PROJECT_ID)]
    outcome = shown(cloud, config=config)
    assert (outcome.code, [row[0] for row in cells(outcome)]) == (1, ["parcels"])
    assert outcome.notes[0] == f"{WHERE}: failed, and so unknown or incomplete: tasks"
    narrow = shown(cloud, Screen(80), config)
    assert f"{WHERE}\ntasks unknown\n" in narrow.text
    assert narrow.text.endswith("; those of 1 project unknown or incomplete")
    assert "no tasks" not in narrow.text


def test_a_project_that_is_known_to_have_no_tasks() -> None:
    outcome = shown(cloud_of())
    assert (outcome.code, outcome.text) == (0, "0 tasks")
    assert shown(cloud_of(), Screen(80)).text == f"{WHERE}\nno tasks\n\n0 tasks"


def test_the_number_of_ready_tasks_says_how_many_were_not_fully_checked() -> None:
    text = shown(cloud_of(sim_task("fine"), sim_task("late", delay=9)), Screen(130)).text
    assert text.endswith("2 tasks: 2 incremental; 1 ready to cut over (1 not fully checked)")


@pytest.mark.parametrize("width", [60, 80, 100, 130])
def test_a_terminal_is_wide_enough(width: int) -> None:
    outcome = shown(cloud_of(shops(), sim_task("orders-from-the-old-warehouse-to-the-new-one", delay=9)), Screen(width))
    table, _, counts = outcome.text.rpartition("\n\n")
    assert max(map(len, table.splitlines())) <= width
    assert counts == "2 tasks: 2 incremental; 0 ready to cut over"
    assert ("PROJECT" in table, "AGE" in table) == (width >= 120, width >= 70)


def test_colours() -> None:
    text = shown(
        cloud_of(sim_task("broken", status="INCRE_TRANSFER_FAILED"), sim_task("fine")), Screen(130, colour=True)
    ).text
    assert "\x1b[31mfailed\x1b[0m" in text
    assert "\x1b[32mready; not checked: " in text
    assert "\x1b[33mblocked: phase, delay_unknown, apply_failed\x1b[0m" in text


def test_a_name_with_escape_sequences() -> None:
    cloud = cloud_of(sim_task("orders", overrides={"v3_list": {"name": "or\x1b[2Jders"}}), published={"v3"})
    assert cells(shown(cloud))[0][0] == "or\\x1b[2Jders"


def test_json_has_the_names_and_units_of_the_metrics() -> None:
    dr = sim_task("dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", rpo=31.5, rto=0.5)
    document = json.loads(shown(cloud_of(dr, sim_task("draft", status="CONFIGURATION")), None).text)
    found = {task["task_name"]: task for task in document["tasks"]}
    assert document["now_timestamp_seconds"] > found["dr"]["collected_timestamp_seconds"]["progress"] - 1
    (project,) = document["projects"]
    assert (project["account"], project["up"], project["collectors"]["tasks"]["success"]) == ("acme", True, True)
    shown_values = {
        key: found["dr"][key] for key in ("phase", "incremental_delay_seconds", "rpo_seconds", "rto_seconds")
    }
    assert shown_values == {
        "phase": "incremental",
        "incremental_delay_seconds": 1.731,
        "rpo_seconds": 31.5,
        "rto_seconds": 0.5,
    }
    assert (found["dr"]["cutover"], found["dr"]["cutover_blockers"]) == ("blocked", ["rpo_high"])
    unknown = {key for key, value in found["draft"].items() if value is None}
    assert unknown >= {"incremental_delay_seconds", "full_progress_ratio", "rpo_seconds", "cutover", "cutover_blockers"}
    assert json.loads(shown(cloud_of(sim_task("one")), None).text)["tasks"][0]["cutover"] == "ready"


@pytest.mark.parametrize("words", [["--demo"], ["--demo", "--output=json"]])
def test_the_demo(words: list[str], command_line: CommandLine) -> None:
    code, out, err = command_line("tasks", *words)
    assert code == 0
    assert "orders-to-rds" in out
    assert "\x1b" not in out + err
