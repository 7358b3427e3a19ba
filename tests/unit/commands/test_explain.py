"""`drs-exporter explain`: the verdict of one task, its facts, and why some are unknown."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from exporter.commands import explain as explaining
from exporter.commands.explain import Form
from exporter.commands.options import config_of
from exporter.commands.outcome import Outcome
from exporter.simulator import Fault, SimTask, faults
from tests.lib.commands import (
    CANARY,
    OTHER_ID,
    WHERE,
    CommandLine,
    config_file,
    config_for,
    explained,
    golden,
    group,
    reasons,
    shops,
    two_projects,
)
from tests.lib.daemon import PROJECT_ID, cloud_of, sim_task
from tests.lib.transport import InProcess

SLOW = Fault(match="batch-detail", kind="slow", seconds=4)
ID = re.compile(r"[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}")


def test_a_task_that_both_generations_list() -> None:
    orders = sim_task(
        "orders",
        comparison="different",
        tags={"team": "payments", "secret": CANARY},
        description=CANARY,
        alarms={"delay_time": 60},
        delay=7.25,
    )
    config = config_for(tasks={"tag_labels": ["team"]}, cutover={"comparison": "if_available"})
    assert explained(cloud_of(orders), config=config) == Outcome(0, golden("explain_orders"))
    assert explained(cloud_of(orders), orders.id, config) == Outcome(0, golden("explain_orders"))


def test_a_parent_and_the_reasons_of_its_subtasks() -> None:
    config = config_for(collectors={"detail": {"enabled": False}})
    assert explained(cloud_of(shops(), published={"v3"}), "shops", config) == Outcome(0, golden("explain_shops"))


def test_a_subtask() -> None:
    parent = shops()
    outcome = explained(cloud_of(parent, published={"v3"}), "south")
    assert outcome.code == 0
    assert f"parent id  {parent.id}" in group(outcome.text, "identity")
    assert group(outcome.text, "cut-over").startswith(f"cut-over as a part of {parent.id}: blocked by delay_high\n")


def test_a_disaster_recovery_task() -> None:
    dr = sim_task(
        "dr", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", alarms={"rpo_delay": 30}, rpo=31.5, rto=0.5
    )
    assert explained(cloud_of(dr), "dr") == Outcome(0, golden("explain_dr"))


def test_a_task_that_is_being_configured() -> None:
    text = explained(cloud_of(sim_task("orders", status="CONFIGURATION"))).text
    assert (
        group(text, "precheck")
        == """\
precheck, 0s old
  items ALARM   3
  items PASSED  7
  passed        100%"""
    )
    assert group(text, "progress") == "progress: unknown, only tasks that run have it"
    assert group(text, "cut-over") == "cut-over: not possible (the phase is preparing)"


def test_a_full_load_under_way() -> None:
    text = explained(cloud_of(sim_task("orders", status="FULL_TRANSFER_STARTED", progress=33))).text
    assert "  full load              33%\n" in group(text, "progress")
    assert "  delay                  unknown\n" in group(text, "progress")
    assert group(text, "cut-over").startswith("cut-over: blocked by phase, delay_unknown, full_incomplete")


@pytest.mark.parametrize(
    ("task", "name", "never"),
    [
        (sim_task("orders", status="RELEASE_RESOURCE_COMPLETE"), "orders", " (the phase is ended)"),
        (
            sim_task("geo", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", relation="multi_write"),
            "geo",
            " (both sides of a dual-active pair are in use)",
        ),
        (
            sim_task(
                "ha", relation="multi_az", children=[sim_task("one", role="master"), sim_task("two", role="slave")]
            ),
            "two",
            " (it is the standby of a pair)",
        ),
        (
            sim_task(
                "geo",
                scenario="cloudDataGuard",
                engine="cloudDataGuard-mysql",
                relation="multi_write",
                children=[sim_task("there", scenario="cloudDataGuard", engine="cloudDataGuard-mysql", role="child")],
            ),
            "there",
            ", as for its parent (both sides of a dual-active pair are in use)",
        ),
    ],
)
def test_what_is_never_cut_over(task: SimTask, name: str, never: str) -> None:
    text = explained(cloud_of(task), name).text
    assert group(text, "cut-over").splitlines()[0].endswith(f": not possible{never}")
    assert "reason" not in group(text, "cut-over")


def test_logs() -> None:
    text = explained(cloud_of(sim_task("orders")), config=config_for(collectors={"logs": {"enabled": True}})).text
    assert group(text, "logs") == "logs, 0s old\n  newest info  2025-12-30 08:55:20Z, 1d15h ago"


def test_why_something_is_unknown() -> None:
    config = config_for(collectors={"detail": {"enabled": False}})
    text = explained(cloud_of(sim_task("orders", comparison=""), published={"v3"}), config=config).text
    assert group(text, "detail") == "detail: unknown, the collector is disabled"
    assert group(text, "objects") == "objects: unknown, no operation that provides it is available here"
    assert group(text, "recovery") == "recovery: unknown, only disaster-recovery tasks have it"
    assert group(text, "node") == "node: unknown, the cloud reported nothing"
    assert "  role                   unknown\n" in group(text, "status")


def test_a_collector_that_fails_leaves_the_rest() -> None:
    outcome = explained(cloud_of(sim_task("orders")), fault=faults.forbidden("batch-progress"))
    assert (outcome.code, outcome.notes) == (
        1,
        (
            f"{WHERE}: failed, and so unknown or incomplete: progress",
            '  v3_batch_progress lacks a permission, 403 DRS.M00102: grant the system role "DRS ReadOnlyAccess"',
        ),
    )
    assert group(outcome.text, "progress") == "progress: unknown, the poll failed"
    assert "memory size" in group(outcome.text, "node")
    assert reasons(outcome.text)["delay_unknown"] == ("blocks", "unknown")
    assert reasons(outcome.text)["phase"] == ("no", "0s")


def test_facts_that_are_old_by_the_time_they_are_shown() -> None:
    outcome = explained(
        cloud_of(sim_task("orders")), config=config_for(poll={"interval": "1s"}, cutover={"max_age": "3s"}), fault=SLOW
    )
    assert (outcome.code, group(outcome.text, "status").startswith("status, 4s old\n")) == (0, True)
    assert group(outcome.text, "detail").startswith("detail, 0s old\n")
    found = reasons(outcome.text)
    assert (found["stale"], found["delay_high"]) == (("blocks", "4s"), ("unknown", "4s"))


def test_old_facts_of_subtasks() -> None:
    text = explained(
        cloud_of(shops(), published={"v3"}),
        "shops",
        config_for(poll={"interval": "1s"}, cutover={"max_age": "3s"}),
        fault=SLOW,
    ).text
    assert reasons(text, "cut-over of subtask north")["stale"] == ("blocks", "4s")


@pytest.mark.parametrize(
    ("wanted", "rules", "notes"),
    [
        ("oders", {}, ("no task has the id or the name 'oders', did you mean orders?",)),
        ("invoices", {}, ("no task has the id or the name 'invoices'",)),
        (
            "orders",
            {"exclude": [{"name": "or.*"}]},
            ("no task has the id or the name 'orders'", "a rule of tasks.include or tasks.exclude may leave it out"),
        ),
        (
            "orders",
            {"exclude": [{"tag": "team=x"}]},
            ("the task is gone, or a rule of tasks.include or tasks.exclude leaves it out",),
        ),
    ],
)
def test_a_task_that_does_not_exist_or_is_left_out(wanted: str, rules: dict[str, Any], notes: tuple[str, ...]) -> None:
    cloud = cloud_of(sim_task("orders", tags={"team": "x"}))
    assert explained(cloud, wanted, config_for(tasks={"tag_labels": [], **rules})) == Outcome(1, notes=notes)
    assert explained(cloud, config=config_for(tasks={"include": [{"tag": "team=x"}]})).code == 0


def test_a_name_that_two_tasks_have() -> None:
    first, second = sim_task("orders", engine="mysql"), sim_task("orders", seed="others")
    cloud, config = two_projects(second)
    rows = sorted([(first.id, "payments"), (second.id, "shipping")])
    lines = (
        "2 tasks are called 'orders'; give the id of one of them:",
        f"  id{' ' * 34}  account  region      project",
        *(f"  {task_id}  acme     cn-north-4  {name}" for task_id, name in rows),
    )
    assert explained(cloud, config=config) == Outcome(2, notes=("\n".join(lines),))
    assert all("/jobs" in call.path and "batch" not in call.path for call in cloud.calls)  # lists only


def test_a_project_that_fails_while_another_has_the_task() -> None:
    cloud, config = two_projects(sim_task("parcels"))
    outcome = explained(cloud, "parcels", config, fault=faults.broken(PROJECT_ID))
    broken = (
        f"{WHERE}: failed, and so unknown or incomplete: tasks",
        "  v3_list_jobs failed, 500 DRS.M00004: the cloud is at fault: try again later",
        "  v5_list_jobs failed, 500 DRS.M00004: the cloud is at fault: try again later",
    )
    assert (outcome.code, outcome.notes) == (1, broken)
    assert "cut-over: ready\n" in outcome.text
    missing = "no task of the lists that could be read has the id or the name 'orders'"
    assert explained(cloud, "orders", config) == Outcome(1, notes=(*broken, missing))


def test_a_name_with_escape_sequences() -> None:
    cloud = cloud_of(sim_task("orders", overrides={"v3_list": {"name": "or\x1b[2Jders"}}), published={"v3"})
    outcome = explained(cloud, "or\x1b[2Jders")
    assert outcome.code == 0
    assert "  task name  or\\x1b[2Jders" in outcome.text
    assert "\x1b" not in outcome.text + str(explained(cloud, "or\x1b[2Jder").notes)


def test_no_facts_of_other_tasks_and_only_lists_of_other_projects_are_requested() -> None:
    parent, cache = shops(), sim_task("cache", scenario="migration", engine="redis-to-gaussredis")
    cloud = cloud_of(sim_task("orders", comparison="equal"), parent, cache)
    explained(cloud, "shops")
    children = {child.id for child in parent.children}
    asked = [call for call in cloud.calls if not call.path.endswith("/jobs")]
    ended = next(child.id for child in parent.children if child.name == "west")
    assert {task_id for call in asked for task_id in ID.findall(f"{call.path} {call.body}")} == {
        parent.id,
        *children - {ended},
    }
    assert not any("quotas" in call.path or "async" in call.path for call in cloud.calls)
    cloud, config = two_projects(sim_task("parcels"))
    explained(cloud, "parcels", config)
    assert len([call for call in cloud.calls if PROJECT_ID in call.path]) == 6
    assert len([call for call in cloud.calls if OTHER_ID in call.path]) > 6


def test_json_has_the_names_and_units_of_the_api() -> None:
    orders = sim_task("orders", delay=7.25)
    found = json.loads(explained(cloud_of(orders), form=Form(as_json=True)).text)
    assert (found["task_id"], found["incremental_delay_seconds"]) == (orders.id, 7.25)
    assert (found["cutover"], found["cutover_blockers"]) == ("blocked", ["delay_high"])
    assert {group["group"] for group in found["facts"]} >= {"identity", "status", "progress", "node"}
    assert explained(cloud_of(orders), "oders", form=Form(as_json=True)).text == ""


@pytest.mark.parametrize(
    ("task", "name", "code"),
    [
        (sim_task("orders"), "orders", 0),
        (sim_task("orders", delay=9), "orders", 5),
        (sim_task("orders", status="RELEASE_RESOURCE_COMPLETE"), "orders", 5),
        (shops(), "north", 0),
        (shops(), "south", 5),
        (shops(), "west", 5),
        (sim_task("orders"), "oders", 1),
    ],
)
def test_the_exit_code_shows_whether_nothing_blocks(task: SimTask, name: str, code: int) -> None:
    assert explained(cloud_of(task, published={"v3"}), name, form=Form(exit_code=True)).code == code
    assert explained(cloud_of(task, published={"v3"}), name).code == (1 if code == 1 else 0)


def test_the_exit_code_of_a_poll_that_failed_is_1_also_where_the_task_is_blocked() -> None:
    refused = faults.forbidden("batch-progress")
    assert explained(cloud_of(sim_task("orders")), fault=refused, form=Form(exit_code=True)).code == 1


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> None:
    cloud = cloud_of(sim_task("orders"))
    cloud.now = time.time
    monkeypatch.setattr(explaining, "cloud_of", lambda options: (config_of(options), InProcess(cloud)))
    code, out, err = command_line("explain", "orders", config_file(tmp_path))
    assert (code, err) == (0, "")
    head = r"orders: ready\nThe target is \S+ behind the source\.\nThe task replicates changes\.\nnot checked: "
    assert re.match(head, out)
    assert "log (ignored by the settings)\n\nidentity\n  account    acme\n" in out.replace("\n  (", " (")
    assert out.endswith("\n")
    code, out, err = command_line("explain", "orders", config_file(tmp_path), "--output=json", "--exit-code")
    assert (code, json.loads(out)["task_name"], err) == (0, "orders", "")
    error = command_line.error("explain", "oders", config_file(tmp_path), code=1)
    assert error == "no task has the id or the name 'oders', did you mean orders?\n"
