"""The values on which the reasons against a cut-over depend, and their evidence as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.config import Collectors, Cutover
from exporter.model.cutover import REASONS
from exporter.model.cutover_reason import Outcome
from exporter.model.cutover_results import LivingSubtask
from exporter.model.details import Detail
from exporter.model.facts import (
    Compared,
    Comparison,
    Logs,
    Monitor,
    Node,
    ObjectCount,
    Objects,
    Progress,
    Recovery,
    Switchover,
    TaskFacts,
)
from exporter.model.task import Task
from exporter.views.text import fact_text
from tests.lib.verdicts import DR, DR_REASONS, EQUAL, PLAIN, blocking, case_of, outcomes, ready

WITHOUT_FACTS = {
    "side_down": "source unknown, target unknown",
    "comparison_old": "none",
}
NOTHING = dict.fromkeys(
    ("progress", "node", "monitor", "recovery", "switchover", "objects", "comparison", "logs", "detail")
)


def evidence_of(name: str, task: Task, **observed: Any) -> str:
    (found,) = (reason for reason in REASONS if reason.name == name)
    return fact_text(found.evidence(case_of(task, Cutover(), **observed)))


@pytest.mark.parametrize(
    ("reason", "facts", "text"),
    [
        ("delay_unknown", [Progress(delay_seconds=1.5)], "reported"),
        ("delay_high", [Progress(delay_seconds=90)], "90s, limit 5s"),
        ("full_incomplete", [Progress(full_ratio=0.42)], "42%"),
        ("apply_failed", [Node(apply_state="failed")], "failed"),
        ("order_frozen", [Detail(order_status="FROZEN_CAN_RENEW")], "FROZEN_CAN_RENEW"),
        ("side_down", [Monitor(source_up=True, target_up=False)], "source up, target down"),
        ("objects_missing", [Objects((ObjectCount("table", 2, 1),))], "table"),
        ("objects_missing", [Objects((ObjectCount("table", 2, 2),))], "none missing"),
        ("object_failed", [Objects((ObjectCount("table", 2, 2, status="FAILED"),))], "table"),
        ("object_failed", [Objects((ObjectCount("table", 2, 2, status="COMPLETED"),))], "none failed"),
        ("comparison_missing", [Comparison((Compared("line", "FAILED"),))], "line FAILED"),
        ("comparison_missing", [Comparison(())], "no comparison"),
        ("comparison_inconsistent", [Comparison((EQUAL,))], "no difference"),
        ("comparison_running", [Comparison((Compared("line", "RUNNING"),))], "line RUNNING"),
        ("comparison_inconsistent", [Comparison((Compared("line", "SUCCESSFUL", consistent=False),))], "line"),
        ("comparison_old", [Comparison((Compared("line", "SUCCESSFUL", True, 0.0),))], "line 1970-01-01 00:00:00Z"),  # noqa: FBT003
        ("comparison_old", [Comparison((Compared("line", "SUCCESSFUL", consistent=True),))], "line unknown"),
        ("log_error", [Logs((("error", 1.0),))], "the newest entry is an error"),
        ("log_error", [Logs((("info", 1.0),))], "no error at its end"),
        ("switching", [Switchover(switching=True)], "yes"),
        ("switching", [Switchover(switching=False)], "no"),
        ("rpo_unknown", [Recovery(rpo_seconds=7)], "reported"),
        ("rpo_high", [Recovery(rpo_seconds=5.01)], "5.01s, limit 5s"),
        ("rto_unknown", [Recovery(rto_seconds=0.25)], "reported"),
        ("rto_high", [Recovery(rto_seconds=0.25)], "0.25s, limit 5s"),
        ("report_old", [Progress(reported_at=100.0, served_at=800.0)], "11m40s, limit 10m"),
    ],
)
def test_the_evidence_of_a_reason(reason: str, facts: list[TaskFacts], text: str) -> None:
    listed = DR if reason in DR_REASONS else PLAIN
    assert evidence_of(reason, ready(listed, **{each.name: each for each in facts})) == text
    assert evidence_of(reason, ready(listed, **NOTHING)) == WITHOUT_FACTS.get(reason, "unknown")


def test_the_evidence_of_reasons_about_the_list() -> None:
    task = ready(replace(PLAIN, available_actions=frozenset({"CONTINUE_CAPTURE", "CONTINUE_APPLY", "RESET"})))
    assert evidence_of("phase", task) == "INCRE_TRANSFER_STARTED"
    assert evidence_of("action_needed", task) == "CONTINUE_APPLY, CONTINUE_CAPTURE"
    assert evidence_of("action_needed", ready()) == "none"
    assert evidence_of("action_running", ready(replace(PLAIN, current_action="PAUSE"))) == "PAUSE"
    assert evidence_of("stale", task) == "fresh"
    assert evidence_of("stale", task, old=frozenset({"progress", "status", "logs"})) == "too old: status, progress"
    assert evidence_of("phase", ready(replace(PLAIN, contradicted=True))).endswith("the lists contradict each other")
    newer = evidence_of("phase", task, other_status="PAUSING")
    assert newer == "INCRE_TRANSFER_STARTED, but a newer response says PAUSING"
    failed = ready(progress=Progress(transfer_status="INCRE_TRANSFER_FAILED"))
    assert evidence_of("phase", failed).endswith("but the progress reports INCRE_TRANSFER_FAILED")
    same = replace(failed, listed=replace(PLAIN, status="INCRE_TRANSFER_FAILED"))
    assert evidence_of("phase", same) == "INCRE_TRANSFER_FAILED"
    unlisted = replace(task, listed=None)
    assert [evidence_of(reason, unlisted) for reason in ("phase", "action_needed")] == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("stable", "text"),
    [
        (False, "nothing else blocks, but not for long enough"),
        (True, "something else blocks, or nothing has for long enough"),
        (None, "unknown"),
    ],
)
def test_the_evidence_of_the_time_without_another_blocker(stable: bool | None, text: str) -> None:  # noqa: FBT001
    assert evidence_of("not_stable", ready(), stable=stable) == text


@pytest.mark.parametrize(
    ("unknown", "living", "text"),
    [
        (0, {}, "no subtask is alive"),
        (0, {"a": False}, "no subtask is blocked"),
        (0, {"a": False, "b": True, "c": True}, "blocked: b, c"),
        (0, {"a": None, "b": True}, "blocked: b; unknown: a"),
        (1, {"a": False}, "unknown: 1 (not decodable, or contradictory in the lists)"),
        (2, {}, "unknown: 2 (not decodable, or contradictory in the lists)"),
    ],
)
def test_the_evidence_about_subtasks_names_those_that_block(
    unknown: int, living: dict[str, bool | None], text: str
) -> None:
    subtasks = tuple(LivingSubtask(name, name, blocked) for name, blocked in living.items())
    parent = ready(replace(PLAIN, is_parent=True, unknown_children=unknown))
    assert evidence_of("subtask", parent, living=subtasks) == text


def test_every_reason_names_the_collector_of_its_fact() -> None:
    assert {reason.collector for reason in REASONS} <= set(Collectors.model_fields)


@pytest.mark.parametrize(("age", "advances", "stale"), [(3601, True, True), (3600, True, False), (9e5, False, False)])
def test_a_report_that_the_cloud_renews_but_that_is_over_an_hour_old_is_stale(
    age: float, *, advances: bool, stale: bool
) -> None:
    task = ready(progress=Progress(full_ratio=1, delay_seconds=0, reported_at=1e6 - age, served_at=1e6))
    assert ("stale" in blocking(task, Cutover(), report_advances=advances)) is stale


@pytest.mark.parametrize(
    ("report", "advances", "outcome"),
    [
        ({"reported_at": 400.0}, True, Outcome.FINE),
        ({"reported_at": 399.0}, True, Outcome.BLOCKS),
        ({"reported_at": 399.0}, False, None),
        ({"reported_at": 1004.0}, True, Outcome.FINE),
        ({"reported_at": 1006.0}, True, Outcome.UNKNOWN),
        ({"reported_at_latest": 100.0}, True, Outcome.UNKNOWN),  # without a zone
        ({"reported_at": 399.0, "served_at": 990.0}, True, Outcome.FINE),  # by the clock of the cloud
    ],
)
def test_an_old_report_of_the_cloud(report: dict[str, Any], outcome: Outcome | None, *, advances: bool) -> None:
    task = ready(progress=Progress(full_ratio=1, delay_seconds=0, **report))
    available = Cutover(report="if_available")
    assert outcomes(task, available, report_advances=advances, progress_at=1000.0).get("report_old") is outcome
    assert outcomes(task, Cutover(), report_advances=True)["report_old"] is Outcome.IGNORED
    assert outcomes(task, available, report_advances=True)["report_old"] in {
        Outcome.UNKNOWN,
        *([Outcome.FINE] if "served_at" in report else []),
    }


@pytest.mark.parametrize(
    ("kernel", "old", "outcome"),
    [
        ("down", (), Outcome.BLOCKS),
        ("down", ("detail",), Outcome.BLOCKS),
        ("up", (), Outcome.FINE),
        ("up", ("detail",), Outcome.IGNORED),
        (None, (), Outcome.IGNORED),
    ],
)
def test_the_details_show_a_switchover_while_its_collector_is_disabled(
    kernel: str | None, old: tuple[str, ...], outcome: Outcome
) -> None:
    task = ready(DR, switchover=None, detail=Detail(order_status="COMPLETED", kernel_direction=kernel))
    found = outcomes(task, old=frozenset(old), disabled=frozenset({"recovery", "switchover"}))
    assert found["switching"] is outcome


@pytest.mark.parametrize("newest", [(), (("info", 2.0),), (("error", 1.0), ("info", 2.0))])
def test_an_error_without_a_time_counts_as_the_newest_entry(newest: tuple[tuple[str, float], ...]) -> None:
    assert blocking(ready(logs=Logs(newest, undated_error=True))) == {"log_error"}


@pytest.mark.parametrize("status", ["INCRE_TRANSFER_FAILED", "incre_transfer_failed"])
def test_a_failure_that_only_the_progress_reports_blocks_in_any_case(status: str) -> None:
    progress = Progress(full_ratio=1, delay_seconds=0, transfer_status=status)
    assert blocking(ready(progress=progress)) == {"phase"}
