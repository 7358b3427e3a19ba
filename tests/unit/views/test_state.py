"""The state of a task in sentences, what is wrong first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.config import Cutover
from exporter.model.cutover import can_be_cut_over
from exporter.model.cutover_results import LivingSubtask
from exporter.model.explanation import TaskExplanation
from exporter.model.facts import Compared, Comparison, Objects, Progress
from exporter.model.prediction import Predicted
from exporter.model.task import History, Task
from exporter.views.state import Level, statements
from tests.lib.verdicts import PLAIN, case_of, ready

NOW = 1_767_225_600.0
LATE = "The target is 1m30s behind the source, over the limit of 5s"
LOADS = "The full load is 25% complete; the cloud expects its end in 1h"


def said(task: Task) -> list[tuple[str, str]]:
    case = case_of(task, Cutover()) if can_be_cut_over(task) else None
    subject = TaskExplanation(task, None, frozenset({"v3"}), {}, case)
    return [(statement.level.name.lower(), statement.text) for statement in statements(subject, NOW)]


def late(delay: float, **predicted: float) -> Task:
    return replace(ready(progress=Progress(delay_seconds=delay, full_ratio=1.0)), predicted=Predicted(**predicted))


@pytest.mark.parametrize(
    ("status", "first"),
    [
        ("FULL_TRANSFER_FAILED", ("bad", "The task failed 1h ago with error code DRS.M1: its status is FULL_")),
        ("PAUSING", ("warn", "The task is paused, for 1h: it does not replicate. Resume it in the console.")),
        ("CHANGE_JOB_STARTED", ("warn", "The task is being changed, for 1h.")),
        ("DREAMING", ("warn", "The status DREAMING has no known phase.")),
        ("CREATING", ("plain", "The task is being prepared, for 1h: it does not replicate yet.")),
        ("RELEASE_RESOURCE_STARTED", ("plain", "The task is ending, for 1h.")),
        ("RELEASE_RESOURCE_COMPLETE", ("plain", "The task ended 1h ago.")),
        (None, ("warn", "The status of the task is unknown: no current list contains it.")),
    ],
)
def test_the_first_statement_is_the_worst(status: str | None, first: tuple[str, str]) -> None:
    listed = replace(PLAIN, status=status) if status else None
    task = replace(ready(progress=Progress(full_ratio=1.0, error_code="DRS.M1")), listed=listed)
    level, text = said(replace(task, history=History(phase_changed_at=NOW - 3600)))[0]
    assert (level, text[: len(first[1])]) == first


def test_a_documented_error_code_is_explained() -> None:
    failed = replace(PLAIN, status="INCRE_TRANSFER_FAILED")
    [_, explained] = said(replace(ready(progress=Progress(error_code="KE0002")), listed=failed))[0]
    assert explained.endswith(
        " The documentation of DRS explains the code: The user name or the password is wrong. Correct them in the "
        "connection information of the task, then resume it. See its error in the console, remove the cause, and "
        "resume it."
    )


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (late(2), ("good", "The target is 2s behind the source.")),
        (
            late(90),
            ("warn", f"{LATE}. Its trend is not known: it takes 5 minutes of history without swings or jumps."),
        ),
        (late(90, delay_slope=0.0), ("warn", f"{LATE}; the delay is steady.")),
        (
            late(90, delay_slope=-0.5),
            ("warn", f"{LATE}; the delay is shrinking. Its end cannot be predicted: it shrinks unevenly, or slowly."),
        ),
        (
            late(90, delay_slope=0.5),
            ("bad", f"{LATE}; the delay is growing."),
        ),
        (
            late(90, delay_slope=-0.5, catch_up_seconds=170.0),
            (
                "warn",
                f"{LATE}; the delay is shrinking. At this rate it is within the limit in about 2m50s.",
            ),
        ),
    ],
)
def test_a_delay_has_its_limit_its_trend_and_its_end(task: Task, expected: tuple[str, str]) -> None:
    assert expected in said(task)


def test_a_full_load_has_its_end_by_the_cloud_and_by_its_rate() -> None:
    progress = Progress(full_ratio=0.25, full_remaining_seconds=3600.0)
    task = replace(ready(replace(PLAIN, status="FULL_TRANSFER_STARTED"), progress=progress), predicted=Predicted())
    assert ("plain", f"{LOADS}.") in said(task)
    ends = replace(task, predicted=Predicted(full_load_end_at=NOW + 7200))
    text = f"{LOADS}; at the present rate it ends in about 2h, at 2026-01-01 02:00:00Z."
    assert ("plain", text) in said(ends)


def test_a_failed_load_has_no_end() -> None:
    progress = Progress(full_ratio=0.63, full_remaining_seconds=0.0)
    task = ready(replace(PLAIN, status="FULL_TRANSFER_FAILED"), progress=progress)
    assert ("plain", "The full load is 63% complete.") in said(task)


def test_a_complete_load_is_not_said_to_run() -> None:
    complete = replace(PLAIN, status="FULL_TRANSFER_COMPLETE", task_type="FULL_TRANS")
    unknown = ready(complete, progress=Progress(full_ratio=0.0))  # the cloud may report 0 then
    texts = [text for _, text in said(unknown)]
    assert "The full load is complete." in texts
    assert not any("in its full load" in text or "0%" in text for text in texts)
    dated = replace(unknown, objects=Objects(full_completed_at=NOW - 7200))
    assert ("plain", "The full load is complete, since 2025-12-31 22:00:00Z (2h).") in said(dated)


def test_ready_is_always_shown_with_what_was_not_checked() -> None:
    task = replace(ready(), blockers=(("phase", False),), ready_since=NOW - 7200)
    (_, ready_text), (_, unchecked), *_ = said(task)
    assert ready_text == "It is ready to cut over since 2025-12-31 22:00:00Z (2h): nothing that is known blocks it."
    assert unchecked.startswith("Not checked: ")


def test_blockers_are_no_warning_during_the_full_load() -> None:
    task = ready(replace(PLAIN, status="FULL_TRANSFER_STARTED"), progress=Progress(full_ratio=0.25))
    assert [level for level, text in said(task) if "Blockers: phase" in text] == ["plain"]


def test_a_ready_task_begins_with_that() -> None:
    task = replace(ready(), blockers=(("phase", False),))
    assert said(task)[0][1] == "It is ready to cut over: nothing that is known blocks it."


def test_a_difference_is_a_fault() -> None:
    different = Comparison(types=(Compared("object", "SUCCESSFUL", consistent=False, finished_at=NOW),))
    level, text = said(ready(comparison=different))[0]
    assert (level, text[:60]) == ("bad", "The newest finished comparison of a type found a difference ")


def test_a_parent_names_the_subtasks_that_block() -> None:
    subtask = LivingSubtask("id-1", "orders-north", blocked=True)
    parent = replace(ready(), listed=replace(PLAIN, is_parent=True))
    subject = TaskExplanation(parent, None, frozenset({"v3"}), {}, case_of(parent, Cutover(), living=(subtask,)))
    text = next(text for _, text in statements(subject, NOW) if "Blockers" in text)
    assert text == "It is not ready to cut over. Blockers: subtasks. Subtasks blocked: orders-north."


def test_levels_are_classes_of_the_style_sheet() -> None:
    assert [level.name.lower() for level in Level] == ["bad", "warn", "good", "plain"]
