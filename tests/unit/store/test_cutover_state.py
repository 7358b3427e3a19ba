"""What was observed of a task, and when parts of its verdict become too old."""

from __future__ import annotations

import math

import pytest

from exporter.config import Cutover
from exporter.model.details import Detail
from exporter.model.facts import Progress, TaskFacts
from exporter.store.cutover_state import CutoverState, EarlierVerdict, rules_of, status_of, too_old
from tests.lib.daemon import listed_task


@pytest.mark.parametrize(
    ("reports", "at", "other"),
    [
        ([("RUNS", 5.0)], 5.0, None),
        ([("RUNS", 5.0), ("RUNS", 9.0)], 9.0, None),
        ([("RUNS", 5.0), ("FAILED", 4.0)], 5.0, None),  # the list is newer
        ([("RUNS", 5.0), ("FAILED", 6.0)], 5.0, "FAILED"),
        ([("RUNS", 7.0), ("FAILED", 6.0), ("RUNS", 5.0)], 7.0, None),
        ([("FAILED", 6.0)], float("-inf"), "FAILED"),
        ([], float("-inf"), None),
    ],
)
def test_the_age_of_a_status_is_that_of_the_newest_response_that_contains_it(
    reports: list[tuple[str, float]], at: float, other: str | None
) -> None:
    assert status_of(listed_task("a", "RUNS"), reports) == (at, other)


@pytest.mark.parametrize(
    ("facts", "reported"),
    [
        (Progress(task_status="PAUSING"), ("PAUSING", 7.0)),
        (Detail(task_status="PAUSING"), ("PAUSING", 7.0)),
        (Progress(transfer_status="PAUSING"), None),  # of the progress, which the list overrides
        (Detail(), None),
    ],
)
def test_a_response_about_a_task_may_contain_its_status(facts: TaskFacts, reported: tuple[str, float] | None) -> None:
    state = CutoverState()
    state.update(facts, 7.0)
    assert state.reported == reported


def test_a_report_advances_within_one_phase_only() -> None:
    state, runs = CutoverState(), listed_task()
    state.observe(runs, 0.0)
    for at, advances in ((10.0, False), (10.0, False), (None, False), (11.0, True), (11.0, True)):
        state.update(Progress(reported_at_latest=at), 0.0)
        assert state.report_advances is advances
    state.observe(runs, 1.0)
    assert state.report_advances
    state.observe(None, 1.0)
    assert state.report_advances
    state.observe(listed_task("a", "PAUSING"), 2.0)
    state.update(Progress(reported_at_latest=12.0), 2.0)
    assert not state.report_advances


def test_an_edit_lasts_until_the_first_list_without_it() -> None:
    state, seen = CutoverState(), []
    statuses = ("INCRE_TRANSFER_STARTED", "CHANGE_JOB_STARTED", "CHILD_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED")
    for now, status in enumerate((*statuses, "INCRE_TRANSFER_STARTED", "NODE_UPGRADE_START")):
        state.observe(listed_task("a", status), float(now))
        seen.append(state.edited)
    assert seen == [None, 1.0, 2.0, 3.0, 3.0, 3.0]


def test_the_limits_of_facts() -> None:
    state = CutoverState()
    state.observe(listed_task("a", current_action="PAUSE"), 50.0)
    state.observe(listed_task("a", current_action="PAUSE"), 70.0)
    received = {"progress": 100.0, "recovery": 101.0, "monitor": 102.0, "detail": 103.0, "objects": 104.0}
    state.limits = state.limits_of(Cutover(), 99.0, received, {"progress": 30, "monitor": 20, "detail": 600}, 1000.0)
    assert state.limits == {
        "status": 189.0,
        "progress": 190.0,
        "recovery": 191.0,  # absolute, and after the facts have expired
        "monitor": 192.0,
        "detail": 1903.0,
        "current_action": 3650.0,
        "result": 87_400.0,
    }
    assert too_old(state.limits, 190.0) == {"status"}
    state.old = too_old(state.limits, 190.0)
    assert min(state.changes(120.0)) == 190.0


def test_a_task_is_caught_up_after_its_delays_were_within_their_limits_for_long_enough() -> None:
    state = CutoverState()
    for now, within, caught_up in ((0, True, False), (120, True, False), (121, True, True), (130, False, False)):
        state.observe_delays(now, 120.0, within=within)
        assert state.caught_up is caught_up
    state.observe_delays(140.0, 120.0, within=True)
    assert [*state.changes(120.0)] == [260.0]
    state.restart()
    assert ([*state.changes(120.0)], state.caught_up) == ([], False)
    state.observe_delays(150.0, 0.0, within=True)
    assert state.caught_up


def test_a_task_is_stable_after_nothing_has_blocked_for_long_enough() -> None:
    state = CutoverState()
    for now, blocked, stable in ((0, False, False), (120, False, False), (121, False, True), (130, True, True)):
        state.observe_blocked(now, blocked=blocked)
        assert state.is_stable(now, 120.0) is stable
    state.observe_blocked(140.0, blocked=False)
    assert not state.is_stable(259.0, 120.0)
    assert [*state.changes(120.0)] == [260.0]
    state.restart()
    assert [*state.changes(120.0)] == []


RULES = Cutover()


def restored_state(until: float = 100.0, ready_since: float = -500.0) -> CutoverState:
    state = CutoverState()
    state.restored = EarlierVerdict(ready_since, until, rules_of(RULES))
    state.adopt(RULES)
    state.limits = {"status": 300.0, "node": 50.0}
    state.old = frozenset({"node"})
    return state


def test_a_restored_verdict_continues_once_the_task_is_ready() -> None:
    state = restored_state()
    state.observe_blocked(10.0, blocked=True)  # the facts are not known yet
    assert state.to_restore() == EarlierVerdict(-500.0, 100.0, rules_of(RULES))
    state.observe_blocked(90.0, blocked=False)
    state.observe_ready(90.0, ready=False)  # not stable yet
    assert state.to_restore() == EarlierVerdict(-500.0, 300.0, rules_of(RULES))
    state.observe_blocked(211.0, blocked=False)
    state.observe_ready(211.0, ready=True)
    assert (state.ready_since, state.restored) == (-500.0, None)
    assert state.to_restore() == EarlierVerdict(-500.0, 300.0, rules_of(RULES))


def test_a_restored_verdict_does_not_continue_after_its_facts_are_too_old() -> None:
    state = restored_state()
    state.observe_blocked(101.0, blocked=False)
    state.observe_ready(300.0, ready=True)
    assert state.ready_since == 300.0


def test_a_restored_verdict_does_not_continue_after_something_has_blocked_again() -> None:
    state = restored_state()
    state.observe_blocked(10.0, blocked=False)
    state.observe_blocked(20.0, blocked=True)
    state.observe_blocked(30.0, blocked=False)
    state.observe_ready(151.0, ready=True)
    assert state.ready_since == 151.0


def test_a_restored_verdict_does_not_continue_by_other_rules() -> None:
    state = restored_state()
    state.adopt(RULES.model_copy(update={"max_delay": 60.0}))
    assert state.restored is None


def test_a_restored_verdict_does_not_continue_after_a_time_without_verdict() -> None:
    state = restored_state()
    state.restart()
    assert state.restored is None


def test_rules_are_the_same_in_each_process() -> None:
    assert rules_of(RULES) == rules_of(Cutover())
    assert rules_of(RULES) != rules_of(Cutover(max_delay=4.0))


def test_nothing_can_be_restored_of_a_task_that_is_not_ready() -> None:
    state = CutoverState()
    assert state.to_restore() is None
    state.observe_ready(1.0, ready=True)
    assert state.to_restore() is None  # without a verdict
    assert state.fresh_until == -math.inf
