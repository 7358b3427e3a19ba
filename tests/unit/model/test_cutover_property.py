"""Ready on any combination of facts implies a known, fresh delay of each living link, and no fact that is known bad."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from exporter.config import Cutover
from exporter.model.cutover import blocking, can_be_cut_over, caught_up, judge
from exporter.model.cutover_input import CutoverInput
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
)
from exporter.model.task import Listed, Phase, Task
from tests.lib.verdicts import DR, EQUAL, FULL, PLAIN, ready

RUNS, LOADED = "INCRE_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE"
SECONDS = st.sampled_from([None, 0.0, 4.9, 5.0, 5.1, 9000.0])
FLAGS = st.sampled_from([None, True, False])
NEEDS = st.sampled_from(["required", "if_available", "ignore"])
SETTINGS = st.builds(Cutover, comparison=NEEDS, endpoints=NEEDS, objects=NEEDS, report=NEEDS, logs=NEEDS)
NAMES = ("status", "progress", "recovery", "node", "monitor", "objects", "detail", "comparison", "logs", "result")


@dataclass(frozen=True)
class Link:
    """A task with its subtasks, as the store knows it."""

    task: Task
    old: frozenset[str]
    unpublished: frozenset[str]
    other_status: str | None
    subtasks: tuple[Link, ...] = ()

    @property
    def living(self) -> bool:
        return self.task.phase is not Phase.ENDED and not self.task.standby


def listed_tasks(parent: bool) -> st.SearchStrategy[Listed]:  # noqa: FBT001
    return st.builds(
        Listed,
        id=st.just("id"),
        name=st.just("name"),
        status=st.sampled_from([RUNS, RUNS, RUNS, LOADED, "FULL_TRANSFER_STARTED", "PAUSING", "CHANGE_JOB_STARTED"]),
        job_type=st.sampled_from(["sync", "migration", "cloudDataGuard"]),
        engine_type=st.sampled_from(["mysql-to-mysql", "mysql-to-kafka", None]),
        task_type=st.sampled_from(["FULL_INCR_TRANS", "INCR_TRANS", "FULL_TRANS", None]),
        role=st.sampled_from([None, None, "master", "slave"]),
        is_parent=st.just(parent),
        unknown_children=st.sampled_from([0, 0, 0, 1]) if parent else st.just(0),
        contradicted=st.sampled_from([False, False, False, True]),
        available_actions=st.sets(st.sampled_from(["RETRY", "CONTINUE_JOB", "START_INCR"]), max_size=1).map(frozenset),
        current_action=st.sampled_from([None, "", "", "PAUSE", "SWITCH_OVER", "TO_RENEW", "NEW"]),
    )


FACTS: dict[str, st.SearchStrategy[Any]] = {
    "progress": st.builds(
        Progress,
        full_ratio=st.sampled_from([None, 0.0, 0.5, 1.0, 1.0]),
        delay_seconds=SECONDS,
        transfer_status=st.sampled_from([None, RUNS, "INCRE_TRANSFER_FAILED"]),
    ),
    "node": st.builds(Node, apply_state=st.sampled_from([None, "processing", "failed"])),
    "monitor": st.builds(Monitor, source_up=FLAGS, target_up=FLAGS),
    "recovery": st.builds(Recovery, rpo_seconds=SECONDS, rto_seconds=SECONDS),
    "switchover": st.builds(Switchover, switching=FLAGS),
    "objects": st.builds(
        Objects,
        counts=st.lists(
            st.builds(
                ObjectCount,
                type=st.just("table"),
                source=st.sampled_from([None, 3.0]),
                target=st.sampled_from([None, 2.0, 3.0]),
                status=st.sampled_from([None, "TRANSFERING", "COMPLETED", "FAILED", "TRANSFER_WHEN_END"]),
            ),
            max_size=2,
        ).map(tuple),
    ),
    "detail": st.builds(Detail, order_status=st.sampled_from([None, "COMPLETED", "FROZEN_CAN_RENEW"])),
    "comparison": st.builds(
        Comparison,
        types=st.lists(
            st.builds(
                Compared,
                type=st.just("line"),
                status=st.sampled_from(["SUCCESSFUL", "RUNNING", "FAILED"]),
                consistent=FLAGS,
                finished_at=st.sampled_from([None, 1.0]),
            ),
            max_size=1,
        ).map(tuple),
    ),
    "logs": st.builds(Logs, newest=st.sampled_from([(), (("error", 2.0), ("info", 1.0)), (("info", 2.0),)])),
}


DEVIATIONS = (*FACTS, *FACTS, "listed", "old", "old", "other_status", "unpublished", "virtual", "virtual")


@st.composite
def links(draw: st.DrawFn, depth: int = 2) -> Link:
    """A task that is ready but for some facts, so that many are ready as a whole."""
    parent = depth > 0 and draw(st.booleans())
    ways = draw(st.sets(st.sampled_from(DEVIATIONS), max_size=3))
    listed = draw(listed_tasks(parent) if "listed" in ways else st.sampled_from([PLAIN, PLAIN, DR, FULL]))
    task = replace(ready(listed), listed=replace(listed, is_parent=parent))
    for name in sorted(ways & FACTS.keys()):
        changed: dict[str, Any] = {name: draw(st.none() | FACTS[name])}
        task = replace(task, **changed)
    if parent and "virtual" in ways:
        task = Task(task.identity, listed=task.listed, refused=frozenset({"progress"}))
    return Link(
        task,
        draw(st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=2)) if "old" in ways else frozenset(),
        frozenset({"recovery", "node"}) if "unpublished" in ways else frozenset(),
        "PAUSING" if "other_status" in ways else None,
        tuple(draw(st.lists(links(depth - 1), max_size=2))) if parent else (),
    )


def verdict(link: Link, rules: Cutover) -> tuple[bool | None, bool | None]:
    """Whether anything blocks a task, and whether it is caught up; None if it has no verdict."""
    if not can_be_cut_over(link.task):
        return None, None
    parts = [verdict(part, rules) for part in link.subtasks if part.living]
    living = tuple(LivingSubtask("s", "s", blocks, caught_up=caught) for blocks, caught in parts)
    case = CutoverInput(link.task, rules, link.old, link.unpublished, living=living, other_status=link.other_status)
    found = blocking(judge(case))
    return bool(found), caught_up(case, found)


def blocked(link: Link, rules: Cutover) -> bool | None:
    """Whether anything blocks a task; None if it has no verdict."""
    return verdict(link, rules)[0]


def is_link(link: Link) -> bool:
    """Whether data passes this task itself: not a virtual parent."""
    return not (link.subtasks and "progress" in link.task.refused and link.task.progress is None)


def assert_caught_up(link: Link) -> None:
    """The delay, or RPO and RTO, or the complete full load is known and fresh, by the facts alone."""
    task, listed = link.task, link.task.listed
    assert listed is not None
    assert "status" not in link.old
    assert not listed.contradicted
    assert link.other_status is None
    if listed.task_type == "FULL_TRANS":
        assert listed.status == LOADED
        assert task.progress is None or task.progress.full_ratio in {None, 0, 1}
        return
    assert listed.status == RUNS
    if not is_link(link):
        return
    delay = task.progress.delay_seconds if task.progress else None
    recovery = task.recovery or Recovery()
    recovers = listed.disaster_recovery and {*(recovery.rpo_seconds, recovery.rto_seconds)}.isdisjoint({None})
    assert (delay is not None and "progress" not in link.old) or (recovers and "recovery" not in link.old)
    assert (delay or 0) <= 5
    if recovers:
        assert max(recovery.rpo_seconds or 0, recovery.rto_seconds or 0) <= 5


def assert_nothing_known_bad(link: Link, rules: Cutover) -> None:
    """By the facts alone, whatever their age."""
    task, listed = link.task, link.task.listed
    assert listed is not None
    assert not listed.available_actions & {"CONTINUE_JOB", "START_INCR"}
    assert listed.current_action not in {"PAUSE", "SWITCH_OVER"}
    assert not (task.progress and task.progress.transfer_status == "INCRE_TRANSFER_FAILED")
    assert not (task.node and task.node.apply_state == "failed")
    assert not (task.detail and (task.detail.order_status or "").startswith("FROZEN"))
    assert not (listed.disaster_recovery and task.switchover and task.switchover.switching)
    if listed.task_type not in {"INCR_TRANS", "FULL_TRANS"}:
        assert not (task.progress and (task.progress.full_ratio or 1) < 1)
    if rules.endpoints != "ignore" and task.monitor:
        assert False not in {task.monitor.source_up, task.monitor.target_up}
    if rules.logs != "ignore" and task.logs:
        assert dict(task.logs.newest).get("error", 0) < 2
    if rules.comparison != "ignore" and task.comparison:
        judged = [one.consistent for one in task.comparison.judged]
        assert False not in judged
    moves = listed.task_type != "INCR_TRANS" and "kafka" not in (listed.engine_type or "")
    if rules.objects != "ignore" and moves and task.objects:
        for count in task.objects.counts:
            assert count.status != "FAILED"
            settled = count.status in {"COMPLETED", "TRANSFER_WHEN_END"}
            assert settled or (count.target or 3) >= (count.source or 0)


def assert_ready(link: Link, rules: Cutover) -> None:
    assert_caught_up(link)
    assert_nothing_known_bad(link, rules)
    assert link.task.listed is not None
    assert not link.task.listed.unknown_children
    for part in link.subtasks:
        if part.living:
            assert can_be_cut_over(part.task)
            assert_ready(part, rules)
    if link.task.listed.is_parent and not any(part.living for part in link.subtasks):
        assert link.task.delay_seconds is not None


READY = Link(ready(PLAIN), frozenset(), frozenset(), None)


@settings(max_examples=400)
@given(link=links(), rules=SETTINGS)
@example(READY, Cutover(comparison="required", endpoints="required", objects="required", logs="required"))
@example(replace(READY, old=frozenset({"progress"})), Cutover())
@example(replace(READY, old=frozenset({"status"})), Cutover())
@example(Link(ready(DR, progress=None), frozenset({"recovery"}), frozenset(), None), Cutover())
@example(replace(READY, task=ready(PLAIN, comparison=Comparison((replace(EQUAL, consistent=False),)))), Cutover())
def test_ready_implies_fresh_links_and_no_known_bad_fact(link: Link, rules: Cutover) -> None:
    if blocked(link, rules) is False:
        assert_ready(link, rules)
        assert verdict(link, rules)[1]


def assert_all_caught_up(link: Link) -> None:
    assert_caught_up(link)
    assert link.task.listed is not None
    assert not link.task.listed.unknown_children
    living = [part for part in link.subtasks if part.living]
    assert living or is_link(link) or link.task.listed.task_type == "FULL_TRANS"
    for part in living:
        assert_all_caught_up(part)


@settings(max_examples=400)
@given(link=links())
def test_caught_up_implies_known_and_fresh_delays_of_all_links(link: Link) -> None:
    if verdict(link, Cutover())[1]:
        assert_all_caught_up(link)


def test_the_property_is_not_empty() -> None:
    assert blocked(READY, Cutover()) is False
    virtual = Task(READY.task.identity, listed=replace(PLAIN, is_parent=True), refused=frozenset({"progress"}))
    assert blocked(replace(READY, task=virtual, subtasks=(READY, READY)), Cutover()) is False


@settings(max_examples=200)
@given(link=links(depth=0), rules=SETTINGS)
def test_each_reason_is_in_exactly_one_family_and_more_facts_never_hide_a_blocker(link: Link, rules: Cutover) -> None:
    case = CutoverInput(link.task, rules, link.old, link.unpublished)
    names = [name for name, _ in judge(case)]
    assert len(names) == len(set(names))
    older = CutoverInput(link.task, rules, link.old | set(NAMES), link.unpublished)
    assert {*blocking(judge(case))} <= {*blocking(judge(older))}
