"""Every reason against a cut-over: when it holds, when it does not, when it is unknown, and where it does not apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.config import Cutover
from exporter.model.cutover import REASONS, CutoverInput, blockers
from exporter.model.details import Detail
from exporter.model.facts import (
    Compared,
    Comparison,
    Logs,
    Monitor,
    ObjectCount,
    Objects,
    Progress,
    Recovery,
    Switchover,
)
from exporter.model.task import Identity, Listed, LivingSubtask, Task

REQUIRED = Cutover(endpoints="required", objects="required", comparison="required", logs="required")
DR_REASONS = {"switching", "rpo_unknown", "rpo_high", "rto_unknown", "rto_high"}
PLAIN = Listed("id", "name", "INCRE_TRANSFER_STARTED", "sync", task_type="FULL_INCR_TRANS", direction="up")
DR = replace(PLAIN, job_type="cloudDataGuard")
EQUAL = Compared("line", "SUCCESSFUL", consistent=True)


def ready(listed: Listed = PLAIN, **parts: Any) -> Task:
    """A task that nothing speaks against, whatever is required; `parts` differ."""
    known = {
        "progress": Progress(full_ratio=1, delay_seconds=5),
        "monitor": Monitor(source_up=True, target_up=True),
        "recovery": Recovery(rpo_seconds=5, rto_seconds=5) if listed.disaster_recovery else None,
        "objects": Objects((ObjectCount("table", 3, 3),)),
        "switchover": Switchover(switching=False),
        "detail": Detail(),
        "comparison": Comparison((EQUAL,)),
        "logs": Logs((("error", 1.0), ("info", 2.0))),
    }
    return Task(Identity("a", "r", "p", listed.id, listed.name), listed=listed, **{**known, **parts})


def verdict(
    task: Task, settings: Cutover = REQUIRED, *, stale: bool = False, subtasks_blocked: bool = False
) -> dict[str, bool]:
    living = (LivingSubtask("c", "north", subtasks_blocked),)
    return dict(blockers(CutoverInput(task, stale, living, settings)))


def settings_with(name: str, need: str) -> Cutover:
    return REQUIRED.model_copy(update={name: need})


@pytest.mark.parametrize(("listed", "more"), [(PLAIN, set()), (DR, DR_REASONS)], ids=["sync", "DR"])
def test_no_reason_blocks_a_ready_task(listed: Listed, more: set[str]) -> None:
    reasons = {reason.name for reason in REASONS} - {"subtask"} - DR_REASONS | more
    assert verdict(ready(listed)) == dict.fromkeys(reasons, False)


def test_the_reasons_of_the_contract() -> None:
    assert [reason.name for reason in REASONS] == [
        *["phase", "stale", "delay_unknown", "delay_high", "full_incomplete", "action_needed", "subtask"],
        *["switching", "rpo_unknown", "rpo_high", "rto_unknown", "rto_high"],
        *["side_down", "objects_missing", "comparison_missing", "comparison_running", "comparison_inconsistent"],
        "log_error",
    ]


def with_delay(seconds: float | None) -> dict[str, Any]:
    return {"progress": Progress(full_ratio=1, delay_seconds=seconds)}


def with_full_ratio(ratio: float | None) -> dict[str, Any]:
    return {"progress": Progress(full_ratio=ratio, delay_seconds=0)}


def with_sides(source: Any, target: Any) -> dict[str, Any]:
    return {"monitor": Monitor(source_up=source, target_up=target)}


def with_objects(*pairs: tuple[float | None, float | None], at_end: bool = False) -> dict[str, Any]:
    return {
        "objects": Objects(
            tuple(ObjectCount("table", *pair, "TRANSFER_WHEN_END" if at_end else None) for pair in pairs)
        )
    }


def with_comparisons(*types: tuple[str, bool | None]) -> dict[str, Any]:
    return {"comparison": Comparison(tuple(Compared("line", status, consistent) for status, consistent in types))}


def with_logs(**newest: float) -> dict[str, Any]:
    return {"logs": Logs(tuple(newest.items()))}


MISSING, RUNNING, INCONSISTENT = "comparison_missing", "comparison_running", "comparison_inconsistent"

KNOWN_BAD: list[tuple[dict[str, Any], str]] = [
    (with_delay(5.001), "delay_high"),
    (with_full_ratio(0.999), "full_incomplete"),
    (with_full_ratio(0), "full_incomplete"),
    (with_sides(source=False, target=True), "side_down"),
    (with_sides(source=True, target=False), "side_down"),
    (with_sides(source=None, target=False), "side_down"),
    (with_objects((3, 2)), "objects_missing"),
    (with_objects((3, 3), (1, 0), (None, None)), "objects_missing"),
    (with_comparisons(("SUCCESSFUL", True), ("SUCCESSFUL", False)), INCONSISTENT),
    (with_logs(info=1, error=2), "log_error"),
    (with_logs(info=2, error=2), "log_error"),
]
UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"progress": None}, "delay_unknown"),
    (with_delay(None), "delay_unknown"),
    ({"monitor": None}, "side_down"),
    (with_sides(source=None, target=True), "side_down"),
    (with_sides(source=True, target=None), "side_down"),
    ({"objects": None}, "objects_missing"),
    ({"objects": Objects()}, "objects_missing"),
    (with_objects((3, None)), "objects_missing"),
    (with_objects((3, 3), (None, 3)), "objects_missing"),
    ({"comparison": None}, MISSING),
    (with_comparisons(), MISSING),
    (with_comparisons(("FAILED", None)), MISSING),
    (with_comparisons(("CANCELLED", None)), MISSING),
    (with_comparisons(("TIMEOUT_INTERRUPT", None)), MISSING),
    (with_comparisons(("SUCCESSFUL", True), ("SUCCESSFUL", None)), MISSING),
    (with_comparisons(("RUNNING", None)), RUNNING),
    (with_comparisons(("WAITING_FOR_RUNNING", None)), RUNNING),
    (with_comparisons(("FULL_DOING", None)), RUNNING),
    (with_comparisons(("SUCCESSFUL", True), ("INCRE_DOING", None)), RUNNING),
    ({"logs": None}, "log_error"),
    ({"logs": Logs()}, "log_error"),
]
FINE: list[dict[str, Any]] = [
    with_delay(0),
    with_delay(5),
    with_full_ratio(1),
    with_full_ratio(None),
    with_objects((3, 3)),
    with_objects((3, 4)),
    with_objects((0, 0)),
    with_objects((3, 0), at_end=True),  # moved when the task ends
    with_objects((None, None), at_end=True),
    with_logs(info=2, error=1),
    with_logs(warn=1),
    {"detail": None},
    {"recovery": None},  # of a task that is no DR task
]


def blocking(task: Task, settings: Cutover = REQUIRED, **facts: bool) -> set[str]:
    return {name for name, blocks in verdict(task, settings, **facts).items() if blocks}


BY_SETTING = {"side_down": "endpoints", "objects_missing": "objects", "log_error": "logs"} | dict.fromkeys(
    (MISSING, RUNNING, INCONSISTENT), "comparison"
)


@pytest.mark.parametrize(("parts", "reason"), [*KNOWN_BAD, *UNKNOWN, *((parts, None) for parts in FINE)])
def test_required_blocks_if_the_value_is_bad_or_unknown(parts: dict[str, Any], reason: str | None) -> None:
    assert blocking(ready(**parts)) == ({reason} if reason else set())


@pytest.mark.parametrize(("parts", "reason"), [row for row in (*KNOWN_BAD, *UNKNOWN) if row[1] in BY_SETTING])
def test_if_available_blocks_only_if_the_value_is_bad_and_ignore_never(parts: dict[str, Any], reason: str) -> None:
    bad = (parts, reason) in KNOWN_BAD
    assert blocking(ready(**parts), settings_with(BY_SETTING[reason], "if_available")) == ({reason} if bad else set())
    ignored = verdict(ready(**parts), settings_with(BY_SETTING[reason], "ignore"))
    assert reason not in ignored
    assert not any(ignored.values())


@pytest.mark.parametrize("reason", [MISSING, RUNNING])
def test_a_comparison_that_is_not_there_is_a_reason_only_where_it_is_required(reason: str) -> None:
    assert reason in verdict(ready())
    assert reason not in verdict(ready(), settings_with("comparison", "if_available"))


@pytest.mark.parametrize(
    ("task_type", "final", "others"),
    [
        (
            "FULL_INCR_TRANS",
            "INCRE_TRANSFER_STARTED",
            "FULL_TRANSFER_STARTED FULL_TRANSFER_COMPLETE PAUSING CHANGE_JOB_STARTED INCRE_TRANSFER_FAILED FROZEN",
        ),
        ("FULL_TRANS", "FULL_TRANSFER_COMPLETE", "FULL_TRANSFER_STARTED INCRE_TRANSFER_STARTED"),
    ],
)
def test_each_phase_but_the_final_one_blocks_and_a_full_migration_needs_no_progress(
    task_type: str, final: str, others: str
) -> None:
    needed = set() if task_type == "FULL_TRANS" else {"delay_unknown", "delay_high", "full_incomplete"}
    for status in (final, *others.split()):
        found = verdict(ready(replace(PLAIN, task_type=task_type, status=status), progress=None))
        assert found["phase"] is (status != final)
        assert {"delay_unknown", "delay_high", "full_incomplete"} & found.keys() == needed


@pytest.mark.parametrize(("task_type", "blocks"), [("FULL_INCR_TRANS", True), ("INCR_TRANS", None), (None, None)])
def test_a_full_load_blocks_only_tasks_with_increments_after_it(task_type: str | None, *, blocks: bool | None) -> None:
    found = verdict(ready(replace(PLAIN, task_type=task_type), **with_full_ratio(0.5)))
    assert (found.get("full_incomplete"), found["delay_high"]) == (blocks, False)


def test_a_delay_outside_its_phases_is_unknown() -> None:
    assert "delay_unknown" in blocking(ready(replace(PLAIN, status="PAUSING"), **with_delay(0)))


@pytest.mark.parametrize(
    ("actions", "blocks"),
    [("CONTINUE_APPLY", True), ("CONTINUE_CAPTURE RESET", True), ("CONTINUE_JOB START", False), ("", False)],
)
def test_an_action_that_is_needed(actions: str, *, blocks: bool) -> None:
    unavailable = frozenset({"CONTINUE_APPLY"})
    listed = replace(PLAIN, available_actions=frozenset(actions.split()), unavailable_actions=unavailable)
    assert verdict(ready(listed))["action_needed"] is blocks


@pytest.mark.parametrize("blocked", [True, False])
def test_a_parent_has_its_phase_its_age_and_its_subtasks_only(*, blocked: bool) -> None:
    parent = Task(Identity("a", "r", "p", "id", "name"), listed=replace(DR, is_parent=True))
    assert verdict(parent, subtasks_blocked=blocked) == {"phase": False, "stale": False, "subtask": blocked}


def test_a_stale_task_is_blocked_and_only_parents_have_subtasks() -> None:
    assert verdict(ready(), stale=True, subtasks_blocked=True) == {**verdict(ready()), "stale": True}
    assert verdict(ready())["stale"] is False


LIMITS = Detail(rpo_threshold_seconds=30, rto_threshold_seconds=60)


@pytest.mark.parametrize(
    ("parts", "blocks"),
    [
        ({"recovery": None}, {"rpo_unknown", "rto_unknown"}),
        ({"recovery": Recovery()}, {"rpo_unknown", "rto_unknown"}),
        ({"recovery": Recovery(rpo_seconds=0)}, {"rto_unknown"}),
        ({"recovery": Recovery(rpo_seconds=5, rto_seconds=5)}, set()),
        ({"recovery": Recovery(rpo_seconds=5.1, rto_seconds=5)}, {"rpo_high"}),
        ({"recovery": Recovery(rpo_seconds=5, rto_seconds=5.1)}, {"rto_high"}),
        ({"recovery": Recovery(rpo_seconds=30, rto_seconds=60), "detail": LIMITS}, set()),
        ({"recovery": Recovery(rpo_seconds=31, rto_seconds=61), "detail": LIMITS}, {"rpo_high", "rto_high"}),
        ({"recovery": Recovery(rpo_seconds=6, rto_seconds=6), "detail": None}, {"rpo_high", "rto_high"}),
        ({"switchover": Switchover(switching=True)}, {"switching"}),
        ({"switchover": None}, set()),  # its direction is unknown
        (with_delay(6), {"delay_high"}),
    ],
)
def test_disaster_recovery(parts: dict[str, Any], blocks: set[str]) -> None:
    assert blocking(ready(DR, **parts)) == blocks


@pytest.mark.parametrize("limit", [0.5, 60])
def test_the_limit_of_the_settings(limit: float) -> None:
    settings = REQUIRED.model_copy(update={"max_delay": limit})
    assert blocking(ready(DR, **with_delay(limit), recovery=Recovery(limit, limit)), settings) == set()
    above = ready(DR, **with_delay(limit + 0.1), recovery=Recovery(limit + 0.1, limit + 0.1))
    assert blocking(above, settings) == {"delay_high", "rpo_high", "rto_high"}


def test_the_default_settings() -> None:
    needed = [getattr(Cutover(), name) for name in ("endpoints", "objects", "comparison", "logs")]
    assert (Cutover().max_delay, needed) == (5.0, ["if_available", "if_available", "if_available", "ignore"])
