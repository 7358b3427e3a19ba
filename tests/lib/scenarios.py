"""Situations of tasks before a cut-over: for each reason a known bad, an unknown and a fine value, by kind of task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.model.details import Detail
from exporter.model.facts import (
    Node,
    Progress,
    Recovery,
    Switchover,
)
from exporter.model.task import Listed
from tests.lib.verdicts import DR, EQUAL, FULL, PLAIN, with_comparisons, with_logs, with_objects, with_sides
from tests.lib.virtual_time import EPOCH

BLOCKS, FINE, UNKNOWN, UNPUBLISHED, IGNORED = "blocks", "fine", "unknown", "unpublished", "ignored"
KINDS: Mapping[str, Listed] = {
    "sync": PLAIN,
    "increments": replace(PLAIN, task_type="INCR_TRANS"),
    "migration": replace(FULL, job_type="migration"),
    "dr": DR,
}
ALL = tuple(KINDS)
_JUDGED = ("if_available", "required")
NO_RPO = frozenset({"recovery"})
REPLICATING = ("sync", "increments", "dr")


@dataclass(frozen=True)
class Scenario:
    """A situation and what one reason says about it.

    Args:
        reason: the label `reason`.
        outcome: what it says; None: it does not apply.
        kinds: the kinds of tasks for which the row holds.
        facts: facts that differ from those of a task that is ready, by name.
        listed: fields of the list that differ.
        settings: of `cutover`.
        also: the other reasons that block.
        wait: seconds from the responses to the page.
        polls_on: whether the exporter runs, and does not poll only once.
        unpublished: facts that the region does not provide.
    """

    reason: str
    outcome: str | None
    kinds: tuple[str, ...] = ALL
    facts: Mapping[str, Any] = field(default_factory=dict)
    listed: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    also: frozenset[str] = frozenset()
    wait: float = 0.0
    polls_on: bool = False
    unpublished: frozenset[str] = frozenset()


def progress(delay: float | None = 5, ratio: float | None = 1, **facts: Any) -> dict[str, Any]:
    return {"progress": Progress(full_ratio=ratio, delay_seconds=delay, **facts)}


def objects(target: float | None = 3, status: str | None = "TRANSFERING") -> dict[str, Any]:
    return with_objects((3, target), status=status)


def compared(status: str = "SUCCESSFUL", *, consistent: bool | None = None, finished: float = EPOCH) -> dict[str, Any]:
    return with_comparisons(replace(EQUAL, status=status, consistent=consistent, finished_at=finished))


def undated() -> dict[str, Any]:
    """An equal comparison that ended at an unknown time."""
    return with_comparisons(replace(EQUAL, finished_at=None))


def _need(reason: str, setting: str, bad: Mapping[str, Any], unknown: Mapping[str, Any], **more: Any) -> list[Scenario]:
    """Return the rows of a reason that a setting relaxes."""
    return [
        *(
            Scenario(reason, BLOCKS, facts=bad, settings={setting: need}, **more)
            for need in ("if_available", "required")
        ),
        Scenario(reason, UNKNOWN, facts=unknown, settings={setting: "if_available"}, **more),
        Scenario(reason, BLOCKS, facts=unknown, settings={setting: "required"}, **more),
        *(Scenario(reason, IGNORED, facts=facts, settings={setting: "ignore"}, **more) for facts in (bad, unknown, {})),
        *(Scenario(reason, FINE, settings={setting: need}, **more) for need in _JUDGED),
    ]


def _recovery(reason: str, field_name: str, **known: Any) -> list[Scenario]:
    high, unknown = {"recovery": Recovery(**{**known, field_name: 6})}, {"recovery": Recovery(**known)}
    return [
        Scenario(f"{reason}_high", BLOCKS, ("dr",), high),
        Scenario(f"{reason}_high", UNKNOWN, ("dr",), unknown, also=frozenset({f"{reason}_unknown"})),
        Scenario(f"{reason}_unknown", BLOCKS, ("dr",), unknown),
        *(Scenario(f"{reason}_{end}", FINE, ("dr",)) for end in ("unknown", "high")),
        *(Scenario(f"{reason}_{end}", None, ("sync", "increments", "migration")) for end in ("unknown", "high")),
        *(
            Scenario(f"{reason}_{end}", UNPUBLISHED, ("dr",), {"recovery": None}, unpublished=NO_RPO)
            for end in ("unknown", "high")
        ),
    ]


TRANSFERRING = ("sync", "migration", "dr")
SCENARIOS: tuple[Scenario, ...] = (
    Scenario("phase", FINE),
    Scenario("phase", BLOCKS, listed={"status": "CHANGE_JOB_STARTED"}),
    Scenario("phase", BLOCKS, listed={"contradicted": True}),
    Scenario("phase", BLOCKS, facts=progress(transfer_status="INCRE_TRANSFER_FAILED")),
    Scenario("phase", BLOCKS, facts=progress(task_status="INCRE_TRANSFER_FAILED"), wait=1),
    Scenario("stale", FINE, wait=89),
    Scenario("stale", BLOCKS, wait=91),
    Scenario("delay_unknown", BLOCKS, ("sync", "increments"), progress(None)),
    Scenario("delay_unknown", BLOCKS, ("sync", "increments"), {"progress": None}),
    Scenario("delay_unknown", UNKNOWN, ("dr",), progress(None)),
    Scenario("delay_unknown", BLOCKS, ("dr",), {**progress(None), "recovery": None}, unpublished=NO_RPO),
    Scenario("delay_unknown", FINE, REPLICATING),
    Scenario("delay_unknown", None, ("migration",)),
    Scenario("delay_high", BLOCKS, REPLICATING, progress(5.001)),
    Scenario("delay_high", FINE, REPLICATING, progress(6), settings={"max_delay": "6s"}),
    Scenario("delay_high", BLOCKS, ("dr",), {**progress(9), "recovery": None}, unpublished=NO_RPO),
    Scenario("delay_high", None, ("migration",)),
    Scenario("full_incomplete", BLOCKS, TRANSFERRING, progress(ratio=0.5)),
    Scenario("full_incomplete", BLOCKS, ("sync", "dr"), progress(ratio=0)),
    *(
        Scenario("full_incomplete", FINE, ("migration",), progress(ratio=ratio))  # the status says that it is complete
        for ratio in (0, None)
    ),
    Scenario("full_incomplete", UNKNOWN, ("sync", "dr"), progress(ratio=None)),
    Scenario("full_incomplete", FINE, TRANSFERRING),
    Scenario("full_incomplete", None, ("increments",), progress(ratio=0.5)),
    Scenario(
        "full_unknown",
        BLOCKS,
        ("migration",),
        progress(ratio=None),
        {"status": "FULL_TRANSFER_STARTED"},
        also=frozenset({"phase"}),
    ),
    Scenario("full_unknown", FINE, ("migration",), progress(ratio=None)),
    Scenario("full_unknown", None, REPLICATING),
    *(
        Scenario("action_needed", BLOCKS, listed={"available_actions": frozenset({action})})
        for action in ("CONTINUE_APPLY", "CONTINUE_CAPTURE", "CONTINUE_JOB", "START_INCR")
    ),
    Scenario("action_needed", UNKNOWN, listed={"unavailable_actions": frozenset()}),
    Scenario("action_needed", FINE, listed={"available_actions": frozenset({"RETRY"})}),
    *(Scenario("action_running", BLOCKS, listed={"current_action": word}) for word in ("PAUSE", "STOP_JOB", "DELETE")),
    Scenario("action_running", UNKNOWN, listed={"current_action": "A_WORD_OF_TOMORROW"}),
    Scenario("action_running", UNKNOWN, listed={"current_action": None}),
    Scenario("action_running", FINE, listed={"current_action": "TO_RENEW"}),
    Scenario("action_running", FINE),
    *(Scenario("apply_failed", BLOCKS, facts={"node": Node(apply_state=word)}) for word in ("failed", "FAILED")),
    Scenario("apply_failed", UNKNOWN, facts={"node": None}),
    Scenario("apply_failed", UNPUBLISHED, facts={"node": None}, unpublished=frozenset({"node"})),
    Scenario("apply_failed", FINE),
    Scenario("report_old", None),
    Scenario("report_old", None, facts=progress(reported_at=EPOCH - 9e5, reported_at_latest=EPOCH - 9e5)),
    Scenario("switching", BLOCKS, ("dr",), {"switchover": Switchover(switching=True)}),
    Scenario(
        "switching",
        BLOCKS,
        ("dr",),
        {"switchover": None},
        {"current_action": "SWITCH_OVER"},
        also=frozenset({"action_running"}),
    ),
    Scenario("switching", UNKNOWN, ("dr",), {"switchover": Switchover()}),
    Scenario("switching", FINE, ("dr",)),
    Scenario("switching", None, ("sync", "increments", "migration"), {"switchover": Switchover(switching=True)}),
    *_recovery("rpo", "rpo_seconds", rto_seconds=0.0),
    *_recovery("rto", "rto_seconds", rpo_seconds=0.0),
    *(
        Scenario("order_frozen", BLOCKS, facts={"detail": Detail(order_status=status)})
        for status in ("FROZEN", "FROZEN_CAN_RENEW", "frozen_can_renew")
    ),
    Scenario("order_frozen", UNKNOWN, facts={"detail": None}),
    Scenario("order_frozen", UNKNOWN, facts={"detail": Detail(charging_mode="period")}),
    Scenario("order_frozen", FINE),
    Scenario("order_frozen", None, facts={"detail": Detail()}),
    *_need("side_down", "endpoints", with_sides(source=False, target=True), {"monitor": None}),
    *_need("objects_missing", "objects", objects(2), objects(None), kinds=TRANSFERRING),
    *_need("object_failed", "objects", objects(3, "FAILED"), objects(3, None), kinds=TRANSFERRING)[:3],
    *(Scenario(name, None, ("increments",), objects(2, "FAILED")) for name in ("objects_missing", "object_failed")),
    *(
        Scenario(name, None, ALL, objects(2, "FAILED"), {"engine_type": "mysql-to-kafka"})
        for name in ("objects_missing", "object_failed")
    ),
    Scenario("objects_missing", FINE, TRANSFERRING, objects(2, "COMPLETED")),
    Scenario("objects_missing", FINE, TRANSFERRING, objects(None, "TRANSFER_WHEN_END")),
    *_need("log_error", "logs", with_logs(error=2.0, info=1.0), {"logs": None}),
    Scenario("log_error", IGNORED),
    Scenario("comparison_missing", UNKNOWN, facts={"comparison": None}),
    Scenario("comparison_missing", BLOCKS, facts={"comparison": None}, settings={"comparison": "required"}),
    Scenario("comparison_missing", UNKNOWN, facts=compared("FAILED")),
    Scenario("comparison_missing", BLOCKS, facts=compared("CANCELLED"), settings={"comparison": "required"}),
    Scenario("comparison_missing", IGNORED, facts={"comparison": None}, settings={"comparison": "ignore"}),
    Scenario("comparison_missing", FINE),
    Scenario("comparison_running", UNKNOWN, facts=compared("RUNNING")),
    Scenario("comparison_running", FINE, facts=compared("INCRE_DOING")),
    Scenario("comparison_running", FINE),
    *(
        Scenario("comparison_inconsistent", BLOCKS, facts=compared(consistent=False), settings={"comparison": need})
        for need in ("if_available", "required")
    ),
    Scenario("comparison_inconsistent", IGNORED, facts=compared(consistent=False), settings={"comparison": "ignore"}),
    Scenario("comparison_inconsistent", UNKNOWN, facts={"comparison": None}),
    Scenario("comparison_inconsistent", FINE),
    Scenario("comparison_old", UNKNOWN, facts=compared(consistent=True, finished=EPOCH - 86_500)),
    Scenario(
        "comparison_old",
        BLOCKS,
        facts=compared(consistent=True, finished=EPOCH - 86_500),
        settings={"comparison": "required"},
    ),
    Scenario(
        "comparison_old",
        BLOCKS,
        facts={"detail": Detail(order_status="COMPLETED", updated_at=EPOCH + 1)},
        settings={"comparison": "required"},
    ),
    Scenario("comparison_old", BLOCKS, facts=undated(), settings={"comparison": "required"}),
    Scenario("comparison_old", UNKNOWN, facts=undated()),
    Scenario("comparison_old", FINE, settings={"comparison": "required"}),
    Scenario("not_stable", UNKNOWN),
    Scenario("not_stable", BLOCKS, polls_on=True),
    Scenario("not_stable", FINE, settings={"stable_for": "30s"}, polls_on=True, wait=31),
)
"""One row a situation; each holds for several kinds of tasks."""


def by_kind() -> Iterator[tuple[str, Scenario]]:
    """Each situation of each kind of task."""
    return ((kind, scenario) for scenario in SCENARIOS for kind in scenario.kinds)
