"""Every reason against a cut-over: when it blocks, when it does not, when it was not checked, and where it applies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.config import Cutover
from exporter.model.cutover import REASONS, can_be_cut_over, excluded
from exporter.model.cutover_reason import Outcome
from exporter.model.cutover_results import LivingSubtask
from exporter.model.cutover_words import ADVICE
from exporter.model.details import Detail
from exporter.model.facts import Progress, Recovery, Switchover
from exporter.model.task import Listed, Task
from tests.lib.verdicts import DR, DR_REASONS, FULL, PLAIN, blocking, outcomes, ready, with_delay, with_full_ratio


@pytest.mark.parametrize("listed", [PLAIN, DR, FULL], ids=["sync", "DR", "full load"])
def test_no_reason_blocks_a_ready_task_and_all_that_apply_are_checked(listed: Listed) -> None:
    others = {
        "subtask",
        "report_old",
        *(() if listed is DR else DR_REASONS),
        *(("delay_unknown", "delay_high") if listed is FULL else ("full_unknown",)),
    }
    assert outcomes(ready(listed)) == dict.fromkeys(
        [reason.name for reason in REASONS if reason.name not in others], Outcome.FINE
    )


def test_the_reasons_of_the_contract() -> None:
    assert [reason.name for reason in REASONS] == [
        *["phase", "stale", "delay_unknown", "delay_high", "full_incomplete", "full_unknown", "action_needed"],
        *["action_running", "apply_failed", "report_old", "subtask"],
        *["switching", "rpo_unknown", "rpo_high", "rto_unknown", "rto_high", "order_frozen", "side_down"],
        *["objects_missing", "object_failed"],
        *["comparison_missing", "comparison_running", "comparison_inconsistent", "comparison_old"],
        *["log_error", "not_stable"],
    ]
    assert [*ADVICE] == [reason.name for reason in REASONS]


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
    for status in (final, *others.split()):
        found = outcomes(ready(replace(PLAIN, task_type=task_type, status=status), progress=None))
        assert (found["phase"] is Outcome.BLOCKS) is (status != final)
        assert ("delay_unknown" in found) is (task_type != "FULL_TRANS")


@pytest.mark.parametrize(
    ("status", "ratio", "blocks"),
    [
        ("FULL_TRANSFER_COMPLETE", None, set()),
        ("FULL_TRANSFER_COMPLETE", 0, set()),  # the status is newer than such a progress
        ("FULL_TRANSFER_COMPLETE", 1, set()),
        ("FULL_TRANSFER_COMPLETE", 0.5, {"full_incomplete"}),
        ("FULL_TRANSFER_STARTED", None, {"phase", "full_unknown"}),
        ("FULL_TRANSFER_STARTED", 0, {"phase", "full_incomplete"}),
        ("FULL_TRANSFER_STARTED", 1, {"phase"}),
    ],
)
def test_a_full_load_alone(status: str, ratio: float | None, blocks: set[str]) -> None:
    assert blocking(ready(replace(FULL, status=status), progress=Progress(full_ratio=ratio))) == blocks


@pytest.mark.parametrize(("task_type", "blocks"), [("FULL_INCR_TRANS", True), ("INCR_TRANS", False), (None, True)])
def test_a_full_load_blocks_all_tasks_but_those_with_increments_alone(task_type: str | None, *, blocks: bool) -> None:
    found = outcomes(ready(replace(PLAIN, task_type=task_type), **with_full_ratio(0.5)))
    assert ("full_incomplete" in found) is blocks
    assert found["delay_high"] is Outcome.FINE


@pytest.mark.parametrize(
    ("listed", "detail", "applies"),
    [
        ({}, None, True),
        ({"task_type": "INCR_TRANS"}, None, False),
        ({"engine_type": "mysql-to-kafka"}, None, False),
        ({"engine_type": None}, None, True),
        ({"engine_type": None}, Detail(target_type="kafka"), False),
    ],
)
def test_objects_are_counted_only_where_a_full_load_moves_them(
    listed: dict[str, Any], detail: Detail | None, *, applies: bool
) -> None:
    found = outcomes(ready(replace(PLAIN, **listed), detail=detail))
    assert ("objects_missing" in found, "object_failed" in found) == (applies, applies)


def test_a_delay_outside_its_phases_is_unknown() -> None:
    assert "delay_unknown" in blocking(ready(replace(PLAIN, status="PAUSING"), **with_delay(0)))


@pytest.mark.parametrize(
    ("actions", "outcome"),
    [
        *((f"{action} RESET", Outcome.BLOCKS) for action in ("CONTINUE_APPLY", "CONTINUE_CAPTURE", "CONTINUE_JOB")),
        *[("START_INCR", Outcome.BLOCKS), ("START", Outcome.FINE), ("", Outcome.UNKNOWN)],
    ],
)
def test_an_action_that_is_needed(actions: str, outcome: Outcome) -> None:
    listed = replace(PLAIN, available_actions=frozenset(actions.split()), unavailable_actions=frozenset())
    assert outcomes(ready(listed))["action_needed"] is outcome
    assert outcomes(ready())["action_needed"] is Outcome.FINE


@pytest.mark.parametrize(
    ("action", "old", "outcome"),
    [
        *((word, False, Outcome.BLOCKS) for word in ("PAUSE", "STOP_JOB", "DELETE", "RETRY", "NODE_FLAVOR_MODIFY")),
        ("PAUSE", True, Outcome.UNKNOWN),
        *(("TO_RENEW", old, Outcome.FINE) for old in (False, True)),
        *(("", old, Outcome.FINE) for old in (False, True)),
        ("A_NEW_WORD", False, Outcome.UNKNOWN),
        (None, False, Outcome.UNKNOWN),
    ],
)
def test_an_operation_in_progress(action: str | None, outcome: Outcome, *, old: bool) -> None:
    task, names = ready(replace(PLAIN, current_action=action)), frozenset({"current_action"} if old else ())
    assert outcomes(task, old=names)["action_running"] is outcome
    paused = ready(replace(PLAIN, current_action="PAUSE", status="PAUSING"))
    assert outcomes(paused, old=names)["action_running"] is Outcome.BLOCKS


@pytest.mark.parametrize(
    ("parts", "blocks"),
    [
        ({"recovery": None}, {"rpo_unknown", "rto_unknown"}),
        ({"recovery": Recovery()}, {"rpo_unknown", "rto_unknown"}),
        ({"recovery": Recovery(rpo_seconds=0)}, {"rto_unknown"}),
        ({"recovery": Recovery(rpo_seconds=5, rto_seconds=5)}, set()),
        ({"recovery": Recovery(rpo_seconds=5.1, rto_seconds=5)}, {"rpo_high"}),
        ({"recovery": Recovery(rpo_seconds=5, rto_seconds=5.1)}, {"rto_high"}),
        (
            {"recovery": Recovery(6, 6), "detail": Detail(rpo_threshold_seconds=30, rto_threshold_seconds=60)},
            {"rpo_high", "rto_high"},  # thresholds are for alarms
        ),
        ({"switchover": Switchover(switching=True)}, {"switching"}),
        ({"switchover": None}, set()),
        (with_delay(6), {"delay_high"}),
        (with_delay(None), set()),  # RPO and RTO decide
    ],
)
def test_disaster_recovery(parts: dict[str, Any], blocks: set[str]) -> None:
    assert blocking(ready(DR, **parts)) == blocks


def test_a_switchover_blocks_as_soon_as_the_list_shows_it() -> None:
    found = blocking(ready(replace(DR, current_action="SWITCH_OVER"), switchover=None))
    assert found >= {"switching", "action_running"}


@pytest.mark.parametrize(("delay", "blocks"), [(1, set()), (6, {"delay_high"}), (None, {"delay_unknown"})])
def test_the_delay_of_a_dr_task_decides_where_no_operation_provides_its_rpo(
    delay: float | None, blocks: set[str]
) -> None:
    task, settings = ready(DR, recovery=None, **with_delay(delay)), Cutover()
    found = outcomes(task, settings, unpublished=frozenset({"recovery"}))
    assert {found[name] for name in DR_REASONS - {"switching"}} == {Outcome.UNPUBLISHED}
    assert blocking(task, settings, unpublished=frozenset({"recovery"})) == blocks


@pytest.mark.parametrize("limit", [0.5, 60])
def test_the_limit_of_the_settings(limit: float) -> None:
    settings = Cutover(max_delay=limit)
    assert blocking(ready(DR, **with_delay(limit), recovery=Recovery(limit, limit)), settings) == set()
    above = ready(DR, **with_delay(limit + 0.1), recovery=Recovery(limit + 0.1, limit + 0.1))
    assert blocking(above, settings) == {"delay_high", "rpo_high", "rto_high"}


@pytest.mark.parametrize(
    ("listed", "old", "stale"),
    [
        *((PLAIN, name, True) for name in ("status", "progress")),
        *((PLAIN, name, False) for name in ("recovery", "detail", "monitor", "current_action", "result")),
        (DR, "recovery", True),
    ],
)
def test_old_facts_that_decide_make_a_task_stale(listed: Listed, old: str, *, stale: bool) -> None:
    assert ("stale" in blocking(ready(listed), Cutover(), old=frozenset({old}))) is stale


@pytest.mark.parametrize(("other", "blocks"), [(None, False), ("PAUSING", True)])
def test_a_newer_response_with_another_status_blocks(other: str | None, *, blocks: bool) -> None:
    assert ("phase" in blocking(ready(), other_status=other)) is blocks


@pytest.mark.parametrize(
    ("stable", "outcome"), [(True, Outcome.FINE), (False, Outcome.BLOCKS), (None, Outcome.UNKNOWN)]
)
def test_a_task_that_was_not_clear_for_long_enough(stable: bool | None, outcome: Outcome) -> None:  # noqa: FBT001
    assert outcomes(ready(), stable=stable)["not_stable"] is outcome


LIVING = LivingSubtask("c", "child", blocked=False)
VIRTUAL = Task(ready().identity, listed=replace(PLAIN, is_parent=True), refused=frozenset({"progress"}))
ASSUMED = replace(VIRTUAL, assumed_virtual=frozenset({"progress"}))


@pytest.mark.parametrize(
    ("parent", "living", "blocks"),
    [
        (VIRTUAL, (LIVING,), set()),
        (VIRTUAL, (LIVING, LivingSubtask("d", "other", blocked=True)), {"subtask"}),
        (VIRTUAL, (LIVING, LivingSubtask("d", "other", blocked=None)), {"subtask"}),
        (VIRTUAL, (), {"subtask"}),
        (replace(VIRTUAL, refused=frozenset()), (LIVING,), {"delay_unknown"}),  # its own link may be behind
        (replace(VIRTUAL, progress=Progress(full_ratio=1, delay_seconds=1)), (), set()),
        (replace(VIRTUAL, progress=Progress(full_ratio=1, delay_seconds=6)), (LIVING,), {"delay_high"}),
        (replace(VIRTUAL, listed=replace(PLAIN, is_parent=True, unknown_children=1)), (LIVING,), {"subtask"}),
    ],
)
def test_a_parent_is_judged_by_its_subtasks_and_by_its_own_delay_where_known(
    parent: Task, living: tuple[LivingSubtask, ...], blocks: set[str]
) -> None:
    assert blocking(parent, living=living) == blocks


def test_a_virtual_parent_has_no_reasons_about_facts_that_only_its_subtasks_have() -> None:
    found = outcomes(VIRTUAL, living=(LIVING,))
    assert [*found] == ["phase", "stale", "action_needed", "action_running", "subtask", "not_stable"]


def test_the_delay_of_a_parent_that_is_only_assumed_to_be_virtual_is_unchecked() -> None:
    found = outcomes(ASSUMED, living=(LIVING,))
    assert found["delay_unknown"] is found["delay_high"] is found["full_incomplete"] is Outcome.UNKNOWN
    assert blocking(ASSUMED, living=(LIVING,), old=frozenset({"progress"})) == {"stale"}


@pytest.mark.parametrize(
    ("causes", "own", "outcome"),
    [
        ({"d": "unknown"}, {}, Outcome.UNKNOWN),
        ({"c": "unpublished", "d": "ignored", "e": "unknown"}, {}, Outcome.UNKNOWN),
        ({"c": "unpublished", "d": "ignored"}, {}, Outcome.IGNORED),
        ({"d": "unknown"}, {"current_action": "PAUSE"}, Outcome.BLOCKS),
        ({"d": "unknown"}, {"current_action": "CLONE"}, Outcome.UNKNOWN),
        ({}, {"current_action": "CLONE"}, Outcome.FINE),
    ],
)
def test_a_reason_that_was_not_checked_of_a_subtask_was_not_checked_of_its_parent(
    causes: dict[str, str], own: dict[str, Any], outcome: Outcome
) -> None:
    parent = replace(VIRTUAL, listed=replace(PLAIN, is_parent=True, **{"current_action": None, **own}))
    for reason in ("action_running", *(() if own else ("comparison_missing",))):
        living = (LIVING, *(LivingSubtask(key, key, False, ((reason, cause),)) for key, cause in causes.items()))  # noqa: FBT003
        assert outcomes(parent, living=living)[reason] is outcome


@pytest.mark.parametrize(
    ("listed", "detail", "can"),
    [
        ({}, None, True),
        ({"role": "master"}, Detail(node_role="master"), True),
        ({"role": "parent"}, None, True),
        ({"role": "slave"}, None, False),
        ({}, Detail(node_role="slave"), False),  # v3 returns it in the details only
        ({"multi_write": True}, None, False),
        ({}, Detail(multi_write=True), False),  # and v5 this
        ({"multi_write": True, "job_type": "sync"}, None, True),  # only DR tasks are dual-active
        ({}, Detail(multi_write=False), True),
        *(({"status": f"FULL_TRANSFER_{end}"}, None, True) for end in ("STARTED", "COMPLETE", "FAILED")),
        *(({"status": f"RELEASE_RESOURCE_{end}"}, None, False) for end in ("STARTED", "COMPLETE")),
        *(({"status": status}, None, True) for status in ("PAUSING", "CHANGE_JOB_STARTED", "FROZEN")),
        *(({"status": status}, None, False) for status in ("CREATING", "CONFIGURATION", "STARTJOBING", "NEW")),
    ],
)
def test_a_task_can_be_cut_over_unless_it_is_a_standby_or_its_phase_is_out_of_the_question(
    listed: dict[str, Any], detail: Detail | None, *, can: bool
) -> None:
    task = ready(replace(DR, **listed), detail=detail)
    assert can_be_cut_over(task) is can
    assert not can_be_cut_over(replace(task, listed=None))
    assert not (can and excluded(task))
