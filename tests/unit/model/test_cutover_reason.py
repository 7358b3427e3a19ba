"""The outcome of each reason by its setting: of a known bad, an unknown, a fine and an old value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.config import Cutover
from exporter.model.cutover_reason import Outcome
from exporter.model.details import Detail
from exporter.model.facts import Logs, Node, Progress, Switchover
from tests.lib.verdicts import (
    DR,
    EQUAL,
    REQUIRED,
    blocking,
    compared,
    outcomes,
    ready,
    with_comparisons,
    with_delay,
    with_full_ratio,
    with_logs,
    with_objects,
    with_sides,
)

MISSING, RUNNING, INCONSISTENT, OLD = (f"comparison_{end}" for end in ("missing", "running", "inconsistent", "old"))
BY_SETTING = {
    "side_down": "endpoints",
    **dict.fromkeys(("objects_missing", "object_failed"), "objects"),
    "log_error": "logs",
    **dict.fromkeys((MISSING, RUNNING, INCONSISTENT, OLD), "comparison"),
}


def settings_with(name: str, need: str) -> Cutover:
    return REQUIRED.model_copy(update={name: need})


KNOWN_BAD: list[tuple[dict[str, Any], str]] = [
    ({"progress": Progress(full_ratio=1, delay_seconds=0, transfer_status="INCRE_TRANSFER_FAILED")}, "phase"),
    (with_delay(5.001), "delay_high"),
    (with_full_ratio(0.999), "full_incomplete"),
    (with_full_ratio(0), "full_incomplete"),
    ({"node": Node(apply_state="failed")}, "apply_failed"),
    ({"detail": Detail(order_status="FROZEN_CAN_RENEW")}, "order_frozen"),
    (with_sides(source=False, target=True), "side_down"),
    (with_sides(source=True, target=False), "side_down"),
    (with_sides(source=None, target=False), "side_down"),
    (with_objects((3, 2)), "objects_missing"),
    (with_objects((3, 3), (1, 0), (None, None)), "objects_missing"),
    (with_objects((3, 3), status="FAILED"), "object_failed"),
    (with_comparisons(compared(consistent=False)), INCONSISTENT),
    (with_comparisons(EQUAL, replace(compared(consistent=False), type="content")), INCONSISTENT),
    (with_logs(info=1, error=2), "log_error"),
    (with_logs(info=2, error=2), "log_error"),
]
UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"progress": None}, "delay_unknown"),
    (with_delay(None), "delay_unknown"),
    ({"monitor": None}, "side_down"),
    (with_sides(source=None, target=True), "side_down"),
    (with_sides(source=True, target=None), "side_down"),
    (with_objects((3, None)), "objects_missing"),
    (with_objects((3, 3), (None, 3)), "objects_missing"),
    ({"comparison": None}, MISSING),
    (with_comparisons(), MISSING),
    (with_comparisons(compared("FAILED")), MISSING),
    (with_comparisons(compared("CANCELLED")), MISSING),
    (with_comparisons(compared("TIMEOUT_INTERRUPT")), MISSING),
    (with_comparisons(EQUAL, replace(compared("FAILED"), type="content")), MISSING),
    (with_comparisons(EQUAL, replace(compared(), type="content")), MISSING),
    (with_comparisons(EQUAL, replace(compared("RUNNING"), type="content")), RUNNING),
    (with_comparisons(EQUAL, replace(compared("WAITING_FOR_RUNNING"), type="content")), RUNNING),
    (with_comparisons(EQUAL, replace(compared("FULL_DOING"), type="content")), RUNNING),
    (with_comparisons(replace(EQUAL, finished_at=None)), OLD),
    ({**with_comparisons(EQUAL), "detail": Detail(order_status="COMPLETED", updated_at=1001.0)}, OLD),
    ({**with_comparisons(EQUAL), "detail": Detail(order_status="COMPLETED", full_completed_at=1001.0)}, OLD),
    ({"logs": None}, "log_error"),
    ({"logs": Logs()}, "log_error"),
]
FINE: list[dict[str, Any]] = [
    with_delay(0),
    with_delay(5),
    with_full_ratio(1),
    with_full_ratio(None),
    {"progress": Progress(full_ratio=1, delay_seconds=0, transfer_status="INCRE_TRANSFER_STARTED")},
    {"node": None},
    {"node": Node(apply_state="waiting")},
    {"node": Node(apply_state="another word")},
    {"detail": None},
    {"detail": Detail()},
    with_objects((3, 3)),
    with_objects((3, 4)),
    with_objects((0, 0)),
    with_objects((3, 0), (None, None), status="TRANSFER_WHEN_END"),  # moved when the task ends
    with_objects((3, 2), (3, None), status="COMPLETED"),
    with_logs(info=2, error=1),
    with_logs(warn=1),
    {"recovery": None},  # of a task that is no DR task
]


@pytest.mark.parametrize(("parts", "reason"), [*KNOWN_BAD, *UNKNOWN, *((parts, None) for parts in FINE)])
def test_required_blocks_if_the_value_is_bad_or_unknown(parts: dict[str, Any], reason: str | None) -> None:
    assert blocking(ready(**parts)) == ({reason} if reason else set())


@pytest.mark.parametrize(("parts", "reason"), [row for row in (*KNOWN_BAD, *UNKNOWN) if row[1] in BY_SETTING])
def test_if_available_blocks_only_if_the_value_is_bad_and_ignore_never(parts: dict[str, Any], reason: str) -> None:
    bad, setting = (parts, reason) in KNOWN_BAD, BY_SETTING[reason]
    found = outcomes(ready(**parts), settings_with(setting, "if_available"))
    assert found[reason] is (Outcome.BLOCKS if bad else Outcome.UNKNOWN)
    assert blocking(ready(**parts), settings_with(setting, "if_available")) == ({reason} if bad else set())
    ignored = outcomes(ready(**parts), settings_with(setting, "ignore"))
    names = {name for name, outcome in ignored.items() if outcome is Outcome.IGNORED}
    assert names == {name for name, by in BY_SETTING.items() if by == setting}
    assert Outcome.BLOCKS not in ignored.values()


@pytest.mark.parametrize(
    ("name", "parts", "reason"),
    [
        ("monitor", with_sides(source=False, target=True), "side_down"),
        ("objects", with_objects((3, 2)), "objects_missing"),
        ("comparison", with_comparisons(compared(consistent=False)), INCONSISTENT),
        ("node", {"node": Node(apply_state="failed")}, "apply_failed"),
        ("detail", {"detail": Detail(order_status="FROZEN")}, "order_frozen"),
        ("switchover", {"switchover": Switchover(switching=True)}, "switching"),
    ],
)
def test_a_good_old_fact_is_unchecked_and_a_bad_one_blocks(name: str, parts: dict[str, Any], reason: str) -> None:
    old = frozenset({name})
    assert outcomes(ready(DR), Cutover(), old=old)[reason] is Outcome.UNKNOWN
    assert outcomes(ready(DR, **parts), Cutover(), old=old)[reason] is Outcome.BLOCKS


@pytest.mark.parametrize(("field", "cause"), [("unpublished", "unpublished"), ("disabled", "ignored")])
def test_the_cause_of_a_reason_that_is_not_checked(field: str, cause: str) -> None:
    found = outcomes(ready(monitor=None), Cutover(), **{field: frozenset({"monitor"})})
    assert found["side_down"] == cause
