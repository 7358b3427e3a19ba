"""What `drs-exporter wait` waits for, and what it says of a task that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.commands.documents import ObservedTask
from exporter.commands.wait_goals import GOALS, State, pending, slowest, step_of, step_of_missing
from tests.lib.remote import page


def task(name: str = "orders", **facts: Any) -> ObservedTask:
    (row,) = page(name, status="INCRE_TRANSFER_STARTED", caught_up=False, **facts)["tasks"]
    return ObservedTask.model_validate(row)


@pytest.mark.parametrize(
    ("goal", "facts", "text"),
    [
        ("ready", {"cutover_blockers": ["delay_high", "stale"]}, "blocked by delay_high, stale, 1s behind"),
        ("ready", {"cutover_blockers": None, "phase": "preparing"}, "in phase preparing"),
        (
            "ready",
            {"cutover_blockers": None},
            "it has no verdict: a standby, or both sides of its pair are in use",
        ),
        ("caught-up", {"cutover_blockers": None, "phase": "ending"}, "in phase ending"),
        (
            "caught-up",
            {"cutover_blockers": ["delay_high", "log_error"], "predicted_catch_up_seconds": 90.0},
            "1s behind, caught up in 1m30s",
        ),
        ("caught-up", {"cutover_blockers": ["rpo_high"]}, "1s behind, blocked by rpo_high"),
        ("caught-up", {"cutover_blockers": []}, "1s behind, not for long enough"),
        (
            "caught-up",
            {"cutover_blockers": ["subtask"], "incremental_delay_seconds": None},
            "a subtask is behind, or not caught up for long enough",
        ),
        (
            "full-load",
            {"full_progress_ratio": 0.5, "predicted_full_load_end_timestamp_seconds": 67.0},
            "50%, loaded in 1m",
        ),
        (
            "full-load",
            {"full_progress_ratio": None, "phase": "changing"},
            "in phase changing, progress unknown",
        ),
        ("ended", {}, "in phase incremental"),
    ],
)
def test_why_a_task_is_not_there(goal: str, facts: dict[str, Any], text: str) -> None:
    assert pending(GOALS[goal], task(**facts), 7.0).text == text


@pytest.mark.parametrize("goal", ["ready", "caught-up"])
def test_a_task_without_a_verdict_is_not_there(goal: str) -> None:
    (row,) = page("orders", status="INCRE_TRANSFER_STARTED", caught_up=None, cutover=None)["tasks"]
    assert step_of(GOALS[goal], ObservedTask.model_validate(row), 7.0, was_reached=True).state is State.PENDING


@pytest.mark.parametrize(
    ("goal", "removed", "was_reached", "state"),
    [
        ("ready", False, False, State.PENDING),
        ("ready", False, True, State.PENDING),
        ("ready", True, False, State.OVER),
        ("ready", True, True, State.REACHED),
        ("ended", False, False, State.PENDING),
        ("ended", True, False, State.REACHED),
    ],
)
def test_a_task_that_is_not_listed_is_there_only_if_it_was_seen_to_end(
    goal: str,
    removed: bool,  # noqa: FBT001
    was_reached: bool,  # noqa: FBT001
    state: State,
) -> None:
    assert step_of_missing(GOALS[goal], "orders", removed=removed, was_reached=was_reached).state is state


@pytest.mark.parametrize(("goal", "order"), [("caught-up", ["b", "a", "c"]), ("full-load", ["c", "b", "a"])])
def test_the_slowest_comes_first(goal: str, order: list[str]) -> None:
    values = {"a": (1.0, 60), "b": (0.5, 900), "c": (0.2, 5)}
    rows = [
        task(name, full_progress_ratio=ratio, incremental_delay_seconds=delay)
        for name, (ratio, delay) in values.items()
    ]
    assert [step.name for step in slowest(pending(GOALS[goal], row, 7.0) for row in rows)] == order
